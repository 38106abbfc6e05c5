"""Autoencoders with a ReLU on the hidden layer: its neurons are a privileged basis."""

from typing import Self

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.fields import along_first_axis, array
from toymodels.models.autoencoders import ReluAutoencoder
from toymodels.models.base import normal


@struct.dataclass
class HiddenReluAutoencoder(ReluAutoencoder):
    """`y = ReLU(Wᵀ h + b)` with `h = ReLU(W x)` (Elhage et al. 2022, "Privileged basis")."""

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x)`."""
        return jax.nn.relu(super().encode(x))


@struct.dataclass
class BiasedHiddenReluAutoencoder(ReluAutoencoder):
    """`y = ReLU(Wᵀ h + b)` with `h = ReLU(W x + c)`: neurons have a bias of their own.

    Elhage et al. 2022 leave it out: neurons with a bias may stay above 0 on all data, where they
    are linear.
    """

    c: jax.Array = array("hidden", words="biases of the neurons")  # [M]

    @classmethod
    def init(cls, key: jax.Array, n_features: int, n_hidden: int, scale: jax.Array) -> Self:
        """Draw `W` with standard deviation `scale`; `b` and `c` start at zero."""
        W = normal(key, (n_hidden, n_features), scale)
        return cls(W=W, b=jnp.zeros(n_features), c=jnp.zeros(n_hidden))

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x + c)`."""
        h = super().encode(x)
        return jax.nn.relu(h + along_first_axis(self.c, h))
