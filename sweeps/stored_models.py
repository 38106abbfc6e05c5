"""The models of all selected cells of a result, with what is known of each."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sweeps.config.sweep import config_from_json
from sweeps.store import open_dataset
from sweeps.stored import narrowed, restore
from toymodels.errors import InputError
from toymodels.estimators.base import refuse_world

MOST_MODELS = 1000  # that are read from one result, each built again


class StoredModel(NamedTuple):
    """A cell's model, where it lies on the grid, and what is known of it."""

    model: Any
    at: dict[str, Any]  # coordinates along the axes
    about: dict[str, Any]  # p_active, importance, loss, seed, …, as a sidecar says it


def stored_models(
    dataset: xr.Dataset, *models: xr.Dataset, **coordinates: Any
) -> list[StoredModel]:
    """Return the models of all cells that have some coordinates.

    Args:
        dataset: the result of a sweep.
        models: as for `restore`.
        coordinates: of one cell, or of several.

    Raises:
        InputError: as `restore`, for networks of circuits, and for more than 1,000 cells.
    """
    if "config" not in dataset.attrs or "diverged" not in dataset:
        raise InputError("the file holds no runs of a sweep: give the result of `sweep run`.")
    cells = narrowed(dataset, **coordinates)
    n = int(cells["diverged"].size)
    if n > MOST_MODELS:
        left = ", ".join(map(str, cells["diverged"].dims))
        raise InputError(f"{n:,} models, at most {MOST_MODELS:,} are read: select some by {left}.")
    return [_stored(cell, models) for cell in _each(cells)]


def bases(dataset: xr.Dataset, folder: Path) -> list[xr.Dataset]:
    """Return the results that a sweep stands on, as far as they lie in the folder of its own."""
    found = []
    config = config_from_json(dataset.attrs["config"]) if "config" in dataset.attrs else None
    while config is not None and config.models is not None:
        config = config.models
        path = folder / "runs" / f"{config.name}-{config.hash()}" / "result.nc"
        if not path.exists():
            break
        found.append(open_dataset(path))
    return found


def _each(cells: xr.Dataset) -> Iterator[xr.Dataset]:
    dims = cells["diverged"].dims
    for index in itertools.product(*(range(cells.sizes[d]) for d in dims)):
        yield cells.isel(dict(zip(dims, index, strict=True)))


def _stored(cell: xr.Dataset, models: tuple[xr.Dataset, ...]) -> StoredModel:
    run, model = restore(cell, *models)
    task = getattr(run, "task", None)
    if task is None:
        raise InputError(
            "circuits have no trained weights: `sweeps.restore` draws their network again, and "
            "`toymodels.circuits.dense_network` writes it out."
        )
    grid = config_from_json(cell.attrs["config"]).grid
    at = {a.name: cell.coords[a.name].values.item() for d in grid.dimensions for a in d.axes}
    about: dict[str, Any] = {"at": at}
    if "loss" in cell:
        about["loss"] = float(cell["loss"])
    p_active = getattr(getattr(task, "features", None), "p_active", None)
    if p_active is not None:
        about["p_active"] = number_or_list(p_active)
    if hasattr(task, "importance"):
        about["importance"] = number_or_list(task.importance)
    if "seed" in at:
        about["seed"] = at["seed"]
    if refuse_world(task) is not None:
        values = getattr(getattr(task, "features", None), "distribution", None)
        world = type(getattr(task, "features", task)).__name__
        about["features"] = f"{type(task).__name__} of {world}, {type(values).__name__} values"
    if bool(cell["diverged"]):
        about["diverged"] = True
    return StoredModel(model, at, about)


def number_or_list(values: Any) -> Any:
    """Return one number where all values are alike, else their list, as they were written."""
    values = np.asarray(values)
    as_written = [float(str(v)) for v in np.ravel(values)]  # float32 0.1 is 0.1
    return as_written[0] if len(set(as_written)) == 1 else as_written
