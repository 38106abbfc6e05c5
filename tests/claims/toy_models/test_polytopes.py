"""F18, F19 of Elhage et al. 2022: D_i of ideal polytopes, and polytopes that training forms."""

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

import figures
from figures.toy_models.polytopes_ideals import ARRANGEMENTS, null_vectors
from toymodels.exact import expected_loss_float64, solve
from toymodels.geometry import feature_dimensionality
from toymodels.measures.arrangement import name_optimum
from toymodels.theory.shapes import SOLIDS, polygon, regular_simplex, simplex

pytestmark = pytest.mark.claims

# What the paper's figures print, by way of our sheet of facts: measured there, four digits.
TABLE = {
    "digon": 0.5,
    "triangle": 0.6667,
    "tetrahedron": 0.75,
    "pentagon": 0.4,
    "hexagon": 0.3333,
    "square antiprism": 0.375,
    "icosahedron": 0.25,
}
SHAPES = {s.name: s for s in (*map(simplex, (2, 3, 4)), *map(polygon, (5, 6)), *SOLIDS)}


@pytest.mark.parametrize("name", TABLE)
def test_dimensionality_of_ideal_polytopes_is_that_of_the_table(name):
    D = feature_dimensionality(SHAPES[name].corners().astype(np.float32))
    np.testing.assert_allclose(D, TABLE[name], atol=1e-4)


def antiprism(cosine):
    """Return unit vectors to the corners of a square antiprism with this cosine of polar angle."""
    turns = np.concatenate([np.arange(4), np.arange(4) + 0.5]) * np.pi / 2
    ring = np.sqrt(1 - cosine**2)
    return np.stack([ring * np.cos(turns), ring * np.sin(turns), cosine * np.repeat([1, -1], 4)])


def test_the_antiprism_of_least_coulomb_energy_is_not_quite_a_tight_frame():
    def energy(cosine):
        V = antiprism(cosine)
        far = np.linalg.norm(V[:, :, None] - V[:, None, :], axis=0)
        return np.sum(1 / far[np.triu_indices(8, 1)])

    best = minimize_scalar(energy, bounds=(0.4, 0.7), method="bounded").x
    assert best == pytest.approx(0.5604, abs=2e-4)
    D = np.asarray(feature_dimensionality(antiprism(best).astype(np.float32)))
    np.testing.assert_allclose(D, 0.37438, atol=2e-5)
    tight = feature_dimensionality(antiprism(3**-0.5).astype(np.float32))
    np.testing.assert_allclose(tight, 0.375, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "split"),
    [
        ((5, 3), [2 / 3] * 3 + [1 / 2] * 2),
        ((7, 3), [2 / 5] * 5 + [1 / 2] * 2),
        ((6, 3), [1 / 2] * 6),
    ],
)
def test_tegum_products_split_and_do_not_average(size, split):
    D = feature_dimensionality(ARRANGEMENTS[size].corners.astype(np.float32))
    np.testing.assert_allclose(D, split, atol=1e-5)


def test_a_basis_projected_off_the_diagonal_is_a_regular_simplex():
    for n in (3, 4, 7):
        projected = np.eye(n) - 1 / n
        unit = projected / np.linalg.norm(projected, axis=0)
        V = regular_simplex(n)
        np.testing.assert_allclose(unit.T @ unit, V.T @ V, atol=1e-12)
        D = feature_dimensionality(unit.astype(np.float32))
        np.testing.assert_allclose(D, (n - 1) / n, atol=1e-5)


def test_products_and_null_vectors_of_triangle_and_square():
    triangle, square = (ARRANGEMENTS[size].corners for size in ((3, 2), (4, 2)))
    gram = triangle.T @ triangle
    np.testing.assert_allclose(gram[~np.eye(3, dtype=bool)], -0.5, atol=1e-12)
    np.testing.assert_allclose(square.T @ square, np.eye(4) - np.eye(4, k=2) - np.eye(4, k=-2))
    np.testing.assert_allclose(null_vectors(triangle, triangle)[0] * 3**0.5, [[1, 1, 1]])
    expected = [[1, 0, 1, 0], [0, 1, 0, 1]]
    np.testing.assert_allclose(null_vectors(square, square)[0] * 2**0.5, expected)


@pytest.mark.parametrize(
    ("size", "p", "name"), [((5, 3), 0.6, "triangle + digon"), ((6, 3), 0.2, "3 × digon")]
)
def test_bipyramid_and_octahedron_are_optima(size, p, name):
    F, M = size
    assert name_optimum(solve([p] * F, np.ones(F), M).W).name == name


@pytest.fixture(scope="module")
def trained():
    return figures.polytopes.compute(fast=True)


def cell_of(trained, name):
    return trained.isel(size=trained["arrangement"].values.tolist().index(name))


@pytest.mark.parametrize("name", [arrangement.name for arrangement in ARRANGEMENTS.values()])
def test_training_forms_every_arrangement_with_its_dimensionality(trained, name):
    cell = cell_of(trained, name)
    exact, found = cell["D_exact"].values, cell["D_trained"].values
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    np.testing.assert_allclose(found, exact, atol=0.02)
    assert float(cell["distance"]) < 0.03


def test_bipyramids_form_where_their_factors_are_optimal(trained):
    """A pentagon and a digon lose less than three digons below the density 0.2249, as in 5 → 2."""
    pentagonal = cell_of(trained, "pentagonal bipyramid")["share"]
    assert float(pentagonal.sel(p_active=0.15)) >= 0.6
    assert float(pentagonal.sel(p_active=0.3)) == 0
    triangular = cell_of(trained, "triangular bipyramid")["share"]
    assert float(triangular.sel(p_active=0.55)) >= 0.2
    assert float(triangular.sel(p_active=0.3)) == 0
    for name in ("octahedron", "square"):
        assert float(cell_of(trained, name)["share"].sel(p_active=0.15)) >= 0.7


def group_loss(corners, p):
    """Return the least loss of features at corners of one length, with one bias."""

    def loss(at):
        return expected_loss_float64(at[0] * corners, np.full(corners.shape[1], at[1]), p, 1.0)

    return minimize(loss, (1.1, -0.1), method="Nelder-Mead", options={"xatol": 1e-4}).fun


def test_the_trained_pentagonal_bipyramid_loses_what_its_factors_lose(trained):
    """Orthogonal groups do not see each other: losses add."""
    cell = cell_of(trained, "pentagonal bipyramid")
    p = float(cell["density"])
    apart = group_loss(polygon(5).corners(), p) + group_loss(simplex(2).corners(), p)
    assert float(cell["loss"]) == pytest.approx(apart, rel=0.01)
    digons = 3 * group_loss(simplex(2).corners(), p) + p / 3 - p**2 / 4
    assert apart < digons
