"""Scores and the noise test, by networks whose errors are known."""

import numpy as np
import pytest

from figures.circuits.compressed_scores import own_errors, scores
from toymodels.theory import score_naive, score_of_network

N = 6
NONE = np.zeros((N, N), np.float32)
EYE = np.eye(N, dtype=np.float32)
HALF = EYE[: N // 2]  # one neuron for each of half of the features
MIXED = np.float32(0.1) * (1 - EYE)


def linear(A):
    """Two neurons for each output of y = A x, as x = ReLU(x) - ReLU(-x)."""
    A = np.asarray(A, np.float32)
    return np.concatenate([EYE, -EYE]), np.concatenate([A, -A], axis=1)


def test_one_neuron_each_scores_the_same_where_all_are_active():
    found = scores(HALF[None], HALF.T[None], NONE[None], 1.0)
    assert found == pytest.approx(score_naive(NONE, N // 2), rel=0.03)


def test_sparse_features_score_as_one_active_does():
    found = scores(HALF[None], HALF.T[None], MIXED[None], 1e-3)
    assert found == pytest.approx(score_of_network(HALF, HALF.T, MIXED), rel=0.01)


def test_noise_does_not_touch_neurons_that_serve_one_feature():
    found = own_errors(HALF, HALF.T, NONE, np.array([0.0, 0.5, 2.0]), 64)
    np.testing.assert_allclose(found[:, : N // 2], 0, atol=1e-9)
    np.testing.assert_allclose(found[:, N // 2 :], 1, rtol=1e-3)


def test_a_linear_map_leaves_half_and_hears_the_noise_that_it_mixes():
    """Beside |x| / 2, of which E / (1/6) = 1/2, c² (F - 1) ε² / 3 of all others."""
    A, noise = EYE / 2 + MIXED, np.array([0.0, 1.0])
    alone, noisy = own_errors(*linear(A), NONE, noise, 8192).mean(axis=1)
    assert alone == pytest.approx(0.5, rel=1e-3)
    assert noisy == pytest.approx(0.5 + 6 * 0.1**2 * (N - 1) / 3, rel=0.05)
    told, both = own_errors(*linear(A), MIXED, noise, 8192).mean(axis=1)
    assert told == pytest.approx(both, rel=0.03)  # what is mixed in is wanted
