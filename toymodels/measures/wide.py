"""Norms, superposition and dimensionality of many features, without their F × F products.

Σ_j (Ŵ_i · W_j)² = Ŵ_iᵀ (W Wᵀ) Ŵ_i, so the M × M matrix W Wᵀ is all that is needed. In float64, as
superposition is then a difference: `toymodels.measures.geometry` is right to the last digit for
features that are orthogonal, and takes F² numbers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toymodels.errors import InputError

TOGETHER = 1024  # columns that are worked on side by side

Floats = NDArray[np.float64]


class Wide(NamedTuple):
    """What is measured of every feature, each `[F]`; as in `toymodels.geometry`."""

    norm: Floats
    superposition: Floats
    dimensionality: Floats
    closest: Floats  # the cosine of largest magnitude with another feature, with its sign


def measure_wide(W: ArrayLike) -> Wide:
    """Measure the columns of `W [M, F]`, however many there are.

    Cost: F M² for all but `closest`, which takes F² M products, a few thousand columns at a time.

    Raises:
        InputError: W is not one matrix.
    """
    W = np.asarray(W)
    if W.ndim != 2:
        raise InputError(f"W must be one matrix [hidden, features], got shape {W.shape}.")
    norm = np.sqrt(np.einsum("mf,mf->f", W, W, dtype=np.float64))
    lengths = np.where(norm > 0, norm, 1.0)
    frame = W.astype(np.float64) @ W.T
    total = np.empty_like(norm)
    for at in _slices(norm.size):
        directions = W[:, at] / lengths[at]
        total[at] = np.einsum("mf,mf->f", directions, frame @ directions)
    superposition = np.maximum(total - norm**2, 0)
    dimensionality = np.where(norm > 0, norm**2 / np.where(norm > 0, total, 1), 0)
    return Wide(norm, superposition, dimensionality, _closest(W, lengths))


def _closest(W: NDArray, lengths: Floats) -> Floats:
    """Return for each feature its cosine with the one that is closest or most opposite."""
    directions = (W / lengths).astype(np.float32)
    found = np.zeros(lengths.size)
    for at in _slices(lengths.size):
        cosines = directions[:, at].T @ directions  # [columns, F]
        cosines[np.arange(cosines.shape[0]), np.arange(at.start, at.stop)] = 0
        high, low = cosines.max(axis=1), cosines.min(axis=1)
        found[at] = np.where(high >= -low, high, low)
    return found


def _slices(n: int) -> list[slice]:
    return [slice(i, min(i + TOGETHER, n)) for i in range(0, n, TOGETHER)]
