"""Errors of active features: which are served, and how unevenly."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.features import Independent, SignedUniform
from toymodels.measures.active_error import ActiveError
from toymodels.models.mlp import OneHiddenLayer
from toymodels.tasks.compressed_computation import CompressedComputation

TASK = CompressedComputation.create(Independent.create(0.1, 4, SignedUniform()))
KEY = jax.random.key(0)


run = SimpleNamespace(task=TASK)
measure = jax.jit(lambda model: ActiveError(50_000)(run, model, KEY))


def measured(model):
    return {name: np.asarray(field.values) for name, field in measure(model).items()}


def test_a_neuron_each_for_half_of_the_features_leaves_a_spread_of_one():
    """A feature that is not served errs by E[x²; x > 0] = 1/3."""
    half = jnp.zeros((3, 4)).at[0, 0].set(1).at[1, 1].set(1)
    found = measured(OneHiddenLayer(W=half, V=half.T))
    np.testing.assert_allclose(found["active_error"], [0, 0, 1 / 3, 1 / 3], atol=1e-5)
    assert found["active_error_mean"] == pytest.approx(1 / 6, abs=1e-5)
    assert found["error_spread"] == pytest.approx(1, abs=1e-5)


def test_it_is_the_mean_over_plain_examples_with_the_feature_above_zero():
    model = OneHiddenLayer.start(4, 3)(jax.random.key(1))
    x = TASK.features.from_uniforms(jax.random.uniform(jax.random.key(2), (4, 400_000)))
    error = np.asarray((model(x) - TASK.target(x)) ** 2)
    plain = [error[i, np.asarray(x[i] > 0)].mean() for i in range(4)]
    np.testing.assert_allclose(measured(model)["active_error"], plain, rtol=0.03, atol=0.005)


def test_features_that_err_alike_have_no_spread_and_a_lost_model_no_error():
    none = jnp.zeros((4, 3))
    assert measured(OneHiddenLayer(W=none.T, V=none))["error_spread"] == pytest.approx(0, abs=1e-6)
    assert np.isnan(measured(OneHiddenLayer(W=none.T, V=none * jnp.nan))["active_error"]).all()


def test_a_task_without_features_is_refused():
    with pytest.raises(InputError, match=r"active_error .* not SimpleNamespace"):
        ActiveError()(SimpleNamespace(task=SimpleNamespace()), None, KEY)
