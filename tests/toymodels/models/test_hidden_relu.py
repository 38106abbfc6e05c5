"""The ReLU hidden layer: its formula, and what closed forms must not be used for it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sweeps import parse, run_sweep
from toymodels.errors import InputError
from toymodels.estimators import Sampled, best_estimator
from toymodels.models import hidden
from toymodels.models.hidden_relu import BiasedHiddenReluAutoencoder, HiddenReluAutoencoder

TABLE = {"name": "h", "model": "hidden_relu", "n_features": 3, "n_hidden": 3, "steps": 1500}


def test_formula_on_one_example_and_on_a_batch():
    model = HiddenReluAutoencoder.init(jax.random.key(0), 5, 3, 0.7)
    X = jax.random.normal(jax.random.key(1), (5, 7))
    W, b = np.asarray(model.W), np.array([0.1, -0.2, 0.0, 0.3, 0.0])
    model = model.replace(b=jnp.asarray(b))
    h = np.maximum(W @ np.asarray(X), 0)
    np.testing.assert_allclose(hidden(model, X), h, atol=1e-5)
    expected = np.maximum(W.T @ h + b[:, None], 0)
    np.testing.assert_allclose(model(X), expected, atol=1e-5)
    np.testing.assert_allclose(model(X[:, 2]), expected[:, 2], atol=1e-5)


def test_it_is_no_relu_of_a_linear_map_and_nothing_takes_it_for_one():
    task = run_task()
    assert isinstance(best_estimator(task, HiddenReluAutoencoder), Sampled)
    with pytest.raises(InputError, match="HiddenReluAutoencoder has none"):
        run_sweep(TABLE | {"estimator": "exact"})


def run_task():
    return parse(TABLE).build({}).run.task


@pytest.mark.claims
def test_dense_features_align_with_neurons():
    """With as many neurons as features a privileged basis gives each feature its own neuron."""
    table = TABLE | {"batch_size": 256, "learning_rate": 0.02, "p_active": 0.5}
    ds = run_sweep(table | {"grid": {"seed": {"range": 8}}})
    W = ds.W.isel(seed=int(ds.loss_ranking.values.argmin())).values
    share = np.abs(W).max(axis=0) ** 2 / (W**2).sum(axis=0)
    assert share.min() > 0.95


def test_neurons_with_a_bias_add_it_before_their_relu():
    model = BiasedHiddenReluAutoencoder.init(jax.random.key(0), 5, 3, 0.7)
    plain = HiddenReluAutoencoder.init(jax.random.key(0), 5, 3, 0.7)
    X = jax.random.normal(jax.random.key(1), (5, 7))
    np.testing.assert_array_equal(model(X), plain(X))  # it starts as the model without
    c = np.array([0.5, -0.5, 3.0])
    model = model.replace(c=jnp.asarray(c))
    W = np.asarray(model.W)
    h = np.maximum(W @ np.asarray(X) + c[:, None], 0)
    np.testing.assert_allclose(hidden(model, X), h, atol=1e-5)
    np.testing.assert_allclose(model(X), np.maximum(W.T @ h, 0), atol=1e-5)
    np.testing.assert_allclose(model(X[:, 2]), np.maximum(W.T @ h[:, 2], 0), atol=1e-5)
    assert isinstance(best_estimator(run_task(), BiasedHiddenReluAutoencoder), Sampled)
