"""How much loss an arrangement takes away for each hidden dimension it fills.

Notation: y = ReLU(WᵀW x + b), independent features of one density p, importance 1; a group of k
features on the corners of a polytope in r dimensions, all of one length and one bias.

Groups in orthogonal subspaces do not act on each other, so their losses add. A feature that is not
represented loses L₀ = p/3 - p²/4, answered by its mean p/2. A group that loses L has therefore
taken away k L₀ - L, and where features are many, and only dimensions are scarce, the polytope with
the largest

    removed = (k L₀ - L) / (r L₀)

is the best one to fill the hidden space with: 1 for a dedicated feature.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from toymodels.checks import checked_density
from toymodels.errors import InputError
from toymodels.exact.expected import LARGEST_F, expected_loss_of_map
from toymodels.theory.shapes import Shape

Floats = npt.NDArray[np.float64]

# Squared length and bias that the first descent begins with.
START = (1.0, 0.0)


class Packing(NamedTuple):
    """The best group of one polytope, by density."""

    removed: Floats  # [P] loss taken away per dimension, over that of a dropped feature
    length: Floats  # [P] of each column of W
    bias: Floats  # [P]
    loss: Floats  # [P] of the whole group


def loss_of_dropped(p_active: npt.ArrayLike) -> Floats:
    """Return L₀ = p/3 - p²/4, the loss of a feature that is answered by its mean, `[P]`.

    Raises:
        InputError: a density outside [0, 1].
    """
    p = checked_density(p_active)
    return p / 3 - p**2 / 4


def packing(shape: Shape, p_active: npt.ArrayLike) -> Packing:
    """Find the length and the bias with which a polytope loses least, at each density.

    Args:
        shape: corners that are all alike, at most 6.
        p_active: densities in (0, 1], `[P]`.

    Raises:
        InputError: more corners, or a density outside (0, 1].
    """
    p = np.atleast_1d(checked_density(p_active))
    if not np.all(p > 0):
        raise InputError(
            "p_active = 0: a feature that is never active loses nothing; leave it out."
        )
    if shape.n_corners > LARGEST_F:
        raise InputError(
            f"shape = {shape.name!r} has {shape.n_corners} corners: the exact loss is known up to "
            f"{LARGEST_F}."
        )
    V = shape.corners()
    cosines = jnp.asarray(V.T @ V, jnp.float32)
    x, loss = np.zeros((p.size, 2)), np.zeros(p.size)
    for i, density in enumerate(p):
        x[i], loss[i] = _descend(cosines, float(density), x[i - 1] if i else START)
    zero = loss_of_dropped(p)
    removed = (shape.n_corners * zero - loss) / (shape.n_dimensions * zero)
    return Packing(removed, np.sqrt(np.maximum(x[:, 0], 0)), x[:, 1], loss)


def _descend(cosines: jax.Array, p: float, start: npt.ArrayLike) -> tuple[Floats, float]:
    def loss(x: Floats) -> tuple[float, Floats]:
        value, slope = _loss_and_slope(jnp.asarray(x, jnp.float32), cosines, p)
        return float(value), np.asarray(slope, float)

    end = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6})
    return end.x, float(end.fun)


@jax.jit
@jax.value_and_grad
def _loss_and_slope(x: jax.Array, cosines: jax.Array, p: jax.Array) -> jax.Array:
    biases = jnp.full(cosines.shape[0], x[1])
    return jnp.sum(expected_loss_of_map(x[0] * cosines, biases, p, 1.0))
