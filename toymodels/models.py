"""The toy models: autoencoders that squeeze F features through M < F hidden dimensions.

Notation of Elhage et al. 2022, "Demonstrating Superposition": input `x [F]`, hidden `h = W x`
with `W [M, F]`, output `y [F]`. A model is a pytree of its weights and acts on ONE example;
batches, seeds and sweeps come from `jax.vmap`. `on_batch` is the same map on `[F, B]`, the batch
on the last axis: a fast path that training may use and that the tests hold equal to the model.
"""

from typing import Any, Self

import jax
import jax.numpy as jnp
from flax import struct


def _normal(key: jax.Array, shape: tuple[int, int], scale: Any) -> jax.Array:
    return scale * jax.random.normal(key, shape)


@struct.dataclass
class LinearAutoencoder:
    """`y = Wᵀ W x + b`."""

    W: jax.Array  # [M, F]
    b: jax.Array  # [F]

    @classmethod
    def init(cls, key: jax.Array, n_features: int, n_hidden: int, scale: Any) -> Self:
        """Draw `W` with standard deviation `scale`; `b` starts at zero."""
        return cls(W=_normal(key, (n_hidden, n_features), scale), b=jnp.zeros(n_features))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Reconstruct one example, `[F] -> [F]`."""
        return self.W.T @ (self.W @ x) + self.b

    def on_batch(self, X: jax.Array) -> jax.Array:
        """Reconstruct a batch, `[F, B] -> [F, B]`."""
        return self.W.T @ (self.W @ X) + self.b[:, None]


@struct.dataclass
class ReluAutoencoder(LinearAutoencoder):
    """`y = ReLU(Wᵀ W x + b)`: the linear autoencoder with its output cut at zero."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """Reconstruct one example, `[F] -> [F]`."""
        return jax.nn.relu(super().__call__(x))

    def on_batch(self, X: jax.Array) -> jax.Array:
        """Reconstruct a batch, `[F, B] -> [F, B]`."""
        return jax.nn.relu(super().on_batch(X))


@struct.dataclass
class UntiedAutoencoder:
    """`y = ReLU(V W x + b)`: the decoder `V` is free, not the transpose of `W`."""

    W: jax.Array  # [M, F]
    V: jax.Array  # [F, M]
    b: jax.Array  # [F]

    @classmethod
    def init(cls, key: jax.Array, n_features: int, n_hidden: int, scale: Any) -> Self:
        """Draw `W` and `V` with standard deviation `scale`; `b` starts at zero."""
        key_w, key_v = jax.random.split(key)
        return cls(
            W=_normal(key_w, (n_hidden, n_features), scale),
            V=_normal(key_v, (n_features, n_hidden), scale),
            b=jnp.zeros(n_features),
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        """Reconstruct one example, `[F] -> [F]`."""
        return jax.nn.relu(self.V @ (self.W @ x) + self.b)

    def on_batch(self, X: jax.Array) -> jax.Array:
        """Reconstruct a batch, `[F, B] -> [F, B]`."""
        return jax.nn.relu(self.V @ (self.W @ X) + self.b[:, None])


@struct.dataclass
class Init:
    """How a run's model starts: `Init(...)(key)` draws it.

    `scale` is the standard deviation of the weights itself, never a rule that depends on how many
    models are trained side by side.
    """

    scale: Any  # []
    model: type = struct.field(pytree_node=False)
    n_features: int = struct.field(pytree_node=False)
    n_hidden: int = struct.field(pytree_node=False)

    def __call__(self, key: jax.Array) -> Any:
        """Draw a model."""
        return self.model.init(key, self.n_features, self.n_hidden, self.scale)


def xavier_scale(n_features: int, n_hidden: int) -> float:
    """Return the Xavier-normal standard deviation of ONE model, `√(2 / (F + M))`."""
    return (2.0 / (n_features + n_hidden)) ** 0.5
