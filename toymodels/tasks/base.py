"""What a model is asked to do: draw an input and its target, and score an output.

A task is a frozen pytree with `sample(key) -> (input, target)` and `error(output, target) ->
[O]`, one number per output. It may also say how many uniform numbers an example consumes
(`n_uniforms`) and what they mean (`from_uniforms(u) -> (input, target)`); then a batch is drawn
in one call of the generator, several times faster than with one key per example. Such a task acts
along the first axis: its `from_uniforms` and `error` take one example or a batch on the last axis.

A task may name its outputs (`outputs = "feature"`) and the loss that counts as learning nothing
(`baseline(targets [O, B]) -> []`); else these are "output" and the loss of the constant answer 0.
"""

from typing import Any, Protocol

import jax
import jax.numpy as jnp

from toymodels.streams import draw_uniforms


class Task(Protocol):
    """The interface that training relies on."""

    def sample(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw one input and its target."""
        ...

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return the error of each output, `[O]`."""
        ...


class UniformTask:
    """A task whose examples are made from uniform numbers."""

    outputs = "feature"

    @property
    def n_uniforms(self) -> int:
        """U, the uniform numbers that one example consumes."""
        raise NotImplementedError

    def from_uniforms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Turn `u [U]` into one example `(input, target)`, or `[U, B]` into a batch."""
        raise NotImplementedError

    def sample(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw one example."""
        return self.from_uniforms(draw_uniforms(key, (self.n_uniforms,)))


def draw_batch(task: Task, key: jax.Array, n_examples: int) -> jax.Array:
    """Draw the randomness of a batch: uniforms `[U, B]`, or one key per example `[B]`.

    It depends on the task's sizes alone, so all cells of a sweep can share it.
    """
    n_uniforms = getattr(task, "n_uniforms", None)
    if n_uniforms is None:
        return jax.random.split(key, n_examples)
    return draw_uniforms(key, (n_uniforms, n_examples))


def interpret(task: Any, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Turn the randomness of a batch into `(input [F, B], target [O, B])`."""
    if hasattr(task, "n_uniforms"):
        return task.from_uniforms(u)
    return jax.vmap(task.sample, out_axes=-1)(u)


def errors(task: Any, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """Return the error of each output in each example, `[O, B]`, of `[O, B]` arrays."""
    if hasattr(task, "n_uniforms"):
        return task.error(outputs, targets)
    return jax.vmap(task.error, in_axes=-1, out_axes=-1)(outputs, targets)


def mean_error(task: Any, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """Return the error of each output, `[O]`, averaged over a batch of `[O, B]` arrays."""
    return jnp.mean(errors(task, outputs, targets), axis=-1)


def baseline(task: Any, targets: jax.Array) -> jax.Array:
    """Return the loss that counts as learning nothing, for `targets [O, B]`."""
    own = getattr(task, "baseline", None)
    if own is not None:
        return own(targets)
    return jnp.sum(mean_error(task, jnp.zeros_like(targets), targets))


def outputs_of(task: Any) -> str:
    """Return what one output is called: the dimension of a loss that is split."""
    return getattr(task, "outputs", "output")
