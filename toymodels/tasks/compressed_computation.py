"""Compute more ReLUs than there are neurons: y = ReLU(x) + M x, by any power of the error.

Bhagat et al. 2026 (arXiv 2606.14673): F features, fewer neurons, x_i active with a small chance and
then uniform on [-1, 1]. M mixes features into each other's targets. Ferreira da Silva & Heimersheim
(arXiv 2607.04800) take higher powers of the error, with M = 0.
"""

from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.errors import InputError, require_range
from toymodels.features.base import Features
from toymodels.fields import along_first_axis, array
from toymodels.profiles import PerFeature
from toymodels.tasks.reconstruction import Reconstruction


@struct.dataclass
class CompressedComputation(Reconstruction):
    """Answer `ReLU(x_i) + Σ_j M_ij x_j`; the error is `I_i |target_i - output_i|^q`."""

    exponent: Any = array(words="power q of the error")  # []
    M: Any = array("feature", "from_feature", words="what is mixed into the targets")  # [F, F]

    @classmethod
    def create(
        cls,
        features: Features,
        importance: PerFeature = 1.0,
        n_features: int | None = None,
        *,
        exponent: float = 2.0,
        mixing: Literal["none", "gaussian", "symmetric", "embedding"] = "none",
        mixing_scale: float = 0.02,
        mixing_seed: int = 0,
        embedding_size: int = 1000,
    ) -> Self:
        """Make the task.

        Args:
            features: the world.
            importance: weight of each feature's error.
            n_features: F, features, if it is to be checked against the world's.
            exponent: q, at least 1.
            mixing: what M is: zero; independent normal numbers; symmetric normal numbers; or what
                random unit vectors of `embedding_size` dimensions leak into each other, their dot
                products. The diagonal is zero.
            mixing_scale: σ, standard deviation of normal entries.
            mixing_seed: which M is drawn.
            embedding_size: dimensions of the unit vectors.

        Raises:
            InputError: importance as for "reconstruction", an exponent below 1, a negative scale.
        """
        plain = Reconstruction.create(features, importance, n_features)
        require_range("exponent", exponent, 1, 100)
        n = features.n_features
        M = _draw_mixing(n, mixing, mixing_scale, mixing_seed, embedding_size)
        return cls(features, plain.importance, np.float32(exponent), M)

    def target(self, x: jax.Array) -> jax.Array:
        """Return `ReLU(x) + M x`."""
        return jax.nn.relu(x) + self.M @ x

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return `I_i |target_i - output_i|^q`, `[F]`."""
        size = jnp.abs(target - output)
        return along_first_axis(self.importance, output) * size**self.exponent


def _draw_mixing(
    n_features: int, kind: str, scale: float, seed: int, embedding_size: int
) -> np.ndarray:
    """Draw M `[F, F]` with a zero diagonal.

    Raises:
        InputError: another kind, a negative scale, or fewer than 1 dimension.
    """
    require_range("mixing_scale", scale, 0, 1e30)
    require_range("mixing_seed", seed, 0, 2**32 - 1)
    require_range("embedding_size", embedding_size, 1, 1_000_000)
    rng = np.random.default_rng(seed)
    if kind == "embedding":
        vectors = rng.normal(size=(n_features, embedding_size))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        M = vectors @ vectors.T
    elif kind in ("gaussian", "symmetric"):
        M = rng.normal(size=(n_features, n_features))
        M = scale * (np.triu(M) + np.triu(M, 1).T if kind == "symmetric" else M)
    elif kind == "none":
        M = np.zeros((n_features, n_features))
    else:
        raise InputError(f'mixing = {kind!r}: give "none", "gaussian", "symmetric" or "embedding".')
    np.fill_diagonal(M, 0)
    return M.astype(np.float32)
