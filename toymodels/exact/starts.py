"""Known arrangements of F features in M dimensions, and random ones, to start a search from.

An arrangement gives orthogonal groups of dimensions to groups of features: one feature alone
("dedicated"), two opposite each other ("digon"), the corners of a triangle, a tetrahedron or a
larger simplex, of a pentagon or a hexagon. (A square is two digons, an octahedron three, a
triangular bipyramid a triangle and a digon.) Other features are dropped: W_i = 0, b_i = p_i/2.
The last feature may differ from the rest, which are alike: arrangements that differ in what
becomes of the last one are listed apart, those that exchange others are not.

Source: Elhage et al. 2022, "Superposition as a Phase Change" and "The Geometry of Superposition".
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toymodels.theory import regular_polygon

Floats = npt.NDArray[np.float32]

RANDOM_SCALE = 0.7
"""Standard deviation of the weights of random starts; of their biases it is a tenth."""

DISTURBANCE = 0.003
"""Standard deviation of what is added to an arrangement, which may be a saddle, to leave it.

At 0.03 it also leaves shallow minima: the tetrahedron of 4→3 at density 0.5, a pentagon of 5→2.
"""


class Arrangement(NamedTuple):
    """A known solution: W, and which features it drops."""

    name: str
    W: Floats  # [M, F]
    dropped: npt.NDArray[np.bool_]  # [F]

    def bias(self, p_active: npt.ArrayLike) -> Floats:
        """Return b, p/2 on the dropped features; `p_active` is `[…, F]`, and so is b."""
        return np.where(self.dropped, np.asarray(p_active) / 2, 0).astype(np.float32)


class _Shape(NamedTuple):
    name: str
    n_features: int
    n_dimensions: int


_DROPPED = "dropped"


def arrangements(n_features: int, n_hidden: int) -> tuple[Arrangement, ...]:
    """List the known arrangements that use all of `n_hidden` dimensions.

    Their names say what each group is, and with a * in which of them the last feature is:
    "dedicated + digon*", "pentagon*", "dedicated + 1 dropped*".
    """
    found = []
    for shapes in _choices(n_features, n_hidden, _shapes(n_features, n_hidden)):
        n_dropped = n_features - sum(s.n_features for s in shapes)
        hosts = list(dict.fromkeys(shapes)) + ([None] if n_dropped else [])
        found += [_arrange(shapes, host, n_features, n_hidden) for host in hosts]
    return tuple(found)


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
def _shapes(n_features: int, n_hidden: int) -> tuple[_Shape, ...]:
    """Return the groups that fit, by dimension."""
    named = {1: "dedicated", 2: "digon", 3: "triangle", 4: "tetrahedron"}
    simplices = [
        _Shape(named.get(n, f"{n}-simplex"), n, max(1, n - 1)) for n in range(1, n_features + 1)
    ]
    polygons = [_Shape("pentagon", 5, 2), _Shape("hexagon", 6, 2)]
    fitting = [
        s for s in simplices + polygons if s.n_features <= n_features and s.n_dimensions <= n_hidden
    ]
    return tuple(fitting)


def _choices(
    n_features: int, n_hidden: int, kinds: tuple[_Shape, ...]
) -> Iterator[tuple[_Shape, ...]]:
    """Yield each multiset of kinds that fills the dimensions and has features enough."""
    if n_hidden == 0:
        yield ()
    for k, kind in enumerate(kinds):
        left = n_features - kind.n_features, n_hidden - kind.n_dimensions
        if min(left) >= 0:
            for others in _choices(*left, kinds[k:]):
                yield (kind, *others)


def _arrange(
    shapes: tuple[_Shape, ...], host: _Shape | None, n_features: int, n_hidden: int
) -> Arrangement:
    """Lay the groups out; the last feature goes to the first group like `host`, or is dropped."""
    ordered = list(shapes)
    if host is not None:
        ordered.remove(host)
        ordered.append(host)  # its last corner is the last feature
    n_kept = sum(s.n_features for s in shapes)
    W = np.zeros((n_hidden, n_features), np.float32)
    column = 0 if host is None else n_features - n_kept
    row = 0
    dropped = np.ones(n_features, bool)
    for shape in ordered:
        corners = _corners(shape)
        columns = slice(column, column + shape.n_features)
        W[row : row + shape.n_dimensions, columns] = corners
        dropped[columns] = False
        row, column = row + shape.n_dimensions, column + shape.n_features
    return Arrangement(_name(shapes, host, n_features - n_kept), W, dropped)


def _name(shapes: tuple[_Shape, ...], host: _Shape | None, n_dropped: int) -> str:
    parts, marked = [], False
    for shape in shapes:
        here = shape == host and not marked
        marked |= here
        parts.append(shape.name + "*" * here)
    if n_dropped:
        parts.append(f"{n_dropped} {_DROPPED}" + "*" * (host is None))
    return " + ".join(parts)


def _corners(shape: _Shape) -> np.ndarray:
    """Return unit vectors to the corners, `[dimensions, features]`."""
    if shape.n_features == 1:
        return np.ones((1, 1))
    if shape.n_features == 2:
        return np.array([[1.0, -1.0]])
    if shape.n_dimensions == 2:
        return regular_polygon(shape.n_features)
    return _simplex(shape.n_features)


def _simplex(n: int) -> np.ndarray:
    """Return the n corners of a regular simplex, unit vectors with products -1/(n - 1)."""
    centred = np.eye(n) - 1 / n
    basis = np.linalg.svd(centred)[0][:, : n - 1]
    corners = basis.T @ centred
    return corners / np.linalg.norm(corners, axis=0)
