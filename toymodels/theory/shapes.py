"""The catalogue of shapes: polytopes whose corners are all alike, and where their corners lie.

The columns of W [M, F] are unit vectors to the corners, in as many dimensions as the polytope has.
They form a tight frame, W Wᵀ = F/M, so every corner has the feature dimensionality
D_i = dimensions / corners; a regular simplex of n corners has (n - 1) / n.

Tegum products (a square is two digons in orthogonal dimensions) are known by their factors: each
corner keeps the dimensionality of its own factor.

Source: Elhage et al. 2022, "Toy Models of Superposition", section "The Geometry of Superposition".
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from toymodels.checks import count

Floats = npt.NDArray[np.float64]

DEDICATED = "dedicated"
SIMPLICES: Mapping[int, str] = {
    1: DEDICATED,
    2: "digon",
    3: "triangle",
    4: "tetrahedron",
    5: "5-cell",
}
"""Names of simplices by their corners; larger ones are an n-simplex, n their dimensions."""
POLYGONS: Mapping[int, str] = {5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon"}
"""Names of regular polygons that are no simplex and no tegum product; larger ones are an n-gon."""

TEGUM_PRODUCTS: Mapping[tuple[str, ...], str] = {
    ("digon", "digon"): "square",
    ("digon", "digon", "digon"): "octahedron",
    ("triangle", "digon"): "triangular bipyramid",
    ("pentagon", "digon"): "pentagonal bipyramid",
}
"""Names of orthogonal arrangements as wholes, by their factors, the largest first."""


@dataclass(frozen=True)
class Shape:
    """A polytope whose corners are all alike."""

    name: str
    n_corners: int
    n_dimensions: int
    corners: Callable[[], Floats] = field(compare=False, repr=False)
    """Returns unit vectors to the corners, `[n_dimensions, n_corners]`."""

    @property
    def dimensionality(self) -> float:
        """Feature dimensionality D_i of each corner."""
        return self.n_dimensions / self.n_corners


def simplex(n_corners: int) -> Shape:
    """Return the regular simplex of so many corners; one corner alone is "dedicated"."""
    name = SIMPLICES.get(n_corners, f"{n_corners - 1}-simplex")
    return Shape(name, n_corners, max(1, n_corners - 1), partial(regular_simplex, n_corners))


def polygon(n_corners: int) -> Shape:
    """Return the regular polygon of so many corners, at least 5."""
    name = POLYGONS.get(n_corners, f"{n_corners}-gon")
    return Shape(name, n_corners, 2, partial(regular_polygon, n_corners))


def regular_polygon(n: int) -> Floats:
    """Return the unit vectors to the corners of a regular n-gon, `W [2, n]`.

    The first column is (1, 0); n = 2 is the digon. From n = 3 on it is a tight frame,
    W Wᵀ = n/2, and D_i = 2/n.

    Raises:
        InputError: n below 2.
    """
    count("n", n, 2)
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle)])


def regular_simplex(n: int) -> Floats:
    """Return the unit vectors to the corners of a regular simplex, `W [n - 1, n]`.

    Their scalar products are -1/(n - 1). One corner is the single direction [[1]].

    Raises:
        InputError: n below 1.
    """
    count("n", n)
    if n <= 2:
        return np.array([[1.0, -1.0]])[:, :n]
    if n == 3:
        return regular_polygon(3)
    centred = np.eye(n) - 1 / n  # the basis of n dimensions, projected off (1, …, 1)
    basis = np.linalg.svd(centred)[0][:, : n - 1]
    corners = basis.T @ centred
    return corners / np.linalg.norm(corners, axis=0)


def _square_antiprism() -> Floats:
    """Return the tight one, cos(polar angle) = 1/√3; that of least Coulomb energy has 0.5604."""
    turns = np.concatenate([np.arange(4), np.arange(4) + 0.5]) * np.pi / 2
    height = np.repeat([1.0, -1.0], 4)
    ring = math.sqrt(2.0)
    return np.stack([ring * np.cos(turns), ring * np.sin(turns), height]) / math.sqrt(3.0)


def _icosahedron() -> Floats:
    golden = (1 + math.sqrt(5.0)) / 2
    corners = [(0.0, a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    W = np.array([np.roll(corner, k) for corner in corners for k in range(3)]).T
    return W / np.linalg.norm(W, axis=0)


SOLIDS = (
    Shape("square antiprism", 8, 3, _square_antiprism),
    Shape("icosahedron", 12, 3, _icosahedron),
)
"""Those of three dimensions that are no simplex and no tegum product."""

POLYTOPE_DIMENSIONALITY: Mapping[str, float] = {
    "digon": simplex(2).dimensionality,
    "triangle": simplex(3).dimensionality,
    "tetrahedron": simplex(4).dimensionality,
    "square": simplex(2).dimensionality,  # two digons
    "pentagon": polygon(5).dimensionality,
    "hexagon": polygon(6).dimensionality,
    "octahedron": simplex(2).dimensionality,  # three digons
    **{solid.name: solid.dimensionality for solid in SOLIDS},
}
"""Feature dimensionality D_i of the polytopes of the paper's figure: dimensions / corners.

The square antiprism is the tight one; the one that minimises Coulomb energy has 0.3744. A tegum
product of different factors (a bipyramid) has no single value and is not listed."""
