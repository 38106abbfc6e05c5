"""Adversarial training: the loss of inputs that were moved to where it hurts.

Elhage et al. 2022, "Adversarial Examples": the analytic L2 attack goes along a column of
`G = WᵀW`, of a feature that is drawn for each example; the target stays that of the clean input.
"""

from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.diverged import nan_unless_finite
from toymodels.errors import require_range
from toymodels.fields import array
from toymodels.models.base import apply_batch, has_map
from toymodels.streams import draw_uniforms
from toymodels.tasks.base import baseline, draw_batch, interpret, mean_error

CHOICE = 1  # folded into a batch's key: which feature's column an example is moved along


@struct.dataclass
class AdversarialTraining:
    """Move each input along the column of G of a random feature; ask for the clean target.

    The move has the length `attack` times the mean length of the batch's inputs. It counts as
    data: no gradient goes through it, so that a model learns to stand an attack, not to turn it.

    Attributes:
        attack: length of the move, in mean lengths of an input.
    """

    attack: Any = array(words="length of the attack in training, in mean lengths of an input")  # []

    name = "adversarial"
    draws = True

    @classmethod
    def create(cls, attack: float = 0.1) -> Self:
        """Make the estimator.

        Args:
            attack: length of the attack, in mean lengths of an input, at least 0.

        Raises:
            InputError: a negative length.
        """
        require_range("attack", attack, 0, 1e30)
        return cls(attack=np.float32(attack))

    def refusal(self, task: Any, model: Any) -> str | None:
        """Say what is missing: an example made of uniforms, a model with a map G."""
        if not hasattr(task, "n_uniforms"):
            return (
                f"knows tasks whose examples are made of uniforms, not {type(task).__name__}: use"
            )
        if has_map(model, "relu_map") or has_map(model, "linear_map"):
            return None
        name = (model if isinstance(model, type) else type(model)).__name__
        return (
            "attacks along the columns of G of y = ReLU(G x + b) or G x + b, which come from a "
            f"`relu_map` or a `linear_map`; {name} has none: use another"
        )

    def draw(self, task: Any, key: jax.Array, n_examples: int) -> jax.Array:
        """Draw uniforms `[U + 1, B]`: those of "sampled", and one that chooses a feature."""
        choice = draw_uniforms(jax.random.fold_in(key, CHOICE), (1, n_examples))
        return jnp.concatenate([draw_batch(task, key, n_examples), choice])

    def loss_per_output(self, task: Any, model: Any, u: jax.Array) -> jax.Array:
        """Return the mean error of each output on inputs that were moved, `[O]`."""
        inputs, targets = interpret(task, u[:-1])
        G, _ = (model.relu_map if has_map(model, "relu_map") else model.linear_map)()
        n_features = G.shape[1]
        feature = jnp.minimum((u[-1] * n_features).astype(int), n_features - 1)
        along = jax.lax.stop_gradient(directions(G))[:, feature]
        length = self.attack * jnp.mean(jnp.linalg.norm(inputs, axis=0))
        found = mean_error(task, apply_batch(model, inputs + length * along), targets)
        return nan_unless_finite(model, found)

    def baseline(self, task: Any, u: jax.Array) -> jax.Array:
        """Return the loss that counts as learning nothing, on this batch."""
        return baseline(task, interpret(task, u[:-1])[1])


def directions(G: jax.Array) -> jax.Array:
    """Return the columns of `G [F, F]` at length 1, of a zero column 0: along them goes an attack.

    Source: Elhage et al. 2022, "Adversarial Examples": (WᵀW)_i / ‖(WᵀW)_i‖.
    """
    norms = jnp.linalg.norm(G, axis=0, keepdims=True)
    return G / jnp.maximum(norms, 1e-12)
