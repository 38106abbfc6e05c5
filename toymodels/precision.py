"""Products and lengths, and what counts as zero: where float32 would lose its digits.

The default precision of a product on a GPU rounds to about three digits (TF32), which moves a
feature's dimensionality, a loss and its minimum visibly.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

HIGHEST = jax.lax.Precision.HIGHEST

TINY = 1e-30
"""What is smaller is not divided by: the quotient may overflow, and nothing depends on it."""


def product(a: ArrayLike, b: ArrayLike) -> jax.Array:
    """Return the matrix product of `a` and `b`."""
    return jnp.matmul(a, b, precision=HIGHEST)


def norms_and_directions(W: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return ||W_i|| [F] and W_hat [M, F]; both are zero for a zero column.

    The largest entry only rescales, so holding it constant leaves the gradient exact.
    """
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(W), axis=0, initial=0))
    is_zero = largest < jnp.finfo(W.dtype).tiny  # False for NaN, which therefore stays NaN
    scale = jnp.where(is_zero, 1, largest)
    scaled = jnp.where(is_zero[None, :], 0, W / scale[None, :])
    length = jnp.sqrt(jnp.where(is_zero, 1, jnp.sum(scaled**2, axis=0)))  # [F], 1..sqrt(M)
    return jnp.where(is_zero, 0, scale * length), scaled / length[None, :]
