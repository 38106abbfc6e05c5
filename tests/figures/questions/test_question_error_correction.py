import numpy as np
import pytest
import xarray as xr

import figures
from figures.questions import question_error_correction as question

pytestmark = pytest.mark.usefixtures("paper_style")

T = np.array([25, 50, 100, 200, 400, 800])
DESIGNS = [  # way, m, dead zone
    ("copies", 1, 0.25),
    ("copies", 1, 0.4),
    ("copies", 2, 0.25),
    ("copies", 3, 0.25),
    ("merged", 3, 0.25),
    ("echoes", 3, 0.25),
]


def networks(held, seeds=4, spread=0.02):
    """Return errors that pass 0.1 at `held` circuits, one for each design, with some spread."""
    held = np.asarray(held, float)[:, None] * np.exp(
        spread * np.random.default_rng(0).normal(size=(len(held), seeds))
    )
    error = 0.1 * (T[:, None] / held[:, None, :]) ** 3
    dims = ("design", "load", "seed", "layer")
    ways, m, dead_zone = zip(*DESIGNS, strict=True)
    given = {"seed": np.arange(seeds), "layer": [1, 2], "level": 0.1, "same_within": 1.25}
    given |= {"n_circuits": ("load", T), "n_active": 1, "layers": ("layers", [1, 2])}
    given |= {"circuits": ("design", list(ways)), "n_indicators": ("design", list(m))}
    given |= {"dead_zone": ("design", list(dead_zone)), "gain": 2.0, "redundancy": 2}
    return xr.Dataset({"mse_x_active": (dims, np.stack([error, error], -1))}, given)


@pytest.mark.parametrize(
    ("copies", "spread", "said"),
    [
        (100, 0.02, "supported"),
        (60, 0.02, "not supported"),
        (160, 0.02, "not supported"),
        (80, 0.15, "undecided"),
    ],
)
def test_the_verdict_goes_by_where_the_interval_of_the_ratio_lies(copies, spread, said):
    found = figures.question_error_correction.analyse(
        networks([90, 140, 95, copies, 100, 50], spread=spread)
    )
    assert question.verdict(found) == said


def test_the_claim_says_what_copies_and_another_step_do():
    found = figures.question_error_correction.analyse(
        networks([90, 180, 120, 100, 100, 50], spread=0)
    )
    claim = question.claim(found)
    assert "hold 1.00 to 1.00 [1.00, 1.00] times" in claim
    assert "in 2 of two comparisons, outside in 0" in claim
    at = {str(name): k for k, name in enumerate(found["pair"].values)}
    ratio = np.exp(found["ratio"].values[0])
    assert ratio[at[question.COPIES]] == pytest.approx(120 / 90, rel=0.1)
    assert ratio[at[question.STEP]] == pytest.approx(2, rel=0.1)
    assert ratio[at[question.ECHOES]] == pytest.approx(50 / 90, rel=0.1)
    assert len(question.draw(found).axes) == 4


def test_the_step_is_compared_with_one_indicator_alone():
    found = figures.question_error_correction.analyse(
        networks([100, 90, 300, 300, 300, 300], spread=0)
    )
    of = dict(zip(found["pair"].values, np.exp(found["ratio"].values[0]), strict=True))
    assert of[question.STEP] == pytest.approx(0.9, rel=0.1)


def test_what_is_lost_or_outside_of_the_grid_decides_nothing():
    dataset = networks([90, 140, 95, 100, 100, 50])
    for lost in (1e-9, np.inf, np.nan):
        dataset["mse_x_active"][:] = lost
        found = figures.question_error_correction.analyse(dataset)
        assert question.verdict(found) == "undecided"
        assert "unknown" in question.claim(found)
    question.draw(found)


def test_one_network_and_no_larger_share_decide_nothing():
    one = networks([90, 140, 95, 100, 100, 50], seeds=1)
    assert question.verdict(figures.question_error_correction.analyse(one)) == "undecided"
    without = networks([90, 140, 95, 100, 100, 50]).isel(design=[0, 1, 2])
    found = figures.question_error_correction.analyse(without)
    assert question.verdict(found) == "undecided"
    assert "unknown" in question.claim(found)
