"""A fixed number of features is active in each example."""

from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.checks import count
from toymodels.errors import InputError
from toymodels.features.base import Boolean, Distribution, Features, Uniform
from toymodels.fields import along_first_axis, array, static


@struct.dataclass
class SeveralActive(Features):
    """Each set of `n_active` features is the active one as often as any other.

    Active are the features with the smallest of F uniform numbers; their values have numbers of
    their own, unless they are all 1.
    """

    n_active: Any = array(words="features that are active at a time")  # []
    n_features: int = static()
    distribution: Distribution = static(default=Uniform())

    @classmethod
    def create(cls, n_features: int, n_active: int = 2, values: Distribution = Uniform()) -> Self:
        """Make a world of which a fixed number of features is active.

        Args:
            n_features: F.
            n_active: how many of them are active in each example, from 0 to F; a leaf, so that
                cells which differ in it share a program.
            values: the distribution of active features.

        Raises:
            InputError: more active features than there are.
        """
        count("n_features", n_features)
        active = np.asarray(n_active)
        if active.ndim or active != np.floor(active) or not 0 <= active <= n_features:
            raise InputError(
                f"n_active = {n_active} of {n_features} features: give a whole number from 0 to "
                f"{n_features}."
            )
        return cls(np.float32(n_active), n_features=n_features, distribution=values)

    @property
    def p_active(self) -> Any:
        """The density of every feature, `n_active / F`, `[F]`."""
        return jnp.full(self.n_features, self.n_active / self.n_features)

    @property
    def n_uniforms(self) -> int:
        """U: F that say which are active and, unless all values are 1, F for the values."""
        return self.n_features * (1 if isinstance(self.distribution, Boolean) else 2)

    def both_active(self) -> float:
        """Return `s (s - 1) / (F (F - 1))` with s active."""
        s, n = float(self.n_active), self.n_features
        return s * (s - 1) / max(n * (n - 1), 1)

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn `u [U]` into `x [F]`: active where fewer than `n_active` numbers are smaller."""
        which, quantile = u[: self.n_features], u[-self.n_features :]
        place = along_first_axis(jnp.arange(self.n_features), which)
        order = jnp.zeros_like(which)
        for j in range(self.n_features):  # of two equal numbers the first counts as smaller
            one = which[j : j + 1]
            order += (one < which) | ((one == which) & (j < place))
        return jnp.where(order < self.n_active, self.distribution(quantile), 0.0)
