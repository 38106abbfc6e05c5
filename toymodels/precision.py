"""Products at full precision, and what counts as zero: where float32 would lose its digits.

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
