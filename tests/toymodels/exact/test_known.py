"""What is known of a problem: a model's loss, and a solution that is at least as good."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.exact.known import best_known, loss_of
from toymodels.exact.oracle import expected_loss_float64
from toymodels.measures.polytopes import name_arrangement
from toymodels.models import LinearAutoencoder, ReluAutoencoder, UntiedAutoencoder
from toymodels.models.hidden_relu import HiddenReluAutoencoder
from toymodels.theory.linear import linear_limit

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(1, 2)).astype(np.float32), np.array([0.1, -0.2], np.float32)
IMPORTANCE = (1.0, 0.5)


def test_the_loss_of_a_small_model_is_exact():
    expected = expected_loss_float64(W, B, 0.3, IMPORTANCE)
    for model in (ReluAutoencoder(W=W, b=B), UntiedAutoencoder(W=W / 2, V=2 * W.T, b=B)):
        found = loss_of(model, 0.3, IMPORTANCE)
        assert found.how == "exact"
        assert found.value == pytest.approx(expected, rel=1e-4)


def test_the_loss_of_a_linear_model_is_that_of_its_theory():
    limit = linear_limit(4, 2, [1, 2, 3, 4], 0.3)
    found = loss_of(LinearAutoencoder(W=limit.W, b=limit.b), 0.3, [1, 2, 3, 4])
    assert found.value == pytest.approx(limit.loss, rel=1e-6)
    best = best_known(0.3, [1, 2, 3, 4], (2, 4), linear=True)
    assert best.loss == pytest.approx(limit.loss)
    x = (RNG.uniform(size=(2, 200_000)) < 0.3) * RNG.uniform(size=(2, 200_000))
    sampled = np.mean((x - (W.T @ W @ x + B[:, None])) ** 2, axis=1) @ IMPORTANCE
    found = loss_of(LinearAutoencoder(W=W, b=B), 0.3, IMPORTANCE)
    assert found.value == pytest.approx(sampled, rel=0.02)


def test_a_loss_that_is_not_known_is_none():
    assert loss_of(HiddenReluAutoencoder(W=W, b=B), 0.3, 1.0) is None
    many = ReluAutoencoder(W=np.ones((1, 600), np.float32), b=np.zeros(600, np.float32))
    assert loss_of(many, 0.3, 1.0) is None
    assert best_known(0.3, 1.0, (1, 600)) is None
    with pytest.raises(InputError, match="p_active = 3"):
        loss_of(ReluAutoencoder(W=W, b=B), 3, 1.0)


def test_with_a_dimension_for_every_feature_nothing_is_lost():
    assert best_known(0.3, 1.0, (3, 2)).loss == 0


def test_the_best_of_a_small_problem_is_the_solvers():
    """Two sparse features in one dimension are a digon of loss p²/3 and a little less."""
    best = best_known(0.1, IMPORTANCE, (1, 2))
    assert name_arrangement(best.W) == "digon"
    assert 0 < best.loss <= expected_loss_float64([[1, -1]], [0, 0], 0.1, IMPORTANCE) * 1.0001


@pytest.mark.claims
@pytest.mark.parametrize(("size", "p"), [((4, 8), 0.02), ((3, 8), 0.1)])
def test_descents_find_what_is_known_above_six_features(size, p):
    """Eight sparse features fill four dimensions with digons; nothing given is better."""
    digons = np.kron(np.eye(4), [[1, -1]])[: size[0]]
    own = (digons, np.zeros(8))
    best = best_known(p, 1.0, size, starts=[own])
    given = loss_of(ReluAutoencoder(W=np.float32(digons), b=np.zeros(8, np.float32)), p, 1.0)
    assert best.loss <= given.value * 1.0001
    if size == (4, 8):
        assert name_arrangement(best.W) == "4 × digon"
