"""Absolute values without superposition: two neurons for each, |x| = ReLU(x) + ReLU(-x).

Notation: y = ReLU(V ReLU(W x) + b), W [M neurons, F features], V [F, M]; numpy in float64.

Source: Elhage et al. 2022, "Computation in Superposition": what their model of three features and
six neurons has learned.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toymodels.checks import Floats, count, finite_matrix, floats
from toymodels.errors import InputError


class AbsoluteValues(NamedTuple):
    """Weights of `y = ReLU(V ReLU(W x) + b)`."""

    W: Floats  # [M, F]
    V: Floats  # [F, M]
    b: Floats  # [F]


def exact_absolute_value(n_features: int) -> AbsoluteValues:
    """Return the model of 2 F neurons that answers |x| exactly, at any density: its loss is 0.

    Neuron i is ReLU(x_i) and neuron F + i is ReLU(-x_i).

    Raises:
        InputError: a size below 1.
    """
    one = np.eye(count("n_features", n_features))
    return AbsoluteValues(np.vstack([one, -one]), np.hstack([one, one]), np.zeros(len(one)))


def distance_to_exact(W: npt.ArrayLike, V: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return how far a model of 2 F neurons is from the exact one, whatever its neurons' order.

    Neurons are rescaled so that their largest weight is 1 or -1, which says whose |x_i|, and which
    half of it, a neuron is. The distance is the largest difference of any weight or bias from the
    exact model in this order. It is infinite where some half has no neuron, or several.

    Raises:
        InputError: W or V is no finite matrix, or shapes other than [2 F, F], [F, 2 F] and [F].
    """
    W, V = finite_matrix("W", W), finite_matrix("V", V, "[features, hidden]")
    b, n = floats("b", b), W.shape[1]
    if (W.shape, V.shape, b.shape) != ((2 * n, n), (n, 2 * n), (n,)):
        raise InputError(
            f"W, V and b have shapes {W.shape}, {V.shape} and {b.shape}: give two neurons for each "
            "feature, W [2 F, F], V [F, 2 F] and b [F]."
        )
    feature = np.argmax(np.abs(W), axis=1)
    largest = W[np.arange(2 * n), feature]
    half = feature + n * (largest < 0)
    if not np.array_equal(np.sort(half), np.arange(2 * n)) or not np.all(largest):
        return np.inf
    size, exact = np.abs(largest), exact_absolute_value(n)
    off = W / size[:, None] - exact.W[half], V * size - exact.V[:, half], b
    return float(max(np.max(np.abs(part)) for part in off))
