"""The shapes that features form: groups that interact, and the polytope nearest to each.

Notation: W is [M hidden, F features], W_i its i-th column, W_hat_i = W_i / ||W_i||. Two features
are linked by |W_hat_i . W_hat_j|; a component is a set of features that links hold together.

Tegum products come apart. Their factors are orthogonal, so a square is two digons, an octahedron
three and a triangular bipyramid a triangle and a digon: every vertex keeps the dimensionality D_i
of its own factor, which is how Elhage et al. 2022, "The Geometry of Superposition", reads them.
`joined_name` gives the name of the whole back.

The ideals come from the catalogue of `toymodels.theory.shapes`. These are numpy functions of one
concrete W, for looking at results; they do not work under `jit`. `toymodels.geometry` exports them.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import scipy.linalg
from scipy.cluster.hierarchy import linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform

from toymodels.checks import finite_matrix, number
from toymodels.errors import InputError
from toymodels.theory.shapes import DEDICATED, SOLIDS, TEGUM_PRODUCTS, polygon, simplex

Floats = npt.NDArray[np.float64]

UNNAMED = "unnamed"

# A link up to this strength may be noise: it is cut where that lets a part have a name.
LINK_OF_NOISE = 0.3
# With less superposition than this a feature has its direction for itself (`n_dedicated` too).
SUPERPOSITION_OF_NOISE = 0.1
# Singular values of a component's directions below this share of the largest one are noise.
RANK_SHARE = 0.25
# So many ways to lay a component on an ideal are followed to the end.
MOST_PLACEMENTS = 24


@dataclass(frozen=True)
class Component:
    """Features that interact, and the ideal polytope nearest to their directions."""

    features: tuple[int, ...]  # column numbers, rising
    rank: int  # of their directions, singular values below a quarter of the largest not counted
    name: str  # "dedicated", "digon", "triangle", …, or "unnamed"
    distance: float  # rms difference of cosines to the nearest ideal; inf where there is none


def components(
    W: npt.ArrayLike, *, threshold: float = 0.5, tolerance: float = 0.15, reach: float = 0.15
) -> list[Component]:
    """Split the represented features of W into groups that interact, and name each.

    A group is a connected component of the links |W_hat_i . W_hat_j| > `tolerance`. Its name is
    that of the nearest ideal with as many corners, if it lies within `reach`: the distance is
    ||C - C_ideal||_F / n, where C are the n*n cosines of the group and C_ideal those of the ideal
    in its best order. It is the root mean square difference of two cosines, and no rotation,
    reflection, order of features or length of a column changes it. A group without a name is cut
    at links up to 0.3, weakest first, where that gives a part a name (a single feature counts if
    its superposition is below 0.1): so noise does not glue digons together.

    A feature alone is "dedicated". Orthogonal factors come apart (see the module): an octahedron
    is three digons.

    Args:
        W: weights, [M, F], one finite matrix.
        threshold: features with ||W_i|| up to this are ignored.
        tolerance: of links, a cosine in [0, 1).
        reach: of names, a difference of cosines in [0, 1).

    Returns:
        The groups, the largest first, then by rank, name and first feature.

    Raises:
        InputError: W is not one finite matrix, or a limit is not in its range.

    Source: Elhage et al. 2022, "The Geometry of Superposition" (feature-geometry graphs).
    """
    W = finite_matrix("W", W)
    threshold, tolerance, reach = _limits(threshold, tolerance, reach)
    norms = np.linalg.norm(W, axis=0)
    kept = np.flatnonzero(norms > threshold)
    directions = W[:, kept] / norms[kept]
    found = [
        Component(tuple(int(kept[i]) for i in group), _rank(directions[:, group]), name, distance)
        for group, name, distance in _groups(directions, tolerance, reach)
    ]
    return sorted(found, key=lambda c: (-len(c.features), -c.rank, c.name, c.features))


def name_arrangement(
    W: npt.ArrayLike, *, threshold: float = 0.5, tolerance: float = 0.15, reach: float = 0.15
) -> str:
    """Name all components of W in one line, such as "triangle + dedicated, 1 dropped".

    The order is that of `components`; three or more of a kind are counted ("3 × digon"), and what
    has no name is "unnamed (features in rank)". "nothing" where no feature is represented.

    Args:
        W: as for `components`.
        threshold: as for `components`.
        tolerance: as for `components`.
        reach: as for `components`.

    Raises:
        InputError: as `components`.
    """
    found = components(W, threshold=threshold, tolerance=tolerance, reach=reach)
    return name_components(found, np.shape(W)[1])


def name_components(found: Sequence[Component], n_features: int) -> str:
    """Name what `components` found among so many features, as `name_arrangement` does."""
    counts = Counter(
        f"{c.name} ({len(c.features)} in {c.rank})" if c.name == UNNAMED else c.name for c in found
    )
    parts = []
    for name, n in counts.items():
        parts += [f"{n} × {name}"] if n > 2 else [name] * n
    dropped = n_features - sum(len(c.features) for c in found)
    return (" + ".join(parts) or "nothing") + (f", {dropped} dropped" if dropped else "")


def joined_name(found: Sequence[Component]) -> str | None:
    """Return the name of the tegum product that components form together, or None.

    Components are in the order of `components`: two digons give "square", a triangle and a digon
    "triangular bipyramid". Features that are dedicated leave it without a name.
    """
    return TEGUM_PRODUCTS.get(tuple(c.name for c in found))


@cache
def ideals(n_corners: int) -> Mapping[str, Floats]:
    """Return the ideal polytopes of so many corners that are no tegum product, by name.

    They are the regular simplices up to 5 corners (digon, triangle, tetrahedron, 5-cell), the
    regular polygons from 5 to 12, the tight square antiprism and the icosahedron. Every corner of
    each looks like every other, which the search for the best order relies on.

    Returns:
        V [r, n] by name: unit columns in as many dimensions r as the polytope has.

    Source: Elhage et al. 2022, "The Geometry of Superposition".
    """
    found = [simplex(n_corners)] if 2 <= n_corners <= 5 else []
    found += [polygon(n_corners)] if 5 <= n_corners <= 12 else []
    found += [solid for solid in SOLIDS if solid.n_corners == n_corners]
    return {shape.name: shape.corners() for shape in found}


def _groups(
    directions: Floats, tolerance: float, reach: float
) -> list[tuple[list[int], str, float]]:
    """Return (columns, name, distance) of each group, single linkage from the strongest link on.

    Clusters are numbered as scipy does: the features, then one for each merge.
    """
    n = directions.shape[1]
    if n < 2:
        return [([i], DEDICATED, 0.0) for i in range(n)]
    cosines = np.abs(np.clip(directions.T @ directions, -1, 1))
    alone = np.sum(cosines**2, axis=0) - 1 < SUPERPOSITION_OF_NOISE
    members: dict[int, list[int]] = {i: [i] for i in range(n)}
    pieces: dict[int, list[tuple[list[int], str, float]]] = {}

    def name(columns: list[int]) -> tuple[list[int], str, float]:
        return (columns, *_nearest(directions[:, columns], reach))

    merges = linkage(squareform(1 - cosines, checks=False), "single")
    for k, (one, two, height, _) in enumerate(merges):
        parts, link = (int(one), int(two)), 1 - height
        both = sorted(members[parts[0]] + members[parts[1]])
        if link <= max(LINK_OF_NOISE, tolerance):  # stronger ones are never cut
            apart = [p for part in parts for p in pieces.get(part) or [name(members[part])]]
            pieces[n + k] = apart
            if link > tolerance:
                whole = name(both)
                shaped = any(p[1] != UNNAMED and (len(p[0]) > 1 or alone[p[0][0]]) for p in apart)
                pieces[n + k] = apart if whole[1] == UNNAMED and shaped else [whole]
        members[n + k] = both
    last = max(members)
    return pieces.get(last) or [name(members[last])]


def _nearest(directions: Floats, reach: float) -> tuple[str, float]:
    """Return the name and the distance of the ideal nearest to unit columns [M, n]."""
    n = directions.shape[1]
    if n == 1:
        return DEDICATED, 0.0
    distances = {name: _distance(directions, corners) for name, corners in ideals(n).items()}
    nearest = min(distances, key=lambda name: distances[name], default=UNNAMED)
    distance = distances.get(nearest, math.inf)
    return (nearest if distance <= reach else UNNAMED), distance


def _distance(directions: Floats, corners: Floats) -> float:
    """Return ||C - C_ideal||_F / n in the best order of the ideal's corners."""
    n = corners.shape[1]
    cosines, ideal = directions.T @ directions, corners.T @ corners
    if np.ptp(ideal[~np.eye(n, dtype=bool)]) < 1e-9:  # a simplex: all orders are one
        orders = [np.arange(n)]
    else:
        orders = _orders(directions, corners)
    return min(float(np.linalg.norm(cosines - ideal[np.ix_(o, o)])) for o in orders) / n


def _orders(directions: Floats, corners: Floats) -> list[npt.NDArray[np.intp]]:
    """Return promising orders of the corners [r, n], one corner for each column [M, n].

    The columns, projected to their r main axes, hold a basis of r of them. It is laid on r corners
    with like cosines in every way (its first on the first: corners are alike), rotated there, and
    all columns are assigned; the rotation that fits them all assigns them once more.
    """
    r, n = corners.shape
    axes = np.linalg.svd(directions)[0][:, :r]
    X = np.zeros((r, n))
    X[: axes.shape[1]] = axes.T @ directions
    basis = scipy.linalg.qr(X, mode="r", pivoting=True)[-1][:r]
    rest = itertools.permutations(range(1, n), r - 1)
    choices = np.array([(0, *others) for others in rest])
    ideal = corners.T @ corners
    pairs = ideal[choices[:, :, None], choices[:, None, :]]  # [choices, r, r]
    misfit = np.sum((pairs - (directions.T @ directions)[np.ix_(basis, basis)]) ** 2, axis=(1, 2))
    orders = []
    for chosen in choices[np.argsort(misfit, kind="stable")[:MOST_PLACEMENTS]]:
        order = _assign(X, corners, basis, chosen)
        orders.append(_assign(X, corners, np.arange(n), order))
    return orders


def _assign(X: Floats, corners: Floats, columns: npt.NDArray, onto: npt.NDArray) -> npt.NDArray:
    """Rotate X [r, n] so that `columns` fall on the corners `onto`; give each column a corner."""
    U, _, Vt = np.linalg.svd(corners[:, onto] @ X[:, columns].T)
    return linear_sum_assignment(X.T @ (U @ Vt).T @ corners, maximize=True)[1]


def _rank(directions: Floats) -> int:
    singular = np.linalg.svd(directions, compute_uv=False)
    return int(np.sum(singular > RANK_SHARE * singular[0]))


def _limits(threshold: float, tolerance: float, reach: float) -> list[float]:
    limits = [number("threshold", threshold, 0)]
    for name, value in (("tolerance", tolerance), ("reach", reach)):
        limits.append(number(name, value, 0))
        if limits[-1] >= 1:
            raise InputError(f"{name} = {value} is compared with cosines: it must lie in [0, 1).")
    return limits
