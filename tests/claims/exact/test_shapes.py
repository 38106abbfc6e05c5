"""Exact shapes and levels: k-gons, F15's surfaces, and the polytopes that training finds.

The k-gons' losses are those of Chen et al. 2023 (arXiv 2310.06301), five digits; F15's minimisers
were measured independently of this project from the same closed form, three digits.
"""

import numpy as np
import pytest
from scipy.optimize import minimize

import figures
from figures.exact.k_gons import LEVELS
from toymodels.geometry import name_arrangement
from toymodels.theory import k_gon, regular_polygon

pytestmark = pytest.mark.claims

MU = (np.arange(50_000) + 0.5) / 50_000


def loss_by_quadrature(n_corners, n_positive, length, bias):
    """Return the loss of a k-gon among 6 features by the midpoint rule, float64."""
    corners = length * regular_polygon(n_corners)
    to_first = corners.T @ corners[:, 0]  # every output, the first feature active
    outputs = np.maximum(to_first[:, None] * MU + bias, 0)
    corner = np.mean((MU - outputs[0]) ** 2) + np.sum(np.mean(outputs[1:] ** 2, axis=1))
    left = 6 - n_corners
    own = (1 / 3 - 1 / 12 + 1 / 144) + 5 / 144  # of a positive bias 1/12, over all features
    return n_corners / 6 * corner + (n_positive * own + (left - n_positive) / 3) / 6


@pytest.mark.parametrize(
    ("which", "exact"),
    [((2, 0), 2 / 9), ((3, 0), 1 / 6), ((4, 0), 1 / 9), ((4, 1), 5 / 48), ((4, 2), 7 / 72)],
)
def test_levels_up_to_the_square_are_rational(which, exact):
    assert k_gon(*which).loss == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize(
    ("which", "published"),
    [
        *[((2, 0), 0.22222), ((3, 0), 0.16667), ((4, 0), 0.11111), ((4, 1), 0.10417)],
        *[((4, 2), 0.09722), ((5, 0), 0.06874), ((5, 1), 0.06180), ((6, 0), 0.04819)],
    ],
)
def test_levels_are_the_published_ones_and_those_of_quadrature(which, published):
    gon = k_gon(*which)
    assert gon.loss == pytest.approx(published, abs=5.01e-6)  # half of the last digit
    best = minimize(
        lambda at: loss_by_quadrature(*which, *at), [1.1, -0.1], method="Nelder-Mead", tol=1e-7
    )
    assert gon.loss == pytest.approx(best.fun, rel=1e-5)


@pytest.mark.parametrize(
    ("n_corners", "length", "bias"), [(4, 1, 0), (5, 1.1705, -0.2823), (6, 1.3205, -0.6181)]
)
def test_length_and_bias_of_the_k_gons(n_corners, length, bias):
    gon = k_gon(n_corners)
    np.testing.assert_allclose(np.linalg.norm(gon.W, axis=0)[:n_corners], length, atol=1e-4)
    np.testing.assert_allclose(gon.b[:n_corners], bias, atol=1e-4)


def test_levels_of_another_number_of_features():
    assert k_gon(3, 1, n_features=8).loss == pytest.approx(5 / 24 - 1 / 256, rel=1e-6)


@pytest.fixture(scope="module")
def trained():
    return figures.k_gons.compute()


def test_every_run_ends_on_a_level_and_none_below(trained):
    reached, last = trained["level_of_run"].values, trained["loss"].values[:, :, -1]
    on = reached < len(LEVELS)
    assert np.mean(on) >= 0.98
    above = last[on] / trained["level_loss"].values[reached[on]] - 1
    assert above.min() > -1e-5
    assert above.max() < 2e-3
    names = trained["level"].values[np.unique(reached[on])]
    assert {"4⁺⁺", "5⁺", "6"} <= set(names) and len(names) >= 5
    assert trained["loss"].values.min() >= k_gon(6).loss * (1 - 1e-5)  # none beats the 6-gon


def test_the_shape_of_a_run_is_the_k_gon_of_its_level(trained):
    """From 4 corners on: 3 unit columns lose the same at any angles of 90° and more."""
    shapes = {4: "digon + digon, 2 dropped", 5: "pentagon, 1 dropped", 6: "hexagon"}
    W, reached = trained["W"].values[:, :, -1], trained["level_of_run"].values
    names = {
        (LEVELS[level][0], name_arrangement(W[cell]))
        for cell, level in np.ndenumerate(reached)
        if level < len(LEVELS) and LEVELS[level][0] >= 4
    }
    assert names == set(shapes.items())


def test_runs_wait_on_a_level_and_then_leave_it(trained):
    """They are within 2 % of it while the steps grow by 60 % (4) and more (2, 5)."""
    steps, loss = trained["snapshot"].values, trained["loss"].values
    for name, growth in (("2", 1.8), ("4", 1.6), ("5", 2.0)):
        level = float(trained["level_loss"].sel(level=name))
        near = (np.abs(loss / level - 1) < 0.02).reshape(-1, len(steps))
        passed = [steps[run] for run in near if run.any() and not run[-1]]
        assert sum(times[-1] >= growth * times[0] for times in passed) >= 2, name


def test_a_small_start_first_answers_with_the_mean(trained):
    flat = trained.isel(init_scale=0).sel(snapshot=slice(20, 60))["loss"].values
    np.testing.assert_allclose(flat, k_gon(0, 6).loss, rtol=0.02)


@pytest.fixture(scope="module")
def surfaces():
    return figures.loss_surface_2_1.compute()


@pytest.mark.parametrize(
    ("r", "p", "w"),
    [
        *[(1.0, 1.0, (0.707, 0.707)), (1.0, 0.8, (0.707, 0.707)), (1.0, 0.6, (0.707, 0.707))],
        *[(1.0, 0.5, (1.049, -1.049)), (1.0, 0.3, (1.024, -1.024))],
        *[(0.1, 1.0, (0.913, 0.234)), (0.1, 0.3, (0.997, 0.027))],
        *[(0.1, 0.2, (1.030, -0.689)), (0.1, 0.1, (1.014, -0.926))],
    ],
)
def test_best_minimum_of_the_surface_is_where_it_was_measured(surfaces, r, p, w):
    cell = surfaces.sel(relative_importance=r).sel(p_active=p, method="nearest", tolerance=1e-9)
    best = int(np.nanargmin(cell["track_loss"].values))
    np.testing.assert_allclose(cell["track"].values[best], w, atol=6e-4)


def test_two_inequivalent_minima_and_a_confused_one(surfaces):
    found = surfaces.isel(surface=surfaces["r_of_surface"].values == 1)
    assert not found["minimum"].isnull().any()  # both branches, at every density shown
    same = found.sel(branch="same sign")
    np.testing.assert_allclose(same["minimum"], 0.5**0.5, atol=1e-6)
    loss, p = same["minimum_loss"].values, found["p_of_surface"].values
    np.testing.assert_allclose(loss, p / 3 - p**2 / 4, rtol=1e-6)  # drops one feature's worth


def test_sign_of_w2_jumps_while_each_branch_moves_continuously(surfaces):
    np.testing.assert_allclose(surfaces["jump"], [0.582, 0.558, 0.210], atol=2e-3)
    w2 = surfaces["jump_weight"].sel(weight="w2").values
    assert np.all(w2[:, 0] > 0) and np.all(w2[:, 1] < -0.6)
    steps = np.abs(np.diff(surfaces["track"].values, axis=1))
    assert np.nanmax(steps) < 0.08


def test_two_dimensions_hold_a_basis_then_digons_then_a_pentagon():
    best = figures.intro.compute(fast=True)
    names = [name_arrangement(best.sel(p_active=p)["W"].values) for p in (1.0, 0.2, 0.1)]
    assert names == ["dedicated + dedicated, 3 dropped", "digon + digon, 1 dropped", "pentagon"]
