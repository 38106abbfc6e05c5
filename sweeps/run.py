"""Run a sweep: grid → blocks → one labelled dataset.

Each finished block is kept at once; a run that was killed goes on where it stopped and ends with
the same numbers. A finished run is only read. Without `out` everything stays in memory.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sweeps.atomic import check_target
from sweeps.config.parse import parse, read_toml
from sweeps.config.registry import look_in
from sweeps.config.sweep import SweepConfig
from sweeps.differences import make_room
from sweeps.grid import Grid
from sweeps.keeping import Keep, check_names, kept
from sweeps.packed import Output, pack, unpack
from sweeps.plan import Block, Build, make_programs
from sweeps.progress import Quiet, Report
from sweeps.results import Joiner
from sweeps.status import say_if_outdated
from sweeps.store import RunFolder, kept_dataset, provenance, save_dataset, write_json
from sweeps.stored import models_at
from toymodels.errors import InputError

DEFAULT_MEMORY_GIB = 2.0

JOINED = "It is joined again from its blocks."


class Estimate(NamedTuple):
    """What a sweep will take."""

    models: int
    programs: int
    blocks: int
    memory_gib: float
    seconds: float


def run_sweep(
    config: SweepConfig | dict[str, Any] | str | Path,
    *,
    out: str | Path | None = None,
    memory_gib: float = DEFAULT_MEMORY_GIB,
    fresh: bool = False,
    report: Report | None = None,
) -> xr.Dataset:
    """Run a sweep and return its dataset.

    Args:
        config: a `SweepConfig`, a table as in TOML, or the path of a TOML file.
        out: folder for the result `NAME.nc` and the run's folder; None keeps all in memory.
        memory_gib: what a block may take.
        fresh: start over although finished blocks are there.
        report: is told the progress.

    Raises:
        InputError: a mistake in the config, or a folder that cannot be used.
    """
    config = load(config)
    if out is None:
        return _in_memory(config, memory_gib, report or Quiet())[0]
    out = Path(out).expanduser()
    check_target(out / f"{config.name}.nc")
    dataset = run_in_folder(config, out, memory_gib=memory_gib, fresh=fresh, report=report)
    make_room(out / f"{config.name}.nc", config)
    save_dataset(dataset, out / f"{config.name}.nc")
    return dataset


def run_in_folder(
    config: SweepConfig,
    out: Path,
    *,
    memory_gib: float = DEFAULT_MEMORY_GIB,
    fresh: bool = False,
    report: Report | None = None,
) -> xr.Dataset:
    """Run a sweep in `out/runs/NAME-HASH/`, going on from what is finished there."""
    path, memory = folder_of(config, out), in_bytes(memory_gib)
    if not fresh and (kept := kept_dataset(path / "result.nc", JOINED)) is not None:
        return kept
    say_if_outdated(config, out / "runs")
    how: dict[str, Any] = {"memory_gib": memory_gib, "report": report or Quiet()}
    models = _models_in_folder(config, out, fresh=fresh, **how)
    build = partial(config.build, trained=models_at(config, models))
    work = Computation(config.grid, build, config.seed, memory, how["report"], config.keep)
    how: dict[str, Any] = {"config_json": config.as_json(), "fresh": fresh}
    return keep_result(path, work, lambda joiner: _labelled(config, joiner, work), **how)


def keep_result(
    path: Path,
    work: "Computation",
    labelled: Callable[[Joiner], xr.Dataset],
    *,
    config_json: str,
    fresh: bool,
) -> xr.Dataset:
    """Compute in a folder what is not there yet, and keep the result there."""
    with RunFolder(path, config_json, fresh) as folder:
        dataset = labelled(work.run(folder))
        facts = provenance(seed=work.root, block_plan=work.plan, seconds=round(work.seconds, 2))
        write_json(folder.path / "provenance.json", facts)
        dataset.attrs["provenance"] = json.dumps(facts, sort_keys=True)
        save_dataset(dataset, folder.path / "result.nc")
    return dataset


def folder_of(config: SweepConfig, out: Path) -> Path:
    """Return the folder of a sweep's results."""
    return out / "runs" / f"{config.name}-{config.hash()}"


def _models_in_folder(config: SweepConfig, out: Path, fresh: bool, **how: Any) -> list[xr.Dataset]:
    """Run the sweep whose models a sweep studies; last come those that it stands on in turn."""
    if config.models is None:
        return []
    if config.keep is not None:  # its models may take hours
        check_names(config.grid, config.kinds(), config.keep)
    models = run_in_folder(config.models, out, fresh=fresh, **how)
    return [models, *_models_in_folder(config.models, out, fresh=False, **how)]


def _in_memory(config: SweepConfig, memory_gib: float, report: Report) -> list[xr.Dataset]:
    """Run a sweep; first comes its result, then those of the sweeps that it stands on."""
    if config.models and config.keep is not None:
        check_names(config.grid, config.kinds(), config.keep)
    models = _in_memory(config.models, memory_gib, report) if config.models else []
    build = partial(config.build, trained=models_at(config, models))
    how = (in_bytes(memory_gib), report, config.keep)
    work = Computation(config.grid, build, config.seed, *how)
    return [_labelled(config, work.run(None), work), *models]


def _labelled(config: SweepConfig, joiner: Joiner, work: "Computation") -> xr.Dataset:
    about = {"config": config.as_json(), "name": config.name, "shared_data": work.shared_data()}
    return joiner.dataset(config.coordinates(), **{k: text for k, text in about.items() if text})


def load(config: SweepConfig | dict[str, Any] | str | Path) -> SweepConfig:
    """Return a config from any of its forms."""
    if isinstance(config, SweepConfig):
        return config
    if isinstance(config, dict):
        return parse(config)
    look_in(Path(config).expanduser().parent)
    return parse(read_toml(config))


def estimate(config: SweepConfig, memory_gib: float = DEFAULT_MEMORY_GIB) -> Estimate:
    """Say what a sweep will take, by timing a little of each program; keeps nothing.

    The sweep whose models another one studies counts as well.
    """
    memory = in_bytes(memory_gib)
    programs = make_programs(config.grid, config.build, config.seed)
    check_names(config.grid, ((p.work, p.cell(0)) for p in programs), config.keep)
    blocks = [list(program.work.cut(program, memory)) for program in programs]
    peak = max(of_program[0].program.work.block_bytes(of_program[0]) for of_program in blocks)
    seconds = 0.0
    for work in {program.work for program in programs}:
        seconds += work.seconds([b for b in blocks if b[0].program.work is work])
    own = Estimate(config.grid.size, len(programs), sum(map(len, blocks)), peak / 2**30, seconds)
    if config.models is None:
        return own
    first = estimate(config.models, memory_gib)
    most = max(first.memory_gib, own.memory_gib)
    return Estimate(
        first.models + own.models,
        first.programs + own.programs,
        first.blocks + own.blocks,
        most,
        first.seconds + own.seconds,
    )


def in_bytes(memory_gib: float) -> int:
    """Return GiB in bytes, or raise `InputError` if that is no amount of memory."""
    if not (isinstance(memory_gib, int | float) and 0 < memory_gib < 1e6):
        raise InputError(f"memory = {memory_gib!r} GiB: give a number of GiB above 0.")
    return int(memory_gib * 2**30)


class Computation:
    """The blocks of one sweep on their way to a dataset."""

    def __init__(
        self, grid: Grid, build: Build, root: int, memory: int, report: Report, keep: Keep = None
    ) -> None:
        self.grid, self.memory, self.report, self.root = grid, memory, report, root
        self.keep = keep
        self.programs = make_programs(grid, build, root)
        check_names(grid, ((p.work, p.cell(0)) for p in self.programs), keep)
        self.plan: dict[str, Any] = {}
        self.seconds = 0.0

    def shared_data(self) -> str:
        """Say along which axes cells of a seed see different data, where there are any."""
        kinds: dict[Any, int] = {}
        index = np.zeros(self.grid.size, int)
        for program in self.programs:
            for c, data in enumerate(program.work.data_of(program)):
                if data is not None:  # None sees no data, as a solved cell
                    kind = kinds.setdefault((program.work.name, data), len(kinds))
                    index[program.points[:, c]] = kind + 1
        index = index.reshape(self.grid.shape)
        along = [
            d.name
            for i, d in enumerate(self.grid.dimensions)
            if np.any((index > 0) & (index != index.max(axis=i, keepdims=True)))
        ]
        if not along:
            return ""
        return (
            "Cells of a seed see the same data (common random numbers) only where they agree in "
            f"{' and '.join(along)}, which changes how many random numbers are drawn."
        )

    def blocks(self, folder: RunFolder | None) -> list[Block]:
        """Cut the programs, as earlier blocks in the folder were cut where there are some."""
        memory = self.memory if folder is None else folder.memory(self.memory)
        try:
            blocks = self._cut(memory)
        except InputError:  # no block was ever cut by this: the plan was damaged
            memory = self.memory
            blocks = self._cut(memory)
        self.plan = {"memory_bytes": memory, "blocks": len(blocks)}
        if folder is not None:
            folder.keep_plan(self.plan)
        return blocks

    def _cut(self, memory: int) -> list[Block]:
        return [b for program in self.programs for b in program.work.cut(program, memory)]

    def run(self, folder: RunFolder | None) -> Joiner:
        """Compute what is not there yet and join everything."""
        blocks = self.blocks(folder)
        found = [None if folder is None else folder.load_block(i, b) for i, b in enumerate(blocks)]
        cost = [b.program.work.cost(b) for b in blocks]
        done = sum(c for c, f in zip(cost, found, strict=True) if f is not None)
        if folder is not None:
            begun = [(i, b) for i, b in enumerate(blocks) if found[i] is None]
            done += sum(folder.checkpoint(i, b).cost() for i, b in begun)
        joiner, started = Joiner(self.grid), time.monotonic()
        self.report.start(self.grid.size, sum(cost), done)
        try:
            for i, (block, there) in enumerate(zip(blocks, found, strict=True)):
                arrays = there or pack(block, kept(self._computed(i, block, folder), self.keep))
                if folder is not None and there is None:
                    folder.save_block(i, arrays)
                joiner.add(block.points, unpack(arrays))
        finally:
            self.report.finish()
        self.seconds = time.monotonic() - started
        return joiner

    def _computed(self, i: int, block: Block, folder: RunFolder | None) -> Output:
        work, advance = block.program.work, self.report.advance
        if folder is None:
            return work.run(block, advance)
        return work.resume(block, advance, folder.checkpoint(i, block))
