"""Shapes are recognised at any rotation, order and scale, under noise and beside unlearned ones."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import geometry
from toymodels.geometry import components, feature_dimensionality, joined_name, name_arrangement
from toymodels.polytopes import TEGUM_PRODUCTS, ideals
from toymodels.theory import POLYTOPE_DIMENSIONALITY, regular_polygon

IDEALS = {name: V for n in range(2, 13) for name, V in ideals(n).items()}
RANKS = {"digon": 1, "triangle": 2, "tetrahedron": 3, "5-cell": 4, "pentagon": 2, "hexagon": 2}
RANKS |= {"heptagon": 2, "octagon": 2, "square antiprism": 3, "icosahedron": 3, "12-gon": 2}
DIGON, ALONE, DROPPED = np.array([[1.0, -1.0]]), np.array([[1.0]]), np.zeros((0, 1))
ARRANGEMENTS = {
    "digon": (DIGON,),
    "digon + digon": (DIGON, DIGON),
    "3 × digon": (DIGON, DIGON, DIGON),
    "triangle + digon": (DIGON, IDEALS["triangle"]),
    "pentagon + digon": (IDEALS["pentagon"], DIGON),
    "triangle + dedicated, 1 dropped": (ALONE, DROPPED, IDEALS["triangle"]),
    "square antiprism + tetrahedron + digon + dedicated + dedicated, 2 dropped": (
        *(ALONE, DIGON, DROPPED, ALONE, DROPPED),
        *(IDEALS["tetrahedron"], IDEALS["square antiprism"]),
    ),
    "3 × dedicated": (ALONE, ALONE, ALONE),
    "nothing, 2 dropped": (np.zeros((1, 0)), DROPPED, DROPPED),
}

jitted = jax.jit(feature_dimensionality)
quick = settings(deadline=None, max_examples=40, database=None, derandomize=True)


def side_by_side(*blocks):
    """Put matrices into one, each in dimensions of its own."""
    rows, columns = (sum(b.shape[axis] for b in blocks) for axis in (0, 1))
    W, i, j = np.zeros((rows, columns)), 0, 0
    for b in blocks:
        W[i : i + b.shape[0], j : j + b.shape[1]] = b
        i, j = i + b.shape[0], j + b.shape[1]
    return W


def dimensionality(W):
    """Return D of W's columns, computed with zeros around W: one shape, one compilation."""
    wide = np.zeros((6, 12), np.float32)
    wide[: W.shape[0], : W.shape[1]] = W
    return np.asarray(jitted(wide))[: W.shape[1]]


def disguised(W, rng, extra_dimensions=2, noise=0.0, scale=1.0):
    """Rotate W into more dimensions, shuffle, stretch each column, scale all, and add noise."""
    m, n = W.shape[0] + extra_dimensions, W.shape[1]
    wide = np.concatenate([W, np.zeros((extra_dimensions, n))])
    rotation = np.linalg.qr(rng.normal(size=(m, m)))[0]
    order = rng.permutation(n)
    lengths = rng.uniform(0.9, 1.4, n)
    moved = (rotation @ wide)[:, order] * lengths + noise * rng.normal(size=(m, n))
    return scale * moved, order


@pytest.mark.parametrize("name", IDEALS)
def test_ideals_are_the_tight_frames_of_the_theory(name):
    V = IDEALS[name]
    np.testing.assert_allclose(np.linalg.norm(V, axis=0), 1)
    expected = POLYTOPE_DIMENSIONALITY.get(name, V.shape[0] / V.shape[1])
    np.testing.assert_allclose(dimensionality(V), expected, rtol=2e-6)
    assert V.shape[0] == RANKS.get(name, V.shape[0])


def test_every_polytope_of_the_theory_has_a_name_here():
    assert POLYTOPE_DIMENSIONALITY.keys() <= {*IDEALS, *TEGUM_PRODUCTS.values()}


@pytest.mark.parametrize("name", IDEALS)
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_ideal_polytope_is_recognised_in_any_disguise(name, noise):
    rng = np.random.default_rng(0)
    for _ in range(10):
        W, _ = disguised(IDEALS[name], rng, noise=noise)
        (found,) = components(W)
        assert (found.name, found.rank) == (name, IDEALS[name].shape[0])
        assert found.features == tuple(range(W.shape[1]))
        assert found.distance < (0.15 if noise else 1e-7)


@pytest.mark.parametrize("name", ARRANGEMENTS)
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_orthogonal_shapes_come_apart_in_any_disguise(name, noise):
    rng = np.random.default_rng(1)
    for _ in range(10):
        W, _ = disguised(side_by_side(*ARRANGEMENTS[name]), rng, 0, noise)
        assert name_arrangement(W) == name


@given(
    st.sampled_from(sorted(ARRANGEMENTS)),
    st.integers(0, 2**16),
    st.sampled_from([1e-3, 0.3, 1.0, 40.0]),
)
@quick
def test_rotation_order_and_scale_change_nothing_but_the_numbers_of_features(name, seed, scale):
    W = side_by_side(*ARRANGEMENTS[name])
    turned, order = disguised(W, np.random.default_rng(seed), 1, scale=scale)
    plain = components(W)
    found = components(turned, threshold=0.5 * scale)
    assert [(c.name, c.rank) for c in found] == [(c.name, c.rank) for c in plain]
    back = {frozenset(order[list(c.features)].tolist()) for c in found}
    assert back == {frozenset(c.features) for c in plain}
    np.testing.assert_allclose([c.distance for c in found], 0, atol=1e-7)


@given(st.integers(0, 2**16), st.floats(0, 2))
@quick
def test_any_matrix_is_split_into_disjoint_groups_of_its_represented_features(seed, threshold):
    W = np.random.default_rng(seed).normal(size=(3, 7))
    found = components(W, threshold=threshold)
    members = sorted(i for c in found for i in c.features)
    assert members == np.flatnonzero(np.linalg.norm(W, axis=0) > threshold).tolist()
    for c in found:
        assert 1 <= c.rank <= min(3, len(c.features)) and c.distance >= 0
        assert c.features == tuple(sorted(c.features))
        assert (c.name == "unnamed") == (c.distance > 0.15)
    sizes = [len(c.features) for c in found]
    assert sizes == sorted(sizes, reverse=True)


@given(st.integers(0, 2**16))
@quick
def test_unlearned_features_are_ignored(seed):
    rng = np.random.default_rng(seed)
    W, _ = disguised(side_by_side(IDEALS["pentagon"], DIGON), rng, 0)
    unlearned = rng.normal(size=(3, 4))
    unlearned *= 0.05 / np.linalg.norm(unlearned, axis=0)
    assert name_arrangement(np.concatenate([unlearned, W], axis=1)) == (
        "pentagon + digon, 4 dropped"
    )
    (pentagon, digon) = components(np.concatenate([unlearned, W], axis=1))
    assert {*pentagon.features, *digon.features} == set(range(4, 11))


@pytest.mark.parametrize(("parts", "whole"), TEGUM_PRODUCTS.items())
def test_a_tegum_product_is_named_as_a_whole_and_its_vertices_keep_their_values(parts, whole):
    W = side_by_side(*(IDEALS[part] for part in parts))
    turned, _ = disguised(W, np.random.default_rng(2))
    found = components(turned)
    assert tuple(c.name for c in found) == parts
    assert joined_name(found) == whole
    D = dimensionality(turned / np.linalg.norm(turned, axis=0))
    for c in found:
        np.testing.assert_allclose(D[list(c.features)], c.rank / len(c.features), rtol=1e-5)


def test_a_square_and_an_octahedron_are_digons_however_they_are_given():
    assert name_arrangement(regular_polygon(4)) == "digon + digon"
    octahedron = np.concatenate([np.eye(3), -np.eye(3)], axis=1)
    assert [c.features for c in components(octahedron)] == [(0, 3), (1, 4), (2, 5)]
    assert joined_name(components(octahedron)) == "octahedron"
    assert joined_name(components(np.eye(2))) is None


def test_coulomb_square_antiprism_is_one_too():
    turns = np.concatenate([np.arange(4), np.arange(4) + 0.5]) * np.pi / 2
    radius = np.sqrt(1 - 0.5604**2)
    z = np.repeat([0.5604, -0.5604], 4)
    W = np.stack([radius * np.cos(turns), radius * np.sin(turns), z])
    assert name_arrangement(W[:, [3, 6, 0, 5, 1, 7, 4, 2]]) == "square antiprism"


@pytest.mark.parametrize(
    ("W", "name"),
    [
        ([[0.7, 0.7]], "unnamed (2 in 1)"),  # the confused pair: the same direction twice
        ([[1.0, 0.9], [0.0, 0.5]], "unnamed (2 in 2)"),
        ([[1.0, -1.0, 1.0]], "unnamed (3 in 1)"),
        ([[1.0, 0.25], [0.0, 1.0]], "dedicated + dedicated"),  # superposition 0.06
    ],
)
def test_what_is_near_no_ideal_has_no_name(W, name):
    assert name_arrangement(W) == name


def test_distance_is_the_rms_difference_of_cosines():
    angle = np.radians(160)
    (found,) = components([[1.0, 2 * np.cos(angle)], [0.0, 2 * np.sin(angle)]])
    assert found.distance == pytest.approx((1 + np.cos(angle)) / np.sqrt(2))
    assert components([[1.0, -1.0, 1.0]])[0].distance == pytest.approx(np.sqrt(5.5) / 3)
    crowd = np.repeat([[1.0]], 13, axis=1)
    assert components(crowd)[0].distance == np.inf  # no ideal has as many corners


def test_noise_links_are_cut_and_real_ones_are_not():
    tilted = np.array([[1.0, -1.0, 0.2, -0.2], [0.0, 0.0, 1.0, -1.0]])  # cosines 0.196 across
    assert name_arrangement(tilted) == "digon + digon"
    assert name_arrangement(tilted, tolerance=0.19) == "digon + digon"
    strong = np.array([[1.0, -1.0, 0.6, -0.6], [0.0, 0.0, 1.0, -1.0]])
    assert name_arrangement(strong) == "unnamed (4 in 2)"


def test_a_matrix_with_nothing_in_it_has_no_components():
    for shape in ((2, 0), (0, 3), (2, 3)):
        assert components(np.zeros(shape)) == []
    assert name_arrangement(np.zeros((2, 3))) == "nothing, 3 dropped"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"W": np.ones(3)}, r"shape \(3,\)"),
        ({"W": np.ones((2, 2, 2))}, "take one of them"),
        ({"W": [[np.nan, 1.0]]}, "diverged"),
        ({"W": np.eye(2), "threshold": -1}, "threshold = -1"),
        ({"W": np.eye(2), "tolerance": 1.5}, "tolerance = 1.5"),
        ({"W": np.eye(2), "reach": np.nan}, "reach = nan"),
    ],
)
def test_bad_input_is_named_with_a_way_out(arguments, message):
    with pytest.raises(ValueError, match=message):
        geometry.components(**arguments)
