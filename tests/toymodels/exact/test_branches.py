"""Branches: minima followed through parameter space, against the solver and closed forms."""

import numpy as np
import pytest

from toymodels import theory
from toymodels.errors import InputError
from toymodels.exact import crossing, follow, slope, solve

DENSITIES = np.linspace(0.3, 0.6, 31)


def cells(densities, relative_importance=0.5):
    p = np.broadcast_to(densities[:, None, None], (len(densities), 1, 2))
    weight = np.ones_like(p)
    weight[..., 1] = relative_importance
    return p, weight


@pytest.fixture(scope="module")
def antipodal():
    return follow([[1, -1]], [0, 0], *cells(DENSITIES))


def test_dropped_branch_has_the_closed_forms_loss():
    p, weight = cells(np.linspace(0.55, 0.9, 8))
    branch = follow([[1, 0]], [0, 0.3], p, weight)
    expected = theory.loss_drop_extra(p[:, 0, 0], 0.5)
    np.testing.assert_allclose(branch.loss[:, 0], expected, rtol=2e-6)
    np.testing.assert_allclose(branch.b[:, 0, 1], p[:, 0, 0] / 2, atol=1e-3)


@pytest.mark.claims
def test_a_branch_is_the_optimum_before_the_crossing_and_metastable_behind_it(antipodal):
    optimum = solve(*(a[:, 0] for a in cells(DENSITIES)), 1).loss
    ratio = antipodal.loss[:, 0] / optimum
    before, behind = DENSITIES < 0.48, (DENSITIES > 0.49) & (DENSITIES < 0.5)
    np.testing.assert_allclose(ratio[before], 1, atol=1e-5)
    assert np.all(ratio[behind] > 1.001)
    assert np.all(antipodal.W[behind, 0, 0, 1] * antipodal.W[behind, 0, 0, 0] < -0.3)


def test_slope_is_the_derivative_of_the_loss_along_the_branch(antipodal):
    by_p, by_importance = slope(antipodal, *cells(DENSITIES))
    measured = np.gradient(antipodal.loss[:15, 0].astype(float), DENSITIES[:15])
    np.testing.assert_allclose(by_p[1:14, 0].sum(-1), measured[1:-1], rtol=5e-3)
    assert np.all(by_importance >= 0)


@pytest.mark.claims
def test_several_branches_side_by_side_are_those_alone(antipodal):
    p, weight = (np.repeat(a, 2, axis=1) for a in cells(DENSITIES[:5]))
    both = follow(np.array([[[1, -1]], [[1, 0]]]), np.zeros((2, 2)), p, weight)
    np.testing.assert_allclose(both.loss[:, 0], antipodal.loss[:5, 0], rtol=1e-5)


def test_points_of_another_shape_are_refused(antipodal):
    p, weight = cells(DENSITIES)
    with pytest.raises(InputError, match=r"\[points, branches, features\]"):
        follow([[1, -1]], [0, 0], p[:, 0], weight[:, 0])
    with pytest.raises(InputError, match=r"shape \(31, 1, 2\) and importance \(2,\)"):
        slope(antipodal, p, [1.0, 0.5])


def test_crossing_is_the_root_to_the_halvings_precision():
    low, high = np.array([0.1, 1.0, 1.0]), np.array([10.0, 4.0, 4.0])
    found = crossing(lambda t: np.array([t[0] - 2, 3 - t[1], t[2] + 1]), low, high, 20)
    np.testing.assert_allclose(found[:2], [2, 3], rtol=1e-5)
    assert np.isnan(found[2])
