"""Cuts through the phase diagrams: first-order transitions are found, and bends are not."""

import numpy as np
import pytest

from toymodels import theory
from toymodels.errors import InputError
from toymodels.exact.cuts import (
    CUTS,
    DensityCut,
    ImportanceCut,
    Start,
    find_transitions,
    follow_cut,
)

T = np.geomspace(0.1, 1, 31)
BY_TITLE = {cut.title: cut for cut in CUTS}


def lines(*slopes):
    """Return losses that are lines in ln t through (1/3, 1), and their slopes."""
    slope = np.array(slopes)[:, None] + 0 * T
    return 1 + slope * np.log(3 * T), slope


def test_lines_that_cross_are_a_transition_between_two_points():
    np.testing.assert_allclose(find_transitions(T, *lines(0.5, 0.2)), [1 / 3], rtol=1e-6)


def test_lines_of_nearly_one_slope_and_lines_apart_are_none():
    assert find_transitions(T, *lines(0.5, 0.49)).size == 0
    loss, slope = lines(0.5, 0.2)
    assert find_transitions(T, loss + np.array([[0], [9]]), slope).size == 0


def test_a_branch_that_ends_before_the_other_begins_changes_half_way():
    loss, slope = lines(0.2, 0.5)
    loss[0, 15:] = slope[0, 15:] = np.nan
    loss[1, :15] = slope[1, :15] = np.nan
    np.testing.assert_allclose(find_transitions(T, loss, slope), [np.sqrt(T[14] * T[15])])


def test_a_cut_varies_what_it_says_and_fixes_the_other():
    ends, by_p, by_r = (0.1, 1.0), np.array([[1.0, 2, 4]]), np.array([[3.0, 5, 7]])
    density, importance = (kind("", ends, 0.3, ()) for kind in (DensityCut, ImportanceCut))
    assert (density.along, importance.along) == ("p_active", "relative_importance")
    for cut, order in ((density, 1), (importance, -1)):
        t, fixed = cut.place(T)[::order]
        np.testing.assert_array_equal(t, T)
        np.testing.assert_array_equal(fixed, np.full(31, 0.3))
    assert density.slope_along(by_p, by_r) == 7 and importance.slope_along(by_p, by_r) == 7


def test_cuts_that_cannot_be_followed_are_refused():
    with pytest.raises(InputError, match="n_points = 1: give a whole number, 2 or more"):
        follow_cut(CUTS[0], 1)
    four = DensityCut("", (0.2, 1.0), 1.0, (Start("", 0.2, ((1, -1, 0, 0),), (0, 0, 0, 0)),))
    with pytest.raises(InputError, match="n_features = 4 and n_hidden = 1"):
        follow_cut(four, 2)


@pytest.mark.claims
@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("2→1, r = 0.5", [0.4846]),
        ("2→1, density 0.65", [0.923, 1 / 0.923]),
        ("3→2, density 0.3", [1.0]),
    ],
)
def test_transitions_are_where_the_solved_optima_change(title, expected):
    found = follow_cut(BY_TITLE[title], 61)
    np.testing.assert_allclose(found.transitions, expected, rtol=0.02)


@pytest.mark.claims
def test_branches_go_on_behind_the_crossing_and_end():
    cut = BY_TITLE["2→1, r = 0.5"]
    found = follow_cut(cut, 61)
    antipodal, dropped = np.isfinite(found.loss)
    assert antipodal[0] and not antipodal[-1]  # sparse data hold the pair
    assert dropped[-1] and (found.t[antipodal].max() > found.transitions[0])
    for values in (found.slope, found.norm[..., 0], found.loss_relative):
        np.testing.assert_array_equal(np.isfinite(values), np.isfinite(found.loss))
    # Where the feature is best dropped the optimum is the explicit solution, and so is its slope.
    best = found.t > found.transitions[0]
    p, norms = found.t[best], found.norm[1, best]
    np.testing.assert_allclose(found.loss[1, best], theory.loss_drop_extra(p, 0.5), rtol=2e-5)
    np.testing.assert_allclose(found.slope[1, best], p / 6 - p**2 / 4, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(norms, np.broadcast_to([1.0, 0.0], norms.shape), atol=0.02)
    assert np.isnan(found.cosine[1, best]).all() and np.nanmax(found.cosine[0]) < -0.99
