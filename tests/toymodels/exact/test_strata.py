"""The strata of the loss: probabilities against enumeration, k <= 1 against quadrature."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import models
from toymodels.exact.strata import clipped_at_most_one, linear_at_most_one, over_one, strata

strata_of = jax.jit(strata)
probability = st.one_of(st.just(0.0), st.just(1.0), st.floats(2**-20, 1.0, width=32))


def chances(p):
    """Return pattern -> probability for every pattern of active features."""
    p = np.asarray(p, np.float64)
    patterns = itertools.product((False, True), repeat=p.size)
    return {on: float(np.prod(np.where(on, p, 1 - p))) for on in patterns}


@settings(deadline=None, max_examples=60)
@given(st.lists(probability, min_size=4, max_size=4))
def test_strata_have_the_probabilities_that_enumeration_gives(p):
    found, p = strata_of(np.float32(p)), np.float64(np.float32(p))
    by_pattern = chances(p)
    alone = [by_pattern[tuple(i == j for i in range(4))] for j in range(4)]
    several = sum(c for on, c in by_pattern.items() if sum(on) > 1)
    with_others = [1 - np.prod(np.delete(1 - p, j)) for j in range(4)]
    np.testing.assert_allclose(found.none, by_pattern[(False,) * 4], rtol=2e-6, atol=1e-35)
    np.testing.assert_allclose(found.one, alone, rtol=2e-6, atol=1e-35)
    np.testing.assert_allclose(found.several, several, rtol=2e-6, atol=1e-35)
    np.testing.assert_allclose(found.accompanied, with_others, rtol=2e-6, atol=1e-15)
    assert np.all(np.array([found.first, found.second]) >= 0)
    assert np.all(np.array([found.first, found.second]) <= 1 + 1e-6)


def pieces(start, slope):
    """Return Gauss–Legendre nodes and weights `[2, 6]`, one row on each side of the kink."""
    root = np.clip(-start / slope, 0, 1) if slope else 0.0
    nodes, weights = np.polynomial.legendre.leggauss(6)
    ends = np.array([[0, root], [root, 1]])
    length = ends[:, 1:] - ends[:, :1]
    return ends[:, :1] + length * (nodes + 1) / 2, length * weights / 2


ENDS = [-0.7, -1e-7, 0.0, 1e-12, 0.3]
SLOPES = [-1.2, -0.3, -1e-8, 0.0, 1e-20, 1e-6, 0.5, 1.0, 1.4]


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_mean_over_one_feature_and_its_slopes_agree_with_quadrature(own):
    start, slope = (a.ravel() for a in np.meshgrid(ENDS, SLOPES))
    both = jax.value_and_grad(over_one, argnums=(0, 1))
    found, (by_start, by_slope) = jax.jit(jax.vmap(both, in_axes=(0, 0, None)))(
        jnp.float32(start), jnp.float32(slope), own
    )
    for i, (c, g) in enumerate(zip(start, slope, strict=True)):
        v, weight = pieces(c, g)
        z = np.maximum(c + g * v, 0)
        error, on = own * v - z, z > 0
        np.testing.assert_allclose(found[i], np.sum(weight * error**2), rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(by_start[i], np.sum(-2 * weight * error * on), atol=3e-6)
        np.testing.assert_allclose(by_slope[i], np.sum(-2 * weight * error * on * v), atol=3e-6)


@pytest.mark.parametrize(
    "kind", [models.LinearAutoencoder, models.ReluAutoencoder, models.UntiedAutoencoder]
)
def test_at_most_one_active_feature_is_what_the_model_does_with_it(kind):
    model = kind.init(jax.random.key(5), 3, 2, 0.7)
    model = model.replace(b=0.2 * jax.random.normal(jax.random.key(6), (3,)))
    if kind is models.LinearAutoencoder:
        none, one = jax.jit(linear_at_most_one)(*model.linear_map())
    else:
        none, one = jax.jit(clipped_at_most_one)(*model.relu_map())
    np.testing.assert_allclose(none, model(jnp.zeros(3)) ** 2, rtol=1e-5)
    v = (jnp.arange(4000) + 0.5) / 4000
    for j in range(3):
        X = jnp.zeros((3, 4000)).at[j].set(v)
        np.testing.assert_allclose(one[:, j], jnp.mean((model(X) - X) ** 2, 1), atol=1e-6)
