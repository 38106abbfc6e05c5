"""The loss surfaces without bias, by the numbers they draw."""

import matplotlib as mpl
import numpy as np
import pytest

import figures
from figures.exact import loss_surface_2_1
from figures.kit.compute import planned
from figures.kit.entry import entry_of
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


@pytest.fixture(scope="module")
def surfaces():
    return figures.loss_surface_2_1.compute(fast=True)


def test_figure_draws_its_numbers(surfaces):
    panels = figures.loss_surface_2_1.draw(surfaces).axes
    texts = [ax.get_title() for ax in panels]
    assert "r = 1, p = 0.3\nbest (1.02, −1.02): antipodal" in texts
    assert "r = 0.1, p = 0.2\nbest (1.03, −0.69)" in texts
    fourth = panels[texts.index("r = 1, p = 0.3\nbest (1.02, −1.02): antipodal")]
    marks = [tuple(np.round(line.get_xydata()[0], 3)) for line in fourth.lines]
    assert sorted(marks) == [(0.707, 0.707), (1.024, -1.024)]
    assert [line.get_markerfacecolor() for line in fourth.lines] == ["none", "white"]


def test_the_claim_says_where_the_best_weight_jumps(surfaces):
    said = loss_surface_2_1.claim(surfaces)
    assert said.startswith("Both minima move continuously, but the best w₂ jumps by 0.63 to 1.77")
    assert said.endswith("at density 0.582, 0.558 and 0.210 for importance 1, 0.5 and 0.1")
    one = surfaces.assign(jump=surfaces["jump"].where(surfaces["relative_importance"] == 1))
    assert loss_surface_2_1.claim(one).endswith("at density 0.582 for importance 1")
    none = surfaces.assign(jump=surfaces["jump"] * np.nan)
    assert "no jump at any density" in loss_surface_2_1.claim(none)


@pytest.mark.parametrize(
    ("override", "message"),
    [("steps=3", "has no key for steps=3. It has points, densities"), ("points=1", "at least 2")],
)
def test_what_may_be_set_is_checked_before_anything_runs(override, message):
    with pytest.raises(InputError, match=message):
        planned(entry_of("loss-surface-2-1"), "", (override,))
