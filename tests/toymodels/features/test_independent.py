from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from toymodels.errors import InputError
from toymodels.features import SMALLEST_SHARED_DRAW, Independent, SignedUniform, Uniform
from toymodels.streams import draw_uniforms

P = np.array([0.05, 0.3, 0.7, 1.0], np.float32)
N, KEY = 40_000, jax.random.key(1)


@partial(jax.jit, static_argnums=1)
def _draw(features, n):
    return jax.vmap(features.sample)(jax.random.split(jax.random.key(0), n))


def draw(features, n=N):
    return np.asarray(_draw(features, n))


def two_draws(p, values=Uniform()):
    return Independent(p_active=p, distribution=values, draws=2)


@pytest.mark.parametrize("make", [lambda: Independent.create(P, 4), lambda: two_draws(P)])
def test_mean_and_variance_are_those_of_mask_times_uniform(make):
    x = draw(make())
    variance = P / 3 - P**2 / 4
    np.testing.assert_array_less(abs(x.mean(0) - P / 2), 5 * np.sqrt(variance / N))
    np.testing.assert_allclose(x.var(0), variance, rtol=0.05)
    active = (x != 0).mean(0)
    np.testing.assert_array_less(abs(active - P), 5 * np.sqrt(P * (1 - P) / N) + 1e-6)


@pytest.mark.parametrize("draws", [1, 2])
@pytest.mark.parametrize(("values", "low"), [(Uniform(), 0.0), (SignedUniform(), -1.0)])
def test_values_agree_with_a_mask_times_an_independent_uniform(draws, values, low):
    x = draw(Independent(p_active=P, distribution=values, draws=draws))
    rng = np.random.default_rng(1)
    other = (rng.random((N, 4)) < P) * rng.uniform(low, 1, (N, 4))
    for i, p in enumerate(P):
        assert stats.ks_2samp(x[:, i], other[:, i]).pvalue > 1e-3
        active = x[x[:, i] != 0, i]
        assert stats.kstest(active, stats.uniform(low, 1 - low).cdf).pvalue > 1e-3, p


def test_features_are_uncorrelated():
    correlation = np.corrcoef(draw(Independent.create(0.4, 4)).T)
    np.testing.assert_array_less(abs(correlation - np.eye(4)), 5 / np.sqrt(N))


@pytest.mark.parametrize("draws", [1, 2])
@pytest.mark.parametrize("values", [Uniform(), SignedUniform()])
def test_density_zero_gives_exact_zeros_and_finite_gradients(draws, values):
    p = jnp.array([0.0, 0.5])
    features = Independent(p_active=p, distribution=values, draws=draws)
    assert np.all(draw(features, 1000)[:, 0] == 0)
    u = jnp.full(features.n_uniforms, 0.25)
    slope = jax.grad(lambda p: features.replace(p_active=p).from_uniforms(u).sum())(p)
    assert np.all(np.isfinite(slope))


def test_one_uniform_serves_twice_and_means_u_over_p():
    features = Independent.create([0.5, 0.5, 0.25], 3)
    x = features.from_uniforms(jnp.array([0.2, 0.6, 0.125]))
    np.testing.assert_allclose(x, [0.4, 0.0, 0.5], rtol=1e-6)
    signed = Independent.create([0.5, 0.5, 0.25], 3, SignedUniform())
    x = signed.from_uniforms(jnp.array([0.2, 0.6, 0.125]))
    np.testing.assert_allclose(x, [-0.2, 0.0, 0.0], atol=1e-6)


def test_two_uniforms_are_a_mask_and_a_value():
    x = two_draws(np.array([0.5, 0.5])).from_uniforms(jnp.array([0.2, 0.6, 0.7, 0.8]))
    np.testing.assert_allclose(x, [0.7, 0.0], rtol=1e-6)


@pytest.mark.parametrize(
    ("p", "draws"),
    [
        (1e-3, 1),
        (SMALLEST_SHARED_DRAW, 1),
        (0.0, 1),
        ([0.0, 1.0], 1),
        (0.99 * SMALLEST_SHARED_DRAW, 2),
        ([0.5, 1e-6], 2),
    ],
)
def test_value_takes_a_draw_of_its_own_where_too_few_levels_lie_below_p(p, draws):
    features = Independent.create(p, 2)
    assert features.draws == draws
    assert features.n_uniforms == 2 * draws


@pytest.mark.parametrize(
    ("p", "n"), [(1e-3, 20_000), (1e-4, 100_000), (2 * SMALLEST_SHARED_DRAW, 500_000)]
)
def test_very_sparse_features_still_have_uniform_values(p, n):
    """With the 23 bits of `jax.random.uniform` the last density would know 64 values."""
    features = Independent.create(p, 50)
    x = np.asarray(jax.jit(lambda k: features.from_uniforms(draw_uniforms(k, (50, n))))(KEY))
    values = x[x != 0]
    expected = p * x.size
    assert abs(len(values) - expected) < 5 * np.sqrt(expected)
    assert stats.kstest(values, "uniform").pvalue > 1e-3
    assert len(np.unique(values)) > 0.9 * len(values)


@given(
    p=st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3),
    u=st.lists(st.floats(0, 1, exclude_max=True, width=32), min_size=6, max_size=6),
)
@settings(deadline=None, derandomize=True, max_examples=50)
def test_values_lie_in_their_range_for_any_density(p, u):
    for values, low in ((Uniform(), 0), (SignedUniform(), -1)):
        features = Independent.create(p, 3, values)
        x = np.asarray(features.from_uniforms(jnp.array(u[: features.n_uniforms], jnp.float32)))
        assert np.all((x >= low) & (x <= 1))
        assert np.all(x[np.array(p) == 0] == 0)


@pytest.mark.parametrize(
    ("p", "told"),
    [
        (1.5, "p_active = 1.5"),
        (-0.1, "p_active = -0.1"),
        (float("nan"), "p_active = nan"),
        (float("inf"), "p_active = inf"),
        (1e300, r"p_active = 1e\+300"),
        ([0.5, 2.0, 0.5], "p_active = 2.0"),
        ([0.5, 0.5], "n_features = 3"),
    ],
)
def test_a_density_that_is_no_probability_is_refused_by_name(p, told):
    with pytest.raises(InputError, match=told):
        Independent.create(p, 3)
