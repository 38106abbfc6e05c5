"""Exactly one feature is active in each example."""

from typing import Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.errors import require_range
from toymodels.features.base import Distribution, Features, Uniform
from toymodels.fields import along_first_axis, static


@struct.dataclass
class OneActive(Features):
    """Each feature is the active one as often as the others (Chen et al. 2023).

    One uniform number says both which feature it is and, within its share, the value.
    """

    n_features: int = static()
    distribution: Distribution = static(default=Uniform())

    @classmethod
    def create(cls, n_features: int, values: Distribution = Uniform()) -> Self:
        """Make a world of which one feature is active.

        Args:
            n_features: F; each is active with probability 1 / F.
            values: the distribution of active features.
        """
        require_range("n_features", n_features, 1)
        return cls(n_features=n_features, distribution=values)

    @property
    def p_active(self) -> NDArray[np.float32]:
        """The density of every feature, 1 / F, `[F]`."""
        return np.full(self.n_features, 1 / self.n_features, np.float32)

    @property
    def n_uniforms(self) -> int:
        """U = 1."""
        return 1

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn `u [1]` into `x [F]`: feature i is active where F u lies in [i, i + 1)."""
        quantile = self.n_features * u - along_first_axis(jnp.arange(self.n_features), u)
        return jnp.where((quantile >= 0) & (quantile < 1), self.distribution(quantile), 0.0)
