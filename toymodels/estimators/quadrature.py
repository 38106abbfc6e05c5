"""The expected loss itself, for up to six features: nothing is drawn.

A step of training is then a step of plain descent. See `toymodels.exact.expected`.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.estimators.base import loss_of_zero, refuse_world
from toymodels.exact.expected import LARGEST_F, expected_loss_of_map, n_terms, outputs_together
from toymodels.models.base import has_map

# Arrays of terms that count as one model's inputs and targets where the width of a block is chosen
# (measured: 50 models of F = 6 side by side, a few hundred of F = 4).
ARRAYS_OF_TERMS = 6


@struct.dataclass
class Quadrature:
    """Sum over what is active; exact for two active features, Gauss–Legendre for more."""

    name = "exact"
    draws = False

    def refusal(self, task: Any, model: Any) -> str | None:
        """Say what is missing: independent uniform features, at most six, `y = ReLU(G x + b)`."""
        why = refuse_world(task)
        if why is None and np.shape(task.importance)[-1] > LARGEST_F:
            n = np.shape(task.importance)[-1]
            return f'goes up to n_features = {LARGEST_F}, got {n}: use estimator = "fourier"'
        return why or refuse_model(model)

    def draw(self, task: Any, key: jax.Array, n_examples: int) -> jax.Array:
        """Draw nothing, `[0, B]`."""
        return jnp.zeros((0, n_examples))

    def loss_per_output(self, task: Any, model: Any, u: jax.Array) -> jax.Array:
        """Return the expected loss of each output, `[F]`."""
        G, b = model.relu_map()
        return expected_loss_of_map(G, b, task.features.p_active, task.importance)

    def baseline(self, task: Any, u: jax.Array) -> jax.Array:
        """Return the expected loss of the constant answer 0."""
        return loss_of_zero(task)

    def work_bytes(self, task: Any) -> int:
        """Return the bytes that one model's loss works on."""
        n = np.shape(task.importance)[-1]
        return 4 * ARRAYS_OF_TERMS * outputs_together(n) * n_terms(n)


def refuse_model(model: Any) -> str | None:
    """Say why a model (or its class) is not `y = ReLU(G x + b)`."""
    if has_map(model, "relu_map"):
        return None
    name = (model if isinstance(model, type) else type(model)).__name__
    return f"knows models y = ReLU(G x + b), which have a `relu_map`; {name} has none: use another"
