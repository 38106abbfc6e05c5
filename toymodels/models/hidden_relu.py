"""Autoencoders with a ReLU on the hidden layer: its neurons are a privileged basis."""

import jax
from flax import struct

from toymodels.models.autoencoders import ReluAutoencoder


@struct.dataclass
class HiddenReluAutoencoder(ReluAutoencoder):
    """`y = ReLU(Wᵀ h + b)` with `h = ReLU(W x)` (Elhage et al. 2022, "Privileged basis")."""

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x)`."""
        return jax.nn.relu(super().encode(x))
