"""Check the geometry of one W against exact polytopes, plain numpy in float64 and symmetries."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from toymodels.geometry import (
    dimensions_per_feature,
    feature_dimensionality,
    feature_norms,
    n_dedicated,
    n_represented,
    represented,
    superposition,
)
from toymodels.theory import POLYTOPE_DIMENSIONALITY, regular_polygon

PER_FEATURE = (feature_norms, superposition, feature_dimensionality)
EVERY = (*PER_FEATURE, dimensions_per_feature, represented, n_represented, n_dedicated)
GOLDEN = (1 + 5**0.5) / 2
JITTED = {f: jax.jit(f) for f in PER_FEATURE}

quick = settings(deadline=None, max_examples=60, database=None, derandomize=True)
# Quarter steps: many zero, equal and opposite columns, and no column that is only nearly zero.
matrices = arrays(np.float32, (3, 5), elements=st.integers(-8, 8).map(lambda k: k / 4))


def by_definition(W):
    """Compute (norms, superposition, D, D*) with loops in float64."""
    W = np.asarray(W, np.float64)
    columns = W.T
    norms = np.sqrt((W**2).sum(0))
    others, dimensionality = np.zeros(len(columns)), np.zeros(len(columns))
    for i, column in enumerate(columns):
        if norms[i] > 0:
            squares = [(column / norms[i] @ other) ** 2 for other in columns]
            others[i] = sum(square for j, square in enumerate(squares) if j != i)
            dimensionality[i] = norms[i] ** 2 / sum(squares)
    return norms, others, dimensionality, len(W) / max((W**2).sum(), 1e-30)


def square_antiprism(cos_polar):
    turns = np.concatenate([np.arange(4), np.arange(4) + 0.5]) * np.pi / 2
    z = np.repeat([cos_polar, -cos_polar], 4)
    radius = np.sqrt(1 - cos_polar**2)
    return np.stack([radius * np.cos(turns), radius * np.sin(turns), z])


def simplex(n):
    """Project the basis of n dimensions off (1, ..., 1)."""
    W = np.eye(n) - 1 / n
    return W / np.linalg.norm(W, axis=0)


def icosahedron():
    corners = [(0, a, b * GOLDEN) for a in (-1, 1) for b in (-1, 1)]
    W = np.array([np.roll(corner, k) for corner in corners for k in range(3)]).T
    return W / np.linalg.norm(W, axis=0)


POLYTOPES = {
    "digon": np.array([[1.0, -1.0]]),
    "triangle": regular_polygon(3),
    "tetrahedron": simplex(4),
    "square": regular_polygon(4),
    "pentagon": regular_polygon(5),
    "hexagon": regular_polygon(6),
    "octahedron": np.concatenate([np.eye(3), -np.eye(3)], axis=1),
    "square antiprism": square_antiprism(1 / 3**0.5),
    "icosahedron": icosahedron(),
}


def padded_dimensionality(W):
    """Return D of W's columns, computed with zeros around W: one shape, one compilation."""
    W = np.asarray(W)
    wide = np.zeros((9, 12), np.float32)
    wide[: W.shape[0], : W.shape[1]] = W
    D = np.asarray(JITTED[feature_dimensionality](wide))
    assert not D[W.shape[1] :].any()
    return D[: W.shape[1]]


def test_every_polytope_of_the_theory_is_built_here():
    assert POLYTOPES.keys() == POLYTOPE_DIMENSIONALITY.keys()


@pytest.mark.parametrize("name", POLYTOPE_DIMENSIONALITY)
def test_ideal_polytope_has_its_dimensionality_at_any_scale(name):
    for scale in (1.0, 1e-12, 1e-25, 1e15):
        D = padded_dimensionality(scale * POLYTOPES[name])
        np.testing.assert_allclose(D, POLYTOPE_DIMENSIONALITY[name], rtol=2e-6)


@pytest.mark.parametrize("name", POLYTOPE_DIMENSIONALITY)
def test_dimensionalities_of_a_tight_frame_sum_to_its_rank(name):
    W = POLYTOPES[name]
    total = padded_dimensionality(W).sum()
    np.testing.assert_allclose(total, np.linalg.matrix_rank(W), rtol=2e-6)


def test_coulomb_square_antiprism_is_just_below_three_eighths():
    D = padded_dimensionality(square_antiprism(0.5604))
    np.testing.assert_allclose(D, 0.37438, atol=1e-5)


@pytest.mark.parametrize("n", [2, 3, 5, 9])
def test_projecting_the_basis_gives_the_simplex(n):
    np.testing.assert_allclose(padded_dimensionality(simplex(n)), (n - 1) / n, rtol=2e-6)


@pytest.mark.parametrize(("corners", "share"), [(3, 2 / 3), (5, 2 / 5)])
def test_bipyramid_keeps_the_values_of_its_factors(corners, share):
    W = np.zeros((3, corners + 2))
    W[:2, :corners] = regular_polygon(corners)
    W[2, corners:] = 1, -1
    expected = np.array([share] * corners + [0.5, 0.5])
    np.testing.assert_allclose(padded_dimensionality(W), expected, rtol=2e-6)


def test_superposition_is_a_sum_of_squares_and_not_its_root():
    W = np.array([[1.0, 0.5, -0.5, 0.0], [0.0, 0.0, 0.0, 2.0]])
    np.testing.assert_allclose(superposition(W), [0.5, 1.25, 1.25, 0.0], rtol=1e-6)


def test_orthogonal_features_have_a_dimension_each():
    W = np.zeros((3, 5))
    W[[0, 1, 2], [0, 2, 4]] = 0.6, 1.0, 1.3
    np.testing.assert_allclose(feature_norms(W), [0.6, 0, 1.0, 0, 1.3], rtol=1e-6)
    np.testing.assert_array_equal(superposition(W), np.zeros(5))
    np.testing.assert_allclose(feature_dimensionality(W), [1, 0, 1, 0, 1], rtol=1e-6)
    assert int(n_dedicated(W)) == int(n_represented(W)) == 3


def test_dimensions_per_feature_is_one_for_a_basis_and_a_half_for_antipodal_pairs():
    assert float(dimensions_per_feature(np.eye(4))) == 1.0
    assert float(dimensions_per_feature(np.concatenate([np.eye(4), -np.eye(4)], axis=1))) == 0.5


def test_zero_column_gives_zero_not_nan():
    W = np.array([[0.0, 1.0, 2.0], [0.0, 3.0, -1.0]])
    for function in PER_FEATURE:
        values = np.asarray(function(W))
        assert values[0] == 0 and np.all(values[1:] > 0)


@pytest.mark.parametrize("function", EVERY)
def test_matrix_of_zeros_gives_zero_not_nan(function):
    np.testing.assert_array_equal(function(np.zeros((2, 4))), function(np.zeros((2, 4))) * 0)


@pytest.mark.parametrize("function", (*PER_FEATURE, dimensions_per_feature))
def test_gradient_is_never_nan_beside_a_zero_or_tiny_column(function):
    gradient = jax.jit(jax.grad(lambda W: function(W).sum()))
    value = jax.jit(function)
    for small in (0.0, 1e-45, 1e-39, 1e-30, 1e-12):
        W = np.array([[1.0, -0.5, small], [0.2, 1.5, 0.0]], np.float32)
        assert np.all(np.isfinite(value(W)))
        # Its own slope may be beyond float32: D of a column at 1e-30 is a step.
        assert not np.any(np.isnan(gradient(W)))
        assert np.all(np.isfinite(gradient(W)[:, :2]))
    np.testing.assert_array_equal(gradient(np.zeros_like(W)), np.zeros_like(W))


@pytest.mark.parametrize("function", (*PER_FEATURE, dimensions_per_feature))
def test_gradient_equals_finite_differences_of_the_definition(function):
    W = np.random.default_rng(0).normal(size=(3, 5))
    oracle = by_definition(W)
    which = (*PER_FEATURE, dimensions_per_feature).index(function)
    np.testing.assert_allclose(function(W), oracle[which], rtol=1e-5)
    numeric = np.zeros_like(W)
    for index in np.ndindex(*W.shape):
        step = np.zeros_like(W)
        step[index] = 1e-5
        up, down = by_definition(W + step)[which], by_definition(W - step)[which]
        numeric[index] = np.sum(up - down) / 2e-5
    exact = jax.grad(lambda W: function(W).sum())(jnp.asarray(W))
    np.testing.assert_allclose(exact, numeric, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("small", [1e-12, 1e-25, 1e-35])
def test_tiny_columns_keep_their_dimensionality(small):
    # A pentagon of tiny columns in dimensions of its own, beside two large ones.
    W = np.zeros((4, 7))
    W[:2, :5] = small * regular_polygon(5)
    W[2, 5], W[3, 6] = 1.0, 30.0
    np.testing.assert_allclose(feature_dimensionality(W), [0.4] * 5 + [1, 1], rtol=1e-5)
    np.testing.assert_allclose(feature_norms(W)[:5], small, rtol=1e-5)
    np.testing.assert_allclose(superposition(W), 0, atol=3 * small**2)


def test_column_below_the_normal_numbers_counts_as_zero():
    W = np.array([[1e-40, 1.0], [1e-41, 1.0]], np.float32)
    for function in PER_FEATURE:
        assert float(function(W)[0]) == float(jax.jit(function)(W)[0]) == 0


def test_dimensions_per_feature_is_never_infinite():
    for scale in (1e-38, 1e-25, 1e-20, 1e-19, 1e-18, 1e-12, 1e25):
        assert np.isfinite(dimensions_per_feature(scale * np.ones((30, 1))))
    expected = 1 / (7 * 1e-24)
    np.testing.assert_allclose(
        dimensions_per_feature(1e-12 * np.ones((30, 7))), expected, rtol=1e-5
    )


def test_diverged_column_stays_nan():
    W = np.array([[1.0, np.nan], [0.0, 1.0]])
    norms = np.asarray(feature_norms(W))
    assert norms[0] == 1 and np.isnan(norms[1])
    for function in (superposition, feature_dimensionality, dimensions_per_feature):
        assert np.any(np.isnan(function(W)))
    assert np.asarray(represented(W)).tolist() == [True, False]


@given(matrices)
@quick
def test_values_equal_the_definition_in_float64(W):
    for function, expected in zip(PER_FEATURE, by_definition(np.asarray(W)), strict=False):
        np.testing.assert_allclose(JITTED[function](W), expected, rtol=1e-5, atol=1e-5)


@given(matrices, st.integers(0, 2**16))
@quick
def test_rotating_the_hidden_space_changes_nothing(W, seed):
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    for function in JITTED.values():
        rotated = function(np.float32(rotation @ W))
        np.testing.assert_allclose(rotated, function(W), rtol=1e-4, atol=1e-5)


@given(matrices, st.permutations(range(5)), st.lists(st.sampled_from([-1, 1]), min_size=5))
@quick
def test_permuting_features_permutes_and_flipping_signs_changes_nothing(W, order, signs):
    flipped = W[:, order] * np.array(signs[:5], np.float32)
    for function in JITTED.values():
        expected = np.asarray(function(W))[np.array(order)]
        np.testing.assert_allclose(function(flipped), expected, rtol=1e-5, atol=1e-6)


@given(matrices)
@quick
def test_dimensionality_lies_in_0_1_and_sums_to_at_most_the_rank(W):
    D = np.asarray(JITTED[feature_dimensionality](W), np.float64)
    assert np.all(D >= 0) and np.all(D <= 1 + 1e-5)
    assert D.sum() <= np.linalg.matrix_rank(W.astype(np.float64)) + 1e-4


@pytest.mark.parametrize("function", EVERY)
def test_vmap_equals_a_loop(function):
    W = np.random.default_rng(1).normal(size=(6, 3, 5)).astype(np.float32)
    W[2, :, 1] = 0
    looped = np.stack([function(one) for one in W])
    np.testing.assert_allclose(jax.jit(jax.vmap(function))(W), looped, rtol=1e-5, atol=1e-6)


def test_counts_follow_threshold_and_tolerance():
    W = np.array([[1.0, 0.3, 0.0], [0.0, 0.0, 0.6]])
    assert np.asarray(represented(W)).tolist() == [True, False, True]
    assert int(n_represented(W, threshold=0.2)) == 3
    assert int(n_represented(W, threshold=0.7)) == 1
    assert int(n_dedicated(W)) == 2  # 0.09 of superposition on the first is within 0.1
    assert int(n_dedicated(W, tolerance=0.05)) == 1
    assert jnp.issubdtype(n_represented(W).dtype, jnp.integer)


def test_integer_and_wide_inputs_are_accepted():
    np.testing.assert_allclose(feature_norms(np.array([[3, 0], [4, 1]])), [5, 1])
    np.testing.assert_allclose(feature_norms(np.array([[3.0, 0.0], [4.0, 1.0]])), [5, 1])


@pytest.mark.parametrize("function", EVERY)
@pytest.mark.parametrize("shape", [(), (4,), (2, 3, 4)])
def test_bad_rank_names_the_argument_the_shape_and_the_way_out(function, shape):
    with pytest.raises(ValueError, match=r"W must be one matrix") as error:
        function(np.ones(shape))
    assert str(shape) in str(error.value) and "jax.vmap" in str(error.value)
