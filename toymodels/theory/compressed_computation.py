"""Compressed computation where one feature is active at a time: what any network can reach.

Notation: y = V ReLU(W x), W [M neurons, F features], V [F, M]; the target is ReLU(x) + mixing x,
and an active x_i is uniform on [-1, 1]. A network without biases answers x e_j by |x| times its
answer to e_j or to -e_j, so that its error is a sum of squares. Scores are L / p: the loss, a mean
over features, over their density p as p -> 0. numpy in float64.

The task is that of Bhagat et al. 2026 (arXiv 2606.14673); the formulas are ours.
"""

import numpy as np
import numpy.typing as npt

from toymodels.checks import Floats, count, finite_matrix
from toymodels.errors import InputError

# E x² over two, as either sign is as likely.
EACH_SIGN = 1 / 6


def score_of_network(W: npt.ArrayLike, V: npt.ArrayLike, mixing: npt.ArrayLike) -> float:
    """Return the score of a network.

    Raises:
        InputError: shapes other than [M, F], [F, M] and [F, F], or numbers that are not finite.
    """
    W, V = finite_matrix("W", W), finite_matrix("V", V, "[features, hidden]")
    M = _square(mixing)
    n = len(M)
    if W.shape[1] != n or V.shape != (n, len(W)):
        raise InputError(
            f"W, V and mixing have shapes {W.shape}, {V.shape} and {M.shape}: give [M, F], [F, M] "
            "and [F, F]."
        )
    up, down = V @ np.maximum(W, 0), V @ np.maximum(-W, 0)
    return EACH_SIGN / n * float(np.sum((up - np.eye(n) - M) ** 2) + np.sum((down + M) ** 2))


def score_naive(mixing: npt.ArrayLike, n_hidden: int) -> float:
    """Return the score of one neuron for each of as many features; mixing is not learned.

    (F - n) / 6 F for the features that have none, and Σ mixing² / 3 F. Without mixing it is L / p
    at every density.

    Raises:
        InputError: mixing that is no finite square matrix, or a size below 1.
    """
    M, n_hidden = _square(mixing), count("n_hidden", n_hidden)
    n = len(M)
    kept = np.arange(n) < n_hidden
    left = np.sum((np.eye(n)[:, ~kept] + M[:, ~kept]) ** 2) + np.sum(M[:, kept] ** 2)
    return EACH_SIGN / n * float(left + np.sum(M**2))


def score_linear(mixing: npt.ArrayLike, n_hidden: int) -> float:
    """Return the least score of a linear map of rank `n_hidden`: it cuts nothing at zero.

    The best one is the best approximation of I / 2 + mixing; half of each input's size, |x| / 2, is
    left in any case.

    Raises:
        InputError: mixing that is no finite square matrix, or a size below 1.
    """
    M, n_hidden = _square(mixing), count("n_hidden", n_hidden)
    n = len(M)
    return EACH_SIGN / n * (2 * _beyond(np.eye(n) / 2 + M, n_hidden) + n / 2)


def score_least(mixing: npt.ArrayLike, n_hidden: int) -> float:
    """Return a score that no network of `n_hidden` neurons is below.

    Answers to e_j and to -e_j, side by side, are a matrix [F, 2 F] of rank n_hidden at most, and
    are wanted to be [I + mixing, -mixing]: what its singular values beyond n_hidden hold is left
    (Eckart & Young). Without mixing that is (F - n) / 6 F, the naive score.

    Raises:
        InputError: mixing that is no finite square matrix, or a size below 1.
    """
    M, n_hidden = _square(mixing), count("n_hidden", n_hidden)
    n = len(M)
    return EACH_SIGN / n * _beyond(np.hstack([np.eye(n) + M, -M]), n_hidden)


def _square(mixing: npt.ArrayLike) -> Floats:
    M = finite_matrix("mixing", mixing, "[features, features]")
    if not M.size or M.shape[0] != M.shape[1]:
        raise InputError(f"mixing has shape {M.shape}: give a square matrix [F, F].")
    return M


def _beyond(matrix: Floats, rank: int) -> float:
    """Return the sum of the squares of all singular values but the largest."""
    return float(np.sum(np.linalg.svd(matrix, compute_uv=False)[rank:] ** 2))
