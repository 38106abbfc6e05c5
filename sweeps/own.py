"""Grids of a user's own code: stored under a name of what was built, resumed, and read again."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from sweeps.atomic import check_target
from sweeps.built import name_of
from sweeps.cells import cells_of
from sweeps.computation import Computation
from sweeps.config.parse import sweep_name
from sweeps.differences import make_room_for_grid
from sweeps.executors.cluster import executor_of
from sweeps.grid import Grid
from sweeps.identity import digest
from sweeps.keeping import identified, parsed
from sweeps.machine import DEFAULT_MEMORY_GIB, in_bytes
from sweeps.plan import Program
from sweeps.progress import Quiet, Report
from sweeps.results import Labels
from sweeps.run import JOINED, keep_result
from sweeps.status import say_if_built_otherwise
from sweeps.store import copy_result, kept_dataset


def run_grid(
    grid: Grid,
    build: Callable[[dict[str, Any]], Any],
    *,
    seed: int = 0,
    memory_gib: float = DEFAULT_MEMORY_GIB,
    report: Report | None = None,
    out: str | Path | None = None,
    name: str = "grid",
    fresh: bool = False,
    keep: Sequence[str] | None = None,
    cluster: Any = None,
) -> xr.Dataset:
    """Run a grid of any task and model, and return its dataset.

    Args:
        grid: the points; the axis "seed" is the seed of a run.
        build: makes a `toymodels.training.Run`, which is trained, or a `sweeps.plan.Cell`, which
            names its kind of work, from the values of the other axes.
        seed: the root, which every seed is folded into.
        memory_gib: what a block may take.
        report: is told the progress.
        out: folder for the result `NAME.nc` and the run's folder, which is named by what was built
            and by your code behind it; None keeps all in memory.
        name: what the files are called after.
        fresh: start over although finished blocks are there.
        keep: the variables that are kept, beside `diverged`; None keeps all.
        cluster: where blocks are computed, as of `run_sweep`.

    Raises:
        InputError: what is built is no run that can be trained, or cannot be named for `out`; or
            `keep` names what the result does not have.
    """
    names, memory = parsed(keep), in_bytes(memory_gib)
    work = Computation(grid, cells_of(build), seed, memory, report or Quiet(), names)
    about = described(grid, seed, sweep_name(name))
    if names is not None:
        (about["keep"],) = identified(names)
    if out is None:
        with executor_of(cluster, print if report else None) as executor:
            return work.run(executor).dataset(_labels(about, work))
    out, whole = Path(out).expanduser(), named(about, work.programs)
    place, path = out / f"{name}.nc", out / "runs" / f"{name}-{digest(whole)}"
    check_target(place)
    dataset = None if fresh else kept_dataset(path / "result.nc", JOINED)
    if dataset is None:
        say_if_built_otherwise(whole, path)
        how: dict[str, Any] = {"config_json": json.dumps(whole), "fresh": fresh}
        with executor_of(cluster, print if report else None) as executor:
            dataset = keep_result(path, work, _labels(about, work), executor=executor, **how)
    make_room_for_grid(place, dataset.attrs["grid"])
    copy_result(path / "result.nc", place)
    return dataset


def _labels(about: dict[str, Any], work: Computation) -> Labels:
    texts = {"grid": json.dumps(about), "name": about["name"], "shared_data": work.shared_data()}
    return Labels({}, {k: text for k, text in texts.items() if text})


def described(grid: Grid, root: int, name: str) -> dict[str, Any]:
    """Return a grid as JSON can hold it: its axes, its root seed and what its folder is called."""
    axes = [[d.name, {a.path: [a.name, list(a.values)] for a in d.axes}] for d in grid.dimensions]
    return json.loads(json.dumps({"name": name, "grid": axes, "seed": root}, default=float))


def named(about: dict[str, Any], programs: list[Program]) -> dict[str, Any]:
    """Return a described grid with what was built for it, and the versions of its kinds of work.

    Raises:
        InputError: something that cannot be told from another of its kind.
    """
    works = {program.work.name: program.work for program in programs}
    versions = {name: getattr(work, "version", None) for name, work in works.items()}
    parts = [(p.work, p.run, p.points, p.seeds) for p in programs]
    return about | {"built": name_of(parts), "versions": versions}
