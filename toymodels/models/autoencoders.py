"""Autoencoders that squeeze F features through M < F hidden dimensions, linearly.

Notation of Elhage et al. 2022, "Demonstrating Superposition": input `x [F]`, hidden `h = W x`
with `W [M, F]`, output `y [F]`.
"""

from typing import Self

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.fields import along_first_axis, array
from toymodels.measures.balanced import balanced_encoder
from toymodels.models.base import SizedModel, normal
from toymodels.precision import product


@struct.dataclass
class LinearAutoencoder(SizedModel):
    """`y = Wᵀ W x + b`."""

    W: jax.Array = array("hidden", "feature", words="encoder weights")  # [M, F]
    b: jax.Array = array("feature", words="biases of the outputs")  # [F]

    @classmethod
    def init(cls, key: jax.Array, n_features: int, n_hidden: int, scale: jax.Array) -> Self:
        """Draw `W` with standard deviation `scale`; `b` starts at zero."""
        return cls(W=normal(key, (n_hidden, n_features), scale), b=jnp.zeros(n_features))

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = W x`."""
        return self.W @ x

    def decode(self, h: jax.Array) -> jax.Array:
        """Return `Wᵀ h + b`."""
        y = self.W.T @ h
        return y + along_first_axis(self.b, y)

    def linear_map(self) -> tuple[jax.Array, jax.Array]:
        """Return `G [F, F]` and `b [F]` of `y = G x + b`."""
        return product(self.W.T, self.W), self.b

    def columns(self) -> jax.Array:
        """Return the directions by which features are measured: `W`."""
        return self.W


@struct.dataclass
class ReluAutoencoder(LinearAutoencoder):
    """`y = ReLU(Wᵀ W x + b)`: the linear autoencoder with its output cut at zero."""

    def decode(self, h: jax.Array) -> jax.Array:
        """Return `ReLU(Wᵀ h + b)`."""
        return jax.nn.relu(super().decode(h))

    def relu_map(self) -> tuple[jax.Array, jax.Array]:
        """Return `G [F, F]` and `b [F]` of `y = ReLU(G x + b)`."""
        return product(self.W.T, self.W), self.b

    def relu_factors(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return `V [F, M]`, `W [M, F]` and `b [F]` of `y = ReLU(V W x + b)`."""
        return self.W.T, self.W, self.b


@struct.dataclass
class UntiedAutoencoder(SizedModel):
    """`y = ReLU(V W x + b)`: the decoder `V` is free, not the transpose of `W`."""

    W: jax.Array = array("hidden", "feature", words="encoder weights")  # [M, F]
    V: jax.Array = array("feature", "hidden", words="decoder weights")  # [F, M]
    b: jax.Array = array("feature", words="biases of the outputs")  # [F]

    @classmethod
    def init(cls, key: jax.Array, n_features: int, n_hidden: int, scale: jax.Array) -> Self:
        """Draw `W` and `V` with standard deviation `scale`; `b` starts at zero."""
        key_w, key_v = jax.random.split(key)
        return cls(
            W=normal(key_w, (n_hidden, n_features), scale),
            V=normal(key_v, (n_features, n_hidden), scale),
            b=jnp.zeros(n_features),
        )

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = W x`."""
        return self.W @ x

    def decode(self, h: jax.Array) -> jax.Array:
        """Return `ReLU(V h + b)`."""
        y = self.V @ h
        return jax.nn.relu(y + along_first_axis(self.b, y))

    def relu_map(self) -> tuple[jax.Array, jax.Array]:
        """Return `G [F, F]` and `b [F]` of `y = ReLU(G x + b)`."""
        return product(self.V, self.W), self.b

    def relu_factors(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return `V [F, M]`, `W [M, F]` and `b [F]` of `y = ReLU(V W x + b)`."""
        return self.V, self.W, self.b

    def columns(self) -> jax.Array:
        """Return the directions by which features are measured: `balanced_encoder(W, V)`."""
        return balanced_encoder(self.W, self.V)
