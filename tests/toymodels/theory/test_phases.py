"""Check the closed forms against simulation, direct optimisation and each other."""

import numpy as np
import pytest
import scipy.optimize

from toymodels.theory import (
    PHASES_2_1,
    PHASES_3_2,
    POLYTOPE_DIMENSIONALITY,
    TRIPLE_POINT,
    boundary_2_1,
    boundary_3_2,
    linear_limit,
    loss_drop_extra,
    loss_drop_other,
    loss_extra_antipodal,
    loss_others_antipodal,
    phase_label_2_1,
    phase_label_3_2,
    phase_losses_2_1,
    phase_losses_3_2,
    regular_polygon,
)

# label -> (W, the features that are dropped and therefore carry a bias p/2)
WEIGHTS_2_1 = {
    "not represented": ([[1, 0]], [1]),
    "dedicated": ([[0, 1]], [0]),
    "antipodal": ([[1, -1]], []),
}
WEIGHTS_3_2 = {
    "not represented": ([[1, 0, 0], [0, 1, 0]], [2]),
    "antipodal": ([[1, 0, 0], [0, 1, -1]], []),
    "dedicated, others antipodal": ([[1, -1, 0], [0, 0, 1]], []),
    "dedicated, another dropped": ([[0, 1, 0], [0, 0, 1]], [0]),
}
RELATIVE_IMPORTANCE = np.logspace(-1, 1, 60)
P_ACTIVE = np.linspace(0.01, 1, 60)


def simulated_loss(W, dropped, p_active, relative_importance, n_samples=200_000):
    """Return mean and standard error of the ReLU model's loss, summed over features."""
    W = np.asarray(W, np.float64)
    n = W.shape[1]
    rng = np.random.default_rng(7)
    x = rng.uniform(size=(n_samples, n)) * (rng.uniform(size=(n_samples, n)) < p_active)
    b = np.zeros(n)
    b[dropped] = p_active / 2
    importance = np.ones(n)
    importance[-1] = relative_importance
    y = np.maximum(x @ (W.T @ W) + b, 0)
    loss = (x - y) ** 2 @ importance
    return loss.mean(), loss.std() / n_samples**0.5


@pytest.mark.parametrize("p_active", [0.05, 0.4, 4 / 7, 1.0])
@pytest.mark.parametrize(
    ("weights", "losses"),
    [(WEIGHTS_2_1, phase_losses_2_1), (WEIGHTS_3_2, phase_losses_3_2)],
    ids=["2 in 1", "3 in 2"],
)
def test_losses_equal_the_simulated_relu_model(weights, losses, p_active):
    expected = losses(p_active, 0.3)
    for label, (W, dropped) in weights.items():
        mean, error = simulated_loss(W, dropped, p_active, 0.3)
        assert abs(mean - expected[label]) < 4 * error, label


def test_losses_have_the_values_of_the_formulas_by_hand():
    assert loss_drop_other(0.6) == pytest.approx(0.11)
    assert loss_drop_extra(0.6, 2.0) == pytest.approx(0.22)
    assert loss_extra_antipodal(0.6, 2.0) == pytest.approx(0.18)
    assert loss_others_antipodal(0.6) == pytest.approx(0.12)


@pytest.mark.parametrize("relative_importance", [0.1, 1.0, 4.0])
def test_dense_optimum_is_a_twelfth_of_the_smaller_importance(relative_importance):
    for losses in (phase_losses_2_1, phase_losses_3_2):
        least = min(losses(1.0, relative_importance).values())
        expected = min(1, relative_importance) / 12
        assert least == pytest.approx(expected)


def test_keys_of_the_losses_are_the_exported_labels_in_order():
    assert tuple(phase_losses_2_1(0.5, 1.0)) == PHASES_2_1 == tuple(WEIGHTS_2_1)
    assert tuple(phase_losses_3_2(0.5, 1.0)) == PHASES_3_2 == tuple(WEIGHTS_3_2)


def test_arguments_broadcast_and_scalars_stay_scalars():
    grid = phase_losses_3_2(P_ACTIVE[:, None], RELATIVE_IMPORTANCE)
    assert {value.shape for value in grid.values()} == {(60, 60)}
    for label, value in phase_losses_3_2(P_ACTIVE[3], RELATIVE_IMPORTANCE[5]).items():
        assert np.ndim(value) == 0 and value == grid[label][3, 5]
    assert np.shape(phase_label_2_1(P_ACTIVE[:, None], RELATIVE_IMPORTANCE)) == (60, 60)
    assert type(phase_label_2_1(0.1, 1.0)) is str


def labels_from_boundary(curve, below, above):
    """Paint the map from the curve alone: (label for r < 1, label for r > 1) on either side."""
    r = RELATIVE_IMPORTANCE[None, :]
    is_below = P_ACTIVE[:, None] < curve(r)
    return np.where(is_below, np.where(r < 1, *below), np.where(r < 1, *above))


def test_map_of_least_loss_equals_the_boundary_cell_by_cell_for_2_in_1():
    expected = labels_from_boundary(
        boundary_2_1, ("antipodal", "antipodal"), ("not represented", "dedicated")
    )
    found = np.asarray(phase_label_2_1(P_ACTIVE[:, None], RELATIVE_IMPORTANCE))
    assert set(PHASES_2_1) == set(found.ravel())
    np.testing.assert_array_equal(found, expected)


def test_map_of_least_loss_equals_the_boundary_cell_by_cell_for_3_in_2():
    expected = labels_from_boundary(
        boundary_3_2,
        ("antipodal", "dedicated, others antipodal"),
        ("not represented", "dedicated, another dropped"),
    )
    found = np.asarray(phase_label_3_2(P_ACTIVE[:, None], RELATIVE_IMPORTANCE))
    assert set(PHASES_3_2) == set(found.ravel())
    np.testing.assert_array_equal(found, expected)


def test_label_is_the_one_of_least_loss_where_no_two_tie():
    losses = phase_losses_3_2(P_ACTIVE[:, None], RELATIVE_IMPORTANCE)
    least = np.argmin(np.stack(list(losses.values())), axis=0)
    found = phase_label_3_2(P_ACTIVE[:, None], RELATIVE_IMPORTANCE)
    np.testing.assert_array_equal(found, np.array(PHASES_3_2)[least])


def test_every_loss_that_meets_at_the_triple_point_is_equal_there():
    r, p = TRIPLE_POINT
    for losses in (phase_losses_2_1, phase_losses_3_2):
        assert list(losses(p, r).values()) == pytest.approx([16 / 147] * len(losses(p, r)))
    assert boundary_2_1(r) == pytest.approx(p) and boundary_3_2(r) == pytest.approx(p)


@pytest.mark.parametrize(
    ("relative_importance", "density"), [(0.1, 0.16), (10, 0.16), (0.5, 4 / 9), (2, 4 / 9), (0, 0)]
)
def test_boundary_for_2_in_1_has_the_published_values(relative_importance, density):
    assert boundary_2_1(relative_importance) == pytest.approx(density)


def test_boundary_for_3_in_2_is_the_same_curve_and_then_level():
    r = np.array([0.1, 0.5, 1.0, 3.0, 10.0])
    np.testing.assert_allclose(boundary_3_2(r), [0.16, 4 / 9, 4 / 7, 4 / 7, 4 / 7])
    np.testing.assert_allclose(boundary_2_1(r[:3]), boundary_3_2(r[:3]))


def test_two_losses_are_equal_on_the_boundary():
    r = np.logspace(-3, 3, 61)
    for losses, curve in ((phase_losses_2_1, boundary_2_1), (phase_losses_3_2, boundary_3_2)):
        ranked = np.sort(np.stack(list(losses(curve(r), r).values())), axis=0)
        np.testing.assert_allclose(ranked[1], ranked[0], rtol=1e-12)


def test_ties_go_to_the_earlier_label():
    for label in (phase_label_2_1, phase_label_3_2):
        assert label(0.0, 0.3) == label(0.0, 7.0) == "not represented"
        assert label(0.8, 1.0) == label(4 / 7, 1.0) == "not represented"
        low = np.logspace(-3, 0, 101)
        assert set(label(boundary_3_2(low), low)) == {"not represented"}
    assert phase_label_3_2(0.3, 1.0) == "antipodal"
    high = np.logspace(0.01, 3, 101)
    assert set(phase_label_2_1(boundary_2_1(high), high)) == {"dedicated"}
    assert set(phase_label_3_2(boundary_3_2(high), high)) == {"dedicated, others antipodal"}


def test_feature_without_importance_is_not_represented():
    assert phase_label_2_1(0.01, 0.0) == phase_label_3_2(0.01, 0.0) == "not represented"


@pytest.mark.parametrize("p_active", [-0.1, 1.1, np.nan, np.inf])
def test_density_outside_0_1_is_refused_with_its_value(p_active):
    for function in (phase_label_2_1, phase_label_3_2, phase_losses_2_1, loss_extra_antipodal):
        with pytest.raises(ValueError, match=rf"p_active must lie in \[0, 1\], got {p_active}"):
            function(np.array([0.5, p_active]), 1.0)
    with pytest.raises(ValueError, match="p_active"):
        loss_others_antipodal(p_active)


@pytest.mark.parametrize("relative_importance", [-1.0, np.nan, np.inf])
def test_bad_importance_is_refused_with_its_value(relative_importance):
    message = rf"relative_importance must be finite and at least 0, got {relative_importance}"
    for function in (boundary_2_1, boundary_3_2):
        with pytest.raises(ValueError, match=message):
            function(relative_importance)
    with pytest.raises(ValueError, match=message):
        phase_label_3_2(0.5, relative_importance)
    with pytest.raises(ValueError, match=r"^importance must be"):
        linear_limit(2, 1, relative_importance, 0.5)


def linear_loss(flat, n_hidden, importance, variance):
    """Return the tied linear model's exact loss with its best bias, for any W."""
    W = flat.reshape(n_hidden, -1)
    miss = np.eye(len(variance)) - W.T @ W
    return np.sum(importance[:, None] * miss**2 * variance)


@pytest.mark.parametrize("seed", range(4))
def test_no_tied_linear_model_found_by_descent_beats_the_linear_limit(seed):
    rng = np.random.default_rng(seed)
    importance, p = rng.uniform(0.2, 2, size=5), rng.uniform(0.05, 1, size=5)
    variance = p / 3 - p**2 / 4
    limit = linear_limit(5, 2, importance, p)
    found = [
        scipy.optimize.minimize(
            linear_loss, 0.5 * rng.normal(size=10), args=(2, importance, variance)
        ).fun
        for _ in range(8)
    ]
    assert min(found) == pytest.approx(limit.loss, rel=1e-5)
    assert linear_loss(limit.W.ravel(), 2, importance, variance) == pytest.approx(limit.loss)


def test_linear_limit_has_the_loss_of_its_own_weights_in_simulation():
    importance, p = 0.7 ** np.arange(6), np.array([0.1, 1.0, 0.3, 0.02, 0.5, 0.9])
    W, b, loss = linear_limit(6, 2, importance, p)
    rng = np.random.default_rng(3)
    x = rng.uniform(size=(200_000, 6)) * (rng.uniform(size=(200_000, 6)) < p)
    losses = (x - x @ (W.T @ W) - b) ** 2 @ importance
    assert abs(losses.mean() - loss) < 4 * losses.std() / len(losses) ** 0.5


@pytest.mark.parametrize("p", [1.0, 0.1, 0.01])
def test_linear_limit_keeps_the_top_features_and_biases_the_others(p):
    W, b, loss = linear_limit(20, 5, 0.7 ** np.arange(20), p)
    np.testing.assert_array_equal(W.T @ W, np.diag([1.0] * 5 + [0.0] * 15))
    np.testing.assert_allclose(b, [0] * 5 + [p / 2] * 15)
    assert loss == pytest.approx((0.7 ** np.arange(5, 20)).sum() * (p / 3 - p**2 / 4))


def test_linear_limit_weighs_density_as_well_as_importance():
    # Var is largest at p = 2/3, so the middle feature is worth more than the dense ones.
    W, b, _ = linear_limit(3, 1, 1.0, [1.0, 2 / 3, 0.1])
    np.testing.assert_array_equal(W, [[0, 1, 0]])
    np.testing.assert_allclose(b, [0.5, 0, 0.05])


def test_linear_limit_of_equal_features_keeps_the_first():
    np.testing.assert_array_equal(linear_limit(4, 2, 1.0, 0.3).W, np.eye(2, 4))


def test_linear_limit_with_room_for_all_is_exact():
    W, b, loss = linear_limit(3, 5, 1.0, 0.3)
    np.testing.assert_array_equal(W.T @ W, np.eye(3))
    assert W.shape == (5, 3) and loss == 0 and not b.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 1.0, 0.5), "n_features = 0: give a whole number, 1 or more"),
        ((3, 0, 1.0, 0.5), "n_hidden = 0: give a whole number, 1 or more"),
        ((3, 1, [1.0, 2.0], 0.5), r"importance must be a number or have shape \(3,\)"),
        ((3, 1, 1.0, [[0.5]]), r"p_active must be a number or have shape \(3,\)"),
        ((3, 1, 1.0, 1.5), r"p_active must lie in \[0, 1\], got 1.5"),
    ],
)
def test_linear_limit_refuses_bad_arguments_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        linear_limit(*arguments)


@pytest.mark.parametrize("n", [3, 4, 5, 8])
def test_regular_polygon_is_a_tight_frame_of_unit_columns(n):
    W = regular_polygon(n)
    np.testing.assert_allclose(W @ W.T, n / 2 * np.eye(2), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 1)
    neighbours = np.sum(W * np.roll(W, 1, axis=1), axis=0)
    np.testing.assert_allclose(neighbours, np.cos(2 * np.pi / n), atol=1e-12)


def test_regular_polygon_of_two_is_the_digon_and_of_one_is_refused():
    np.testing.assert_allclose(regular_polygon(2), [[1, -1], [0, 0]], atol=1e-12)
    with pytest.raises(ValueError, match="n = 1: give a whole number, 2 or more"):
        regular_polygon(1)


def test_polytope_dimensionality_is_dimensions_over_vertices():
    counts = {
        "digon": (1, 2), "triangle": (2, 3), "tetrahedron": (3, 4), "square": (2, 4),
        "pentagon": (2, 5), "hexagon": (2, 6), "octahedron": (3, 6),
        "square antiprism": (3, 8), "icosahedron": (3, 12),
    }  # fmt: skip
    assert {name: m / n for name, (m, n) in counts.items()} == pytest.approx(
        dict(POLYTOPE_DIMENSIONALITY)
    )
