"""How much the worst small change of the input adds to the loss."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from toymodels.diverged import nan_unless_finite
from toymodels.errors import InputError, require_range
from toymodels.fields import Field, along_first_axis
from toymodels.models.autoencoders import ReluAutoencoder
from toymodels.models.base import apply_batch, has_map
from toymodels.tasks.base import draw_batch, errors, interpret


@dataclass(frozen=True)
class Adversarial:
    """Attack along the columns of G of `y = ReLU(G x + b)`, and keep what hurts most.

    Each example moves by `budget` times the mean length of inputs, in the direction G_i/‖G_i‖ of
    the worst feature i (Elhage et al. 2022, "Adversarial vulnerability": the analytic L2 attack).

    Attributes:
        budget: length of the attack, in mean lengths of an input.
        n_examples: examples that are attacked.
    """

    budget: float = 0.1
    n_examples: int = 1024

    def __post_init__(self) -> None:
        """Check the settings."""
        require_range("measures.adversarial.budget", self.budget, 0)
        require_range("measures.adversarial.n_examples", self.n_examples, 1, 1_000_000)

    def __call__(self, run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
        """Return `vulnerability`: what the attack adds, over the same for M dedicated features."""
        if not has_map(model, "relu_map"):
            raise InputError(
                f"measures.adversarial needs y = ReLU(G x + b), not {type(model).__name__}."
            )
        x, targets = interpret(run.task, draw_batch(run.task, key, self.n_examples))
        step = self.budget * jnp.mean(jnp.linalg.norm(x, axis=0))
        M, F = model.W.shape
        dropped = jnp.where(jnp.arange(F) < M, 0.0, jnp.mean(targets, axis=1))
        added = self._added(run.task, model, x, targets, step)
        plain = ReluAutoencoder(W=jnp.eye(M, F), b=dropped)
        ratio = added / self._added(run.task, plain, x, targets, step)
        words = "loss that an attack adds, over that of M features with a dimension each"
        return {
            "loss_of_attack": Field(added, (), "loss that an attack adds"),
            "vulnerability": Field(ratio, (), words),
        }

    def _added(self, task: Any, model: Any, x: Any, targets: Any, step: Any) -> jax.Array:
        G, _ = model.relu_map()
        to = G / jnp.maximum(jnp.linalg.norm(G, axis=0, keepdims=True), 1e-12)  # [F, F]
        loss = lambda x: jnp.sum(errors(task, apply_batch(model, x), targets), axis=0)  # noqa: E731
        attacked = jax.lax.map(lambda d: loss(x + step * along_first_axis(d, x)), to.T)
        return nan_unless_finite(model, jnp.mean(jnp.max(attacked, axis=0) - loss(x)))
