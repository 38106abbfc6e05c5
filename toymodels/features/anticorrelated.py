"""Sets of features of which one is active at a time."""

from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.errors import InputError
from toymodels.features.base import Distribution, Features, Uniform
from toymodels.features.correlated import require_sets
from toymodels.fields import along_first_axis, array, static
from toymodels.profiles import PerFeature, density


@struct.dataclass
class AnticorrelatedSets(Features):
    """One feature of an active set is on, each as often as the others (Elhage et al. 2022).

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
        density_of: Literal["set", "feature"] = "set",
    ) -> Self:
        """Make sets of F / `n_sets` features; the paper's `p_active` is a set's, not a feature's.

        Args:
            n_features: F, features.
            n_sets: G, sets of equal size.
            p_active: density, of what `density_of` says; a number, or one for each set.
            values: the distribution of active features.
            density_of: whether `p_active` is that of a "set" or of each "feature" in it.

        Raises:
            InputError: sets that cannot be equally large, or a density outside [0, 1].
        """
        require_sets(n_features, n_sets)
        p = density(p_active, n_sets, "n_sets")
        p = p * (n_features // n_sets) if density_of == "feature" else p
        if p.max() > 1:
            raise InputError(f"p_active = {p_active} of each feature is more than its set can be.")
        return cls(p, n_features, values)

    @property
    def n_uniforms(self) -> int:
        """U = 2 G, for each set which feature is on, if any, and its value."""
        return 2 * self.p_active.shape[-1]

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn `u [U]` into `x [F]`."""
        n_sets, size = self.p_active.shape[-1], self.n_features // self.p_active.shape[-1]
        p = along_first_axis(self.p_active, u)
        turn = size * u[:n_sets] / jnp.where(p > 0, p, 1e-9)  # member i where it is in [i, i + 1)
        turn, value = (jnp.repeat(part, size, axis=0) for part in (turn, u[n_sets:]))
        mine = turn - along_first_axis(jnp.tile(jnp.arange(size), n_sets), u)
        return jnp.where((mine >= 0) & (mine < 1), self.distribution(value), 0.0)
