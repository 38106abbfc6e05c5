"""Streams are apart from each other, and their uniforms are fine enough for small densities."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from toymodels.features import SMALLEST_SHARED_DRAW
from toymodels.streams import Stream, draw_uniforms, run_key, stream

KEY = jax.random.key(5)


def numbers_of(key):
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


def test_no_two_purposes_share_a_number():
    assert len(Stream.__members__) == len(set(Stream))  # an enum would take one for an alias


def test_purposes_seeds_and_roots_all_have_streams_of_their_own():
    every = product(range(4), Stream, range(4))
    keys = {numbers_of(stream(seed, purpose, root)) for seed, purpose, root in every}
    keys |= {numbers_of(run_key(seed, root)) for seed, root in product(range(4), range(4))}
    assert len(keys) == 4 * len(Stream) * 4 + 16


def test_another_root_shares_no_run_with_the_first():
    """Adding the root to the seed would give 99 of 100 runs again."""
    first, other = ({numbers_of(run_key(s, root)) for s in range(100)} for root in (0, 1))
    assert len(first) == len(other) == 100
    assert not first & other


def test_uniforms_have_the_mean_and_the_spread_of_uniforms():
    u = np.asarray(draw_uniforms(KEY, (400, 500)), np.float64)
    n = u.size
    assert abs(u.mean() - 1 / 2) < 4 / np.sqrt(12 * n)
    assert abs(u.var() - 1 / 12) < 4 / np.sqrt(180 * n)
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(u[:-1].ravel(), u[1:].ravel())[0, 1]) < 4 / np.sqrt(n)


@pytest.mark.parametrize("bits", [0, 1, 255, 2**31 - 1, 2**31, 2**32 - 130, 2**32 - 1])
def test_uniforms_lie_below_one_and_above_nothing_whatever_the_bits(monkeypatch, bits):
    monkeypatch.setattr(jax.random, "bits", lambda key, shape, dtype: jnp.full(shape, bits, dtype))
    (u,) = np.asarray(draw_uniforms(KEY, (1,)))
    assert 0 <= u < 1
    assert u == pytest.approx((bits >> 1) / 2**31, rel=2e-7)


@pytest.fixture(scope="module")
def small_ones():
    """All that lies below 2⁻¹⁴ of 2²⁵ uniforms, a chunk at a time, and how many lie below 2⁻ᵏ."""
    chunk = jax.jit(lambda key: draw_uniforms(key, (2**22,)))
    kept = []
    for key in jax.random.split(KEY, 8):
        u = np.asarray(chunk(key))
        kept.append(u[u < 2.0**-14])
    return np.concatenate(kept)


@pytest.mark.parametrize("k", [14, 16, 18, 20, 21])
def test_small_numbers_come_as_often_as_they_should(small_ones, k):
    expected = 2.0 ** (25 - k)
    found = np.count_nonzero(small_ones < 2.0**-k)
    low, high = stats.poisson.interval(0.9999, expected)
    assert low <= found <= high


def test_small_numbers_are_made_of_31_bits(small_ones):
    """Of 23 bits every one would be a multiple of 2⁻²³, and only 32 would lie below 2⁻¹⁸."""
    levels = np.rint(np.float64(small_ones) * 2**31).astype(int)
    np.testing.assert_allclose(small_ones, levels / 2**31, rtol=2e-7)
    odd = np.count_nonzero(levels % 2)
    assert stats.binomtest(odd, levels.size).pvalue > 1e-4
    smallest = levels[small_ones < SMALLEST_SHARED_DRAW]
    assert smallest.size > 90
    assert np.unique(smallest).size > 0.95 * smallest.size


def test_more_rows_begin_with_the_rows_of_fewer():
    """A world that takes two uniforms for an entry shares its masks with one that takes one."""
    few, many = draw_uniforms(KEY, (3, 17)), draw_uniforms(KEY, (6, 17))
    np.testing.assert_array_equal(many[:3], few)
