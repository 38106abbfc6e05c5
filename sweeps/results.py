"""From finished blocks to one labelled dataset, and from a stored cell back to a model.

Names and dimensions are the same everywhere (`W` over `hidden, feature`; `loss`; `norm`; …).
Where cells differ in size, arrays are padded with NaN to the largest.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from sweeps.config import config_from_json
from sweeps.engine import Result
from sweeps.grid import Grid
from sweeps.plan import Block, first_cell
from sweeps.simulating import ERRORS, is_simulated, key_of
from toymodels import geometry
from toymodels.errors import InputError
from toymodels.training import Run, stops

UNITS = {
    "loss": "importance-weighted squared error, summed over features, on the reporting stream",
    "loss_per_feature": "the split of `loss`",
    "loss_ranking": "the same on the ranking stream: choose runs by this, report `loss`",
    "loss_curve": "loss on the first examples of the ranking stream",
    "diverged": "1 where the loss is not finite or 100 times that of the output 0",
    "importance_of_feature": "weight of each feature's squared error",
    "p_active_of_feature": "density of each feature",
    "runner_up_loss": "loss of the best other minimum that was found",
    "runner_up_W": "its weights",
    "runner_up_b": "its biases",
    "n_agree": "starts that ended in the optimum",
    "difference": "largest relative difference between the solver's loss and the exact one",
    "W": "encoder weights",
    "norm": "length of a feature's column of W",
    "superposition": "sum over j != i of (W_i/|W_i| . W_j)^2",
    "feature_dimensionality": "|W_i|^2 / sum_j (W_i/|W_i| . W_j)^2",
    "dimensions_per_feature": "n_hidden / |W|_F^2",
    **ERRORS,
}

NUMBERS = frozenset(("loss", "loss_ranking", "diverged", "runner_up_loss", "n_agree", "difference"))
RUNNER_UP = {"runner_up_W": "W", "runner_up_b": "b"}


def flatten_result(block: Block, result: Result) -> dict[str, np.ndarray]:
    """Name the arrays of a block; each has leading axes `[S, C]`."""
    run = first_cell(block.sheet)
    arrays = {f"model/{k}": v for k, v in _named_leaves(result.model).items()}
    for t, model in result.snapshots.items():
        arrays |= {f"snapshot/{t}/{k}": v for k, v in _named_leaves(model).items()}
    evaluation = {k: np.asarray(v) for k, v in result.evaluation._asdict().items()}
    steps = np.array(stops(run.spec))
    arrays |= evaluation | {"loss_curve": result.loss_curve, "steps": steps}
    for name, leaf in _named_leaves(block.sheet.run.task).items():
        if leaf.ndim == 2:  # a number for each feature
            wide = np.broadcast_to(leaf[block.cell_index], (*block.points.shape, leaf.shape[1]))
            arrays[f"{name.rpartition('features_')[2]}_of_feature"] = wide
    return arrays | {"points": block.points}


def _named_leaves(tree: Any) -> dict[str, np.ndarray]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {"_".join(_part(p) for p in path): np.asarray(leaf) for path, leaf in leaves}


def _part(entry: Any) -> str:
    return str(getattr(entry, "name", getattr(entry, "key", getattr(entry, "idx", entry))))


@jax.jit
def _geometry(W: jax.Array) -> dict[str, jax.Array]:
    measures = {
        "norm": geometry.feature_norms,
        "superposition": geometry.superposition,
        "feature_dimensionality": geometry.feature_dimensionality,
        "dimensions_per_feature": geometry.dimensions_per_feature,
    }
    return {name: jax.vmap(jax.vmap(f))(W) for name, f in measures.items()}


class Joiner:
    """Collects blocks into arrays over the whole grid."""

    def __init__(self, grid: Grid) -> None:
        """Start with an empty result."""
        self.grid = grid
        self.arrays: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
        self.steps: set[int] = set()
        self._curves: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, arrays: dict[str, np.ndarray]) -> None:
        """Add one block, as `flatten_result` gave it, with its `points [S, C]`."""
        points = arrays["points"]
        keep = points >= 0
        at = points[keep]
        if "loss_curve" in arrays:
            steps = arrays["steps"]
            self.steps |= set(map(int, steps))
            self._curves.append((at, steps, arrays["loss_curve"][keep]))
        for name, values in arrays.items():
            kind, _, leaf = name.partition("/")
            if kind == "model":
                self._put(leaf, dims_of(leaf, values.ndim - 2), at, values[keep])
                if leaf == "W" and values.ndim == 4:
                    for measure, found in _geometry(values).items():
                        dims = ("feature",) if found.ndim == 3 else ()
                        self._put(measure, dims, at, np.asarray(found)[keep])
            elif kind == "snapshot":
                step, _, leaf = leaf.partition("/")
                dims = dims_of(leaf, values.ndim - 2)
                self._put(f"{leaf}_at_step_{step}", dims, at, values[keep])
            elif kind == "layer":
                self._put(leaf, ("layer", "block")[: values.ndim - 2], at, values[keep])
            elif name == "loss_per_feature" or name.endswith("_of_feature"):
                self._put(name, ("feature",), at, values[keep])
            elif name in RUNNER_UP:
                self._put(name, dims_of(RUNNER_UP[name], values.ndim - 2), at, values[keep])
            elif name in NUMBERS:
                self._put(name, (), at, values[keep])

    def _put(self, name: str, dims: tuple[str, ...], at: np.ndarray, values: np.ndarray) -> None:
        kind = np.int8 if values.dtype == bool else values.dtype
        shape = (self.grid.size, *values.shape[1:])
        fill: Any = 0 if np.issubdtype(kind, np.integer) else np.nan
        if name not in self.arrays:
            self.arrays[name] = (dims, np.full(shape, fill, kind))
        _, whole = self.arrays[name]
        if whole.shape[1:] != shape[1:]:
            grown = tuple(map(max, whole.shape[1:], shape[1:]))
            larger = np.full((self.grid.size, *grown), fill, kind)
            larger[(slice(None), *(slice(n) for n in whole.shape[1:]))] = whole
            self.arrays[name] = (dims, larger)
            whole = larger
        whole[(at, *(slice(n) for n in values.shape[1:]))] = values

    def dataset(self, **attributes: str) -> xr.Dataset:
        """Return everything that was added, labelled."""
        names = tuple(d.name for d in self.grid.dimensions)
        everything, coordinates = self._with_curves()
        sizes: dict[str, int] = {}
        variables = {
            name: (
                names + _fitting(name, dims, values.shape[1:], sizes),
                values.reshape(self.grid.shape + values.shape[1:]),
                {"long_name": UNITS[name]} if name in UNITS else {},
            )
            for name, (dims, values) in sorted(everything.items(), key=lambda kv: kv[0] != "W")
        }
        if "layer" in sizes:
            coordinates["layer"] = np.arange(sizes["layer"])
        dataset = xr.Dataset(variables, self._coordinates() | coordinates, attrs=attributes)
        flags = {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "finite diverged"}
        dataset["diverged"].attrs |= flags
        return dataset

    def _with_curves(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return all arrays with the loss curves, where there are any, and their steps."""
        if not self._curves:
            return self.arrays, {}
        steps = np.array(sorted(self.steps))
        curve = np.full((self.grid.size, len(steps)), np.nan, np.float32)
        for at, these, values in self._curves:
            curve[np.ix_(at, np.searchsorted(steps, these))] = values
        return {**self.arrays, "loss_curve": (("step",), curve)}, {"step": steps}

    def _coordinates(self) -> dict[str, Any]:
        coordinates = {}
        for d in self.grid.dimensions:
            for axis in d.axes:
                coordinates[axis.name] = ((d.name,), np.array(axis.values))
        return coordinates


def _fitting(
    name: str, dims: tuple[str, ...], shape: tuple[int, ...], sizes: dict[str, int]
) -> tuple[str, ...]:
    """Keep the names of dimensions whose size is the same everywhere; W comes first."""
    same = [sizes.setdefault(dim, n) == n for dim, n in zip(dims, shape, strict=True)]
    return tuple(dim if ok else f"{name}_{dim}" for dim, ok in zip(dims, same, strict=True))


def dims_of(leaf: str, rank: int) -> tuple[str, ...]:
    """Return the dimension names of a model's array."""
    known = {"W": ("hidden", "feature"), "V": ("feature", "hidden"), "b": ("feature",)}
    if leaf in known and len(known[leaf]) == rank:
        return known[leaf]
    return tuple(f"{leaf}_{i}" for i in range(rank))


def select(dataset: xr.Dataset, **coordinates: Any) -> xr.Dataset:
    """Select one cell by its coordinates; numbers match to a relative 1e-6.

    Raises:
        InputError: an unknown name, or a value that is not in the grid.
    """
    for name, value in coordinates.items():
        if name not in dataset.coords:
            known = [str(c) for c in dataset.coords if c != "step"]
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
    left = [str(d) for d in dataset["diverged"].dims]
    if left:
        raise InputError(f"more than one cell is left: also give {', '.join(left)}.")
    return dataset


def restore(dataset: xr.Dataset, **coordinates: Any) -> tuple[Run, Any]:
    """Make a stored cell a model again, `(run, model)`.

    `toymodels.training.evaluate(run, model).loss` is the stored loss. A network of circuits is
    drawn again, as it was.
    """
    cell = select(dataset, **coordinates)
    if "config" not in dataset.attrs:
        raise InputError("the result holds no config: only those of `run_sweep` can be restored.")
    config = config_from_json(dataset.attrs["config"])
    values = {}
    for d in config.grid.dimensions:
        for axis in d.axes:
            if axis.path != "seed":
                held = cell.coords[axis.name].values.item()  # text where numbers are among names
                values[axis.path] = next((v for v in axis.values if str(v) == str(held)), held)
    run = config.build(values)
    if is_simulated(run):
        return run, run.init(key_of(int(cell.coords.get("seed", config.seed))))
    shapes = jax.eval_shape(run.init, jax.random.key(0))
    leaves, structure = jax.tree_util.tree_flatten_with_path(shapes)
    arrays = []
    for path, shape in leaves:
        stored = cell["_".join(_part(p) for p in path)].values
        arrays.append(jax.numpy.asarray(stored[tuple(slice(n) for n in shape.shape)]))
    return run, jax.tree_util.tree_unflatten(structure, arrays)


def export_npz(dataset: xr.Dataset, path: str | Path, **coordinates: Any) -> None:
    """Write one cell's weights and config to an `.npz` file."""
    run, model = restore(dataset, **coordinates)
    if is_simulated(run):
        raise InputError(
            "circuits have no trained weights to export: `sweeps.restore` draws their network "
            "again, and `toymodels.circuits.dense_network` writes it out."
        )
    importance = np.asarray(run.task.importance)
    p_active = np.asarray(run.task.features.p_active)
    np.savez(
        path,
        **_named_leaves(model),  # pyright: ignore[reportArgumentType]
        importance=importance,
        p_active=p_active,
        config=np.array(json.dumps(coordinates | {"sweep": dataset.attrs["config"]}, default=str)),
    )


def diverged_cells(dataset: xr.Dataset, at_most: int = 5) -> list[str]:
    """Describe the diverged points, at most so many."""
    found = np.argwhere(dataset["diverged"].values == 1)
    return [_label(dataset, index) for index in found[:at_most]]


def _label(dataset: xr.Dataset, index: Iterable[int]) -> str:
    dims = dataset["diverged"].dims
    values = [(d, dataset[d].values[i]) for d, i in zip(dims, index, strict=True)]
    parts = [f"{d} = {v:.4g}" if isinstance(v, float) else f"{d} = {v}" for d, v in values]
    return ", ".join(parts) or "the only run"
