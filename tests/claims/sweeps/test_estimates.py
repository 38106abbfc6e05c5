"""What a dry run says and costs, against what the run takes."""

import time

import jax
import pytest

from figures.command.verbs import load
from sweeps import estimate, run_sweep
from sweeps.config.parse import parse

pytestmark = pytest.mark.claims


@pytest.mark.parametrize("name", ["phase-diagram-2-1", "rotations-sweep", "superposition-20-5"])
def test_an_estimate_is_near_what_the_run_takes(name, monkeypatch):
    """In seconds of the processor, so that whatever else runs on the machine does not count."""
    monkeypatch.setattr(time, "monotonic", time.process_time)
    config = load(name, ())
    began = time.process_time()
    expected = estimate(config).seconds
    took = time.process_time() - began
    jax.clear_caches()
    began = time.process_time()
    run_sweep(config)
    truth = time.process_time() - began
    assert 1 / 3 < expected / truth < 3
    assert took < 20  # compiling included


def test_kinds_of_work_are_estimated_and_run_side_by_side():
    table = {"name": "mix", "model": "relu", "n_features": 2, "n_hidden": 1, "steps": 100}
    config = parse(table | {"grid": {"optimizer": ["adam", "newton"], "p_active": [0.1, 0.5]}})
    found = estimate(config)
    assert (found.models, found.programs) == (4, 2)
    ds = run_sweep(config)
    assert (ds.loss.sel(optimizer="newton") <= ds.loss.sel(optimizer="adam") * 1.001).all()
    assert "shared_data" not in ds.attrs  # a solved cell sees no data
