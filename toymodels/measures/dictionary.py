"""How well a dictionary of directions finds the true ones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from toymodels.checks import count, finite, number
from toymodels.errors import InputError


class Scores(NamedTuple):
    """What a dictionary found, each from 0 to 1."""

    signed: float  # mean over true directions of the largest cosine
    unsigned: float  # the same of its magnitude: a direction and its opposite count as one
    precision: float  # share of found directions that are matched, one to one
    recall: float  # share of true directions that are matched


MATCHED = 0.9  # the cosine from which two directions are one


def scores(found: ArrayLike, true: ArrayLike, matched: float = MATCHED) -> Scores:
    """Compare the columns of `found [M, L]` with those of `true [M, F]`.

    Precision and recall pair them one to one by the Hungarian method, with signed cosines. Columns
    of length 0 are left out: dead latents, dropped features. All scores are 0 where one side is
    empty.

    Raises:
        InputError: no two finite matrices with one number of rows, or `matched` outside [-1, 1].
    """
    found, true = (finite_columns(name, a) for name, a in (("found", found), ("true", true)))
    if len(found) != len(true):
        raise InputError(
            f"found has shape {found.shape} and true {true.shape}: give directions as columns, "
            "with as many rows in both."
        )
    matched = number("matched", matched, -1, 1)
    cosine = unit(true).T @ unit(found)  # [F, L]
    if not cosine.size:
        return Scores(0.0, 0.0, 0.0, 0.0)
    pairs = linear_sum_assignment(-cosine)
    n = int(np.sum(cosine[pairs] > matched))
    best, closest = cosine.max(axis=1), np.abs(cosine).max(axis=1)
    F, L = cosine.shape
    return Scores(float(best.mean()), float(closest.mean()), n / L, n / F)


def random_directions(rng: np.random.Generator, n_hidden: int, n: int) -> NDArray[np.float64]:
    """Return `n` random unit columns `[M, n]`: the null that any dictionary is compared with."""
    count("n_hidden", n_hidden)
    return unit(rng.normal(size=(n_hidden, count("n", n, 0))))


def unit(columns: ArrayLike, least: float = 1e-6) -> NDArray[np.float64]:
    """Return the columns at length 1, without those that are not longer than `least`.

    Raises:
        InputError: no finite matrix.
    """
    columns = finite_columns("columns", columns)
    length = np.linalg.norm(columns, axis=0)
    keep = length > least
    return columns[:, keep] / length[keep]


def finite_columns(name: str, columns: ArrayLike) -> NDArray[np.float64]:
    """Return a finite matrix, which may have no columns.

    Raises:
        InputError: another shape, NaN or infinity: of what has diverged nothing is found.
    """
    array = finite(name, columns)
    if array.ndim != 2:
        raise InputError(f"{name} must be one matrix [rows, directions], got shape {array.shape}.")
    return array
