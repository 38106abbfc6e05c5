"""Adversarial training: the attack by hand, a clean target, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from mine import Magnitude

from sweeps import run_sweep
from toymodels.errors import InputError
from toymodels.estimators import AdversarialTraining, Sampled, require
from toymodels.estimators.adversarial import directions
from toymodels.models import LinearAutoencoder, ReluAutoencoder
from toymodels.models.hidden_relu import HiddenReluAutoencoder

KEY = jax.random.key(0)
W = np.array([[1.0, -0.9, 0.1, 0.0], [0.2, 0.3, -1.1, 0.0]])
B = np.array([0.05, -0.1, 0.0, 0.02])
TASK = make_run(4, 2, p_active=0.4).task
MODEL = ReluAutoencoder(W=jnp.asarray(W, jnp.float32), b=jnp.asarray(B, jnp.float32))
TABLE = {"name": "a", "model": "relu", "n_features": 4, "n_hidden": 2, "steps": 3}
TABLE |= {"batch_size": 64, "evaluation_size": 256, "p_active": 0.4}


def by_hand(W, u, attack, along=None):
    """The loss in numpy, float64; `along` are directions that are known, `[F, B]`."""
    u = np.asarray(u, float)
    x = np.where(u[:-1] < 0.4, u[:-1] / 0.4, 0)
    G = W.T @ W
    if along is None:
        norms = np.linalg.norm(G, axis=0)
        along = (G / np.where(norms > 0, norms, 1))[:, (u[-1] * len(G)).astype(int)]
    moved = x + attack * np.linalg.norm(x, axis=0).mean() * along
    return ((np.maximum(G @ moved + B[:, None], 0) - x) ** 2).mean(axis=1), along


@jax.jit
def attacked(attack, model, u):
    """The loss of each output and its slope."""
    total = lambda m: jnp.sum(AdversarialTraining(attack).loss_per_output(TASK, m, u))  # noqa: E731
    return AdversarialTraining(attack).loss_per_output(TASK, model, u), jax.grad(total)(model)


def test_it_is_the_error_of_moved_inputs_against_clean_targets():
    u = AdversarialTraining.create().draw(TASK, KEY, 32)
    assert len(set((np.asarray(u[-1]) * 4).astype(int))) == 4  # each feature has its turn
    for attack in (0.0, 0.1, 0.8):
        found, _ = attacked(attack, MODEL, u)
        np.testing.assert_allclose(found, by_hand(W, u, attack)[0], rtol=1e-4)


def test_no_gradient_goes_through_the_attack():
    u = AdversarialTraining.create().draw(TASK, KEY, 32)
    slope = attacked(0.5, MODEL, u)[1].W
    _, along = by_hand(W, u, 0.5)
    for at in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[at] = 1e-5
        up, down = (by_hand(W + s, u, 0.5, along)[0].sum() for s in (step, -step))
        assert float(slope[at]) == pytest.approx((up - down) / 2e-5, rel=1e-2, abs=2e-4)


def test_an_attack_of_length_zero_is_the_plain_loss_of_the_same_samples():
    u = AdversarialTraining.create().draw(TASK, KEY, 32)
    np.testing.assert_array_equal(u[:-1], Sampled().draw(TASK, KEY, 32))
    plain = Sampled().loss_per_output(TASK, MODEL, u[:-1])
    np.testing.assert_allclose(attacked(0.0, MODEL, u)[0], plain, rtol=1e-6)


@pytest.mark.claims  # compiles for many seconds
def test_its_length_is_an_axis_of_a_sweep_whose_losses_are_those_of_clean_inputs():
    ds = run_sweep(TABLE | {"estimator": "adversarial", "grid": {"attack": [0.0, 30.0]}})
    assert ds.loss.dims == ("attack",)
    assert float(ds.loss.max()) < 2  # an attack of thirty lengths costs hundreds


def test_lengths_of_attacks_share_one_program():
    one, two = (AdversarialTraining.create(attack) for attack in (0.1, 0.8))
    assert jax.tree.structure(one) == jax.tree.structure(two)
    assert len(jax.tree.leaves(one)) == 1
    assert not jax.tree.leaves(Sampled())


def test_nothing_attacks_along_a_column_of_zeros():
    np.testing.assert_array_equal(directions(jnp.array([[3.0, 0.0], [4.0, 0.0]]))[:, 1], 0)
    np.testing.assert_allclose(directions(jnp.array([[3.0, 0.0], [4.0, 0.0]]))[:, 0], [0.6, 0.8])


def test_what_it_cannot_attack_is_refused():
    estimator = AdversarialTraining.create()
    for model in (MODEL, LinearAutoencoder):
        require(estimator, TASK, model)
    with pytest.raises(InputError, match=r'"adversarial" attacks along .*HiddenRelu.*"sampled"'):
        require(estimator, TASK, HiddenReluAutoencoder)
    with pytest.raises(InputError, match=r"made of uniforms, not Magnitude"):
        require(estimator, Magnitude.create(), MODEL)
    with pytest.raises(InputError, match=r"attack = -1"):
        run_sweep(TABLE | {"estimator": "adversarial", "attack": -1})
    with pytest.raises(InputError, match="a mean over examples"):
        run_sweep(TABLE | {"estimator": "adversarial", "penalties": {"l1_hidden": 0.1}})
