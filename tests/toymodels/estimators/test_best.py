"""Evaluation takes the best estimate that knows the task and the model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from flax import struct

from toymodels import models
from toymodels.estimators import ESTIMATES, Quadrature, Sampled, Stratified, best_estimator
from toymodels.features import Independent, OneActive, SignedUniform
from toymodels.tasks import Reconstruction


def reconstruction(features):
    return Reconstruction.create(features, 1.0)


@struct.dataclass
class Absolute(Reconstruction):
    """Another target for the same world."""

    def from_uniforms(self, u):
        x, _ = super().from_uniforms(u)
        return x, jnp.abs(x)


WORLDS = {
    "six": reconstruction(Independent.create(0.1, 6)),
    "seven": reconstruction(Independent.create(0.1, 7)),
    "signed": reconstruction(Independent.create(0.1, 3, SignedUniform())),
    "one active": reconstruction(OneActive(3)),
    "another task": Absolute.create(Independent.create(0.1, 3)),
}


@pytest.mark.parametrize(
    ("world", "model", "best"),
    [
        ("six", models.ReluAutoencoder, Quadrature),
        ("six", models.UntiedAutoencoder, Quadrature),
        ("six", models.LinearAutoencoder, Stratified),
        ("seven", models.ReluAutoencoder, Stratified),
        ("seven", models.LinearAutoencoder, Stratified),
        ("signed", models.ReluAutoencoder, Sampled),
        ("one active", models.ReluAutoencoder, Sampled),
        ("another task", models.ReluAutoencoder, Sampled),
        ("six", dict, Sampled),
    ],
)
def test_the_best_estimate_is_the_one_with_the_least_noise_that_serves(world, model, best):
    assert type(best_estimator(WORLDS[world], model)) is best


def test_a_model_and_its_class_have_the_same_best():
    task = WORLDS["six"]
    for kind in (models.ReluAutoencoder, models.LinearAutoencoder):
        model = kind.init(jax.random.key(0), 6, 2, 0.5)
        assert best_estimator(task, model) == best_estimator(task, kind)


def test_all_estimates_tell_one_loss():
    """Each within four of its own standard errors of the exact one, which has none."""
    run = make_run(4, 2, p_active=0.2, importance=[1.0, 0.5, 0.8, 0.3])
    model = run.init(jax.random.key(1)).replace(b=jnp.array([0.1, -0.1, 0.2, 0.0]))
    found, keys = {}, jax.random.split(jax.random.key(2), 100)
    for e in ESTIMATES:

        def batch(key, e=e):
            return e.loss_per_output(run.task, model, e.draw(run.task, key, 512))

        split = jax.jit(jax.vmap(batch))(keys)
        found[e.name] = np.mean(split, 0), np.std(split, 0) / 10
    exact, none = found.pop("exact")
    np.testing.assert_allclose(none, 0, atol=1e-8)
    for mean, error in found.values():
        assert np.all(np.abs(mean - exact) < 4.5 * error)
    assert np.all(found["stratified"][1] < 1.2 * found["sampled"][1])
