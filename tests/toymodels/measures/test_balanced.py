"""Untied models are measured by their function, whatever encoder and decoder exchange."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import struct

from toymodels import geometry, models
from toymodels.measures.balanced import balanced_encoder, balanced_neurons, rescaled_neurons
from toymodels.measures.columns import measure_geometry
from toymodels.models.absolute_value import AbsoluteValueModel, BiasedAbsoluteValueModel
from toymodels.models.base import columns
from toymodels.models.hidden_relu import HiddenReluAutoencoder
from toymodels.theory import regular_polygon

M, F = 2, 5
PENTAGON = 1.1 * regular_polygon(F)
KEY = jax.random.key(0)
measure = jax.jit(
    lambda model: {k: f.values for k, f in measure_geometry(None, model, KEY).items()}
)


def drawn(seed, n_hidden=M, n_features=F):
    rng = np.random.default_rng(seed)
    W, V = rng.normal(size=(n_hidden, n_features)), rng.normal(size=(n_features, n_hidden))
    return rng, W, V


def measured(kind, W, V):
    return measure(kind(*(jnp.asarray(a, jnp.float32) for a in (W, V, np.zeros(F)))))


def assert_alike(found, wanted, rtol=2e-5):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol, 1e-6), found, wanted)


@pytest.mark.parametrize("seed", range(5))
def test_any_change_of_the_hidden_basis_leaves_an_untied_model_as_it_is(seed):
    """(A W, V A⁻¹) is the same function."""
    rng, W, V = drawn(seed)
    A = rng.normal(size=(M, M))
    other = measured(models.UntiedAutoencoder, A @ W, V @ np.linalg.inv(A))
    assert_alike(other, measured(models.UntiedAutoencoder, W, V), 1e-4)


@pytest.mark.parametrize("scale", [0.25, 4.0, 1e3])
def test_a_pentagon_keeps_its_five_features_at_any_scale(scale):
    """By its encoder alone there were none of them at a quarter."""
    found = measured(models.UntiedAutoencoder, scale * PENTAGON, PENTAGON.T / scale)
    tied = measure(models.ReluAutoencoder(jnp.float32(PENTAGON), jnp.zeros(F)))
    assert_alike(found, tied)
    np.testing.assert_allclose(found["norm"], 1.1, rtol=1e-5)
    np.testing.assert_allclose(found["feature_dimensionality"], 2 / 5, rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_with_a_decoder_that_is_its_transpose_an_encoder_is_its_own_balance(seed):
    _, W, _ = drawn(seed)
    tied = measure(models.ReluAutoencoder(jnp.float32(W), jnp.zeros(F)))
    assert_alike(measured(models.UntiedAutoencoder, W, W.T), tied)
    assert_alike(measured(AbsoluteValueModel, W, W.T), tied)


@pytest.mark.parametrize(("n_hidden", "n_features"), [(2, 5), (4, 3), (1, 2)])
def test_its_scalar_products_are_the_root_of_what_the_map_squares_to(n_hidden, n_features):
    """(GᵀG)^(1/2) by eigenvectors in float64; and there is no factor of G of less length."""
    _, W, V = drawn(3, n_hidden, n_features)
    found = np.asarray(balanced_encoder(W, V), np.float64)
    G = V @ W
    values, vectors = np.linalg.eigh(G.T @ G)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    assert found.shape == W.shape
    np.testing.assert_allclose(found.T @ found, root, rtol=1e-5, atol=2e-6 * np.abs(root).max())
    nuclear = np.linalg.svd(G, compute_uv=False).sum()
    assert np.sum(found**2) == pytest.approx(nuclear, rel=1e-5)
    assert 2 * nuclear <= np.sum(W**2) + np.sum(V**2)


@pytest.mark.parametrize("seed", range(5))
def test_neurons_with_a_relu_may_be_rescaled_and_nothing_else(seed):
    rng, W, V = drawn(seed)
    a = np.exp(2 * rng.normal(size=M))
    one = measured(AbsoluteValueModel, W, V)
    assert_alike(measured(AbsoluteValueModel, a[:, None] * W, V / a), one)
    found = balanced_neurons(a[:, None] * W, V / a)
    lengths = np.linalg.norm(W, axis=1) * np.linalg.norm(V, axis=0)
    np.testing.assert_allclose(np.sum(np.square(found), axis=1), lengths, rtol=1e-5)
    np.testing.assert_allclose(found / W, np.repeat(found[:, :1] / W[:, :1], F, axis=1), rtol=1e-4)


def test_features_without_weights_stay_without_and_tiny_ones_keep_their_direction():
    W = np.array([[1.0, -1.0, 0.0, 1e-20], [0.0, 0.0, 0.0, 0.0]])
    A = np.array([[2.0, 1.0], [0.3, -1.0]])
    for B in (np.eye(2), A):
        found = balanced_encoder(B @ W, W.T @ np.linalg.inv(B))
        np.testing.assert_allclose(geometry.feature_norms(found), [1, 1, 0, 1e-20], rtol=1e-5)
        np.testing.assert_allclose(geometry.superposition(found), [1, 1, 0, 2], rtol=1e-5)
    assert not np.any(balanced_encoder(W, np.zeros((4, 2))))
    assert not np.any(balanced_neurons(W, np.zeros((4, 2))))


@pytest.mark.parametrize("of", [balanced_encoder, balanced_neurons])
def test_a_weight_that_is_nan_is_not_lost(of):
    _, W, V = drawn(0)
    W[1, 2] = np.nan
    assert np.isnan(geometry.feature_norms(of(W, V))).any()
    assert np.isnan(geometry.feature_norms(of(V.T, W.T))).any()


@struct.dataclass
class Squared(models.UntiedAutoencoder):
    """A user's model with another hidden layer."""

    def encode(self, x):
        return super().encode(x) ** 2


def test_a_model_says_itself_what_it_is_measured_by():
    _, W, V = drawn(1)
    W, V, b = jnp.float32(W), jnp.float32(V), jnp.zeros(F)
    for tied in (models.LinearAutoencoder, models.ReluAutoencoder, HiddenReluAutoencoder):
        assert columns(tied(W, b)) is W
    assert columns(Squared(W, V, b)) is W  # no balance is known for it
    np.testing.assert_array_equal(
        columns(models.UntiedAutoencoder(W, V, b)), balanced_encoder(W, V)
    )
    for field in measure_geometry(None, models.UntiedAutoencoder(W, V, b), KEY).values():
        assert field.words.endswith("W balanced where the model is untied")


def test_rescaled_neurons_read_with_a_largest_weight_of_1_and_are_the_same_function():
    rng, W, V = drawn(1, n_hidden=4)
    b, c, x = rng.normal(size=F), rng.normal(size=4), rng.normal(size=(F, 30))
    found = rescaled_neurons(W, V)
    np.testing.assert_allclose(np.abs(found.W).max(1), 1, rtol=1e-6)
    plain = AbsoluteValueModel(*(jnp.float32(a) for a in (W, V, b)))
    other = plain.replace(W=found.W, V=found.V)
    np.testing.assert_allclose(other(jnp.float32(x)), plain(jnp.float32(x)), rtol=1e-5, atol=1e-5)
    biased = BiasedAbsoluteValueModel(plain.W, plain.V, plain.b, jnp.float32(c))
    other = biased.replace(W=found.W, V=found.V, c=biased.c * found.factor)
    np.testing.assert_allclose(other(jnp.float32(x)), biased(jnp.float32(x)), rtol=1e-5, atol=1e-5)


def test_a_neuron_that_reads_nothing_is_left_as_it_is_and_nan_stays():
    W, V = np.array([[0.0, 0.0], [-4.0, 1.0]]), np.ones((2, 2))
    found = rescaled_neurons(W, V)
    np.testing.assert_array_equal(found.W, [[0, 0], [-1, 0.25]])
    np.testing.assert_array_equal(found.V, [[1, 4], [1, 4]])
    np.testing.assert_array_equal(found.factor, [1, 0.25])
    W[1, 1] = np.nan
    assert np.isnan(rescaled_neurons(W, V).W[1]).all()
