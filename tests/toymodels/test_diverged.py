"""What has diverged has no loss: NaN comes out wherever a weight is not finite, on every path."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from toymodels import models, theory
from toymodels.circuits import capped_network, prime_steps, simulate_network
from toymodels.circuits.small_circuits import rotation_circuit
from toymodels.diverged import has_diverged, is_finite, nan_unless_finite, unless_diverged
from toymodels.estimators import Fourier, Quadrature, Sampled, Stratified
from toymodels.exact import expected_loss, expected_loss_float64, expected_loss_fourier
from toymodels.losses import objective
from toymodels.measures.activity import Activity
from toymodels.measures.adversarial import Adversarial
from toymodels.models.hidden_relu import HiddenReluAutoencoder

KEY = jax.random.key(0)
RUN = make_run(3, 2)
W, B = np.array([[1.0, -0.5, 0.2], [0.1, 0.8, -0.9]], np.float32), np.zeros(3, np.float32)
KINDS = {
    "relu": models.ReluAutoencoder,
    "linear": models.LinearAutoencoder,
    "hidden relu": HiddenReluAutoencoder,
    "untied": lambda W, b: models.UntiedAutoencoder(W, jnp.ones((3, 2)), b),
}


def lost(value, where):
    """Return weights and biases, one number of which is not finite."""
    w, b = W.copy(), B.copy()
    (w if where == "W" else b)[..., 1] = value
    return jnp.asarray(w), jnp.asarray(b)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("estimator", [Quadrature(), Fourier(8), Stratified(), Sampled()])
def test_no_estimate_has_a_number_for_weights_that_have_none(kind, estimator):
    """With a ReLU on the hidden layer it was the loss of the answer 0."""
    model = KINDS[kind](jnp.asarray(W), jnp.asarray(B))
    if estimator.refusal(RUN.task, model):
        return
    u = estimator.draw(RUN.task, KEY, 16)
    loss = jax.jit(lambda model: estimator.loss_per_output(RUN.task, model, u))
    assert np.all(np.isfinite(loss(model)))
    for value in (np.nan, np.inf):
        for where in ("W", "b"):
            assert np.all(np.isnan(loss(KINDS[kind](*lost(value, where)))))


@pytest.mark.parametrize("value", [np.nan, -np.inf])
@pytest.mark.parametrize("where", ["W", "b"])
def test_no_exact_loss_has_one_either(value, where):
    model = lost(value, where)
    for f in (expected_loss, expected_loss_float64):
        assert np.isnan(f(*model, 0.5, 1.0))
    assert np.isnan(expected_loss_fourier(*model, 0.5, 1.0, terms=8))
    assert np.isnan(theory.one_active_loss(*model))


def test_no_measure_of_examples_has_one():
    model = models.ReluAutoencoder(*lost(np.nan, "W"))
    attacked = Adversarial(n_examples=16)(RUN, model, KEY)
    active = Activity(n_examples=16)(RUN, HiddenReluAutoencoder(*lost(np.nan, "b")), KEY)
    for field in (*attacked.values(), *active.values()):
        assert np.all(np.isnan(field.values))


def test_shares_of_circuits_and_neurons_are_nan_where_values_are():
    """NaN is not above one half, but nor is it below."""
    circuits = rotation_circuit(np.arange(6.0))
    broken = circuits.replace(weights=circuits.weights * np.float32(np.nan))
    held = prime_steps(6, 10, 2)[None].repeat(2, axis=0)
    network = capped_network(circuits, held, 10).replace(circuits=broken)
    found = simulate_network(KEY, network, n_active=1, n_samples=4)
    for name in ("mse_x_active", "worst_on_active", "dropped", "spurious"):
        assert np.isnan(getattr(found, name)[1:]).any(), name
    assert np.isnan(found.fraction_on[1:]).any()


def test_training_takes_the_same_steps_as_without():
    """The mark stands outside of the gradient: even of weights that are lost."""
    u = RUN.estimator.draw(RUN.task, KEY, 16)
    model = models.ReluAutoencoder(jnp.asarray(W), jnp.asarray(B))
    program = jax.jit(jax.grad(lambda model: objective(RUN, model, u))).lower(model)
    assert "is_finite" not in program.compile().as_text().replace("-", "_")
    slope = jax.grad(lambda x: nan_unless_finite(x, 3 * x).sum())
    np.testing.assert_array_equal(slope(jnp.array([1.0, np.nan])), [3, 3])


def test_whole_numbers_keys_and_functions_are_finite():
    assert is_finite({"n": 3, "key": KEY, "f": abs, "k": np.arange(2)})
    assert not is_finite({"n": 3, "x": jnp.array([1.0, np.inf])})


def test_a_loss_a_hundred_times_that_of_nothing_is_none():
    split, nothing = jnp.array([[1.0, 98.0], [1.0, 100.0], [np.nan, 0.0]]), jnp.ones(3)
    np.testing.assert_array_equal(unless_diverged(split, nothing), [99, np.nan, np.nan])
    assert not has_diverged(jnp.array(5.0), jnp.array(0.0))  # nothing was to be learned
