"""Known arrangements of F features in M dimensions, and random ones, to start a search from.

An arrangement gives orthogonal groups of dimensions to groups of features, as corners of the
shapes of `toymodels.theory.shapes`: one feature alone ("dedicated"), two opposite each other
("digon"), a triangle, a tetrahedron or a larger simplex, a pentagon or a hexagon. (A square is two
digons, an octahedron three, a triangular bipyramid a triangle and a digon.) Other features are
dropped: W_i = 0, b_i = p_i/2. The last feature may differ from the rest, which are alike:
arrangements that differ in what becomes of the last one are listed apart, those that exchange
others are not.

Riders are digons with a third, weak feature on the side of one of their two. Sparse optima of three
features in one dimension look so, and random starts find them seldom.

Source: Elhage et al. 2022, "Superposition as a Phase Change" and "The Geometry of Superposition".
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toymodels.theory.shapes import SOLIDS, Shape, polygon, simplex

Floats = npt.NDArray[np.float32]

RANDOM_SCALE = 0.7
"""Standard deviation of the weights of random starts; of their biases it is a tenth."""

DISTURBANCE = 0.003
"""Standard deviation of what is added to an arrangement, which may be a saddle, to leave it.

At 0.03 it also leaves shallow minima: the tetrahedron of 4→3 at density 0.5, a pentagon of 5→2.
"""

RIDER = 0.4
"""The length of a rider where its descent starts."""

LEAN = 0.2
"""Added to the biases of a group before its descent, to meet minima of the same shape.

Its sign is that of the biases there: above 0 in simplices, which are optimal in dense worlds, and
below 0 where corners are at acute angles, as in the pentagon, which sparse worlds prefer. From
biases of 0 the descent leaves shallow minima of these shapes for digons.
"""


class Arrangement(NamedTuple):
    """A known solution: W, and which features it drops."""

    name: str
    W: Floats  # [M, F]
    dropped: npt.NDArray[np.bool_]  # [F]
    lean: Floats  # [F], added to b before a descent

    def bias(self, p_active: npt.ArrayLike) -> Floats:
        """Return b, p/2 on the dropped features; `p_active` is `[…, F]`, and so is b."""
        return np.where(self.dropped, np.asarray(p_active) / 2, 0).astype(np.float32)


_DROPPED = "dropped"


@cache
def arrangements(n_features: int, n_hidden: int) -> tuple[Arrangement, ...]:
    """List the known arrangements that use all of `n_hidden` dimensions.

    Their names say what each group is, and with a * in which of them the last feature is:
    "dedicated + digon*", "pentagon*", "dedicated + 1 dropped*".
    """
    found = []
    for shapes in _choices(n_features, n_hidden, _shapes(n_features, n_hidden)):
        n_dropped = n_features - sum(s.n_corners for s in shapes)
        hosts = list(dict.fromkeys(shapes)) + ([None] if n_dropped else [])
        found += [_arrange(shapes, host, n_features, n_hidden) for host in hosts]
    return tuple(found)


@cache
def riders(n_features: int, n_hidden: int) -> tuple[Arrangement, ...]:
    """List the arrangements in which a dropped feature rides on one of a digon's two.

    There is one per arrangement with a digon and a dropped feature, and per role of the last
    feature: it rides, is ridden on, lies opposite, or none of these.
    """
    found: dict[tuple, Arrangement] = {}
    for known in arrangements(n_features, n_hidden):
        pairs = np.argwhere(np.isclose(known.W.T @ known.W, -1))
        for rider in np.flatnonzero(known.dropped):
            for under, opposite in pairs:
                role = [n_features - 1 == i for i in (rider, under, opposite)]
                W, dropped = known.W.copy(), known.dropped.copy()
                W[:, rider], dropped[rider] = RIDER * W[:, under], False
                name = f"{known.name}, {rider} riding on {under}"
                found.setdefault((known.name, *role), Arrangement(name, W, dropped, known.lean))
    return tuple(found.values())


def known_starts(n_features: int, n_hidden: int) -> tuple[Arrangement, ...]:
    """List what every search starts from before it draws: arrangements and riders."""
    return arrangements(n_features, n_hidden) + riders(n_features, n_hidden)


def random_starts(
    n_starts: int, n_features: int, n_hidden: int, seed: int
) -> tuple[Floats, Floats]:
    """Draw `W [n_starts, M, F]` and `b [n_starts, F]`; the first ones do not depend on how many."""
    drawn = [_normal(k, n_features, n_hidden, seed) for k in range(n_starts)]
    W = np.array([d[0] for d in drawn], np.float32).reshape(n_starts, n_hidden, n_features)
    b = np.array([d[1] for d in drawn], np.float32).reshape(n_starts, n_features)
    return RANDOM_SCALE * W, RANDOM_SCALE / 10 * b


def disturbances(n_starts: int, n_features: int, n_hidden: int, seed: int) -> tuple[Floats, Floats]:
    """Draw what is added to W and b of the known arrangements; shapes as `random_starts`."""
    W, b = random_starts(n_starts, n_features, n_hidden, seed + 1_000_003)
    return DISTURBANCE / RANDOM_SCALE * W, DISTURBANCE / RANDOM_SCALE * b


def _normal(k: int, n_features: int, n_hidden: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, k])
    return rng.normal(size=(n_hidden, n_features)), rng.normal(size=n_features)


@cache
def _shapes(n_features: int, n_hidden: int) -> tuple[Shape, ...]:
    """Return the shapes that fit, simplices first; the starts of a search are in their order."""
    simplices = [simplex(n) for n in range(1, n_features + 1)]
    polygons = [polygon(n) for n in range(5, n_features + 1)]
    every = (*simplices, *polygons, *SOLIDS)
    return tuple(s for s in every if s.n_corners <= n_features and s.n_dimensions <= n_hidden)


def _choices(
    n_features: int, n_hidden: int, shapes: tuple[Shape, ...]
) -> Iterator[tuple[Shape, ...]]:
    """Yield each multiset of shapes that fills the dimensions and has features enough."""
    if n_hidden == 0:
        yield ()
    for k, shape in enumerate(shapes):
        left = n_features - shape.n_corners, n_hidden - shape.n_dimensions
        if min(left) >= 0:
            for others in _choices(*left, shapes[k:]):
                yield (shape, *others)


def _arrange(
    shapes: tuple[Shape, ...], host: Shape | None, n_features: int, n_hidden: int
) -> Arrangement:
    """Lay the groups out; the last feature goes to the first group like `host`, or is dropped."""
    ordered = list(shapes)
    if host is not None:
        ordered.remove(host)
        ordered.append(host)  # its last corner is the last feature
    n_kept = sum(s.n_corners for s in shapes)
    W = np.zeros((n_hidden, n_features), np.float32)
    column = 0 if host is None else n_features - n_kept
    row = 0
    dropped, lean = np.ones(n_features, bool), np.zeros(n_features, np.float32)
    for shape in ordered:
        columns = slice(column, column + shape.n_corners)
        W[row : row + shape.n_dimensions, columns] = shape.corners()
        dropped[columns], lean[columns] = False, _lean(shape)
        row, column = row + shape.n_dimensions, column + shape.n_corners
    return Arrangement(_name(shapes, host, n_features - n_kept), W, dropped, lean)


def _lean(shape: Shape) -> float:
    """Return what is added to the biases of a shape; of one corner and of two nothing."""
    corners = shape.corners()
    acute = np.triu(corners.T @ corners, 1).max() > 1e-6
    return 0.0 if shape.n_corners < 3 else -LEAN if acute else LEAN


def _name(shapes: tuple[Shape, ...], host: Shape | None, n_dropped: int) -> str:
    parts, marked = [], False
    for shape in shapes:
        here = shape == host and not marked
        marked |= here
        parts.append(f"{shape.name}*" if here else shape.name)
    if n_dropped:
        parts.append(f"{n_dropped} {_DROPPED}" + ("*" if host is None else ""))
    return " + ".join(parts)
