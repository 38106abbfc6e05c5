"""The arrangements of F18 and F19: exact coordinates, and trained columns laid over them.

W is [M hidden, F features]. An arrangement is a tegum product: its factors lie in orthogonal
dimensions, and every corner keeps the dimensionality D_i of its own factor.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from toymodels.measures.polytopes import components
from toymodels.theory.shapes import Shape, polygon, simplex

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arrangement:
    """A tegum product of polytopes."""

    name: str
    factors: tuple[Shape, ...]
    order: tuple[int, ...] = ()
    """In which order its corners are shown; as they stand, factor by factor, unless given."""

    @cached_property
    def corners(self) -> Floats:
        """Unit vectors to the corners, `[M, F]`."""
        W = np.asarray(scipy.linalg.block_diag(*(factor.corners() for factor in self.factors)))
        return W[:, list(self.order)] if self.order else W

    @cached_property
    def factor_of(self) -> NDArray[np.int64]:
        """Which factor each corner belongs to, `[F]`."""
        of = np.repeat(np.arange(len(self.factors)), [f.n_corners for f in self.factors])
        return of[list(self.order)] if self.order else of

    @property
    def size(self) -> tuple[int, int]:
        """Features and dimensions."""
        M, F = self.corners.shape
        return F, M

    @property
    def dimensionality(self) -> Floats:
        """D_i of each corner, `[F]`."""
        return np.array([self.factors[k].dimensionality for k in self.factor_of])


TRIANGLE, DIGON, PENTAGON = simplex(3), simplex(2), polygon(5)
ARRANGEMENTS = {
    arrangement.size: arrangement
    for arrangement in (
        Arrangement("triangular bipyramid", (TRIANGLE, DIGON)),
        Arrangement("pentagonal bipyramid", (PENTAGON, DIGON)),
        Arrangement("octahedron", (DIGON, DIGON, DIGON)),
        Arrangement("triangle", (TRIANGLE,)),
        Arrangement("square", (DIGON, DIGON), order=(0, 2, 1, 3)),
    )
}
"""By features and dimensions."""


class Laid(NamedTuple):
    """Trained columns in the order of an arrangement's corners, and turned onto them."""

    W: Floats  # [M, F]
    distance: float  # of the worst factor, as `toymodels.measures.polytopes` has it
    features: NDArray[np.int64]  # which feature lies at each corner


def formed(W: ArrayLike, arrangement: Arrangement) -> bool:
    """Tell whether `W [M, F]` is an arrangement: all its factors by name, and nothing else."""
    W = np.asarray(W, float)
    return bool(np.isfinite(W).all()) and _names(W) == sorted(f.name for f in arrangement.factors)


def _names(W: Floats) -> list[str]:
    found = components(W)
    dropped = W.shape[1] - sum(len(c.features) for c in found)
    return sorted(c.name for c in found) + ["dropped"] * dropped


def laid_over(W: ArrayLike, arrangement: Arrangement) -> Laid:
    """Turn `W [M, F]`, which forms an arrangement, onto its corners, in their order.

    Of all orders that keep factors together the one whose best rotation or reflection fits best.
    """
    W = np.asarray(W, float)
    found = components(W)
    left, groups = list(found), []
    for factor in arrangement.factors:
        groups.append(next(c for c in left if c.name == factor.name))
        left.remove(groups[-1])
    unit, corners = W / np.linalg.norm(W, axis=0), arrangement.corners
    places = np.concatenate(
        [np.flatnonzero(arrangement.factor_of == k) for k in range(len(groups))]
    )
    best, least = np.arange(W.shape[1]), -np.inf
    for orders in itertools.product(*(itertools.permutations(c.features) for c in groups)):
        features = np.empty(len(places), int)
        features[places] = np.concatenate(orders)
        fit = np.linalg.svd(corners @ unit[:, features].T, compute_uv=False).sum()
        if fit > least + 1e-9:
            best, least = features, fit
    U, _, Vt = np.linalg.svd(corners @ unit[:, best].T)
    return Laid(U @ Vt @ W[:, best], max(c.distance for c in found), best)


def null_vectors(corners: Floats, W: ArrayLike) -> tuple[Floats, Floats, float]:
    """Return vectors orthogonal to the rows of `corners [M, F]`, those of W, and their angle.

    Corners are those of simplices in orthogonal dimensions. The exact vectors are one for each
    factor, 1 on its corners and 0 elsewhere, over their length; W's span its null space, turned
    onto them. The angle between the spaces is in degrees.
    """
    linked = np.abs(corners.T @ corners) > 1e-9
    exact = np.unique(linked, axis=0)[::-1].astype(float)  # [factors, F]
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    own = np.linalg.svd(np.asarray(W, float))[2][corners.shape[0] :]
    U, _, Vt = np.linalg.svd(exact @ own.T)
    angle = float(np.degrees(scipy.linalg.subspace_angles(exact.T, own.T)).max())
    return exact, U @ Vt @ own, angle
