"""Give the input back."""

from typing import Any, Self

import jax
from flax import struct

from toymodels.errors import InputError
from toymodels.features.base import Features
from toymodels.fields import along_first_axis, array
from toymodels.profiles import PerFeature, weights
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
            n_features: F, features, if it is to be checked against the world's.

        Raises:
            InputError: importance that is negative, infinite, NaN or of the wrong length, or
                another number of features than the world's.
        """
        n = features.n_features
        if n_features not in (None, n):
            raise InputError(
                f"n_features = {n_features}, but the world has {n} features: make them the same."
            )
        return cls(features=features, importance=weights(importance, n))

    @property
    def n_uniforms(self) -> int:
        """U, the uniform numbers that one example consumes."""
        return self.features.n_uniforms

    def from_uniforms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Turn `u [U]` into one example `(x, target(x))`."""
        x = self.features.from_uniforms(u)
        return x, self.target(x)

    def target(self, x: jax.Array) -> jax.Array:
        """Return what is asked of `x [F]`, or of a batch: itself."""
        return x

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return `I_i (target_i - output_i)²`, `[F]`."""
        return along_first_axis(self.importance, output) * (target - output) ** 2
