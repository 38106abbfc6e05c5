"""How the loss of a task is computed: from samples, from strata, or without any draw.

    loss = Σ_i E[I_i (x_i - y_i)²]

(Elhage et al. 2022 sum over features; their notebook averages, so its printed numbers are F times
smaller.) An estimator is a frozen record; what a sweep may vary of it is a leaf. It draws the
randomness of a batch from the task's sizes alone, so all cells of a sweep can share it, and tells
the loss of each output for it. `refusal` says in words why it cannot treat a task or a class of
models.
"""

from typing import Any, Protocol

import jax
import jax.numpy as jnp

from toymodels.errors import InputError
from toymodels.features.base import SignedUniform, Uniform
from toymodels.features.independent import Independent
from toymodels.tasks.reconstruction import Reconstruction


class Estimator(Protocol):
    """One way to compute the loss of a task."""

    name: str
    draws: bool  # whether batches differ; without draws one is as good as many

    def refusal(self, task: Any, model: Any) -> str | None:
        """Return why the loss cannot be computed for a task and a model (or its class)."""
        ...

    def draw(self, task: Any, key: jax.Array, n_examples: int) -> jax.Array:
        """Draw the randomness of a batch."""
        ...

    def loss_per_output(self, task: Any, model: Any, u: jax.Array) -> jax.Array:
        """Return the loss of each output, `[O]`, from the randomness of a batch."""
        ...

    def baseline(self, task: Any, u: jax.Array) -> jax.Array:
        """Return the loss that counts as learning nothing, `[]`."""
        ...


def require(estimator: Estimator, task: Any, model: Any) -> None:
    """Raise `InputError` if an estimator cannot treat a task or a class of models."""
    why = estimator.refusal(task, model)
    if why:
        raise InputError(f'estimator = "{estimator.name}" {why} or estimator = "sampled".')


def n_batches(estimator: Estimator, n_examples: int, batch_size: int) -> int:
    """Return how many batches an average over `n_examples` takes: one where nothing is drawn."""
    return -(-n_examples // batch_size) if estimator.draws else 1


def refuse_world(task: Any) -> str | None:
    """Say why closed forms do not hold in a task's world: they are for independent, uniform x."""
    if type(task) is not Reconstruction:
        return f'knows the task "reconstruction", not {type(task).__name__}: use this one'
    return refuse_features(task.features, Uniform())


def refuse_features(features: Any, values: Uniform | SignedUniform) -> str | None:
    """Say why closed forms do not hold for features that are not independent with such values."""
    if type(features) is Independent and features.distribution == values:
        return None
    world = type(features).__name__
    given = type(getattr(features, "distribution", None)).__name__
    low, name = (0, "uniform") if values == Uniform() else (-1, "signed_uniform")
    return (
        f"knows independent features, uniform on [{low}, 1], not {world} with values {given}: use "
        f'features.kind = "independent" and features.values = "{name}",'
    )


def loss_of_zero(task: Reconstruction) -> jax.Array:
    """Return the expected loss of the constant answer 0, Σ I_i p_i / 3."""
    assert isinstance(task.features, Independent)
    return jnp.sum(task.importance * task.features.p_active) / 3
