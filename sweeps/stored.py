"""From a stored cell back to a model."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from sweeps.cells import cells_of
from sweeps.config.sweep import SweepConfig, TrainedAt, config_from_json
from sweeps.grid import SEED, Grid, grid_from
from sweeps.keeping import require_weights
from sweeps.plan import TrainedModel
from toymodels.errors import InputError
from toymodels.fields import fields_of
from toymodels.streams import run_key


def select(dataset: xr.Dataset, **coordinates: Any) -> xr.Dataset:
    """Select one cell by its coordinates; numbers match to a relative 1e-6.

    Raises:
        InputError: an unknown name, or a value that is not in the grid.
    """
    dataset = narrowed(dataset, **coordinates)
    left = [str(d) for d in dataset["diverged"].dims]
    if left:
        raise InputError(f"more than one cell is left: also give {', '.join(left)}.")
    return dataset


def narrowed(dataset: xr.Dataset, **coordinates: Any) -> xr.Dataset:
    """Select the cells that have some coordinates; errors as `select`."""
    for name, value in coordinates.items():
        if name not in dataset.coords:
            known = [str(c) for c in dataset.coords if dataset.coords[c].ndim and c != "step"]
            raise InputError(f"the result has no coordinate {name!r}; it has {', '.join(known)}.")
        held = np.atleast_1d(dataset.coords[name].values)
        if held.dtype.kind in "if" and isinstance(value, int | float | np.number):
            match = np.flatnonzero(np.isclose(held, value, rtol=1e-6, atol=0))
        else:
            match = np.flatnonzero(held.astype(str) == str(value))
        if not match.size:
            raise InputError(f"{name} = {value!r} is not in the grid: it has {held.tolist()}.")
        for dim in dataset.coords[name].dims:
            dataset = dataset.isel({dim: match if match.size > 1 else int(match[0])})
    return dataset


def restore(
    dataset: xr.Dataset,
    *models: xr.Dataset,
    build: Callable[[dict[str, Any]], Any] | None = None,
    **coordinates: Any,
) -> TrainedModel:
    """Make a stored cell a model again, `(run, model)`.

    `toymodels.training.evaluate(run, model).loss` is the stored loss. A network of circuits is
    drawn again, as it was.

    Args:
        dataset: the result of a sweep, or of `run_grid`.
        models: the result of the sweep whose models it studies, if it does, and of those that
            this one stands on in turn.
        build: what `run_grid` was given, for its results alone: no file holds your code.
        coordinates: of one cell.

    Raises:
        InputError: coordinates that are not one cell, a result of no config or without weights,
            no `models`, or no `build` or one that makes other models.
    """
    cell = select(dataset, **coordinates)
    if "config" not in dataset.attrs:
        return _restored_by(build, dataset, cell)
    if build is not None:
        raise InputError("the result holds its config, which says what is built: leave build out.")
    config = config_from_json(dataset.attrs["config"])
    if config.models is not None and not models:
        raise InputError(
            "this sweep studies the models of another: give their result as well, restore(dataset, "
            f"open_dataset('DIR/runs/{config.models.name}-{config.models.hash()}/result.nc'), …), "
            "where DIR was its --out."
        )
    work, run = config.build(_values(cell, config.grid), models_at(config, models))
    key = run_key(int(cell.coords.get(SEED, 0)), config.seed)
    require_weights(dataset, work.restored_from(run))
    return TrainedModel(run, work.restore(run, cell, key))


def _restored_by(build: Any, dataset: xr.Dataset, cell: xr.Dataset) -> TrainedModel:
    """Make a cell of `run_grid` a model again, by what built it."""
    if "grid" not in dataset.attrs:
        raise InputError(
            "the result holds no config and no grid: those of `run_sweep` and `run_grid` can be "
            "restored, if their attributes are kept (xarray.set_options(keep_attrs=True))."
        )
    if build is None:
        raise InputError(
            "the result is of `run_grid`, and no file holds your code: give the function that "
            "built its runs, restore(dataset, build=…, …)."
        )
    about = json.loads(dataset.attrs["grid"])
    work, run = cells_of(build)(_values(cell, grid_from(about["grid"])))
    key = run_key(int(cell.coords.get(SEED, 0)), about["seed"])
    require_weights(dataset, work.restored_from(run))
    try:
        return TrainedModel(run, work.restore(run, cell, key))
    except KeyError as error:
        raise InputError(
            f"build makes a model with {error}, which the result does not hold: give the function "
            "that built its runs."
        ) from None


def _values(cell: xr.Dataset, grid: Grid) -> dict[str, Any]:
    """Return path -> value of one cell, without its seed."""
    values = {}
    for d in grid.dimensions:
        for axis in d.axes:
            if axis.path != SEED:
                held = cell.coords[axis.name].values.item()  # text where numbers are among names
                values[axis.path] = next((v for v in axis.values if str(v) == str(held)), held)
    return values


def models_at(config: SweepConfig, models: Sequence[xr.Dataset]) -> TrainedAt | None:
    """Return what gives a cell the model of another sweep that it studies, if it does."""
    if config.models is None:
        return None
    names = {axis.path: axis.name for d in config.models.grid.dimensions for axis in d.axes}
    kept: dict[Any, TrainedModel] = {}  # cells that study the same model share it

    def trained(values: dict[str, Any]) -> TrainedModel:
        at = tuple(values.items())
        if at not in kept:
            kept[at] = restore(*models, **{names[path]: v for path, v in values.items()})
        return kept[at]

    return trained


def export_npz(
    dataset: xr.Dataset,
    path: str | Path,
    *models: xr.Dataset,
    build: Callable[[dict[str, Any]], Any] | None = None,
    **coordinates: Any,
) -> None:
    """Write one cell's weights, its world and config to an `.npz` file.

    Raises:
        InputError: as `restore`, and for circuits, which have no trained weights.
    """
    run, model = restore(dataset, *models, build=build, **coordinates)
    if not hasattr(run, "task"):
        raise InputError(
            "circuits have no trained weights to export: `sweeps.restore` draws their network "
            "again, and `toymodels.circuits.dense_network` writes it out."
        )
    world = {n.rpartition("features_")[2]: f.values for n, f in fields_of(run.task).items()}
    if hasattr(getattr(run.task, "features", None), "p_active"):
        world["p_active"] = run.task.features.p_active
    weights = {name: np.asarray(field.values) for name, field in fields_of(model).items()}
    about = {k: dataset.attrs[k] for k in ("config", "grid") if k in dataset.attrs}
    config = json.dumps(coordinates | {"sweep": next(iter(about.values()))}, default=str)
    arrays = {name: np.asarray(v) for name, v in world.items()} | weights
    np.savez(Path(path).expanduser(), **arrays, config=np.array(config))  # pyright: ignore[reportArgumentType]
