"""Many runs as one program: grids, vectorised training, storage, statistics over seeds.

    ds = sweeps.run_sweep("mine.toml", out="out")        # or a dict with the same keys
    best = sweeps.best_over_seeds(ds)
    run, model = sweeps.restore(ds, p_active=0.1, seed=3)

`run_grid` does the same for any task and model of your own.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeps.config.parse import parse, read_toml
    from sweeps.estimates import estimate
    from sweeps.exchange import export_models
    from sweeps.grid import Axis, Dimension, Grid
    from sweeps.own import run_grid
    from sweeps.run import run_part, run_sweep
    from sweeps.stats import best_over_seeds, mean_over_seeds, median_over_seeds, share_over_seeds
    from sweeps.store import open_dataset
    from sweeps.stored import export_npz, restore, select

_HOMES = {
    "config.parse": ("parse", "read_toml"),
    "exchange": ("export_models",),
    "grid": ("Axis", "Dimension", "Grid"),
    "stored": ("export_npz", "restore", "select"),
    "own": ("run_grid",),
    "estimates": ("estimate",),
    "run": ("run_part", "run_sweep"),
    "stats": ("best_over_seeds", "mean_over_seeds", "median_over_seeds", "share_over_seeds"),
    "store": ("open_dataset",),
}

__all__ = [
    "Axis",
    "Dimension",
    "Grid",
    "best_over_seeds",
    "estimate",
    "export_models",
    "export_npz",
    "mean_over_seeds",
    "median_over_seeds",
    "open_dataset",
    "parse",
    "read_toml",
    "restore",
    "run_grid",
    "run_part",
    "run_sweep",
    "select",
    "share_over_seeds",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"sweeps.{module}"), name)
    raise AttributeError(f"module 'sweeps' has no attribute {name!r}")
