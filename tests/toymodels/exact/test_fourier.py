"""The Fourier series of the expected loss against the oracle, samples, closed forms and itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import theory
from toymodels.exact import expected_loss, expected_loss_of_map_float64
from toymodels.exact.fourier import (
    expected_loss_fourier,
    expected_loss_of_map_fourier,
)
from toymodels.exact.series import uniform_law, weighted_law

of_map = jax.jit(expected_loss_of_map_fourier, static_argnums=4)
value_and_slope = jax.jit(
    jax.value_and_grad(expected_loss_fourier, argnums=(0, 1)), static_argnums=4
)
slopes = [jax.jit(jax.grad(f, argnums=(0, 1))) for f in (expected_loss_fourier, expected_loss)]
IMPORTANCE = np.float32([1.0, 0.5, 0.8, 0.3])
PAIRS = np.float32([[1, -1, 0, 0], [0, 0, 1, -1]])
SOME = np.random.default_rng(1).normal(size=(6, 2, 4)).astype(np.float32)
weight = st.floats(-1.5, 1.5, width=32)
probability = st.one_of(st.just(0.0), st.just(1.0), st.floats(2**-10, 1.0, width=32))


@pytest.mark.parametrize("p", [0.001, 0.03, 0.3, 1.0, (0.9, 0.02, 0.4, 0.0), (0, 0, 0, 0)])
@pytest.mark.parametrize("W", [*SOME[:2], 0.1 * SOME[2], PAIRS, PAIRS + 0.02 * SOME[3]])
def test_series_agrees_with_the_oracle(W, p):
    p = np.broadcast_to(np.float32(p), 4)
    for b in (np.zeros(4), [-0.2, 0.3, 0.0, -0.05]):
        found = of_map(W.T @ W, jnp.float32(b), p, IMPORTANCE, 32)
        wanted = expected_loss_of_map_float64(W.T @ W, np.float32(b), p, IMPORTANCE)
        np.testing.assert_allclose(found.sum(), wanted.sum(), rtol=3e-5, atol=1e-9)
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=1e-4 * wanted.max() + 1e-9)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(weight, min_size=9, max_size=9),
    st.lists(weight, min_size=3, max_size=3),
    st.lists(probability, min_size=3, max_size=3),
)
def test_error_stays_within_its_bound_for_any_map(G, b, p):
    G, b, p = np.float32(G).reshape(3, 3), np.float32(b), np.float32(p)
    wanted = expected_loss_of_map_float64(G, b, p, 1.0)
    P = np.abs(b) + np.abs(G).sum(1)
    bound = P * p / 2 / (np.pi**2 * 32) + P**2 / (4 * np.pi**3 * 32**2)
    assert np.all(np.abs(of_map(G, b, p, 1.0, 32) - wanted) < bound + 1e-5)


@pytest.mark.claims
@pytest.mark.parametrize("p", [0.003, 0.1, 1.0])
@pytest.mark.parametrize("b", [0.0, -0.2])
def test_slope_is_that_of_the_other_exact_loss(p, b):
    given = SOME[4], np.full(4, b, np.float32), np.full(4, p, np.float32), IMPORTANCE
    for one, other in zip(slopes[0](*given), slopes[1](*given), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4 * np.abs(other).max())


@pytest.mark.claims
def test_two_hundred_features_at_the_linear_limit_have_its_loss():
    p = np.linspace(0.3, 1.0, 200)
    limit = theory.linear_limit(200, 20, 1.0, p)
    G = jnp.float32(limit.W.T @ limit.W)
    found = of_map(G, jnp.float32(limit.b), np.float32(p), 1.0, 16)
    np.testing.assert_allclose(found.sum(), limit.loss, rtol=1e-5)


@pytest.mark.claims
def test_error_falls_with_the_cube_of_the_terms_or_faster():
    W = PAIRS + 0.02 * SOME[3]
    p = np.full(4, 0.3, np.float32)
    wanted = expected_loss_of_map_float64(W.T @ W, np.zeros(4), p, 1.0).sum()
    errors = [abs(of_map(W.T @ W, jnp.zeros(4), p, 1.0, k).sum() / wanted - 1) for k in (2, 8, 32)]
    assert errors[1] < errors[0] / 8 and errors[2] < errors[1] / 12


@pytest.mark.parametrize("n", [3])
@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_nothing_at_all_is_finite(n, p):
    W, b, p = np.zeros((2, n), np.float32), np.zeros(n, np.float32), np.full(n, p, np.float32)
    value, slope = value_and_slope(W, b, p, 1.0, 4)
    np.testing.assert_allclose(value, p.sum() / 3, rtol=1e-5)
    assert all(np.all(np.isfinite(leaf)) for leaf in slope)


@pytest.mark.parametrize("g", [0.0, 1e-6, 0.05, -0.7, 3.0])
def test_laws_of_one_feature_and_their_slopes_agree_with_quadrature(g):
    nodes, weights = np.polynomial.legendre.leggauss(64)
    x, weights = (nodes + 1) / 2, weights / 2
    k = np.arange(1, 9)
    wave = weights * np.exp(2j * np.pi * k[:, None] * g * x)
    for n, law in enumerate((uniform_law, weighted_law)):
        found, slope = jax.jit(lambda g, f=law: jax.jvp(lambda g: f(g, 8)[0], [g], [jnp.ones(1)]))(
            jnp.float32([g])
        )
        np.testing.assert_allclose(found, wave @ x**n, atol=3e-6)
        np.testing.assert_allclose(slope, 2j * np.pi * k * (wave @ x ** (n + 1)), atol=2e-4)
