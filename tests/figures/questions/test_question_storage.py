import numpy as np
import pytest
import xarray as xr

import figures
from figures.questions import question_storage as question
from toymodels.errors import InputError

pytestmark = pytest.mark.usefixtures("paper_style")

T = np.array([50, 100, 200, 400, 50, 100, 200, 400])
DESIGNS = [("private", 0.5), ("private", 0.6), ("untied", 0.5), ("untied", 0.6), ("untied", 0.4)]


def networks(held, seeds=4, spread=0.02, coords=None):
    """Return errors that pass 0.1 at `held` circuits, one for each design, with some spread."""
    held = np.asarray(held, float)[:, None] * np.exp(
        spread * np.random.default_rng(0).normal(size=(len(held), seeds))
    )
    error = 0.1 * (T[:, None] / held[:, None, :]) ** 3
    dims = ("design", "load", "seed", "layer")
    given = {"seed": np.arange(seeds), "layer": [1, 2], "width": 1000, "level": 0.1}
    given |= {"n_circuits": ("load", T), "n_active": ("load", [1] * 4 + [2] * 4)}
    given |= {"circuits": ("design", [k for k, _ in DESIGNS])}
    given |= {"share_on": ("design", [f for _, f in DESIGNS])}
    given |= {"redundancy": 2, "redundancy_on": ("design", [1, 2, 2, 2, 2])}
    given |= {"layers": ("layers", [1, 2]), "gain_that_counts": 1.1} | (coords or {})
    return xr.Dataset({"mse_x_active": (dims, np.stack([error, error], -1))}, given)


@pytest.mark.parametrize(
    ("more", "spread", "said"),
    [(150, 0.01, "supported"), (100, 0.01, "not supported"), (110, 0.1, "undecided")],
)
def test_the_verdict_goes_by_the_interval_of_the_gain(more, spread, said):
    found = figures.question_storage.analyse(networks([100, more, 90, 90, 90], spread=spread))
    assert question.verdict(found) == said
    claim = question.claim(found)
    assert claim.count("[") == 4
    assert "1,000 neurons" in claim


def test_a_gain_in_some_conditions_is_not_a_gain_in_general():
    dataset = networks([100, 150, 90, 90, 90])
    of_two = dataset["n_active"] == 2
    dataset["mse_x_active"] = dataset["mse_x_active"].where(
        ~(of_two & (dataset["share_on"] == 0.6)), 8 * dataset["mse_x_active"]
    )
    found = figures.question_storage.analyse(dataset)
    assert question.verdict(found) == "not supported"
    assert "above 1.1 in 2 of four conditions, below it in 2" in question.claim(found)


def test_the_equal_split_is_the_best_of_both_designs_and_curves_hold_their_capacity():
    found = figures.question_storage.analyse(networks([100, 120, 150, 90, 60], spread=0))
    np.testing.assert_allclose(np.exp(found["ratio"].sel(way="either")), 120 / 150, rtol=0.02)
    np.testing.assert_allclose(np.exp(found["ratio"].sel(way="untied")), 90 / 150, rtol=0.05)
    of = dict(
        zip(
            zip(found["point_family"].values, found["point_share"].values, strict=True),
            found["curve"].values[0],
            strict=True,
        )
    )
    assert of["untied", 0.4] == pytest.approx(60, rel=0.06)
    drawn = question.draw(found)
    assert len(drawn.axes) == 5


def test_what_is_lost_or_outside_of_the_grid_decides_nothing():
    dataset = networks([100, 150, 90, 90, 90])
    for lost in (1e-9, np.inf, np.nan):
        dataset["mse_x_active"][:] = lost
        found = figures.question_storage.analyse(dataset)
        assert question.verdict(found) == "undecided"
        assert "unknown" in question.claim(found)
    question.draw(found)


def test_one_network_decides_nothing():
    found = figures.question_storage.analyse(networks([100, 150, 90, 90, 90], seeds=1))
    assert question.verdict(found) == "undecided"


def test_a_gain_of_nothing_is_refused():
    with pytest.raises(InputError, match=r"gain_that_counts = 0\.0 must be above 0"):
        figures.question_storage.compute(version="tiny", overrides=["gain_that_counts=0.0"])


def test_layers_beyond_the_network_are_refused():
    with pytest.raises(InputError, match="n_layers"):
        figures.question_storage.compute(version="tiny", overrides=["layers=[1,7]"])
