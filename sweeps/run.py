"""Run a sweep: grid → blocks → one labelled dataset.

Each finished block is kept at once; a run that was killed goes on where it stopped and ends with
the same numbers. A finished run is only read. Without `out` everything stays in memory.
"""

import contextlib
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from sweeps.atomic import check_target, write_json
from sweeps.computation import Computation
from sweeps.config.parse import parse, read_toml
from sweeps.config.registry import look_in
from sweeps.config.sweep import SweepConfig, config_from_json
from sweeps.differences import make_room
from sweeps.executors.base import Executor
from sweeps.executors.cluster import executor_of
from sweeps.folder import RunFolder
from sweeps.keeping import check_before_models
from sweeps.locks import Held
from sweeps.machine import DEFAULT_MEMORY_GIB, in_bytes
from sweeps.parts import EVERY_BLOCK, Part, part_from
from sweeps.progress import Quiet, Report
from sweeps.results import Labels
from sweeps.shared_folder import SharedFolder
from sweeps.status import say_if_outdated
from sweeps.store import copy_result, kept_dataset, open_dataset, provenance
from sweeps.stored import models_at
from sweeps.written_result import write_result
from toymodels.errors import InputError

# How long a part waits for models that others compute before it looks again: ever longer.
FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0

JOINED = "It is joined again from its blocks."


def run_sweep(
    config: SweepConfig | dict[str, Any] | str | Path,
    *,
    out: str | Path | None = None,
    memory_gib: float = DEFAULT_MEMORY_GIB,
    fresh: bool = False,
    report: Report | None = None,
    cluster: Any = None,
) -> xr.Dataset:
    """Run a sweep and return its dataset.

    With `out` a result above 1 GiB is never in memory as a whole: its blocks are joined in its
    file, and the dataset reads from the file what it is asked for.

    Args:
        config: a `SweepConfig`, a table as in TOML, or the path of a TOML file.
        out: folder for the result `NAME.nc` and the run's folder; None keeps all in memory.
        memory_gib: what a block may take.
        fresh: start over although finished blocks are there.
        report: is told the progress.
        cluster: where blocks are computed: a `distributed.Client`, "local:4", "tcp://HOST:PORT" or
            a scheduler file; `sweeps.executors.cluster.executor_of` says more. None is here.

    Raises:
        InputError: a mistake in the config, or a folder or cluster that cannot be used.
    """
    config = load(config)
    how: dict[str, Any] = {"memory_gib": memory_gib, "report": report or Quiet()}
    if out is None:
        with executor_of(cluster, print if report else None) as executor:
            return _in_memory(config, executor=executor, **how)[0]
    out = Path(out).expanduser()
    check_target(out / f"{config.name}.nc")
    with executor_of(cluster, print if report else None) as executor:
        dataset = run_in_folder(config, out, fresh=fresh, executor=executor, **how)
    put_result(config, out, out / f"{config.name}.nc")
    return dataset


def run_part(
    config: SweepConfig | dict[str, Any] | str | Path,
    part: Part | str,
    *,
    out: str | Path,
    memory_gib: float = DEFAULT_MEMORY_GIB,
    report: Report | None = None,
) -> xr.Dataset | None:
    """Compute one part of a sweep, beside processes that compute others in the same folder.

    Args:
        config: as of `run_sweep`.
        part: "I/N", every Nth block from the Ith on; `sweeps.parts.part_from` says more.
        out: the folder, seen by all of them.
        memory_gib: what a block may take; whoever comes first decides for all.
        report: is told the progress.

    Returns:
        The dataset, where this part was the last one and has joined all, or it was joined before;
        else None: `run_sweep` joins, and computes what is missing.

    Raises:
        InputError: as `run_sweep`, or a part of another plan or other versions than those before.
    """
    config, out = load(config), Path(out).expanduser()
    part = part_from(part) if isinstance(part, str) else part
    check_target(out / f"{config.name}.nc")
    dataset = part_in_folder(config, out, part, memory_gib=memory_gib, report=report or Quiet())
    if dataset is not None:
        put_result(config, out, out / f"{config.name}.nc")
    return dataset


def part_in_folder(
    config: SweepConfig, out: Path, part: Part, *, memory_gib: float, report: Report
) -> xr.Dataset | None:
    """Compute a part in `out/runs/NAME-HASH/`, and join all where it is the last one."""
    path = folder_of(config, out)
    if (kept := kept_dataset(path / "result.nc", JOINED)) is not None:
        return kept
    how: dict[str, Any] = {"memory_gib": memory_gib, "report": report}
    models = _models_by_parts(config, out, part, how)
    build = partial(config.build, trained=models_at(config, models))
    work = Computation(config.grid, build, config.seed, in_bytes(memory_gib), report, config.keep)
    try:
        with SharedFolder(path, config.as_json()) as folder:
            _require_same(config, folder)
            if not work.run_part(folder, part):
                return None
        labels = _labels(config, work)  # of parts that end together one is alone when it looks
        return keep_result(path, work, labels, config_json=config.as_json(), fresh=False)
    except Held as held:
        print(f"part {part} of {config.name} is left as it is: {held}")
        return None


def _require_same(config: SweepConfig, folder: SharedFolder) -> None:
    """Refuse a folder that is of another sweep, whatever its name."""
    text = folder.config_text()
    with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError, ImportError):
        if config_from_json(text).identity() == config.identity():
            return
    raise InputError(
        f"{folder.path} is of another sweep than this one: choose another --out, or move it away."
    )


def _models_by_parts(
    config: SweepConfig, out: Path, part: Part, how: dict[str, Any]
) -> list[xr.Dataset]:
    """Return the datasets that a sweep stands on: its part, then whatever nobody has in work."""
    if config.models is None:
        return []
    check_before_models(config)
    first = part_in_folder(config.models, out, part, **how)
    if first is None:
        first = part_in_folder(config.models, out, EVERY_BLOCK, **how)
    wait = FIRST_WAIT
    while first is None:
        print(f"{config.name} waits for {config.models.name}, which others have in work.")
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)
        first = part_in_folder(config.models, out, EVERY_BLOCK, **how)
    return [first, *_models_in_folder(config.models, out, fresh=False, **how)]


def run_in_folder(
    config: SweepConfig,
    out: Path,
    *,
    memory_gib: float = DEFAULT_MEMORY_GIB,
    fresh: bool = False,
    report: Report | None = None,
    executor: Executor | None = None,
) -> xr.Dataset:
    """Run a sweep in `out/runs/NAME-HASH/`, going on from what is finished there."""
    path, memory = folder_of(config, out), in_bytes(memory_gib)
    if not fresh and (kept := kept_dataset(path / "result.nc", JOINED)) is not None:
        return kept
    say_if_outdated(config, out / "runs")
    how: dict[str, Any] = {"memory_gib": memory_gib, "report": report or Quiet()}
    models = _models_in_folder(config, out, fresh=fresh, executor=executor, **how)
    build = partial(config.build, trained=models_at(config, models))
    work = Computation(config.grid, build, config.seed, memory, how["report"], config.keep)
    how: dict[str, Any] = {"config_json": config.as_json(), "fresh": fresh, "executor": executor}
    return keep_result(path, work, _labels(config, work), **how)


def keep_result(
    path: Path,
    work: Computation,
    labels: Labels,
    *,
    config_json: str,
    fresh: bool,
    executor: Executor | None = None,
) -> xr.Dataset:
    """Compute in a folder what is not there yet, and keep the result there."""
    with RunFolder(path, config_json, fresh) as folder:
        blocks = work.run_in(folder, executor)
        facts = provenance(seed=work.root, block_plan=work.plan, seconds=round(work.seconds, 2))
        write_json(folder.path / "provenance.json", facts)
        attributes = labels.attributes | {"provenance": json.dumps(facts, sort_keys=True)}
        labels = Labels(labels.coordinates, attributes)
        write_result(path / "result.nc", work.grid, blocks, labels)
        return open_dataset(path / "result.nc")


def put_result(config: SweepConfig, out: Path, path: Path) -> None:
    """Copy the result of a sweep from its folder under `out` to where it is looked for."""
    make_room(path, config)
    copy_result(folder_of(config, out) / "result.nc", path)


def folder_of(config: SweepConfig, out: Path) -> Path:
    """Return the folder of a sweep's results."""
    return out / "runs" / f"{config.name}-{config.hash()}"


def _models_in_folder(config: SweepConfig, out: Path, fresh: bool, **how: Any) -> list[xr.Dataset]:
    """Run the sweep whose models a sweep studies; last come those that it stands on in turn."""
    if config.models is None:
        return []
    check_before_models(config)
    models = run_in_folder(config.models, out, fresh=fresh, **how)
    return [models, *_models_in_folder(config.models, out, fresh=False, **how)]


def _in_memory(
    config: SweepConfig, memory_gib: float, report: Report, executor: Executor | None
) -> list[xr.Dataset]:
    """Run a sweep; first comes its result, then those of the sweeps that it stands on."""
    check_before_models(config)
    models = _in_memory(config.models, memory_gib, report, executor) if config.models else []
    build = partial(config.build, trained=models_at(config, models))
    work = Computation(config.grid, build, config.seed, in_bytes(memory_gib), report, config.keep)
    return [work.run(executor).dataset(_labels(config, work)), *models]


def _labels(config: SweepConfig, work: Computation) -> Labels:
    about = {"config": config.as_json(), "name": config.name, "shared_data": work.shared_data()}
    return Labels(config.coordinates(), {k: text for k, text in about.items() if text})


def load(config: SweepConfig | dict[str, Any] | str | Path) -> SweepConfig:
    """Return a config from any of its forms."""
    if isinstance(config, SweepConfig):
        return config
    if isinstance(config, dict):
        return parse(config)
    look_in(Path(config).expanduser().parent)
    return parse(read_toml(config))
