"""A model that has diverged has no loss and no measures: NaN, so that no mean takes them in.

Left alone they would not be: ReLU, comparisons and maxima hide weights that are NaN. `max(NaN, 0)`
is 0 in some programs, and NaN weights then look like a model that answers 0.
"""

from typing import Any

import jax
import jax.numpy as jnp

# A run whose loss is this many times that of learning nothing has diverged.
DIVERGED = 100.0


def is_finite(model: Any) -> jax.Array:
    """Tell whether all floats of a pytree are finite, bool `[]`."""
    finite = jnp.array(True)
    for leaf in jax.tree.leaves(model):
        if jnp.issubdtype(getattr(leaf, "dtype", type(leaf)), jnp.inexact):
            finite &= jnp.all(jnp.isfinite(leaf))
    return finite


def nan_unless_finite(model: Any, values: jax.Array) -> jax.Array:
    """Return values as they are, or NaN where a weight of the model is not finite.

    Zero is added, or NaN, outside of the gradient: a step of training is the same program as
    without.
    """
    nothing = jnp.where(is_finite(model), 0.0, jnp.nan).astype(values.dtype)
    return values + jax.lax.stop_gradient(nothing)


def has_diverged(loss: jax.Array, nothing: jax.Array) -> jax.Array:
    """Tell where a loss is not finite, or 100 times that of learning nothing."""
    return ~jnp.isfinite(loss) | ((loss > DIVERGED * nothing) & (nothing > 0))


def unless_diverged(split: jax.Array, nothing: jax.Array) -> jax.Array:
    """Return the loss, summed over outputs `[…, O]`; NaN where a model has diverged."""
    loss = jnp.sum(split, axis=-1)
    return jnp.where(has_diverged(loss, nothing), jnp.nan, loss)
