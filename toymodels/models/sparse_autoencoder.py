"""Sparse autoencoders: a dictionary of directions, few of which make up one hidden state."""

from typing import Any, Self

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.errors import require_range
from toymodels.fields import along_first_axis, array
from toymodels.models.base import Init, Model, hidden, normal


@struct.dataclass
class SparseAutoencoder(Model):
    """`z = ReLU(E (h - c) + b)`, `y = D̂ z + c`, where D̂ has the columns of D at length 1.

    Trained on the hidden states h of another model, with an L1 penalty on z (Sharkey et al. 2022;
    Cunningham et al. 2023). Encoder and decoder are untied; E starts as the transpose of D̂.
    """

    E: jax.Array = array("latent", "hidden", words="encoder weights")  # [L, M]
    D: jax.Array = array("hidden", "latent", words="decoder directions, of any length")  # [M, L]
    b: jax.Array = array("latent", words="biases of the latents")  # [L]
    c: jax.Array = array("hidden", words="bias of the hidden state")  # [M]

    @classmethod
    def start(cls, trained: Any, n_latents: int) -> Init:
        """Say how a run starts: random directions for the other model's hidden size.

        Args:
            trained: the model that is studied, and its run.
            n_latents: L, directions of the dictionary.
        """
        require_range("n_latents", n_latents, 1, 1_000_000)
        h = jax.eval_shape(cls._hidden_state, trained, jax.random.key(0))
        return Init(scale=jnp.float32(1), model=cls, n_features=h.shape[0], n_hidden=n_latents)

    @staticmethod
    def _hidden_state(trained: Any, key: jax.Array) -> jax.Array:
        x, _ = trained.run.task.sample(key)
        return hidden(trained.model, x[:, None])

    @classmethod
    def init(cls, key: jax.Array, n_features: int, n_hidden: int, scale: Any) -> Self:
        """Draw directions; biases start at zero."""
        D = normal(key, (n_features, n_hidden), scale)
        E = D.T / jnp.linalg.norm(D.T, axis=1, keepdims=True)
        return cls(E=E, D=D, b=jnp.zeros(n_hidden), c=jnp.zeros(n_features))

    def directions(self) -> jax.Array:
        """Return D̂, unit columns `[M, L]`."""
        return self.D / jnp.maximum(jnp.linalg.norm(self.D, axis=0, keepdims=True), 1e-12)

    def encode(self, x: jax.Array) -> jax.Array:
        """Return how active each latent is, `[M] -> [L]`."""
        z = self.E @ (x - along_first_axis(self.c, x))
        return jax.nn.relu(z + along_first_axis(self.b, z))

    def decode(self, h: jax.Array) -> jax.Array:
        """Return the hidden state that latents stand for, `[L] -> [M]`."""
        y = self.directions() @ h
        return y + along_first_axis(self.c, y)
