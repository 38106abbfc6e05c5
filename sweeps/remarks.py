"""What a user must know of how a sweep went, in lines: printed when it is done."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

from sweeps.config.registry import find
from sweeps.config.sweep import SweepConfig


def remarks(config: SweepConfig, dataset: xr.Dataset) -> list[str]:
    """Return what is to be said of a result: lost cells, what its work says, unshared data."""
    works = dict.fromkeys(variant["work"] for variant in config.variants)
    said = [line for name in works for line in find("work", name).remarks(dataset)]
    shared = [dataset.attrs["shared_data"]] if dataset.attrs.get("shared_data") else []
    return [*_diverged(dataset), *said, *shared]


def _diverged(dataset: xr.Dataset) -> list[str]:
    lost = dataset["diverged"].values == 1
    if not lost.any():
        return []
    first = f"{lost.sum()} of {lost.size} runs diverged (marked in `diverged`):"
    return [first, *(f"  {label}" for label in diverged_cells(dataset))]


def diverged_cells(dataset: xr.Dataset, at_most: int = 5) -> list[str]:
    """Describe the diverged points, at most so many."""
    found = np.argwhere(dataset["diverged"].values == 1)
    return [_label(dataset, index) for index in found[:at_most]]


def _label(dataset: xr.Dataset, index: Iterable[int]) -> str:
    dims = dataset["diverged"].dims
    values = [(d, dataset[d].values[i]) for d, i in zip(dims, index, strict=True)]
    parts = [f"{d} = {v:.4g}" if isinstance(v, float) else f"{d} = {v}" for d, v in values]
    return ", ".join(parts) or "the only run"
