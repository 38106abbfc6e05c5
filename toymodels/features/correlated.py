"""Sets of features that are active together."""

from typing import Any, Self

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.errors import InputError
from toymodels.features.base import Distribution, Features, Uniform
from toymodels.fields import along_first_axis, array, static
from toymodels.profiles import PerFeature, density


@struct.dataclass
class CorrelatedSets(Features):
    """All features of a set are active at once, with values of their own (Elhage et al. 2022).

    Sets are equally large and hold neighbouring features; set g is active with `p_active[g]`.
    """

    p_active: Any = array("set", words="probability that a set is active")  # [G]
    n_features: int = static()
    distribution: Distribution = static(default=Uniform())

    @classmethod
    def create(
        cls,
        n_features: int,
        n_sets: int,
        p_active: PerFeature = 1.0,
        values: Distribution = Uniform(),
    ) -> Self:
        """Make `n_sets` sets of F / `n_sets` features; `p_active` is a number or one for each set.

        Args:
            n_features: F, features.
            n_sets: G, sets of equal size.
            p_active: density of a set, and so of each feature; a number, or one for each set.
            values: the distribution of active features.

        Raises:
            InputError: sets that cannot be equally large, or a density outside [0, 1].
        """
        require_sets(n_features, n_sets)
        return cls(density(p_active, n_sets, "n_sets"), n_features, values)

    @property
    def n_uniforms(self) -> int:
        """U = G + F, one for each set and one for each value."""
        return self.p_active.shape[-1] + self.n_features

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn `u [U]` into `x [F]`."""
        n_sets = self.p_active.shape[-1]
        on = u[:n_sets] < along_first_axis(self.p_active, u)  # [G]
        on = jnp.repeat(on, self.n_features // n_sets, axis=0)
        return jnp.where(on, self.distribution(u[n_sets:]), 0.0)


def require_sets(n_features: int, n_sets: int) -> None:
    """Raise `InputError` unless `n_features` are `n_sets` equally large sets."""
    if not 1 <= n_sets <= n_features or n_features % n_sets:
        raise InputError(
            f"n_sets = {n_sets} does not divide n_features = {n_features} into equal sets."
        )
