"""The oracle against fractions along another path, samples, closed forms and its own symmetries."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import theory
from toymodels.exact import (
    expected_loss_float64,
    expected_loss_of_map_float64,
    loss_2_1_without_bias,
)

PAIR = np.array([[1.0, -1.0]])
# Trained with the sampled loss: a pentagon at p = 0.1, a pair beside a feature at p = 0.3.
PENTAGON = np.array([[0.433, 1.102, -0.849, 0.2, -0.924], [-1.018, 0.132, -0.686, 1.083, 0.549]])
PENTAGON_BIAS = np.array([-0.204, -0.204, -0.202, -0.2, -0.231])
TRAINED = np.array([[0.509, 0.865, -0.502], [0.879, -0.506, -0.871]])


def mean_power(n, c, weights):
    """E[ReLU(c + g·u)^n] by integrating one variable after the other, in fractions."""
    if not weights:
        return max(c, Fraction(0)) ** n
    g, *rest = weights
    if g == 0:
        return mean_power(n, c, rest)
    return (mean_power(n + 1, c + g, rest) - mean_power(n + 1, c, rest)) / ((n + 1) * g)


def mean_cross(c, g, rest):
    """E[u ReLU(c + g u + …)] by parts, in fractions."""
    if g == 0:
        return mean_power(1, c, rest) / 2
    primitive = mean_power(3, c + g, rest) - mean_power(3, c, rest)
    return mean_power(2, c + g, rest) / (2 * g) - primitive / (6 * g**2)


def loss_in_fractions(W, b, p):
    """The loss without any rounding."""
    W = [[Fraction(float(w)) for w in row] for row in W]
    b, p = ([Fraction(float(v)) for v in values] for values in (b, p))
    n, total = len(b), Fraction(0)
    G = [[sum(row[i] * row[j] for row in W) for j in range(n)] for i in range(n)]
    for i, active in product(range(n), product((False, True), repeat=n)):
        chance = Fraction(1)
        for p_j, on in zip(p, active, strict=True):
            chance *= p_j if on else 1 - p_j
        rest = [G[i][j] for j in range(n) if active[j] and j != i]
        if active[i]:
            square = mean_power(2, b[i], [G[i][i], *rest])
            total += chance * (Fraction(1, 3) - 2 * mean_cross(b[i], G[i][i], rest) + square)
        else:
            total += chance * mean_power(2, b[i], rest)
    return float(total)


@pytest.mark.parametrize("p", [0.01, 0.5, 1.0])
@pytest.mark.parametrize("scale", [1.0, 1e-4])
def test_oracle_is_exact_for_three_features(p, scale):
    rng = np.random.default_rng(int(100 * p))
    for _ in range(3):
        W, b = scale * rng.normal(size=(2, 3)), 0.3 * scale * rng.normal(size=3)
        W[:, 1] *= rng.choice([0.0, 1e-3, 1.0])
        exact = loss_in_fractions(W, b, [p, p, p / 2])
        assert expected_loss_float64(W, b, [p, p, p / 2], 1.0) == pytest.approx(exact, rel=1e-12)


def test_oracle_is_exact_for_a_trained_pentagon():
    exact = loss_in_fractions(PENTAGON, PENTAGON_BIAS, [0.1] * 5)
    got = expected_loss_float64(PENTAGON, PENTAGON_BIAS, 0.1, 1.0)
    assert got == pytest.approx(exact, rel=1e-12)


def sampled(W, b, p, importance, n=400_000):
    rng = np.random.default_rng(5)
    x = rng.uniform(size=(n, b.size)) * (rng.uniform(size=(n, b.size)) < p)
    loss = (x - np.maximum(x @ (W.T @ W) + b, 0)) ** 2 @ importance
    return loss.mean(), loss.std() / n**0.5


RNG = np.random.default_rng(1)
CASES = {
    "trained, sparse": (PENTAGON, PENTAGON_BIAS, 0.1),
    "trained, dense": (TRAINED, np.array([0.018, -0.002, 0.024]), 0.3),
    "random, dense": (RNG.normal(size=(2, 4)), RNG.normal(size=4) / 3, 1.0),
    "random, very sparse": (RNG.normal(size=(2, 4)), RNG.normal(size=4) / 3, 0.02),
    "zero column": (np.array([[1.0, 0.0, -0.8], [0.3, 0.0, 0.5]]), np.array([0, 0.1, -0.1]), 0.4),
    "equal columns": (np.full((1, 4), 0.6), np.full(4, -0.2), 0.7),
}


@pytest.mark.parametrize("name", CASES)
def test_oracle_agrees_with_samples(name):
    W, b, p = CASES[name]
    importance = 0.8 ** np.arange(b.size)
    mean, error = sampled(W, b, p, importance)
    assert expected_loss_float64(W, b, p, importance) == pytest.approx(mean, abs=4 * error)


@pytest.mark.parametrize("p", [0.0, 0.05, 4 / 7, 1.0])
@pytest.mark.parametrize("r", [0.1, 1.0, 3.0])
def test_oracle_reproduces_the_four_closed_forms(p, r):
    half, three = p / 2, [1, 1, r]
    cases = [
        ([[1, 0]], [0, half], [1, r], theory.loss_drop_extra(p, r)),
        ([[0, 1]], [half, 0], [1, r], theory.loss_drop_other(p)),
        (PAIR, [0, 0], [1, r], theory.loss_extra_antipodal(p, r)),
        ([[1, 0, 0], [0, 1, 0]], [0, 0, half], three, theory.loss_drop_extra(p, r)),
        ([[0, 1, 0], [0, 0, 1]], [half, 0, 0], three, theory.loss_drop_other(p)),
        ([[1, 0, 0], [0, 1, -1]], [0, 0, 0], three, theory.loss_extra_antipodal(p, r)),
        ([[1, -1, 0], [0, 0, 1]], [0, 0, 0], three, theory.loss_others_antipodal(p)),
    ]
    for W, b, importance, expected in cases:
        got = expected_loss_float64(W, b, p, importance)
        assert got == pytest.approx(float(expected), rel=1e-12, abs=1e-15)


WEIGHT = st.floats(-2, 2).filter(lambda w: w == 0 or abs(w) > 1e-6)


@settings(deadline=None, max_examples=60)
@given(WEIGHT, WEIGHT, st.floats(0, 1), st.floats(0, 10))
def test_formula_without_bias_is_the_oracle(w1, w2, p, r):
    expected = expected_loss_float64([[w1, w2]], [0, 0], p, [1, r])
    assert loss_2_1_without_bias(w1, w2, p, r) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_formula_without_bias_broadcasts_and_knows_its_landmarks():
    w = np.linspace(-1.5, 1.5, 7)
    surface = loss_2_1_without_bias(w[:, None], w[None, :], 0.7, 1.0)
    assert surface.shape == (7, 7)
    np.testing.assert_allclose(surface, surface.T, rtol=1e-12)
    np.testing.assert_allclose(surface, surface[::-1, ::-1], rtol=1e-12)
    p, half = 0.9, 0.5**0.5
    assert loss_2_1_without_bias(1, -1, p, 2.0) == pytest.approx(3 * p**2 / 6)
    assert loss_2_1_without_bias(half, half, p, 1.0) == pytest.approx(p / 3 - p**2 / 4)
    assert isinstance(float(loss_2_1_without_bias(0.0, 0.0, p, 1.0)), float)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1))
def test_symmetries_leave_the_oracle_alone(seed, p):
    rng = np.random.default_rng(seed)
    W, b, importance = rng.normal(size=(2, 3)), rng.normal(size=3), rng.uniform(size=3)
    loss = expected_loss_float64(W, b, p, importance)
    order, rotation = rng.permutation(3), np.linalg.qr(rng.normal(size=(2, 2)))[0]
    same = [
        expected_loss_float64(W[:, order], b[order], p, importance[order]),
        expected_loss_float64(W * [[1], [-1]], b, p, importance),
        expected_loss_float64(rotation @ W, b, p, importance),
        expected_loss_float64(W, b, p, 3 * importance) / 3,
    ]
    assert loss > 0
    np.testing.assert_allclose(same, loss, rtol=1e-10)


def test_oracle_takes_any_map():
    rng = np.random.default_rng(2)
    W, V, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 2)), rng.normal(size=3)
    got = expected_loss_of_map_float64(V @ W, b, 0.4, 1.0)
    x = rng.uniform(size=(400_000, 3)) * (rng.uniform(size=(400_000, 3)) < 0.4)
    error = (x - np.maximum(x @ (V @ W).T + b, 0)) ** 2
    assert np.all(np.abs(got - error.mean(0)) < 4 * error.std(0) / x.shape[0] ** 0.5)
