"""The figures of the group "exact", by the numbers they draw."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from figures import k_gons, loss_surface_2_1
from figures.recipe import refuse_overrides
from toymodels.errors import InputError
from toymodels.theory import k_gon

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


@pytest.fixture(scope="module")
def surfaces():
    return loss_surface_2_1.compute(fast=True)


def test_surface_figure_draws_its_numbers(surfaces):
    drawn = loss_surface_2_1.draw(surfaces)
    texts = [ax.get_title() for ax in drawn.axes]
    assert "r = 1, p = 0.3\nbest (1.02, −1.02): antipodal" in texts
    assert "r = 0.1, p = 0.2\nbest (1.03, −0.69)" in texts
    marks = [tuple(np.round(line.get_xydata()[0], 3)) for line in drawn.axes[3].lines]
    assert sorted(marks) == [(0.707, 0.707), (1.024, -1.024)]
    filled = [line.get_markerfacecolor() for line in drawn.axes[3].lines]
    assert filled == ["none", "white"]


def test_surface_figure_has_nothing_to_set_but_takes_a_seed():
    with pytest.raises(InputError, match="steps=3"):
        loss_surface_2_1.compute(overrides=("steps=3",))
    refuse_overrides("loss-surface-2-1", ("seed=3",))  # of `toymodels figure --all --seed 3`


@pytest.fixture(scope="module")
def staircase():
    """A result as of training, with two seeds that go down a staircase of k-gons."""
    ways = [[(0, 6), (4, 2), (5, 1)], [(2, 0), (5, 0), (6, 0)]]
    gons = [[k_gon(*which) for which in way] for way in ways]
    W, b = (np.array([[[getattr(g, n) for g in way] for way in gons]]) for n in ("W", "b"))
    runs = ("init_scale", "seed")
    variables = {"diverged": (runs, np.zeros((1, 2), np.int8))}
    for i, t in enumerate((0, 10, 100)):
        variables[f"W_at_step_{t}"] = ((*runs, "hidden", "feature"), W[:, :, i])
        variables[f"b_at_step_{t}"] = ((*runs, "feature"), b[:, :, i])
    attributes = {"title": "t", "caption": "c"}
    return xr.Dataset(variables, {"init_scale": [0.1], "seed": [0, 1]}, attributes)


def test_k_gon_figure_finds_the_levels_that_runs_pass_and_end_on(staircase):
    found = k_gons.analyse(staircase)
    names = found["level"].values.tolist()
    assert names == ["2", "3", "4", "4⁺", "4⁺⁺", "5", "5⁺", "6"]
    levels = dict(zip(names, found["level_loss"].values, strict=True))
    np.testing.assert_allclose(
        found["loss"][0, 0], [7 / 24, levels["4⁺⁺"], levels["5⁺"]], rtol=1e-6
    )
    np.testing.assert_allclose(found["loss"][0, 1], [2 / 9, levels["5"], levels["6"]], rtol=1e-6)
    assert found["level_of_run"].values.tolist() == [[6, 7]]
    assert found["n_ended"].values.tolist() == [[0, 0, 0, 0, 0, 0, 1, 1]]


def test_k_gon_figure_draws_levels_and_curves(staircase):
    found = k_gons.analyse(staircase)
    drawn = k_gons.draw(found)
    heights = [line.get_ydata()[0] for line in drawn.axes[0].lines if line.get_xdata()[-1] == 1]
    np.testing.assert_allclose(heights[:8], found["level_loss"])
    curves = [line.get_ydata() for line in drawn.axes[0].lines if line.get_xdata()[-1] == 100]
    np.testing.assert_allclose(curves, found["loss"][0, :, 1:])
    texts = " ".join(t.get_text() for t in drawn.findobj(mpl.text.Text))
    assert "5⁺-gon: 1 seed" in texts and "0.06180" in texts and "b = 1/12" in texts


@pytest.mark.parametrize(
    "override", ["n_features=5", "model=linear", "features.values=signed_uniform", "n_hidden=3"]
)
def test_k_gon_figure_refuses_what_its_closed_form_does_not_cover(override):
    with pytest.raises(InputError, match="closed form"):
        k_gons.compute(overrides=(override,))
