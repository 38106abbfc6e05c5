"""What the world looks like: sparse features, and how one example `x [F]` is drawn.

A kind of features is a frozen record with `n_uniforms` (U, how many uniform numbers one example
consumes) and `from_uniforms(u [U]) -> x [F]`. Keeping the draw apart from its interpretation is
what lets every cell of a sweep share one stream of random numbers. Densities are written
`p_active`, the probability that a feature is not zero: the paper's `1 - S`
(Elhage et al. 2022, "Demonstrating Superposition").
"""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.errors import InputError

# Below this density a float32 uniform has too few levels under p to serve as the value as well.
SMALLEST_SHARED_DRAW = 1e-3


class ValueLaw(Protocol):
    """The value of an active feature, as the inverse of its distribution function."""

    def __call__(self, quantile: jax.Array) -> jax.Array:
        """Map quantiles in [0, 1) to values."""
        ...


@dataclass(frozen=True)
class Uniform:
    """Active features are uniform on [0, 1]."""

    def __call__(self, quantile: jax.Array) -> jax.Array:
        """Return the quantile itself."""
        return quantile


@dataclass(frozen=True)
class SignedUniform:
    """Active features are uniform on [-1, 1]."""

    def __call__(self, quantile: jax.Array) -> jax.Array:
        """Return `2 q - 1`."""
        return 2.0 * quantile - 1.0


def along_first_axis(values: Any, like: jax.Array) -> jax.Array:
    """Shape `values [F]` so that they meet the first axis of `like [F]` or `[F, B]`."""
    return jnp.reshape(values, (-1, *(1,) * (like.ndim - 1)))


class Features:
    """What every kind of features shares: the draw of one example and of a batch."""

    @property
    def n_uniforms(self) -> int:
        """U, the uniform numbers that one example consumes."""
        raise NotImplementedError

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn uniform numbers `u [U]` into an example `x [F]`, or `[U, B]` into `[F, B]`."""
        raise NotImplementedError

    def sample(self, key: jax.Array) -> jax.Array:
        """Draw one example `x [F]`."""
        return self.from_uniforms(jax.random.uniform(key, (self.n_uniforms,)))


@struct.dataclass
class Independent(Features):
    """Features that are active independently of each other, feature i with `p_active[i]`.

    With `draws = 1` one uniform number serves twice: `u < p` says whether the feature is active,
    and then `u / p` is uniform on [0, 1). With `draws = 2` the value has a number of its own.
    """

    p_active: Any  # [F]
    law: ValueLaw = struct.field(pytree_node=False, default=Uniform())
    draws: int = struct.field(pytree_node=False, default=1)

    @classmethod
    def create(cls, p_active: Any, n_features: int, law: ValueLaw = Uniform()) -> Self:
        """Make independent features from a scalar or `[F]` density.

        Takes a second draw for the value when some density lies in (0, 1e-3).

        Raises:
            InputError: a density outside [0, 1] or NaN, or of another length than `n_features`.
        """
        p = np.asarray(p_active, dtype=np.float64)
        if p.shape not in ((), (n_features,)):
            raise InputError(
                f"p_active has shape {p.shape}, but there are n_features = {n_features}: "
                f"give one number or a list of {n_features}."
            )
        if not np.all((p >= 0) & (p <= 1)):
            raise InputError(
                f"p_active = {_first_bad(p)} is not a probability: it must lie in [0, 1] "
                "(density, the paper's 1 - S)."
            )
        p = np.full(n_features, p, np.float32)
        too_sparse = bool(np.any((p > 0) & (p < SMALLEST_SHARED_DRAW)))
        return cls(p_active=p, law=law, draws=2 if too_sparse else 1)

    @property
    def n_uniforms(self) -> int:
        """U = draws · F."""
        return self.draws * self.p_active.shape[-1]

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn `u [U]` into `x [F]`: zero where inactive, a value of the law where active."""
        n_features = self.p_active.shape[-1]
        p = along_first_axis(self.p_active, u)
        u_active, u_value = u[:n_features], u[-n_features:]
        quantile = u_value if self.draws == 2 else u_active / jnp.where(p > 0, p, 1.0)
        return jnp.where(u_active < p, self.law(quantile), 0.0)


@struct.dataclass
class OneActive(Features):
    """Exactly one feature is active, each as often as the others (Chen et al. 2023).

    One uniform number says both which feature it is and, within its share, the value.
    """

    n_features: int = struct.field(pytree_node=False)
    law: ValueLaw = struct.field(pytree_node=False, default=Uniform())

    @property
    def p_active(self) -> np.ndarray:
        """The density of every feature, 1 / F, `[F]`."""
        return np.full(self.n_features, 1 / self.n_features, np.float32)

    @property
    def n_uniforms(self) -> int:
        """U = 1."""
        return 1

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn `u [1]` into `x [F]`: feature i is active where F u lies in [i, i + 1)."""
        quantile = self.n_features * u - along_first_axis(jnp.arange(self.n_features), u)
        return jnp.where((quantile >= 0) & (quantile < 1), self.law(quantile), 0.0)


def _first_bad(p: np.ndarray) -> float:
    return float(p[~((p >= 0) & (p <= 1))].flat[0]) if p.ndim else float(p)
