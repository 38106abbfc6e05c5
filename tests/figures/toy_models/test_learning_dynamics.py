"""The figure `learning-dynamics`: jumps, drops and what is said of them, on made runs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from figures.kit.compute import planned
from figures.kit.entry import entry_of
from figures.toy_models import learning_dynamics as figure
from toymodels.errors import InputError

pytestmark = pytest.mark.usefixtures("paper_style")

STEPS = np.arange(0, 2001, 10)
P, SEEDS = [0.2, 0.3], [0, 1]


def runs(jumping=((0, 0), (0, 1), (1, 1)), dropping=((0, 0), (1, 1)), lost=()):
    """Runs of three features in one dimension; in some two swap at step 1000, or the loss drops."""
    rng = np.random.default_rng(0)
    D = np.broadcast_to(np.array([0.5, 0.5, 0.0]), (2, 2, len(STEPS), 3)).copy()
    curve = 1 + 0.002 * rng.normal(size=(2, 2, len(STEPS) - 1))
    for at in jumping:
        D[at][STEPS < 1000] = [0.5, 0.0, 0.5]
    for at in dropping:
        curve[at][STEPS[1:] < 1000] += 0.1
    for at in lost:
        D[at], curve[at] = np.nan, np.nan
    W = np.ones((2, 2, len(STEPS), 1, 3))
    over = ("p_active", "seed")
    diverged = [[int((i, j) in lost) for j in (0, 1)] for i in (0, 1)]
    arrays = {
        "feature_dimensionality_at_snapshot": ((*over, "snapshot", "feature"), D),
        "W_at_snapshot": ((*over, "snapshot", "hidden", "feature"), W),
        "loss_curve": ((*over, "step"), curve),
        "diverged": (over, np.array(diverged)),
    }
    coords = {"p_active": P, "seed": SEEDS, "snapshot": STEPS, "step": STEPS[1:]}
    return xr.Dataset(arrays, coords | {"n_features": 3, "n_hidden": 1})


@pytest.fixture(scope="module")
def found():
    return figure.analyse(runs())


def test_jumps_are_found_and_told_with_and_without_a_drop(found):
    np.testing.assert_array_equal(found["jump_at"], [0, 0, 1])
    np.testing.assert_array_equal(found["jump_seed"], [0, 1, 1])
    np.testing.assert_array_equal(found["jump_drop"], [1, 0, 1])
    np.testing.assert_array_equal(found["jump_moved"], [2, 2, 2])
    assert np.all(found["jump_first"] == 990)
    assert figure.claim(found).startswith(
        "Of 3 jumps of features after the start, in 4 runs, 2 coincide with a drop of the loss "
    )
    assert figure.of_density(found, 1)[:2] == (1, 1)
    assert float(found["sum_off"].max()) == 0
    caption = "; ".join(figure.caption(found))
    assert "4 of 4 runs end as digons" in caption
    assert "n = 3, m = 1, importance 1, density 0.2 and 0.3" in caption
    assert "the one with most jumps, until a while after the last, density 0.2, seed 0" in caption


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"jumping": ()}, "No feature jumps after the start, in 4 runs"),
        ({"lost": [(0, 0), (0, 1), (1, 0), (1, 1)]}, "Every run diverged"),
        ({"jumping": [(0, 1)]}, "in 4 runs, does not coincide with a drop"),
        ({"jumping": [(0, 0)], "lost": [(0, 1)]}, "in 3 runs, coincides with a drop"),
    ],
)
def test_claims_of_other_data_are_honest_and_drawn(how, said):
    found = figure.analyse(runs(**how))
    assert said in figure.claim(found)
    assert figure.caption(found)
    drawn, axes = plt.subplots(1, 3)
    assert figure.draw(found, axes) is drawn


def test_the_figure_draws_its_numbers(found):
    drawn, (top, side, below) = plt.subplots(1, 3)
    figure.draw(found, [top, side, below])
    curves = [line.get_ydata() for line in top.lines if len(line.get_xdata()) == len(STEPS)]
    np.testing.assert_allclose(np.sort(curves, axis=0), np.sort(found["shown_D"].values.T, axis=0))
    texts = [t.get_text() for t in side.texts]
    assert texts == ["1/2", "1/1", "2/3"]
    assert [t.get_text() for t in below.texts] == ["drop"]
    plt.close(drawn)


def test_an_animation_moves_through_the_run_that_is_shown(found):
    made = figure.animate(found)
    shown = plt.gcf()
    made._draw_frame(len(STEPS) - 1)
    assert shown.axes[0].get_title() == "WᵀW, step 2,000"
    np.testing.assert_allclose(shown.axes[0].images[0].get_array(), 1)
    made._draw_was_started = True
    plt.close(shown)


def test_runs_without_a_history_are_refused_before_they_run():
    with pytest.raises(InputError, match=r"snapshots are 0: give 4 or more"):
        planned(entry_of("learning-dynamics"), "tiny", ["snapshots=[]"])
