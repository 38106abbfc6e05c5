"""What cannot be solved is refused in words, before anything is compiled."""

import numpy as np
import pytest
import xarray as xr

from toymodels.errors import InputError
from toymodels.exact.solver import solve

ONE = (np.ones((1, 2, 3)), np.ones((1, 3)))


@pytest.mark.parametrize(
    ("p", "importance", "n_hidden", "message"),
    [
        ([0.5, 1.2], 1.0, 1, r"p_active must lie in \[0, 1\].*1\.2"),
        ([0.5, np.nan], 1.0, 1, r"p_active must lie in \[0, 1\].*nan"),
        (None, [1.0, 1.0], 1, "p_active = None: give real numbers"),
        ("half", [1.0, 1.0], 1, "p_active = 'half': give real numbers"),
        ([[0.5], [0.5, 0.5]], 1.0, 1, "p_active is no array of numbers"),
        ([0.5, 0.5], [1.0, -1.0], 1, r"importance must be finite.*-1\.0"),
        ([0.5, 0.5], [1.0, np.nan], 1, "importance must be finite.*nan"),
        ([0.5, 0.5], [1.0, 1e39], 1, "importance must be finite in float32.*1e\\+39"),
        ([0.5, 0.5], [[1.0], [0.5]], 1, r"importance of shape \(2, 1\) is a column.*\[2\]"),
        ([[0.5], [0.2]], [1.0, 0.5], 1, r"p_active of shape \(2, 1\) is a column"),
        (
            [0.5] * 3,
            [1.0, 1.0],
            1,
            r"has shape \(3,\).*\(2,\): give shapes that broadcast",
        ),
        (0.5, 1.0, 1, r"\[F\]"),
        (np.zeros((0, 2)), 1.0, 1, r"no cells.*\(0, 2\)"),
        ([0.5] * 7, 1.0, 2, "7 features.*2 to 6"),
        ([0.5] * 3, 1.0, 3, "n_hidden.*got 3"),
        ([0.5] * 3, 1.0, 2.0, "n_hidden = 2.0: give a whole number"),
    ],
)
def test_cells_that_are_none(p, importance, n_hidden, message):
    with pytest.raises(InputError, match=message):
        solve(p, importance, n_hidden)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"n_starts": 0}, "n_starts = 0: give a whole number, from 1 to 10,000"),
        ({"n_starts": 10**9}, "n_starts = 1000000000: give"),
        ({"n_starts": True}, "n_starts = True: give a whole number"),
        ({"n_starts": 2.5}, "n_starts = 2.5: give a whole number"),
        ({"seed": -1}, "seed = -1"),
        ({"starts": (np.ones((1, 2, 2)), np.ones((1, 3)))}, r"S, 2, 3"),
        ({"starts": (ONE[0] * np.nan, ONE[1])}, "starts hold numbers that are not finite"),
        ({"starts": (ONE[0] * 1e30, ONE[1])}, r"above 1e\+06"),
        ({"starts": ONE, "n_starts": 3}, "n_starts = 3 and starts are given"),
    ],
)
def test_starts_that_are_none(more, message):
    with pytest.raises(InputError, match=message):
        solve([0.5] * 3, 1.0, 2, **more)


def test_labelled_arrays_of_other_axes_are_not_paired_by_position():
    p = xr.DataArray(np.full((2, 2), 0.5), dims=("p_active", "feature"))
    importance = xr.DataArray(np.ones((2, 2)), dims=("seed", "feature"))
    with pytest.raises(InputError, match="the same axes first"):
        solve(p, importance, 1)
