"""What is said when a sweep is done."""

import pytest
import xarray as xr

from sweeps.config.parse import parse
from sweeps.remarks import diverged_cells, remarks
from sweeps.work.train import Train
from toymodels.errors import listed

LOST = xr.Dataset(
    {"diverged": (("p", "seed"), [[0, 1], [1, 1]])}, {"p": [0.1, 0.5], "seed": [7, 9]}
)


def test_diverged_cells_are_named_by_their_coordinates():
    named = diverged_cells(LOST)
    assert named == ["p = 0.1, seed = 9", "p = 0.5, seed = 7", "p = 0.5, seed = 9"]
    assert diverged_cells(LOST, at_most=1) == named[:1]
    assert diverged_cells(LOST.isel(p=0, seed=1)) == ["the only run"]


@pytest.fixture
def config():
    return parse({"name": "a", "model": "relu", "n_features": 3, "n_hidden": 2})


def test_a_remark_is_made_of_what_went_wrong_and_of_nothing_else(config, monkeypatch):
    monkeypatch.setattr(Train, "remarks", lambda self, dataset: ["of the work"])
    known = xr.zeros_like(LOST).assign(loss_fall=0.0, still_falling=0)
    assert remarks(config, known) == ["of the work"]
    told = remarks(config, known.assign(LOST).assign_attrs(shared_data="apart"))
    assert told[0] == "3 of 4 runs diverged (marked in `diverged`):"
    assert told[-2:] == ["of the work", "apart"]


def test_what_a_remark_goes_by_may_not_be_kept(config):
    """Rather than an error after hours of training."""
    told = f'How runs of work = "train" went is not known: {listed(Train.remarked)} not kept.'
    assert remarks(config, xr.zeros_like(LOST)) == [told]
