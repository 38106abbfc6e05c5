"""What a model is asked to do: draw an input and its target, and price an output.

A task is a frozen pytree with `sample(key) -> (input, target)` and `error(output, target) ->
[O]`, one number per output. It may also say how many uniform numbers an example consumes
(`n_uniforms`) and what they mean (`from_uniforms(u) -> (input, target)`); then a batch is drawn
in one call of the generator, several times faster than with one key per example. Such a task acts
along the first axis: its `from_uniforms` and `error` take one example or a batch on the last axis.

A task that knows more of its loss than samples tell brings `loss_per_output(model, noise) -> [O]`
and `loss_of_nothing(noise)`, which then stand for the mean error over a batch; with
`n_uniforms = 0` it draws nothing and one batch is as good as many. `work_bytes` says how large the
arrays of such a loss are, where the inputs of a batch do not.
"""

from typing import Any, Protocol, Self

import jax
import numpy as np
from flax import struct

from toymodels.errors import InputError
from toymodels.features import Features, along_first_axis


class Task(Protocol):
    """The interface that training relies on."""

    def sample(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw one input and its target."""
        ...

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return the error of each output, `[O]`."""
        ...


@struct.dataclass
class Reconstruction:
    """Give the input back, weighted by importance: `I_i (x_i - y_i)²` (Elhage et al. 2022)."""

    features: Features
    importance: Any  # [F]

    @classmethod
    def create(cls, features: Features, importance: Any, n_features: int) -> Self:
        """Make the task from a scalar or `[F]` importance.

        Raises:
            InputError: importance that is negative, infinite, NaN or of the wrong length.
        """
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused
            weight = np.asarray(importance, dtype=np.float32)
        if weight.shape not in ((), (n_features,)):
            raise InputError(
                f"importance has shape {weight.shape}, but there are n_features = {n_features}: "
                f"give one number or a list of {n_features}."
            )
        if not np.all(np.isfinite(weight) & (weight >= 0)):
            raise InputError(
                f"importance = {importance} holds a value that is negative, infinite or NaN: "
                "use finite numbers >= 0 (0 means: this feature does not count)."
            )
        return cls(features=features, importance=np.full(n_features, weight, np.float32))

    @property
    def n_uniforms(self) -> int:
        """U, the uniform numbers that one example consumes."""
        return self.features.n_uniforms

    def from_uniforms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Turn `u [U]` into one example; its target is itself."""
        x = self.features.from_uniforms(u)
        return x, x

    def sample(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw one example; its target is itself."""
        return self.from_uniforms(jax.random.uniform(key, (self.n_uniforms,)))

    def check_model(self, model: type) -> None:
        """Refuse a class of models that cannot be priced; samples price every one."""

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return `I_i (target_i - output_i)²`, `[F]`."""
        return along_first_axis(self.importance, output) * (target - output) ** 2


def draw_noise(task: Task, key: jax.Array, n_examples: int) -> jax.Array:
    """Draw the randomness of a batch: uniforms `[U, B]`, or one key per example `[B]`.

    It depends on the task's sizes alone, so all cells of a sweep can share it.
    """
    n_uniforms = getattr(task, "n_uniforms", None)
    if n_uniforms is None:
        return jax.random.split(key, n_examples)
    return jax.random.uniform(key, (n_uniforms, n_examples))


def n_batches(task: Task, n_examples: int, batch_size: int) -> int:
    """Return how many batches an average over `n_examples` takes: one where nothing is drawn."""
    return 1 if getattr(task, "n_uniforms", None) == 0 else -(-n_examples // batch_size)


def interpret(task: Any, noise: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Turn the randomness of a batch into `(input [F, B], target [O, B])`."""
    if hasattr(task, "n_uniforms"):
        return task.from_uniforms(noise)
    return jax.vmap(task.sample, out_axes=-1)(noise)


def batch_error(task: Task, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """Return the error of each output and example, `[O, B]`."""
    if hasattr(task, "n_uniforms"):
        return task.error(outputs, targets)
    return jax.vmap(task.error, in_axes=-1, out_axes=-1)(outputs, targets)
