"""The catalogue of shapes: names, corners and dimensionality, and that everyone draws on it."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.exact.starts import arrangements
from toymodels.polytopes import TEGUM_PRODUCTS, ideals
from toymodels.theory import POLYTOPE_DIMENSIONALITY
from toymodels.theory.shapes import SOLIDS, polygon, regular_simplex, simplex

SHAPES = [*map(simplex, range(1, 8)), *map(polygon, range(5, 13)), *SOLIDS]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_corners_are_unit_vectors_of_a_tight_frame_and_all_alike(shape):
    V, n, m = shape.corners(), shape.n_corners, shape.n_dimensions
    assert V.shape == (m, n)
    np.testing.assert_allclose(np.linalg.norm(V, axis=0), 1)
    np.testing.assert_allclose(V @ V.T, n / m * np.eye(m), atol=1e-12)
    assert shape.dimensionality == m / n
    cosines = np.sort(V.T @ V, axis=1)
    np.testing.assert_allclose(cosines, cosines[:1].repeat(n, axis=0), atol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_corners_of_a_simplex_have_equal_products(n):
    V = regular_simplex(n)
    np.testing.assert_allclose((V.T @ V)[~np.eye(n, dtype=bool)], -1 / (n - 1))


def test_names_are_those_of_geometry():
    names = [simplex(n).name for n in range(1, 8)]
    assert names == [
        *("dedicated", "digon", "triangle", "tetrahedron", "5-cell", "5-simplex", "6-simplex")
    ]
    assert [polygon(n).name for n in (5, 6, 7, 8, 9)] == [
        *("pentagon", "hexagon", "heptagon", "octagon", "9-gon")
    ]


def test_tegum_products_of_equal_factors_have_the_dimensionality_of_a_factor():
    assert POLYTOPE_DIMENSIONALITY["square"] == POLYTOPE_DIMENSIONALITY["digon"] == 1 / 2
    assert POLYTOPE_DIMENSIONALITY["octahedron"] == 1 / 2
    named = {shape.name for shape in SHAPES} | set(TEGUM_PRODUCTS.values())
    assert POLYTOPE_DIMENSIONALITY.keys() <= named


def test_what_is_recognised_and_what_is_started_from_are_the_same_corners():
    for n, m in ((2, 1), (3, 2), (4, 3), (5, 2), (6, 2)):
        (whole,) = [a for a in arrangements(n, m) if "+" not in a.name and not a.dropped.any()]
        np.testing.assert_allclose(whole.W, ideals(n)[whole.name[:-1]], atol=1e-6)


def test_a_simplex_has_a_corner_at_least():
    with pytest.raises(InputError, match="n = 0: give a whole number, 1 or more"):
        regular_simplex(0)
