"""What many tests build: runs and sweeps that take a blink."""

from pathlib import Path

import numpy as np
import xarray as xr

from toymodels import models
from toymodels.features import Independent
from toymodels.tasks import Reconstruction
from toymodels.training import Run, TrainSpec

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[1]


def make_run(
    n_features=3,
    n_hidden=2,
    *,
    p_active=0.5,
    importance=1.0,
    model=models.ReluAutoencoder,
    scale=0.5,
    **spec,
):
    """A run that takes a blink; more keys go to `TrainSpec`."""
    task = Reconstruction.create(Independent.create(p_active, n_features), importance, n_features)
    start = models.Init(np.float32(scale), model, n_features=n_features, n_hidden=n_hidden)
    given = {"learning_rate": 0.01, "weight_decay": 0.0, "steps": 200, "batch_size": 64} | spec
    given = {"evaluation_size": 512} | given
    floats = {k: np.float32(given.pop(k)) for k in ("learning_rate", "weight_decay")}
    return Run(task=task, init=start, spec=TrainSpec(**floats, **given))


def make_table(**more):
    """The table of a sweep that takes a blink: 3 densities × 2 seeds of 3→2."""
    table = {
        "name": "tiny",
        "model": "relu",
        "n_features": 3,
        "n_hidden": 2,
        "steps": 20,
        "batch_size": 16,
        "evaluation_size": 64,
        "grid": {"p_active": [0.1, 0.5, 1.0], "seed": {"range": 2}},
    }
    return table | more


class Ear:
    """A `Report` that remembers what it heard."""

    def __init__(self):
        self.heard, self.steps, self.finished = [], 0, 0

    def start(self, models, cost, done, of="models"):
        self.heard.append((models, cost, done))

    def advance(self, cost):
        self.steps += cost

    def finish(self):
        self.finished += 1


class CountedParts:
    """Parts of an analysis, the square of each number below `n`; counts what it computes."""

    def __init__(self, n=2):
        self.computed, self.n = [], n

    def part(self, i):
        self.computed.append(i)
        return xr.Dataset({"square": i**2})

    def parts(self, dataset):
        n = int(dataset.get("n_points", self.n))
        return {f"part {i}": lambda i=i: self.part(i) for i in range(n)}
