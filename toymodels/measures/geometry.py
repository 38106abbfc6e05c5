"""The geometry of one weight matrix: norms, superposition, dimensionality.

Notation: W is [M hidden, F features], W_i its i-th column, W_hat_i = W_i / ||W_i||.
Source: Elhage et al. 2022, "Toy Models of Superposition": the superposition measure is from
"Demonstrating Superposition" (basic results), D* and D_i from "The Geometry of Superposition".

Every function here takes one W, is pure, and works under `jit`, `grad` and `vmap`; a batch of
matrices goes through `jax.vmap`. A column whose largest entry is below the smallest normal
number of its dtype counts as zero. Columns are scaled before they are squared, so that a column of
norm 1e-25 is still right in float32. NaN in W is passed on, never turned into a zero.

`toymodels.measures.polytopes` finds and names the shapes that features form together; it takes one
concrete W, not a traced one.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from toymodels.checks import limit, matrix
from toymodels.precision import norms_and_directions, product


def feature_norms(W: ArrayLike) -> jax.Array:
    """Return the length ||W_i|| of every column of W.

    The gradient at a zero column is zero.

    Args:
        W: weights, [M, F].

    Returns:
        The lengths, [F].

    Raises:
        InputError: W is not one matrix.
    """
    norms, _ = norms_and_directions(matrix("W", W))
    return norms


def superposition(W: ArrayLike) -> jax.Array:
    """Return how strongly the other features activate each feature's direction.

    sum over j != i of (W_hat_i . W_j)^2, not its root: 0 where W_i is orthogonal to all others,
    1 or more where the others together can activate it as strongly as itself.

    Args:
        W: weights, [M, F].

    Returns:
        The measure of every feature, [F]; 0 for a zero column.

    Raises:
        InputError: W is not one matrix.

    Source: Elhage et al. 2022, "Demonstrating Superposition" (the colour of the bars).
    """
    W = matrix("W", W)
    norms, directions = norms_and_directions(W)
    overlap = _overlap(directions, W)
    others = jnp.where(jnp.eye(W.shape[1], dtype=bool), 0, overlap)
    return jnp.where(norms == 0, 0, jnp.sum(others**2, axis=1))


def feature_dimensionality(W: ArrayLike) -> jax.Array:
    """Return the share of a hidden dimension that each feature has for itself.

    D_i = ||W_i||^2 / sum over all j of (W_hat_i . W_j)^2, with j = i in the sum. It lies in
    [0, 1], does not change with the scale of W, and sums to rank(W) for a tight frame.

    Args:
        W: weights, [M, F].

    Returns:
        D_i of every feature, [F]; 0 for a zero column.

    Raises:
        InputError: W is not one matrix.

    Source: Elhage et al. 2022, "The Geometry of Superposition"; the same number as the capacity
    of Scherlis et al. 2022 (arXiv 2210.01892).
    """
    W = matrix("W", W)
    norms, directions = norms_and_directions(W)
    is_zero = norms == 0
    overlap = _overlap(directions, W)
    # A row divided by its largest entry has squares that sum to 1..F: no overflow, no 0/0.
    largest = jnp.maximum(norms, jnp.max(jnp.abs(overlap), axis=1, initial=0))
    row_scale = jax.lax.stop_gradient(jnp.where(is_zero, 1, largest))
    total = jnp.sum((overlap / row_scale[:, None]) ** 2, axis=1)
    return jnp.where(is_zero, 0, (norms / row_scale) ** 2 / jnp.where(is_zero, 1, total))


def dimensions_per_feature(W: ArrayLike) -> jax.Array:
    """Return D* = m / ||W||_F^2, the hidden dimensions spent per learned feature.

    Args:
        W: weights, [M, F].

    Returns:
        A scalar. It is 0 for a W of zeros, where nothing is learned and the formula has no value,
        and for a W so small that D* could overflow: it is never infinite.

    Raises:
        InputError: W is not one matrix.

    Source: Elhage et al. 2022, "The Geometry of Superposition".
    """
    W = matrix("W", W)
    n_hidden = W.shape[0]
    squared_norm = jnp.sum(W**2)
    is_zero = squared_norm < max(n_hidden, 1) * jnp.finfo(W.dtype).tiny
    return jnp.where(is_zero, 0, n_hidden / jnp.where(is_zero, 1, squared_norm))


def represented(W: ArrayLike, threshold: ArrayLike = 0.5) -> jax.Array:
    """Tell of each feature whether its column is longer than `threshold`.

    Args:
        W: weights, [M, F].
        threshold: a length.

    Returns:
        bool [F]; a column with NaN is not represented.

    Raises:
        InputError: W is not one matrix, or a limit is no number from 0.
    """
    return feature_norms(W) > limit("threshold", threshold)


def n_represented(W: ArrayLike, threshold: ArrayLike = 0.5) -> jax.Array:
    """Count the features whose column is longer than `threshold`.

    Args:
        W: weights, [M, F].
        threshold: a length.

    Returns:
        An integer scalar.

    Raises:
        InputError: W is not one matrix, or a limit is no number from 0.
    """
    return jnp.sum(represented(W, threshold))


def n_dedicated(W: ArrayLike, threshold: ArrayLike = 0.5, tolerance: ArrayLike = 0.1) -> jax.Array:
    """Count the represented features that have a direction (nearly) for themselves.

    Args:
        W: weights, [M, F].
        threshold: a length that ||W_i|| exceeds.
        tolerance: a bound that superposition(W)_i is below.

    Returns:
        An integer scalar.

    Raises:
        InputError: W is not one matrix, or a limit is no number from 0.
    """
    return jnp.sum(represented(W, threshold) & (superposition(W) < limit("tolerance", tolerance)))


def _overlap(directions: jax.Array, W: jax.Array) -> jax.Array:
    """Return the matrix W_hat_i . W_j [F, F]."""
    return product(directions.T, W)
