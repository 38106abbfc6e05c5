"""The L2 penalty on hidden activations: it shrinks them and prefers no direction."""

from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.errors import require_range
from toymodels.fields import array
from toymodels.models.base import hidden


@struct.dataclass
class L2Hidden:
    """`weight · Σ_m h_m²`, averaged over examples."""

    weight: Any = array(words="coefficient of the L2 penalty")  # []

    @classmethod
    def create(cls, weight: float) -> Self:
        """Make the penalty.

        Args:
            weight: coefficient of the penalty, at least 0.

        Raises:
            InputError: a negative weight.
        """
        require_range("penalties.l2_hidden", weight, 0, 1e30)
        return cls(weight=np.float32(weight))

    def __call__(self, model: Any, inputs: jax.Array) -> jax.Array:
        """Return the penalty on a batch of `inputs [F, B]`, `[]`."""
        return self.weight * jnp.mean(jnp.sum(hidden(model, inputs) ** 2, axis=0))
