"""Features that are active independently of each other."""

from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.features.base import Distribution, Features, Uniform, n_draws
from toymodels.fields import along_first_axis, array, static
from toymodels.profiles import PerFeature, density, length_of


@struct.dataclass
class Independent(Features):
    """Feature i is active with `p_active[i]`, whatever the others do (Elhage et al. 2022).

    With `draws = 1` one uniform number serves twice: `u < p` says whether the feature is active,
    and then `u / p` is uniform on [0, 1). With `draws = 2` the value has a number of its own.
    """

    p_active: Any = array("feature", words="density of each feature")  # [F]
    distribution: Distribution = static(default=Uniform())
    draws: int = static(default=1)

    @classmethod
    def create(
        cls,
        p_active: PerFeature = 1.0,
        n_features: int | None = None,
        values: Distribution = Uniform(),
    ) -> Self:
        """Make independent features from a scalar or `[F]` density.

        Takes a second draw for the value when some density lies in (0, 2⁻¹⁸).

        Args:
            p_active: density, the probability that a feature is not zero, the paper's 1 - S.
            n_features: F, features; a list of densities says it as well.
            values: the distribution of active features.

        Raises:
            InputError: a density outside [0, 1] or NaN, or of another length than `n_features`.
        """
        p = density(p_active, length_of("p_active", p_active, n_features))
        return cls(p_active=p, distribution=values, draws=n_draws(p))

    @property
    def n_features(self) -> int:
        """F."""
        return self.p_active.shape[-1]

    @property
    def n_uniforms(self) -> int:
        """U = draws · F."""
        return self.draws * self.n_features

    def both_active(self) -> float:
        """Return the mean of `p_i p_j` over pairs."""
        p, n = np.asarray(self.p_active, np.float64), self.n_features
        return float((p.sum() ** 2 - (p**2).sum()) / max(n * (n - 1), 1))

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn `u [U]` into `x [F]`: zero where inactive, a value of the distribution elsewhere."""
        p = along_first_axis(self.p_active, u)
        u_active, u_value = u[: self.n_features], u[-self.n_features :]
        quantile = u_value if self.draws == 2 else u_active / jnp.where(p > 0, p, 1.0)
        return jnp.where(u_active < p, self.distribution(quantile), 0.0)
