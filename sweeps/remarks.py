"""What a user must know of how a sweep went, in lines: printed when it is done."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from sweeps.config.registry import find
from sweeps.config.sweep import SweepConfig
from toymodels.errors import listed


def remarks(config: SweepConfig, dataset: xr.Dataset) -> list[str]:
    """Return what is to be said of a result: lost cells, what its work says, unshared data."""
    works = dict.fromkeys(variant["work"] for variant in config.variants)
    said = [line for name in works for line in _of_work(find("work", name), dataset)]
    shared = [dataset.attrs["shared_data"]] if dataset.attrs.get("shared_data") else []
    return [*_diverged(dataset), *said, *shared]


def _of_work(work: Any, dataset: xr.Dataset) -> list[str]:
    """Return what a kind of work says of its runs, or that what it goes by was not kept."""
    missing = [name for name in work.remarked if name not in dataset]
    if missing:
        return [f'How runs of work = "{work.name}" went is not known: {listed(missing)} not kept.']
    return work.remarks(dataset)


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
