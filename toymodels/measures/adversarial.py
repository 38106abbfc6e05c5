"""How much the worst small change of the input adds to the loss."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from toymodels.diverged import nan_unless_finite
from toymodels.errors import InputError, require_range
from toymodels.estimators.adversarial import directions
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
        ascent: steps along the loss's own gradient that sharpen each attack; 0 is the paper's.
    """

    budget: float = 0.1
    n_examples: int = 1024
    ascent: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        require_range("measures.adversarial.budget", self.budget, 0)
        require_range("measures.adversarial.n_examples", self.n_examples, 1, 1_000_000)
        require_range("measures.adversarial.ascent", self.ascent, 0, 10_000)

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
        """Return what the worst attack adds to the mean loss.

        All attacks share `G x + b`; each adds a column of `step · G · directions(G)` to it.
        """
        G, b = model.relu_map()
        along = directions(G)  # [F, F]

        def loss(y: jax.Array) -> jax.Array:
            return jnp.sum(errors(task, y, targets), axis=0)

        z = G @ x + along_first_axis(b, x)
        moves = step * (G @ along)
        moved = jax.lax.map(lambda d: loss(jax.nn.relu(z + along_first_axis(d, z))), moves.T)
        most, plain = jnp.max(moved, axis=0), loss(jax.nn.relu(z))
        if self.ascent:
            first = along[:, jnp.argmax(moved, axis=0)]
            most = self._ascended(lambda x: loss(apply_batch(model, x)), x, step, first, most)
        return nan_unless_finite(model, jnp.mean(most - plain))

    def _ascended(self, loss: Any, x: Any, step: Any, along: Any, most: Any) -> jax.Array:
        """Return the largest loss on the way up: each step turns an attack to its gradient."""

        def climb(_: Any, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            along, most = state
            uphill = jax.grad(lambda x: jnp.sum(loss(x)))(x + step * along)
            along = directions(along + directions(uphill))
            return along, jnp.maximum(most, loss(x + step * along))

        return jax.lax.fori_loop(0, self.ascent, climb, (along, most))[1]
