"""The loss when exactly one feature is active: a closed form, and the k-gons that it holds.

x = mu e_i with i uniform over the F features and mu uniform on [0, 1]; y = ReLU(Wᵀ W x + b).
Notation: W is [M hidden, F features], b is [F], G = Wᵀ W.
Source: Chen et al. 2023, "Dynamical versus Bayesian Phase Transitions in a Toy Model of
Superposition" (arXiv 2310.06301): the potential, its k-gons and their + variants.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.typing import ArrayLike
from scipy.optimize import minimize

from toymodels.checks import biases, count, matrix
from toymodels.diverged import nan_unless_finite
from toymodels.errors import InputError
from toymodels.precision import product
from toymodels.theory.shapes import regular_polygon

# Length and bias from which a k-gon is minimised: all end in the same place.
START = (1.1, -0.1)


class KGon(NamedTuple):
    """A symmetric critical point of the loss."""

    name: str  # "5⁺": corners, and a + for each column of zeros with a positive bias
    W: npt.NDArray[np.float64]  # [2, F]
    b: npt.NDArray[np.float64]  # [F]
    loss: float


def one_active_loss(W: ArrayLike, b: ArrayLike) -> jax.Array:
    """Return the expected loss of W [M, F] and b [F]: `one_active_loss_per_feature`, summed.

    Raises:
        InputError: another shape.
    """
    return jnp.sum(one_active_loss_per_feature(W, b))


def one_active_loss_per_feature(W: ArrayLike, b: ArrayLike) -> jax.Array:
    """Return the expected loss of each output.

    L_j = 1/F sum_i H_ji with H_ji = int_0^1 (delta_ij mu - ReLU(G_ji mu + b_j))^2 dmu. Both parts
    of the bracket are straight lines up to the kink of the ReLU, so each H is a sum of two terms
    t (u^2 + uv + v^2) / 3, where a line runs from u to v over a length t: exact, and without
    anything that cancels. The sum over j is the mean over i that Chen et al. call the potential.
    It is differentiable twice wherever the loss is; at a kink of the loss itself (b_j = 0 for a
    column of zeros) the slope is that of the side b_j < 0.

    Args:
        W: weights, [M, F].
        b: biases, [F].

    Returns:
        The losses, [F]; NaN where a weight is not finite.

    Raises:
        InputError: another shape.
    """
    W = matrix("W", W)
    b = biases(b, W.shape[1])
    slope = product(W.T, W)
    target = jnp.eye(b.shape[0], dtype=slope.dtype)
    split = jnp.mean(_mean_square(target, slope, b[:, None]), axis=1)
    return nan_unless_finite((W, b), split)


def _mean_square(target: jax.Array, slope: jax.Array, offset: jax.Array) -> jax.Array:
    """Return int_0^1 (target mu - ReLU(slope mu + offset))^2 dmu; the arguments broadcast."""
    start, end = offset + jnp.zeros_like(slope), slope + offset
    crosses = start * end < 0
    kink = jnp.where(crosses, start / jnp.where(crosses, start - end, 1), 0.5)
    middle = jnp.where(crosses, 0, jax.nn.relu((start + end) / 2))
    misses = (-jax.nn.relu(start), target * kink - middle, target - jax.nn.relu(end))
    return kink * _of_line(*misses[:2]) + (1 - kink) * _of_line(*misses[1:])


def _of_line(u: jax.Array, v: jax.Array) -> jax.Array:
    """Return the mean square of what runs from u to v in a straight line."""
    return (u**2 + u * v + v**2) / 3


def k_gon(n_corners: int, n_positive: int = 0, n_features: int = 6) -> KGon:
    """Return the best k-gon: equal columns on a regular polygon with equal biases, the rest zero.

    Length and bias are found by minimising `one_active_loss`. Up to 4 corners they are 1 and 0,
    and the loss is (F - k) / (3 F); 2 and 3 unit columns at any angles of 90 degrees and more lose
    the same. `n_positive` columns of zeros have the bias 1/(2 F), which gains 1/(4 F^2) each; the
    others have bias 0, or any below: they are dead. 1 corner is a single feature, 0 corners are
    none. Names follow the source: "4⁺⁺" is k_gon(4, 2).

    Args:
        n_corners: columns on the polygon, from 0.
        n_positive: columns of zeros with a positive bias, from 0.
        n_features: F, at least as many as both together.

    Raises:
        InputError: fewer than 0 of either, or more than features.

    Source: Chen et al. 2023 (arXiv 2310.06301), k-gons and their + variants.
    """
    n_corners, n_positive = count("n_corners", n_corners, 0), count("n_positive", n_positive, 0)
    n_features = count("n_features", n_features)
    if n_corners + n_positive > n_features:
        raise InputError(
            f"n_corners = {n_corners} and n_positive = {n_positive} must be at least 0, and "
            f"together at most n_features = {n_features}."
        )
    corners, on_corner, bias = np.zeros((2, n_features)), np.zeros(n_features), np.zeros(n_features)
    if n_corners:
        corners[:, :n_corners] = regular_polygon(n_corners) if n_corners > 1 else [[1], [0]]
        on_corner[:n_corners] = 1
    bias[n_corners : n_corners + n_positive] = 1 / (2 * n_features)
    length, offset = START
    if n_corners:
        length, offset = _best_length_and_bias(corners, on_corner)
    W, b = length * corners, offset * on_corner + bias
    name = f"{n_corners}{'⁺' * n_positive}"
    return KGon(name, W, b, float(_loss(jnp.asarray(W), jnp.asarray(b))))


def _best_length_and_bias(corners: npt.NDArray, on_corner: npt.NDArray) -> tuple[float, float]:
    """Minimise the loss over the length of the corners and their bias, by Newton's method."""

    def loss(at: npt.NDArray) -> tuple[float, npt.NDArray]:
        value, slope, _ = _derivatives(jnp.asarray(at), corners, on_corner)
        return float(value), np.asarray(slope, np.float64)

    def curvature(at: npt.NDArray) -> npt.NDArray:
        return np.asarray(_derivatives(jnp.asarray(at), corners, on_corner)[2], np.float64)

    found = minimize(
        loss, START, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-7}
    )
    return float(found.x[0]), float(found.x[1])


_loss = jax.jit(one_active_loss)


@jax.jit
def _derivatives(at: jax.Array, corners: jax.Array, on_corner: jax.Array) -> tuple:
    """Return loss, gradient [2] and Hessian [2, 2] in `at` = (length, bias)."""

    def loss(at: jax.Array) -> jax.Array:
        return one_active_loss(at[0] * corners, at[1] * on_corner)

    return loss(at), jax.grad(loss)(at), jax.hessian(loss)(at)
