"""What every kind of features shares: the draw of one example, and the values of active ones.

A kind of features is a frozen record with `n_uniforms` (U, how many uniform numbers one example
consumes) and `from_uniforms(u [U]) -> x [F]`. Keeping the draw apart from its interpretation is
what lets every cell of a sweep share one stream of random numbers. Densities are written
`p_active`, the probability that a feature is not zero: the paper's `1 - S`
(Elhage et al. 2022, "Demonstrating Superposition").
"""

from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from toymodels.streams import draw_uniforms

# Uniforms have 31 random bits. Below this density too few of their levels lie under p for one
# uniform to serve as the value as well: 2¹³ of them at the threshold.
SMALLEST_SHARED_DRAW = 2.0**-18


class Distribution(Protocol):
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


@dataclass(frozen=True)
class Boolean:
    """Active features are 1."""

    def __call__(self, quantile: jax.Array) -> jax.Array:
        """Return 1 for every quantile."""
        return jnp.ones_like(quantile)


class Features:
    """A world of sparse features; `n_features` is F."""

    n_features: Any  # int, a field or a property
    distribution: Any  # of active values

    @property
    def n_uniforms(self) -> int:
        """U, the uniform numbers that one example consumes."""
        raise NotImplementedError

    @property
    def law(self) -> Any:
        """Old name of `distribution`, kept for one version."""
        return self.distribution

    def both_active(self) -> float | None:
        """Return the chance that two features are active, mean over pairs; None if not known."""
        return None

    def from_uniforms(self, u: jax.Array) -> jax.Array:
        """Turn uniform numbers `u [U]` into an example `x [F]`, or `[U, B]` into `[F, B]`."""
        raise NotImplementedError

    def sample(self, key: jax.Array) -> jax.Array:
        """Draw one example `x [F]`."""
        return self.from_uniforms(draw_uniforms(key, (self.n_uniforms,)))


def n_draws(p_active: NDArray[np.float32]) -> int:
    """Return how many uniforms an entry takes: two where one cannot be mask and value at once."""
    return 2 if bool(np.any((p_active > 0) & (p_active < SMALLEST_SHARED_DRAW))) else 1
