"""What any network can reach where one feature is active at a time."""

import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.features import Independent, SignedUniform
from toymodels.models.base import apply_batch
from toymodels.models.mlp import OneHiddenLayer
from toymodels.tasks.base import mean_error
from toymodels.tasks.compressed_computation import CompressedComputation
from toymodels.theory import score_least, score_linear, score_naive, score_of_network

N, M = 12, 5
WORLD = Independent.create(0.3, N, SignedUniform())
MIXED = CompressedComputation.create(WORLD, mixing="gaussian", mixing_scale=0.1)
NONE = np.zeros((N, N))


def network(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(M, N)), rng.normal(size=(N, M))


def test_the_score_is_the_mean_error_of_single_features():
    """E x² = 1/3, so that at x = ±1 an error counts a third."""
    W, V = network()
    x = jnp.concatenate([jnp.eye(N), -jnp.eye(N)], axis=1)
    model = OneHiddenLayer(jnp.asarray(W), jnp.asarray(V))
    error = mean_error(MIXED, apply_batch(model, x), MIXED.target(x))
    assert score_of_network(W, V, MIXED.M) == pytest.approx(float(np.sum(error)) / 3, rel=1e-5)


def test_one_neuron_for_each_feature_has_the_naive_score():
    W = np.eye(M, N)
    for mixing in (NONE, np.asarray(MIXED.M)):
        assert score_of_network(W, W.T, mixing) == pytest.approx(score_naive(mixing, M))
    assert score_naive(NONE, M) == pytest.approx((N - M) / 6 / N)


@pytest.mark.parametrize("mixing", [NONE, np.asarray(MIXED.M)], ids=["none", "gaussian"])
def test_no_network_is_below_the_least_score(mixing):
    least = score_least(mixing, M)
    assert least <= min(score_naive(mixing, M), score_linear(mixing, M)) + 1e-12
    U, s, right = np.linalg.svd(np.eye(N) + mixing)
    W, V = right[:M], U[:, :M] * s[:M]
    assert all(score_of_network(*net, mixing) > least - 1e-12 for net in (network(1), (W, V)))


def test_without_mixing_nothing_is_better_than_naive():
    assert score_least(NONE, M) == pytest.approx(score_naive(NONE, M))
    assert score_linear(NONE, M) == pytest.approx(1 / 12 + (N - M) / 12 / N)


def test_a_linear_map_has_the_linear_score():
    """Two neurons for each of its dimensions, as y = a (u x) = a ReLU(u x) - a ReLU(-u x)."""
    mixing = np.asarray(MIXED.M)
    U, s, right = np.linalg.svd(np.eye(N) / 2 + mixing)
    W, V = right[:M], U[:, :M] * s[:M]
    found = score_of_network(np.concatenate([W, -W]), np.concatenate([V, -V], axis=1), mixing)
    assert found == pytest.approx(score_linear(mixing, M))


def test_shapes_and_numbers_that_do_not_fit_are_refused():
    W, V = network()
    with pytest.raises(InputError, match="give \\[M, F\\], \\[F, M\\] and \\[F, F\\]"):
        score_of_network(W, V.T, NONE)
    with pytest.raises(InputError, match="give a square matrix"):
        score_naive(NONE[:3], M)
    for score in (score_naive, score_linear, score_least):
        with pytest.raises(InputError, match="mixing"):
            score(NONE * np.nan, M)
        with pytest.raises(InputError, match="n_hidden"):
            score(NONE, 0)
