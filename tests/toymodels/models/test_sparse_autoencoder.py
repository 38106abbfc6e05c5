"""Sparse autoencoders: formula, unit decoder columns, and a gradient that leaves them so."""

import jax
import jax.numpy as jnp
import numpy as np

from toymodels.models import hidden
from toymodels.models.sparse_autoencoder import SparseAutoencoder

KEY = jax.random.key(0)


def make():
    model = SparseAutoencoder.init(KEY, 4, 7, 1.0)
    return model.replace(b=0.1 * jnp.arange(7.0) - 0.3, c=jnp.array([0.5, -0.2, 0.0, 0.1]))


def test_formula():
    model, x = make(), np.asarray(jax.random.normal(KEY, (4, 9)))
    E, D, b, c = (np.asarray(a) for a in (model.E, model.D, model.b, model.c))
    z = np.maximum(E @ (x - c[:, None]) + b[:, None], 0)
    y = D / np.linalg.norm(D, axis=0) @ z + c[:, None]
    np.testing.assert_allclose(hidden(model, jnp.asarray(x)), z, atol=1e-5)
    np.testing.assert_allclose(model(jnp.asarray(x)), y, atol=1e-5)
    np.testing.assert_allclose(model(jnp.asarray(x[:, 3])), y[:, 3], atol=1e-5)


def test_the_length_of_a_decoder_column_means_nothing():
    model, x = make(), jax.random.normal(KEY, (4, 9))
    longer = model.replace(D=model.D * jnp.arange(1.0, 8.0)[None])
    np.testing.assert_allclose(longer(x), model(x), rtol=1e-5, atol=1e-6)

    def loss(D):
        return jnp.sum((model.replace(D=D)(x) - x) ** 2)

    along = jnp.sum(jax.grad(loss)(model.D) * model.D, axis=0)
    np.testing.assert_allclose(along, 0, atol=1e-4)


def test_the_encoder_starts_as_the_transposed_directions():
    model = SparseAutoencoder.init(KEY, 4, 7, 1.0)
    np.testing.assert_allclose(model.E.T, model.directions(), atol=1e-6)
    np.testing.assert_allclose(jnp.linalg.norm(model.directions(), axis=0), 1, atol=1e-6)
