"""The control variate: no bias, and far less noise where features are dense."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels import models
from toymodels.errors import InputError
from toymodels.estimators import ControlVariate, Sampled, require
from toymodels.exact import expected_loss_of_map_float64
from toymodels.features import Independent, OneActive
from toymodels.measures.gradient_noise import batch_variance
from toymodels.models.hidden_relu import HiddenReluAutoencoder
from toymodels.tasks import Reconstruction

KEY = jax.random.key(3)
CONTROLLED = ControlVariate()
IMPORTANCE = np.float32([1.0, 0.5, 0.8, 0.3])
DENSITIES = [(0.3, 0.05, 0.6, 0.2), (1.0, 0.002, 0.0, 0.9), (1.0, 1.0, 1.0, 1.0)]


def task_of(p, importance=1.0):
    return Reconstruction.create(Independent.create(p, len(p)), importance, len(p))


def some_model(n_features, kind=models.ReluAutoencoder, scale=0.7):
    model = kind.init(jax.random.key(5), n_features, 2, scale)
    return model.replace(b=0.2 * jax.random.normal(jax.random.key(6), (n_features,)))


def total(estimator, task, model, u):
    return jnp.sum(estimator.loss_per_output(task, model, u))


value_and_slope = jax.jit(jax.value_and_grad(total, argnums=2), static_argnums=0)


@jax.jit
def values_and_slopes(task, model):
    """Loss and slope of 200 batches of 256, `[200, …]`."""
    keys = jax.random.split(KEY, 200)
    u = jax.vmap(lambda key: CONTROLLED.draw(task, key, 256))(keys)
    of_one = jax.value_and_grad(total, argnums=2)
    return jax.vmap(lambda u: of_one(CONTROLLED, task, model, u))(u)


@pytest.mark.parametrize("p", DENSITIES)
@pytest.mark.parametrize(
    "kind",
    [models.ReluAutoencoder, pytest.param(models.UntiedAutoencoder, marks=pytest.mark.claims)],
)
def test_loss_and_slope_have_no_bias(p, kind):
    model, task = some_model(4, kind), task_of(p, IMPORTANCE)
    values, slopes = values_and_slopes(task, model)
    G, b = model.relu_map()
    wanted = expected_loss_of_map_float64(G, b, p, IMPORTANCE).sum()
    error = np.std(values, ddof=1) / np.sqrt(200)
    assert abs(np.mean(values) - wanted) < 4 * error + 2e-6 * wanted
    step = 1e-4  # the slope along one direction, by differences of the exact loss
    for leaf, name in ((model.W, "W"), (model.b, "b")):
        along = np.asarray(jax.random.normal(KEY, leaf.shape))
        ends = []
        for sign in (-1, 1):
            there = model.replace(**{name: np.asarray(leaf, float) + sign * step * along})
            left = there.V if kind is models.UntiedAutoencoder else there.W.T
            map_there = np.asarray(left, float) @ np.asarray(there.W, float)
            ends.append(expected_loss_of_map_float64(map_there, there.b, p, IMPORTANCE).sum())
        slope = np.sum(
            np.asarray(getattr(slopes, name)) * along, axis=tuple(range(1, 1 + leaf.ndim))
        )
        error = np.std(slope, ddof=1) / np.sqrt(200)
        assert abs(slope.mean() - (ends[1] - ends[0]) / (2 * step)) < 4 * error + 1e-4


def test_features_that_are_not_represented_add_no_noise():
    """Two of 40 dense features are represented; the answer to the others is their mean."""
    task = task_of((0.5,) * 40)
    W = jnp.zeros((2, 40)).at[0, 0].set(1.0).at[1, 1].set(1.0)
    model = models.ReluAutoencoder(W, jnp.full(40, 0.25).at[:2].set(0.0))
    noise = [
        batch_variance(
            lambda m, u, e=e: total(e, task, m, u),
            lambda key: CONTROLLED.draw(task, key, 128),
            model,
            KEY,
            32,
        )
        for e in (CONTROLLED, Sampled())
    ]
    assert noise[0].gradient < 1e-6 * noise[1].gradient


def test_a_model_of_zeros_and_weights_that_are_no_numbers():
    task = task_of(DENSITIES[0], IMPORTANCE)
    zero = models.ReluAutoencoder(jnp.zeros((2, 4)), jnp.zeros(4))
    u = CONTROLLED.draw(task, KEY, 4096)
    value, slope = value_and_slope(CONTROLLED, task, zero, u)
    nothing = float(np.sum(IMPORTANCE * DENSITIES[0]) / 3)
    assert float(CONTROLLED.baseline(task, None)) == pytest.approx(nothing)
    assert float(value) == pytest.approx(nothing, rel=0.05)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(slope))
    lost = zero.replace(b=zero.b.at[0].set(jnp.nan))
    assert np.isnan(value_and_slope(CONTROLLED, task, lost, u)[0])


def test_what_has_no_factors_is_refused():
    with pytest.raises(InputError, match=r'"control_variate" knows .*relu_factors.*Hidden'):
        require(CONTROLLED, task_of((0.1, 0.2)), HiddenReluAutoencoder)
    task = Reconstruction.create(OneActive(3), 1.0, 3)
    with pytest.raises(InputError, match=r'"control_variate" knows .*OneActive'):
        require(CONTROLLED, task, models.ReluAutoencoder)
