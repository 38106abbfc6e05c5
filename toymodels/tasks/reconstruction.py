"""Give the input back."""

from typing import Any, Self

import jax
import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.errors import InputError
from toymodels.features.base import Features, along_first_axis
from toymodels.fields import array
from toymodels.profiles import PerFeature
from toymodels.tasks.base import UniformTask


@struct.dataclass
class Reconstruction(UniformTask):
    """Give the input back, weighted by importance: `I_i (x_i - y_i)²` (Elhage et al. 2022)."""

    features: Features
    importance: Any = array("feature", words="weight of each feature's squared error")  # [F]

    @classmethod
    def create(
        cls, features: Features, importance: PerFeature = 1.0, n_features: int | None = None
    ) -> Self:
        """Make the task from a scalar or `[F]` importance.

        Args:
            features: the world.
            importance: weight of each feature's squared error.
            n_features: F, if it is to be checked against the world's.

        Raises:
            InputError: importance that is negative, infinite, NaN or of the wrong length.
        """
        n = features.n_features if n_features is None else n_features
        return cls(features=features, importance=weights(importance, n))

    @property
    def n_uniforms(self) -> int:
        """U, the uniform numbers that one example consumes."""
        return self.features.n_uniforms

    def from_uniforms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Turn `u [U]` into one example; its target is itself."""
        x = self.features.from_uniforms(u)
        return x, x

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return `I_i (target_i - output_i)²`, `[F]`."""
        return along_first_axis(self.importance, output) * (target - output) ** 2


def weights(importance: PerFeature, n_features: int) -> NDArray[np.float32]:
    """Return the weight of each feature, `[F]`, from a number or a list.

    Raises:
        InputError: a weight that is negative, infinite, NaN, or another length than `n_features`.
    """
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused
        weight = np.asarray(importance, dtype=np.float32)
    if weight.shape not in ((), (n_features,)):
        raise InputError(
            f"importance has shape {weight.shape}, but there are n_features = {n_features}: "
            f"give one number or a list of {n_features}."
        )
    if not np.all(np.isfinite(weight) & (weight >= 0)):
        raise InputError(
            f"importance = {importance} holds a value that is negative, infinite or NaN: "
            "use finite numbers >= 0 (0 means: this feature does not count)."
        )
    return np.full(n_features, weight, np.float32)
