"""The loss of a model on a task: summed over outputs, averaged over examples, and split.

`loss = Σ_i E[I_i (x_i - y_i)²]` (Elhage et al. 2022 sum; their notebook averages over features,
so its printed numbers are F times smaller).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from toymodels.tasks import Task, batch_error, draw_noise, interpret, n_batches


def apply_batch(model: Any, X: jax.Array) -> jax.Array:
    """Run any model on `X [F, B]`: its own `on_batch` where it has one, else one by one."""
    own_way = getattr(model, "on_batch", None)
    return own_way(X) if own_way is not None else jax.vmap(model, in_axes=-1, out_axes=-1)(X)


def loss_per_output(task: Task, model: Any, noise: jax.Array) -> jax.Array:
    """Return the mean error of each output over the batch that `noise` stands for, `[O]`."""
    own_way = getattr(task, "loss_per_output", None)
    if own_way is not None:
        return own_way(model, noise)
    inputs, targets = interpret(task, noise)
    return mean_error(task, apply_batch(model, inputs), targets)


def mean_error(task: Task, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """Return the error of each output, `[O]`, averaged over a batch of `[O, B]` arrays."""
    return jnp.mean(batch_error(task, outputs, targets), axis=-1)


def loss(task: Task, model: Any, noise: jax.Array) -> jax.Array:
    """Return the loss on a batch: the sum of `loss_per_output`."""
    return jnp.sum(loss_per_output(task, model, noise))


def loss_of_nothing(task: Task, noise: jax.Array) -> jax.Array:
    """Return the loss of the constant output 0 on a batch."""
    own_way = getattr(task, "loss_of_nothing", None)
    if own_way is not None:
        return own_way(noise)
    _, targets = interpret(task, noise)
    return jnp.sum(mean_error(task, jnp.zeros_like(targets), targets))


def average_over_batches(
    f: Callable[[jax.Array], Any], draw: Callable[[jax.Array], jax.Array], key: jax.Array, n: int
) -> Any:
    """Average `f(draw(key_i))` over i < n, one batch in memory at a time."""

    def body(i: jax.Array, total: Any) -> Any:
        return jax.tree.map(jnp.add, total, f(draw(jax.random.fold_in(key, i))))

    shapes = jax.eval_shape(lambda k: f(draw(k)), key)
    zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes)
    return jax.tree.map(lambda a: a / n, jax.lax.fori_loop(0, n, body, zeros))


def expected_loss_per_output(
    task: Task, model: Any, key: jax.Array, n_examples: int, batch_size: int = 1024
) -> jax.Array:
    """Estimate the loss of each output, `[O]`, from at least `n_examples` fresh examples."""
    return average_over_batches(
        lambda noise: loss_per_output(task, model, noise),
        lambda key_batch: draw_noise(task, key_batch, batch_size),
        key,
        n_batches(task, n_examples, batch_size),
    )
