"""The noise of training on batches: how much a loss and its gradient vary from batch to batch.

A step of half the noise is worth two steps, so ways to estimate a loss are compared by the variance
of the gradient times the time of a step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from toymodels.errors import InputError


class Noise(NamedTuple):
    """Variances over batches of one size."""

    loss: jax.Array  # [], of the batch's mean loss
    gradient: jax.Array  # [], the trace of the gradient's covariance: summed over all weights


def batch_variance(
    loss: Callable[[Any, Any], jax.Array],
    draw: Callable[[jax.Array], Any],
    model: Any,
    key_batches: jax.Array,
    n_batches: int,
) -> Noise:
    """Measure the variance over batches of a loss and of its gradient at a model.

    Pure; whoever calls it often calls it under `jit`.

    Args:
        loss: `loss(model, batch)`, the mean loss over a batch, a scalar.
        draw: `draw(key)`, one batch, or the random numbers that make one.
        model: where the gradient is taken: a pytree of weights.
        key_batches: split into one key for each batch.
        n_batches: how many batches, at least 2.

    Raises:
        InputError: fewer than 2 batches.
    """
    if n_batches < 2:
        raise InputError(f"n_batches must be at least 2 to have a variance, got {n_batches}.")

    def of_batch(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        value, slope = jax.value_and_grad(loss)(model, draw(key))
        return value, jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(slope)])

    values, slopes = jax.lax.map(of_batch, jax.random.split(key_batches, n_batches))
    return Noise(jnp.var(values, ddof=1), jnp.sum(jnp.var(slopes, axis=0, ddof=1)))
