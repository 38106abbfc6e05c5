"""Worlds in which a fixed number of features is active: which, how often, and with what values."""

import itertools

import jax
import numpy as np
import pytest
from scipy import stats

from toymodels.errors import InputError
from toymodels.features import Boolean, Independent, SeveralActive


def examples(world, u):
    return np.asarray(jax.jit(world.from_uniforms)(u.astype(np.float32)))


def test_every_set_is_active_as_often_and_values_are_uniform():
    world = SeveralActive.create(5, 2)
    assert world.n_uniforms == 10
    x = examples(world, np.random.default_rng(0).random((10, 20_000)))
    assert np.all((x > 0).sum(0) == 2)
    found = [np.mean(np.all(x[list(pair)] > 0, 0)) for pair in itertools.combinations(range(5), 2)]
    np.testing.assert_allclose(found, 0.1, atol=5 * (0.09 / 20_000) ** 0.5)
    assert stats.kstest(x[0, x[0] > 0], "uniform").pvalue > 1e-3


def test_equal_numbers_activate_no_more_features_than_asked():
    world = SeveralActive.create(4, 2, Boolean())
    assert world.n_uniforms == 4
    u = np.array([[0.5, 0.75], [0.5, 0.25], [0.5, 0.25], [0.5, 0.0]])
    np.testing.assert_array_equal(examples(world, u).T, [[1, 1, 0, 0], [0, 1, 0, 1]])


@pytest.mark.parametrize(
    "world", [SeveralActive.create(6, 3, Boolean()), Independent.create([0.2, 0.9, 0.5, 0.5])]
)
def test_the_chance_that_two_are_active_is_what_examples_show(world):
    on = examples(world, np.random.default_rng(1).random((world.n_uniforms, 20_000))) > 0
    pairs = itertools.combinations(range(world.n_features), 2)
    share = np.mean([np.mean(on[i] & on[j]) for i, j in pairs])
    assert world.both_active() == pytest.approx(share, abs=0.01)
    np.testing.assert_allclose(on.mean(1), np.broadcast_to(world.p_active, on.shape[0]), atol=0.02)


@pytest.mark.parametrize("n_active", [-1, 7, 1.5])
def test_more_active_features_than_there_are_is_refused(n_active):
    with pytest.raises(InputError, match=f"n_active = {n_active} of 6 .* from 0 to 6"):
        SeveralActive.create(6, n_active)
