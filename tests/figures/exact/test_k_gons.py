"""The k-gons: levels that runs pass and end on, what is drawn, what is refused."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import figures
from figures.exact import k_gons
from figures.kit import style
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from toymodels.errors import InputError
from toymodels.theory import k_gon

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


@pytest.fixture(scope="module")
def staircase():
    """A result as of training, with two seeds that go down a staircase of k-gons."""
    ways = [[(0, 6), (4, 2), (5, 1)], [(2, 0), (5, 0), (6, 0)]]
    gons = [[k_gon(*which) for which in way] for way in ways]
    W, b = (np.array([[[getattr(g, n) for g in way] for way in gons]]) for n in ("W", "b"))
    runs = ("init_scale", "seed", "snapshot")
    variables = {
        "diverged": (runs[:2], np.zeros((1, 2), np.int8)),
        "W_at_snapshot": ((*runs, "hidden", "feature"), W),
        "b_at_snapshot": ((*runs, "feature"), b),
    }
    return xr.Dataset(variables, {"init_scale": [0.1], "seed": [0, 1], "snapshot": [0, 10, 100]})


@pytest.fixture(scope="module")
def found(staircase):
    return figures.k_gons.analyse(staircase)


def test_runs_are_found_on_the_levels_that_they_pass_and_end_on(found):
    names = found["level"].values.tolist()
    assert names == ["2", "3", "4", "4⁺", "4⁺⁺", "5", "5⁺", "6"]
    levels = dict(zip(names, found["level_loss"].values, strict=True))
    passed = [[7 / 24, levels["4⁺⁺"], levels["5⁺"]], [2 / 9, levels["5"], levels["6"]]]
    np.testing.assert_allclose(found["loss"][0], passed, rtol=1e-6)
    assert found["level_of_run"].values.tolist() == [[6, 7]]
    assert found["n_ended"].values.tolist() == [[0, 0, 0, 0, 0, 0, 1, 1]]


def test_a_run_between_levels_is_on_none():
    levels = np.array([0.2, 0.1])
    found = k_gons.level_of(np.array([0.2, 0.1005, 0.15]), levels)
    assert found.tolist() == [0, 1, 2]


def test_levels_and_curves_are_drawn(found):
    drawn = figures.k_gons.draw(found)
    heights = [line.get_ydata()[0] for line in drawn.axes[0].lines if line.get_xdata()[-1] == 1]
    np.testing.assert_allclose(heights[:8], found["level_loss"])
    curves = [line.get_ydata() for line in drawn.axes[0].lines if line.get_xdata()[-1] == 100]
    np.testing.assert_allclose(curves, found["loss"][0, :, 1:])
    texts = " ".join(t.get_text() for t in drawn.findobj(mpl.text.Text))
    assert "5⁺-gon: one seed" in texts and "0.06180" in texts
    low, high = drawn.axes[0].get_ylim()
    assert low < float(found["level_loss"].min()) and float(found["loss_of_nothing"]) < high


def test_names_of_levels_stand_apart(found):
    drawn = figures.k_gons.draw(found)
    drawn.canvas.draw()
    boxes = [text.get_window_extent() for text in drawn.axes[0].texts]
    assert len(boxes) == 9
    for box, above in itertools.pairwise(boxes):
        assert above.y0 > box.y0 and not box.overlaps(above)


def test_a_column_without_output_is_grey(found):
    silent = found.copy(deep=True)
    silent["b"][0, 1, -1, 2] = -5.0  # of the run that ended as a hexagon
    ax = next(a for a in figures.k_gons.draw(silent).axes if a.get_title() == "6-gon")
    colors = ax.collections[1].get_facecolors()
    grey = np.all(np.isclose(colors[:, :3], mpl.colors.to_rgb(style.GREY)), axis=1)
    assert grey.tolist() == [False, False, True, False, False, False]


def test_the_claim_counts_runs_by_level(found):
    said = k_gons.claim(found)
    assert said == (
        "All two runs end within 1% of the exact loss of a k-gon: 5⁺-gon (1) and 6-gon (1)"
    )
    one = found.assign(n_ended=found["n_ended"].where(found["level"] == "6", 0))
    assert k_gons.claim(one).startswith("1 of two runs end")
    none = found.assign(n_ended=found["n_ended"] * 0)
    assert k_gons.claim(none) == "None of two runs ends on the exact loss of a k-gon"
    assert "b = 1/12" in " ".join(k_gons.caption(found))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("n_features=5", "n_features = 5.*about n_features = 6"),
        ("n_hidden=3", "n_hidden = 3"),
        ("model=linear", "model = linear"),
        ("features.values=signed_uniform", "features.values = signed_uniform"),
        ("snapshots=[0, 20000]", "at least two steps after 0"),
    ],
)
def test_what_the_closed_form_does_not_cover_is_refused_before_training(override, message):
    with pytest.raises(InputError, match=message):
        planned(entry_of("k-gons"), "", (override,))
