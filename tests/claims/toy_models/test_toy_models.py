"""Numbers of Elhage et al. 2022, proven once each: F1, F6 to F9 and F11 to F14.

Reference values are those of the paper where it prints them; the others were measured
independently of this project with a plain loop (best of 8 to 64 seeds) and are marked so.
"""

import numpy as np
import pytest

import figures
from toymodels import theory
from toymodels.geometry import feature_dimensionality
from toymodels.theory import PROBLEMS
from toymodels.theory.problems import agreement

pytestmark = pytest.mark.claims

TWO_IN_ONE, THREE_IN_TWO = PROBLEMS[2, 1], PROBLEMS[3, 2]


@pytest.fixture(scope="module")
def two_dimensions():
    return figures.intro.compute()


def _gaps(W):
    """Return the angles between neighbouring represented columns, in degrees, sorted."""
    held = W[:, np.linalg.norm(W, axis=0) > 0.5]
    angles = np.sort(np.degrees(np.arctan2(held[1], held[0])))
    return np.sort(np.diff([*angles, angles[0] + 360]))


@pytest.mark.parametrize(
    ("p_active", "held", "gaps", "loss_per_feature"),
    # Losses: measured, best of 64 seeds with the notebook's loop, mean over features.
    [(1.0, 2, [90, 270], 0.03655), (0.2, 4, [90] * 4, 0.01198), (0.1, 5, [72] * 5, 0.00418)],
)
def test_two_dimensions_hold_2_4_and_5_features(
    two_dimensions, p_active, held, gaps, loss_per_feature
):
    cell = two_dimensions.sel(p_active=p_active)
    assert int(cell["n_represented"]) == held
    np.testing.assert_allclose(_gaps(cell["W"].values), gaps, atol=4)
    assert float(cell["loss"]) / 5 == pytest.approx(loss_per_feature, rel=0.04)


@pytest.mark.parametrize(
    ("p_active", "expected", "tolerance"),
    [(1.0, [1, 1, 0, 0, 0], 0.02), (0.2, [0.5] * 4 + [0], 0.02), (0.1, [0.4] * 5, 0.02)],
)
def test_dimensionality_is_one_a_half_and_two_fifths(two_dimensions, p_active, expected, tolerance):
    W = two_dimensions.sel(p_active=p_active)["W"].values
    found = np.sort(feature_dimensionality(W))[::-1]
    if p_active == 1.0:  # what is not represented has a direction, but no length to speak of
        found = np.where(np.sort(np.linalg.norm(W, axis=0))[::-1] > 0.5, found, 0)
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_bias_is_a_half_where_dropped_and_a_fifth_below_zero_in_the_pentagon(two_dimensions):
    dense, sparse = (two_dimensions.sel(p_active=p) for p in (1.0, 0.1))
    dropped = dense["norm"].values < 0.5
    np.testing.assert_allclose(dense["b"].values[dropped], 0.5, atol=0.02)
    np.testing.assert_allclose(sparse["b"].values, -0.2, atol=0.03)


@pytest.fixture(scope="module")
def twenty_in_five():
    return figures.superposition_20_5.compute()


# Represented and dedicated features by panel: measured, best of 8; the paper's by eye within ±1.
HELD = [(5, 5), (5, 5), (7, 7), (9, 10), (10, 11), (11, 12), (11, 13), (12, 15)]
ALONE = [(5, 5), (5, 5), (3, 3), (0, 1), (0, 0), (0, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize("panel", range(8))
def test_twenty_features_in_five_dimensions_are_held_as_often_as_in_the_paper(
    twenty_in_five, panel
):
    cell = twenty_in_five.isel(panel=panel)
    low, high = HELD[panel]
    assert low - 1 <= float(cell["n_represented_mean"]) <= high + 1
    assert low - 1 <= int(cell["n_represented"]) <= high + 1
    assert ALONE[panel][0] <= int(cell["n_dedicated"]) <= ALONE[panel][1]


def test_linear_model_keeps_the_top_five_and_gives_the_rest_their_mean(twenty_in_five):
    cell = twenty_in_five.isel(panel=0)
    W, b = cell["W"].values, cell["b"].values
    limit = theory.linear_limit(20, 5, cell["importance_of_feature"].values, 0.001)
    np.testing.assert_allclose(W.T @ W, limit.W.T @ limit.W, atol=0.02)
    np.testing.assert_allclose(b, limit.b, atol=0.002)
    assert np.all(cell["superposition"].values[:5] < 0.01)


def test_dense_relu_model_equals_the_linear_one(twenty_in_five):
    W = twenty_in_five.isel(panel=1)["W"].values
    b = twenty_in_five.isel(panel=1)["b"].values
    np.testing.assert_allclose(W.T @ W, np.diag([1.0] * 5 + [0.0] * 15), atol=0.02)
    np.testing.assert_allclose(b, [0.0] * 5 + [0.5] * 15, atol=0.01)


@pytest.mark.parametrize("panel", [2, 3])
def test_first_superposition_is_antipodal_pairs_of_the_less_important(twenty_in_five, panel):
    cell = twenty_in_five.isel(panel=panel)
    held = np.flatnonzero(cell["norm"].values > 0.5)
    gram = (cell["W"].values.T @ cell["W"].values)[np.ix_(held, held)]
    off = gram[~np.eye(held.size, dtype=bool)]
    assert np.all((np.abs(off) < 0.1) | (np.abs(off + 1) < 0.15))
    alone = np.flatnonzero(cell["superposition"].values[held] < 0.1)
    np.testing.assert_array_equal(alone, np.arange(alone.size))


def test_bias_turns_negative_when_sparse(twenty_in_five):
    lowest = twenty_in_five["b"].min("feature").values
    np.testing.assert_allclose(lowest[:4], 0, atol=0.02)
    assert np.all(lowest[4:] < -0.1)


def test_eighty_features_in_twenty_dimensions_look_like_a_larger_copy():
    given = ("steps=3000", "grid.seed.range=2")
    maps = figures.superposition_80_20.compute(overrides=given)
    # The paper's, by eye within ±2: dedicated 20, ~15, ~9, 2, 1, 0, 0; represented 20, 26, 32, 41,
    # 49, 50+. Two seeds of 3,000 steps differ by as much again.
    held, alone = maps["n_represented"].values, maps["n_dedicated"].values
    np.testing.assert_allclose(held[:6], [20, 20, 26, 32, 41, 49], atol=4)
    assert np.all(held[6:] >= 47)
    np.testing.assert_allclose(alone, [20, 20, 15, 9, 2, 1, 0, 0], atol=4)
    assert np.all(np.diff(held[1:6]) > 0)


@pytest.fixture(scope="module", params=[TWO_IN_ONE, THREE_IN_TWO], ids=["2-1", "3-2"])
def trained_phases(request):
    problem = request.param
    return problem, diagram(problem).compute(fast=True, overrides=("grid.seed.range=8",))


def diagram(problem):
    """Return the trained figure of a problem."""
    return getattr(figures, f"phase_diagram_{problem.n_features}_{problem.n_hidden}_sampled")


def test_trained_phases_carry_the_theorys_label_off_the_boundary(trained_phases):
    problem, maps = trained_phases
    assert maps.sizes["relative_importance"] >= 24
    assert maps.sizes["p_active"] >= 24
    # In 3-2 the phases of r < 1 and r > 1 differ only by which two features share a line: a start
    # of 8 seeds offers all three pairs in 96 % of cells. The paper gives no number for it.
    wanted = 0.98 if problem is TWO_IN_ONE else 0.90
    assert maps["agreement_outside_band"] >= wanted


def test_trained_phases_agree_better_where_steps_hold_more_active_features(trained_phases):
    problem, maps = trained_phases
    dense = maps.sel(p_active=slice(0.05, None))
    p, r = dense["p_active"].values, dense["relative_importance"].values[:, None]
    assert agreement(problem, p, r, dense["label"].values) >= 0.95


def test_trained_loss_never_beats_and_rarely_misses_the_best_explicit_solution(trained_phases):
    """The explicit solutions are upper bounds of the optimum: training may end below them."""
    problem, maps = trained_phases
    r, p = np.meshgrid(maps["relative_importance"], maps["p_active"], indexing="ij")
    losses = theory.phase_losses_2_1 if problem is TWO_IN_ONE else theory.phase_losses_3_2
    explicit = np.min(list(losses(p, r).values()), axis=0)
    dense = p > 0.1  # where the evaluation's own noise is small
    ratio = maps["loss"].values[dense] / explicit[dense]
    assert np.quantile(ratio, 0.95) < 1.05
    assert ratio.min() > 0.7


@pytest.mark.claims_full
def test_full_presets_agree_as_well(tmp_path):
    for problem in (TWO_IN_ONE, THREE_IN_TWO):
        wanted = 0.98 if problem is TWO_IN_ONE else 0.90
        assert diagram(problem).compute(out=tmp_path)["agreement_outside_band"] >= wanted
