from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from toymodels.errors import InputError
from toymodels.features import Features, Independent, OneActive, SignedUniform, Uniform

P = np.array([0.05, 0.3, 0.7, 1.0], np.float32)
N = 40_000


@partial(jax.jit, static_argnums=1)
def _draw(features, n):
    return jax.vmap(features.sample)(jax.random.split(jax.random.key(0), n))


def draw(features, n=N):
    return np.asarray(_draw(features, n))


def two_draws(p, law=Uniform()):
    return Independent(p_active=p, law=law, draws=2)


@pytest.mark.parametrize("make", [lambda: Independent.create(P, 4), lambda: two_draws(P)])
def test_mean_and_variance_are_those_of_mask_times_uniform(make):
    x = draw(make())
    variance = P / 3 - P**2 / 4
    np.testing.assert_array_less(abs(x.mean(0) - P / 2), 5 * np.sqrt(variance / N))
    np.testing.assert_allclose(x.var(0), variance, rtol=0.05)
    active = (x != 0).mean(0)
    np.testing.assert_array_less(abs(active - P), 5 * np.sqrt(P * (1 - P) / N) + 1e-6)


@pytest.mark.parametrize("draws", [1, 2])
@pytest.mark.parametrize(("law", "low"), [(Uniform(), 0.0), (SignedUniform(), -1.0)])
def test_law_agrees_with_a_mask_times_an_independent_uniform(draws, law, low):
    x = draw(Independent(p_active=P, law=law, draws=draws))
    rng = np.random.default_rng(1)
    other = (rng.random((N, 4)) < P) * rng.uniform(low, 1, (N, 4))
    for i, p in enumerate(P):
        assert stats.ks_2samp(x[:, i], other[:, i]).pvalue > 1e-3
        values = x[x[:, i] != 0, i]
        assert stats.kstest(values, stats.uniform(low, 1 - low).cdf).pvalue > 1e-3, p


def test_features_are_uncorrelated():
    correlation = np.corrcoef(draw(Independent.create(0.4, 4)).T)
    np.testing.assert_array_less(abs(correlation - np.eye(4)), 5 / np.sqrt(N))


@pytest.mark.parametrize("draws", [1, 2])
@pytest.mark.parametrize("law", [Uniform(), SignedUniform()])
def test_density_zero_gives_exact_zeros_and_finite_gradients(draws, law):
    p = jnp.array([0.0, 0.5])
    features = Independent(p_active=p, law=law, draws=draws)
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
    ("p", "draws"), [(1e-3, 1), (0.5, 1), (0.0, 1), (9e-4, 2), ([0.5, 1e-5], 2), ([0.0, 1.0], 1)]
)
def test_value_takes_a_draw_of_its_own_below_a_thousandth(p, draws):
    features = Independent.create(p, 2)
    assert features.draws == draws
    assert features.n_uniforms == 2 * draws


def test_very_sparse_features_still_have_uniform_values():
    x = draw(Independent.create(1e-4, 50), 40_000)
    values = x[x != 0]
    assert stats.kstest(values, "uniform").pvalue > 1e-3
    assert abs(len(values) - 200) < 5 * np.sqrt(200)


@given(
    p=st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3),
    u=st.lists(st.floats(0, 1, exclude_max=True, width=32), min_size=6, max_size=6),
)
@settings(deadline=None, derandomize=True, max_examples=50)
def test_values_lie_in_their_range_for_any_density(p, u):
    for law, low in ((Uniform(), 0), (SignedUniform(), -1)):
        features = Independent.create(p, 3, law)
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


def test_a_kind_of_features_must_say_how_it_draws():
    with pytest.raises(NotImplementedError):
        _ = Features().n_uniforms
    with pytest.raises(NotImplementedError):
        Features().from_uniforms(jnp.zeros(1))


@pytest.mark.parametrize(("law", "low"), [(Uniform(), 0.0), (SignedUniform(), -1.0)])
def test_one_active_has_one_active_feature_each_as_often_and_uniform(law, low):
    x = draw(OneActive(6, law))
    assert np.all((x != 0).sum(1) <= 1) and np.mean((x != 0).sum(1)) > 0.999  # the value may be 0
    share = (x != 0).mean(0)
    np.testing.assert_array_less(abs(share - 1 / 6), 5 * np.sqrt(5 / 36 / N))
    for i in range(6):
        assert stats.kstest(x[x[:, i] != 0, i], stats.uniform(low, 1 - low).cdf).pvalue > 1e-3


def test_one_active_reads_feature_and_value_from_one_number():
    features = OneActive(4)
    assert features.n_uniforms == 1
    np.testing.assert_allclose(features.p_active, 0.25)
    x = features.from_uniforms(jnp.array([0.625]))
    np.testing.assert_allclose(x, [0, 0, 0.5, 0])
    X = features.from_uniforms(jnp.array([[0.625, 0.0, 0.1]]))
    np.testing.assert_allclose(X, [[0, 0, 0.4], [0, 0, 0], [0.5, 0, 0], [0, 0, 0]], rtol=1e-6)
