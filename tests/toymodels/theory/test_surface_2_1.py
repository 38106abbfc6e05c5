"""The minima of two features in one dimension without bias, against grids and each other."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.theory.surface_2_1 import find_jumps, find_minima, loss_2_1_without_bias

R = np.array([1.0, 0.5, 0.1])
TRACK = np.linspace(0.01, 1, 51)


@pytest.fixture(scope="module")
def track():
    return find_minima(TRACK, R[:, None])


def lowest_cell(r, p, half):
    """Find the lowest point of a fine grid over one branch, far from the Newton search."""
    w1, w2 = np.linspace(0.0, 1.6, 641), half * np.linspace(0.0, 1.6, 641)
    loss = loss_2_1_without_bias(w1[:, None], w2[None], p, r)
    i, j = np.unravel_index(loss.argmin(), loss.shape)
    return np.array([w1[i], w2[j]])


@pytest.mark.parametrize("r", [1.0, 0.1])
@pytest.mark.parametrize("p", [0.1, 0.3, 1.0])
def test_best_minimum_is_the_lowest_point_of_a_grid(r, p):
    found = find_minima(p, r)
    best = int(np.nanargmin(found.loss))
    np.testing.assert_allclose(found.w[best], lowest_cell(r, p, (1, -1)[best]), atol=0.004)


def test_minima_are_lower_than_everything_around_them(track):
    circle = 0.001 * np.stack([np.cos(np.arange(16)), np.sin(np.arange(16))])
    assert np.isnan(track.w).mean() < 0.4
    for (i, j, k), least in np.ndenumerate(track.loss):
        if np.isnan(least):
            continue
        w1, w2 = track.w[i, j, k]
        assert w1 > 0 and (w2 < 0) == bool(k)
        around = loss_2_1_without_bias(w1 + circle[0], w2 + circle[1], TRACK[j], R[i])
        assert np.all(around > least)


def test_minima_move_continuously_within_a_branch_and_the_best_one_jumps_once(track):
    jumps = find_jumps(TRACK, R, track.loss)
    for r, w, loss, jump in zip(R, track.w, track.loss, jumps, strict=True):
        assert np.nanmax(np.abs(np.diff(w, axis=0))) < 0.12
        best = np.nanargmin(loss, axis=1)
        assert np.count_nonzero(np.diff(best)) == 1
        at = TRACK[np.flatnonzero(np.diff(best))[0]]
        assert at <= jump <= at + np.diff(TRACK)[0]
        same, opposite = find_minima(jump, r).loss
        assert same == pytest.approx(opposite, rel=1e-5)
    np.testing.assert_allclose(jumps, [0.582, 0.558, 0.210], atol=2e-3)


def test_no_change_of_branch_is_no_jump(track):
    sparse = TRACK < 0.15
    assert np.isnan(find_jumps(TRACK[sparse], R, track.loss[:, sparse])).all()


def test_a_flat_loss_has_no_minima_to_find():
    for p, r in ((0.0, 1.0), (0.5, 0.0)):
        with pytest.raises(InputError, match="above 0"):
            find_minima(p, r)
    with pytest.raises(InputError, match=r"p_active must lie in \[0, 1\], got 1\.2"):
        find_minima(1.2, 1.0)
