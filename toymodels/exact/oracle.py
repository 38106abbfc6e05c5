"""The expected loss in exact arithmetic, rounded once: slow, and right.

The same quantity as `toymodels.exact.expected`, along another path. With k features active and a
map z = c + g·u, u uniform on the unit cube, corner by corner

    E[ReLU(z)²] = 2 / ((k + 2)! Π g) · Σ_v (−1)^(k − |v|) ReLU(c + g·v)^(k + 2),  v in {0, 1}^k

and 2 E[u_i ReLU(z)] is its derivative by g_i. The sum cancels badly in floating point where a
weight is small; but a float is a fraction with a power of two below the line, so Python's integers
hold every term without error.

Source: repeated integration of the positive part, as for the density of a sum of uniforms
(Feller, "An Introduction to Probability Theory and Its Applications" II, I.9).
"""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np

from toymodels.checks import Floats, density, floats, importances, matrix_float64
from toymodels.errors import InputError


def expected_loss_float64(W: Any, b: Any, p_active: Any, importance: Any) -> float:
    """Return Σ_i I_i E[(x_i − ReLU(WᵀW x + b)_i)²], to about twelve digits.

    Args:
        W: weights, `[M, F]`.
        b: biases, `[F]`.
        p_active: density, a number or `[F]`.
        importance: a number or `[F]`.

    Returns:
        The loss, NaN where a weight is not finite.

    Raises:
        InputError: a shape other than these, a density outside [0, 1], or an importance that is
            negative or not finite.
    """
    W = matrix_float64("W", W)
    with np.errstate(invalid="ignore"):  # weights that are not finite
        G = W.T @ W
    return float(np.sum(expected_loss_of_map_float64(G, b, p_active, importance)))


def expected_loss_of_map_float64(G: Any, b: Any, p_active: Any, importance: Any) -> Floats:
    """Return the loss of each feature, `[F]`, under `y = ReLU(G x + b)`, `G [F, F]`.

    Raises:
        InputError: as `expected_loss_float64`.
    """
    G, b = matrix_float64("G", G, "[features, features]"), floats("b", b)
    n_features = len(G)
    if not G.shape == (n_features, n_features) == (*b.shape, n_features):
        raise InputError(
            f"G has shape {G.shape} and b {b.shape}: give them as [features, features] and "
            "[features]."
        )
    p = np.broadcast_to(np.asarray(density(p_active, n_features), np.float64), b.shape)
    weight = np.asarray(importances(importance, n_features), np.float64)
    if not (np.isfinite(G).all() and np.isfinite(b).all()):
        return np.full(n_features, np.nan)
    return weight * np.array([_loss_of_output(i, G[i], float(b[i]), p) for i in range(b.size)])


def _loss_of_output(i: int, g: Floats, b: float, p: Floats) -> float:
    """Return E[(x_i − ReLU(g·x + b))²], summed over what is active; all terms are ≥ 0."""
    matters = [j for j in range(g.size) if g[j] != 0 or j == i]
    total = 0.0
    for active in itertools.product((False, True), repeat=len(matters)):
        chance = math.prod(p[j] if on else 1 - p[j] for j, on in zip(matters, active, strict=True))
        if chance > 0:
            subset = [j for j, on in zip(matters, active, strict=True) if on]
            total += float(chance) * float(_mean_square(i, subset, g, b))
    return total


def _mean_square(i: int, subset: list[int], g: Floats, b: float) -> Fraction:
    """Return E[(x_i − ReLU(z))²] where exactly `subset` is active."""
    weights = {j: Fraction(float(g[j])) for j in subset if g[j] != 0}
    k, volume = len(weights), math.prod(weights.values())
    moments = [_corner_sums(i, weights, Fraction(b), k + n) for n in (1, 2)]
    square = 2 * moments[1][0] / (math.factorial(k + 2) * volume)
    if i not in subset:
        return square
    if i in weights:  # half of the derivative of `square` by g_i
        cross = moments[0][1] / (math.factorial(k + 1) * volume) - square / (2 * weights[i])
    else:
        cross = moments[0][0] / (math.factorial(k + 1) * volume) / 2
    return Fraction(1, 3) - 2 * cross + square


def _corner_sums(
    i: int, weights: dict[int, Fraction], c: Fraction, power: int
) -> tuple[Fraction, Fraction]:
    """Return Σ_v ± ReLU(c + g·v)^power over all corners, and over those with v_i = 1 alone."""
    scale = math.lcm(c.denominator, *(g.denominator for g in weights.values()))
    corners = [(1, int(c * scale), False)]
    for j, g in weights.items():
        step = int(g * scale)
        corners = [(-sign, z, own) for sign, z, own in corners] + [
            (sign, z + step, own or j == i) for sign, z, own in corners
        ]
    terms = [(sign * max(z, 0) ** power, own) for sign, z, own in corners]
    return (
        Fraction(sum(term for term, _ in terms), scale**power),
        Fraction(sum(term for term, own in terms if own), scale**power),
    )
