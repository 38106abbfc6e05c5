"""Adversarial vulnerability: the attack by hand, a floor of 1, and more where there is overlap."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from sweeps import run_sweep
from toymodels.measures.adversarial import Adversarial
from toymodels.models import ReluAutoencoder
from toymodels.tasks import draw_batch, interpret

KEY = jax.random.key(0)


def measure(W, b=None, p_active=0.1, **settings):
    W = jnp.asarray(W, jnp.float32)
    run = make_run(W.shape[1], W.shape[0], p_active=p_active)
    model = ReluAutoencoder(W=W, b=jnp.zeros(W.shape[1]) if b is None else jnp.asarray(b))
    found = Adversarial(**settings)(run, model, KEY)
    return run, {name: float(field.values) for name, field in found.items()}


def test_it_is_the_worst_of_the_directions_for_each_example():
    W = np.array([[1.0, -0.9, 0.1], [0.2, 0.3, -1.1]])
    b = np.array([0.05, -0.1, 0.0])
    run, found = measure(W, b, p_active=0.4, budget=0.2, n_examples=64)
    x, _ = interpret(run.task, draw_batch(run.task, KEY, 64))
    x, G = np.asarray(x, float), W.T @ W
    step = 0.2 * np.linalg.norm(x, axis=0).mean()

    def loss(given):
        return ((np.maximum(G @ given + b[:, None], 0) - x) ** 2).sum(axis=0)

    worst = np.max([loss(x + step * g[:, None]) for g in (G / np.linalg.norm(G, axis=0)).T], axis=0)
    assert found["loss_of_attack"] == pytest.approx(np.mean(worst - loss(x)), rel=1e-4)


def test_ascent_finds_the_worst_of_all_directions():
    """Of two inputs every direction is an angle: all are tried."""
    W, b = np.array([[1.0, -0.7]]), np.array([0.02, -0.05])
    run, found = measure(W, b, p_active=0.6, budget=0.3, n_examples=64, ascent=20)
    x, _ = interpret(run.task, draw_batch(run.task, KEY, 64))
    x, angle = np.asarray(x, float), np.linspace(0, 2 * np.pi, 3600, endpoint=False)
    step = 0.3 * np.linalg.norm(x, axis=0).mean()
    moved = x[:, :, None] + step * np.stack([np.cos(angle), np.sin(angle)])[:, None, :]

    def loss(given):
        y = np.maximum(np.einsum("ij,jba->iba", W.T @ W, given) + b[:, None, None], 0)
        return ((y - x[:, :, None]) ** 2).sum(axis=0)

    best = np.mean(loss(moved).max(axis=1) - loss(x[:, :, None])[:, 0])
    _, analytic = measure(W, b, p_active=0.6, budget=0.3, n_examples=64)
    assert analytic["loss_of_attack"] < found["loss_of_attack"] <= best * (1 + 1e-5)
    assert found["loss_of_attack"] > 0.9 * best


def test_dedicated_features_have_the_vulnerability_one_that_others_are_measured_by():
    dropped = 0.05  # the mean of a feature of density 0.1, up to sampling
    _, found = measure(np.eye(3, 5), [0, 0, 0, dropped, dropped])
    assert found["vulnerability"] == pytest.approx(1, rel=0.02)


def test_a_pentagon_is_more_vulnerable_than_two_dedicated_features():
    angle = 2 * np.pi * np.arange(5) / 5
    _, found = measure([np.cos(angle), np.sin(angle)])
    assert found["vulnerability"] > 1.3


@pytest.mark.claims  # compiles for many seconds
def test_a_preset_names_it_and_it_is_measured_at_the_end_and_at_snapshots():
    table = {"name": "a", "model": "relu", "n_features": 3, "n_hidden": 2, "steps": 30}
    table |= {"snapshots": [0, 30], "p_active": 0.2}
    ds = run_sweep(table | {"measures": {"adversarial": {"budget": 0.2, "n_examples": 256}}})
    assert "norm" not in ds  # only what is named
    assert ds.vulnerability_at_snapshot.dims == ("snapshot",)
    np.testing.assert_allclose(ds.vulnerability_at_snapshot[-1], ds.vulnerability, rtol=1e-5)
    assert float(ds.budget_adversarial) == 0.2
