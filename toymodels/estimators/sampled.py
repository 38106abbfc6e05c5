"""The mean over a batch of examples: right for every task and model."""

from typing import Any

import jax
from flax import struct

from toymodels.diverged import nan_unless_finite
from toymodels.models.base import apply_batch
from toymodels.tasks.base import baseline, draw_batch, interpret, mean_error


@struct.dataclass
class Sampled:
    """Draw a batch and average the error over it."""

    name = "sampled"
    draws = True

    def refusal(self, task: Any, model: Any) -> str | None:
        """Return None: samples serve every task and model."""
        return None

    def draw(self, task: Any, key: jax.Array, n_examples: int) -> jax.Array:
        """Draw uniforms `[U, B]`, or a key for each example `[B]`."""
        return draw_batch(task, key, n_examples)

    def loss_per_output(self, task: Any, model: Any, u: jax.Array) -> jax.Array:
        """Return the mean error of each output, `[O]`."""
        inputs, targets = interpret(task, u)
        return nan_unless_finite(model, mean_error(task, apply_batch(model, inputs), targets))

    def baseline(self, task: Any, u: jax.Array) -> jax.Array:
        """Return the loss that counts as learning nothing, on this batch."""
        return baseline(task, interpret(task, u)[1])
