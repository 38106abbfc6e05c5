"""The cuts: what is drawn, what is said, that a killed run goes on."""

import re

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.exact import phase_order
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from toymodels.errors import InputError
from toymodels.exact.cuts import CUTS, CutBranches

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")

N = 11


def branches(cut, points=N):
    """Straight branches, of which the last crosses the first in the middle."""
    t = np.geomspace(*cut.ends, points)
    n_features = np.shape(cut.starts[0].W)[1]
    level = np.linspace(0, 1, points)
    loss = np.stack([1 + level, *[3 + 0 * level] * (len(cut.starts) - 2), 2 - level])
    norm = np.ones((*loss.shape, n_features))
    cosine = np.zeros((*loss.shape, n_features * (n_features - 1) // 2))
    slope = np.stack([0 * level + 1, *[0 * level] * (len(cut.starts) - 2), 0 * level - 0.5])
    return CutBranches(t, loss, loss / 2, slope, norm, cosine, np.array([t[5] * 1.001]))


@pytest.fixture
def followed(monkeypatch):
    """Count what is followed, and follow in no time."""
    done = []

    def follow(cut, points):
        done.append(cut.title)
        return branches(cut, points)

    monkeypatch.setattr(phase_order, "follow_cut", follow)
    return done


def test_cuts_are_joined_and_drawn_by_their_branches(followed):
    dataset = figures.phase_order.compute(version="tiny", overrides=(f"points={N}",))
    assert dataset["cut"].values.tolist() == [cut.title for cut in CUTS] == followed
    np.testing.assert_allclose(dataset["slope_jump"], 1.5)
    drawn = figures.phase_order.draw(dataset)
    jumps, top = drawn.axes[0], drawn.axes[len(CUTS)]
    thick = [
        line.get_ydata() for line in top.lines if line.get_lw() == 2.2 and len(line.get_ydata())
    ]
    one = dataset.isel(cut=0)
    loss = one["loss"].values[:2]
    lowest = loss <= loss.min(0) * (1 + phase_order.SAME)
    for line, values, best in zip(thick, one["loss_relative"].values, lowest, strict=False):
        np.testing.assert_allclose(line, np.where(best, values, np.nan))
    (bar,) = (line for line in jumps.lines if line.get_marker() == "o")
    np.testing.assert_allclose(np.ptp(bar.get_ydata()), 1.5)
    assert [text.get_text() for text in jumps.texts] == ["150%"]
    assert jumps.get_title() == f"2→1, r = 0.5\nfirst order at {float(one['crossing'][0]):.3f}"


def test_a_killed_run_goes_on_with_the_parts_that_are_missing(followed, tmp_path, monkeypatch):
    given = {"version": "tiny", "out": tmp_path}
    follow, left = phase_order.follow_cut, [3]

    def killed(cut, points):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return follow(cut, points)

    monkeypatch.setattr(phase_order, "follow_cut", killed)
    with pytest.raises(KeyboardInterrupt):
        figures.phase_order.compute(**given)
    assert len(followed) == 3
    left[0] = 99
    figures.phase_order.compute(**given)
    assert followed == [cut.title for cut in CUTS]
    left[0] = 0
    figures.phase_order.compute(**given)  # only reads


def test_slope_jumps_are_shares_of_the_largest_slope():
    t = np.geomspace(1, 4, 5)
    loss = np.array([[0.0, 1, 2, 3, 4], [2.0, 2, 2.1, 2.2, 2.3]])
    slope = np.array([[1.0, 1, 1, 1, 4], [0.1, 0.1, 0.2, 0.1, 0.1]])
    nothing = np.zeros((2, 5, 2))
    found = CutBranches(t, loss, loss, slope, nothing, nothing, np.array([t[2] * 1.01]))
    np.testing.assert_allclose(phase_order.slope_jumps(found), [0.9])


@pytest.mark.parametrize(
    ("crossing", "words", "each"),
    [
        ([[0.5], [1.0]], "Along all two cuts.* the optimum jumps.*20% to 60%", "b: 1.000 (60%)"),
        ([[0.5], [np.nan]], "Along 1 of two cuts minima cross", "a: 0.500 (20%); b: none"),
        ([[np.nan], [np.nan]], "Along none of two cuts.*only bends", "a: none; b: none"),
    ],
)
def test_the_claim_counts_the_cuts_that_jump(crossing, words, each):
    jump = np.where(np.isnan(crossing), np.nan, [[0.2], [0.6]])
    dims = ("cut", "transition")
    arrays = {"crossing": (dims, crossing), "slope_jump": (dims, jump)}
    dataset = xr.Dataset(arrays, {"cut": ["a", "b"]})
    said = phase_order.claim(dataset)
    assert re.search(words, said), said
    assert phase_order.finding(dataset).endswith(each)


@pytest.mark.parametrize(
    ("override", "message"),
    [("points=1", "points = 1 must be at least 2"), ("seed=3", "no key for")],
)
def test_what_may_be_set_is_checked_before_anything_runs(override, message):
    with pytest.raises(InputError, match=message):
        planned(entry_of("phase-order"), "", (override,))
