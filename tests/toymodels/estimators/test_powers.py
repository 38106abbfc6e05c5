"""Powers of the error, split by how many features are active: the split sums to the whole."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.estimators import Sampled, StratifiedPowers, require
from toymodels.estimators.powers import error_of_one
from toymodels.features import Independent, SignedUniform
from toymodels.models.mlp import BiasedOneHiddenLayer, OneHiddenLayer
from toymodels.tasks import Reconstruction
from toymodels.tasks.compressed_computation import CompressedComputation

POWERS = StratifiedPowers()
MODEL = OneHiddenLayer.start(4, 3)(jax.random.key(5))
IMPORTANCE = np.float32([1.0, 0.5, 0.8, 0.3])


def task_of(p, values=SignedUniform(), **how):
    return CompressedComputation.create(Independent.create(p, 4, values), IMPORTANCE, **how)


def total(model, estimator, task, u):
    return jnp.sum(estimator.loss_per_output(task, model, u))


@jax.jit
def loss_and_nothing(task, u):
    return total(MODEL, POWERS, task, u), POWERS.baseline(task, u)


def test_loss_and_slope_have_the_mean_of_plain_batches():
    task, found = task_of(0.1, exponent=2.7, mixing="gaussian", mixing_scale=0.3), []
    both = jax.jit(
        jax.vmap(jax.value_and_grad(total), in_axes=(None, None, None, 0)), static_argnums=1
    )
    for estimator in (POWERS, Sampled()):
        u = jax.random.uniform(jax.random.key(3), (60, 4, 2048))
        values = jax.tree.leaves(both(MODEL, estimator, task, u))
        flat = np.concatenate([np.asarray(leaf).reshape(60, -1) for leaf in values], 1)
        found.append((flat.mean(0), flat.var(0, ddof=1) / 60))
    (one, its_square), (other, other_square) = found
    assert np.all(np.abs(one - other) < 4.5 * np.sqrt(its_square + other_square))


def test_one_active_feature_costs_its_integral():
    task = task_of(0.1, exponent=3.3, mixing="gaussian", mixing_scale=0.3)
    found = error_of_one(task, MODEL.maps_of_rays())
    v, weight = np.polynomial.legendre.leggauss(40)
    for j in range(4):
        x = jnp.asarray(np.eye(4)[:, [j]] * v, jnp.float32)
        error = task.error(MODEL(x), task.target(x)) @ (weight / 2)
        np.testing.assert_allclose(found[:, j], error, rtol=2e-3)


def test_it_has_no_noise_where_two_features_are_never_active():
    task = task_of([0.3, 0.0, 0.0, 0.0], exponent=2.5)
    u, other = jax.random.uniform(jax.random.key(0), (2, 4, 8))
    loss, nothing = loss_and_nothing(task, u)
    assert loss == loss_and_nothing(task, other)[0]
    assert nothing == pytest.approx(0.3 / 2 / 3.5, rel=1e-6)


@pytest.mark.parametrize(
    ("task", "model", "told"),
    [
        (Reconstruction.create(Independent.create(0.1, 4)), OneHiddenLayer, "compressed_comp"),
        (task_of(0.1, Independent.create(0.1, 4).distribution), OneHiddenLayer, "signed_uniform"),
        (task_of(0.1), BiasedOneHiddenLayer, "maps_of_rays.*BiasedOneHiddenLayer has none"),
    ],
)
def test_what_has_no_closed_form_is_refused(task, model, told):
    with pytest.raises(InputError, match=told):
        require(POWERS, task, model)
