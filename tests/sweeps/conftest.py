"""Sweeps that many tests look at."""

import pytest
from builders import make_table

from sweeps import run_sweep
from sweeps.store import open_dataset


@pytest.fixture(scope="session")
def sizes(tmp_path_factory):
    """A zip over sizes, with densities, snapshots and one learning rate that diverges."""
    table = make_table(
        grid={"p_active": [0.1, 1.0], "learning_rate": [0.01, 1e6]},
        zip={"size": {"n_features": [2, 4], "n_hidden": [1, 1], "init_scale": ["xavier", 0.25]}},
        snapshots=[0, 10],
        importance={"ratio": 0.5},
        seed=3,
    )
    out = tmp_path_factory.mktemp("sizes")
    run_sweep(table, out=out)
    return open_dataset(out / "tiny.nc")


@pytest.fixture(scope="session")
def magnitudes(tmp_path_factory):
    """A task and a model of a user: the squared length of a vector, by a quadratic form."""
    table = {"name": "own", "task": "mine:Magnitude", "model": "mine:Named", "steps": 400}
    table |= {"learning_rate": 0.02, "batch_size": 32, "evaluation_size": 1024}
    table |= {"grid": {"p_nonzero": [0.5, 1.0], "spread": [0.1, 0.2], "seed": [0, 1]}}
    out = tmp_path_factory.mktemp("magnitudes")
    run_sweep(table, out=out)
    return open_dataset(out / "own.nc")
