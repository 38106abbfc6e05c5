"""The L1 penalty on hidden activations."""

from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.errors import require_range
from toymodels.fields import array
from toymodels.models.base import hidden


@struct.dataclass
class L1Hidden:
    """`weight · Σ_m |h_m|`, averaged over examples."""

    weight: Any = array(words="coefficient of the L1 penalty")  # []

    @classmethod
    def create(cls, weight: float) -> Self:
        """Make the penalty.

        Args:
            weight: coefficient of the penalty, at least 0.
        """
        require_range("penalties.l1_hidden", weight, 0, 1e30)
        return cls(weight=np.float32(weight))

    def __call__(self, model: Any, inputs: jax.Array) -> jax.Array:
        """Return the penalty on a batch of `inputs [F, B]`, `[]`."""
        return self.weight * jnp.mean(jnp.sum(jnp.abs(hidden(model, inputs)), axis=0))
