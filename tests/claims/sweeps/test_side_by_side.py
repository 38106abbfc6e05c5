"""Kinds of work in one grid."""

import pytest

from sweeps import estimate, run_sweep
from sweeps.config.parse import parse

pytestmark = pytest.mark.claims


def test_trained_and_solved_cells_are_estimated_and_run_side_by_side():
    table = {"name": "mix", "model": "relu", "n_features": 2, "n_hidden": 1, "steps": 100}
    config = parse(table | {"grid": {"optimizer": ["adam", "newton"], "p_active": [0.1, 0.5]}})
    found = estimate(config)
    assert (found.models, found.programs) == (4, 2)
    ds = run_sweep(config)
    assert (ds.loss.sel(optimizer="newton") <= ds.loss.sel(optimizer="adam") * 1.001).all()
    assert "shared_data" not in ds.attrs  # a solved cell sees no data
