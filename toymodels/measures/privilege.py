"""Whether the basis of a hidden layer is privileged: how many features each neuron reads.

Notation: W is [M hidden, F features]; a row w of W is what one neuron reads. Two measures of a row:

    participation ratio   (Σ_f w_f²)² / Σ_f w_f⁴    how many features: 1 for one, F for all alike
    max-share             max_f |w_f| / Σ_f |w_f|    how much of the neuron's stack, whose height is
                                                     Σ_f |w_f|, its largest weight makes up

Neither depends on the scale of a row. The null is chance: y = f(WᵀW x + b) is the same function for
every O W with O orthogonal, so its rows are as good as drawn, and the law of a measure is that of
the rows of O W with O uniform (Haar). A row of O W is oᵀW with o uniform on the unit sphere, whose
moments E[o_i⁴] = 3 / (M (M + 2)) and E[o_i² o_j²] = 1 / (M (M + 2)) are exact.

Source: Elhage et al. 2022, "Privileged basis"; the participation ratio is that of Bell and Dean
(1970), Discussions of the Faraday Society 50.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from toymodels.checks import matrix
from toymodels.errors import InputError, require_range
from toymodels.fields import Field
from toymodels.precision import product


def participation_ratio(W: ArrayLike) -> jax.Array:
    """Return how many features each neuron reads, (Σ_f w_f²)² / Σ_f w_f⁴ of its row of W.

    Args:
        W: weights, [M, F].

    Returns:
        [M], from 1 to F; 0 for a row of zeros.

    Raises:
        InputError: W is not one matrix.
    """
    sizes, is_zero = _scaled(matrix("W", W))
    fourth = jnp.where(is_zero, 1, jnp.sum(sizes**4, axis=1))
    return jnp.where(is_zero, 0, jnp.sum(sizes**2, axis=1) ** 2 / fourth)


def max_share(W: ArrayLike) -> jax.Array:
    """Return which share of each neuron's weights is in its largest, max_f |w_f| / Σ_f |w_f|.

    Args:
        W: weights, [M, F].

    Returns:
        [M], from 1/F to 1; 0 for a row of zeros.

    Raises:
        InputError: W is not one matrix.
    """
    sizes, is_zero = _scaled(matrix("W", W))
    return jnp.where(is_zero, 0, 1 / jnp.where(is_zero, 1, jnp.sum(sizes, axis=1)))


def haar_participation_ratio(W: ArrayLike) -> jax.Array:
    """Return the participation ratio that a randomly rotated row of W has, without drawing any.

    E[(Σ_f w_f²)²] / E[Σ_f w_f⁴] over the rows w of O W,

        (‖W‖_F⁴ + 2 ‖W Wᵀ‖_F²) / (3 Σ_f ‖W_f‖⁴),

    from exact moments. For a tight frame, W Wᵀ = c I, it is the harmonic mean of the participation
    ratio, exactly; M orthonormal columns give (M + 2) / 3.

    Args:
        W: weights, [M, F].

    Returns:
        A scalar; 0 for a W of zeros.

    Raises:
        InputError: W is not one matrix.
    """
    W = matrix("W", W)
    largest = jnp.max(jnp.abs(W))
    is_zero = largest < jnp.finfo(W.dtype).tiny
    W = W / jnp.where(is_zero, 1, largest)
    of_columns = jnp.sum(W**2, axis=0)
    numerator = jnp.sum(of_columns) ** 2 + 2 * jnp.sum(product(W, W.T) ** 2)
    return jnp.where(is_zero, 0, numerator / jnp.where(is_zero, 1, 3 * jnp.sum(of_columns**2)))


@dataclass(frozen=True)
class Privilege:
    """How many features each neuron reads, and how many it would in a randomly rotated W.

    Attributes:
        n_rotations: rotations that are drawn, the same ones for all models.
    """

    n_rotations: int = 100

    def __post_init__(self) -> None:
        """Check the settings."""
        require_range("measures.privilege.n_rotations", self.n_rotations, 1, 100_000)

    def __call__(self, run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
        """Return `participation_ratio` and `max_share` of each neuron; `…_rotated` of each draw.

        Raises:
            InputError: the model has no matrix `W`.
        """
        W: Any = getattr(model, "W", None)
        if getattr(W, "ndim", 0) != 2:
            raise InputError(
                f"measures.privilege needs a matrix W, which {type(model).__name__} has not: leave "
                "it out."
            )
        rotations = _haar(key, self.n_rotations, W.shape[0])
        ratio, share = jax.lax.map(lambda turn: _both(product(turn, W)), rotations)  # [n, M]
        row, drawn = ("hidden",), ("rotation", "hidden")
        words = ("features that a neuron reads", "share of a neuron's largest weight, of all |w|")
        found = {
            name: Field(values, row, said)
            for name, values, said in zip(NAMES, _both(W), words, strict=True)
        }
        for name, values, said in zip(NAMES, (ratio, share), words, strict=True):
            found[f"{name}_rotated"] = Field(values, drawn, f"{said}, W randomly rotated")
        return found


NAMES = ("participation_ratio", "max_share")


def _haar(key: jax.Array, n_rotations: int, M: int) -> jax.Array:
    """Draw orthogonal matrices uniformly, [n_rotations, M, M].

    They are the Q of a Gaussian matrix's Q R, with the signs that make R's diagonal positive.
    """
    Q, R = jnp.linalg.qr(jax.random.normal(key, (n_rotations, M, M)))
    signs = jnp.where(jnp.diagonal(R, axis1=1, axis2=2) < 0, -1.0, 1.0)
    return Q * signs[:, None, :]


def _both(W: jax.Array) -> tuple[jax.Array, jax.Array]:
    return participation_ratio(W), max_share(W)


def _scaled(W: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return |W| with every row's largest entry at 1, and which rows are zero."""
    sizes = jnp.abs(W)
    largest = jnp.max(sizes, axis=1)
    is_zero = largest < jnp.finfo(W.dtype).tiny  # False for NaN, which therefore stays NaN
    return sizes / jnp.where(is_zero, 1, largest)[:, None], is_zero
