"""Run a sweep: grid → blocks → host loop over compiled chunks → one labelled dataset.

Each finished block is kept at once; a run that was killed goes on where it stopped and ends with
the same numbers. Without `out` everything stays in memory.
"""

import contextlib
import json
import time
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import xarray as xr

from sweeps.config import RESULT_VERSION, SweepConfig
from sweeps.grid import Grid
from sweeps.kinds import block_bytes, cost_of, cut_sheet, kind_of, work_block
from sweeps.parse import parse, read_toml
from sweeps.plan import Block, Build, make_sheets
from sweeps.results import Joiner
from sweeps.store import RunFolder, open_dataset, provenance, save_dataset, write_json
from toymodels.errors import InputError

DEFAULT_MEMORY_GIB = 2.0


class Report(Protocol):
    """Who is told how far a sweep is; see `sweeps.progress`."""

    def start(self, models: int, model_steps: int, done: int) -> None:
        """Hear how much there is, and how much was found finished, in models × steps."""
        ...

    def advance(self, model_steps: int) -> None:
        """Hear that so many models × steps were taken."""
        ...

    def finish(self) -> None:
        """Hear that it is over, however it ended."""
        ...


class Quiet:
    """Tells nobody."""

    def start(self, models: int, model_steps: int, done: int) -> None:
        """Say nothing."""

    def advance(self, model_steps: int) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


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
    how: dict[str, Any] = {"memory_gib": memory_gib, "report": report}
    if out is None:
        return _work(config, **how).run(None).dataset(config=config.as_json(), name=config.name)
    check_target(Path(out) / f"{config.name}.nc")
    dataset = run_in_folder(config, Path(out), fresh=fresh, **how)
    save_dataset(dataset, Path(out) / f"{config.name}.nc")
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
    work = _work(config, memory_gib, report)
    path = out / "runs" / f"{config.name}-{config.hash()}"
    _say_if_outdated(config, out / "runs")
    with RunFolder(path, config.as_json(), fresh) as folder:
        result = folder.path / "result.nc"
        if result.exists():
            with contextlib.suppress(InputError):
                return open_dataset(result)
        dataset = work.run(folder).dataset(config=config.as_json(), name=config.name)
        facts = provenance(seed=config.seed, block_plan=work.plan, seconds=round(work.seconds, 2))
        write_json(folder.path / "provenance.json", facts)
        dataset.attrs["provenance"] = json.dumps(facts, sort_keys=True)
        save_dataset(dataset, result)
    return dataset


def _say_if_outdated(config: SweepConfig, runs: Path) -> None:
    """Say why a sweep that was run by an older version is run again."""
    for path in runs.glob(f"{config.name}-*/config.json"):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stored = json.loads(path.read_text())
            version = stored.get("result_version")
            if version != RESULT_VERSION and stored | {"result_version": RESULT_VERSION} == (
                json.loads(config.as_json())
            ):
                print(
                    f"{path.parent.name} holds numbers of version {version}; they changed with "
                    f"version {RESULT_VERSION} and are computed again."
                )


def _work(config: SweepConfig, memory_gib: float, report: Report | None) -> "_Work":
    sheets = make_sheets(config.grid, config.build, config.describe, config.seed)
    return _Work(config.grid, sheets, memory_gib, report or Quiet())


def run_grid(
    grid: Grid,
    build: Build,
    *,
    seed: int = 0,
    memory_gib: float = DEFAULT_MEMORY_GIB,
    report: Report | None = None,
) -> xr.Dataset:
    """Run a grid of any task and model: `build(values) -> Run`, everything in memory."""
    sheets = make_sheets(grid, build, lambda values: values, seed)
    return _Work(grid, sheets, memory_gib, report or Quiet()).run(None).dataset()


def load(config: SweepConfig | dict[str, Any] | str | Path) -> SweepConfig:
    """Return a config from any of its forms."""
    if isinstance(config, SweepConfig):
        return config
    return parse(config if isinstance(config, dict) else read_toml(config))


def estimate(config: SweepConfig, memory_gib: float = DEFAULT_MEMORY_GIB) -> Estimate:
    """Say what a sweep will take; the time comes from a few steps of each program."""
    sheets = make_sheets(config.grid, config.build, config.describe, config.seed)
    memory = _bytes(memory_gib)
    blocks = [cut_sheet(sheet, memory) for sheet in sheets]
    peak = max(block_bytes(of_sheet[0]) for of_sheet in blocks)
    seconds = kind_of(sheets[0]).seconds(blocks)  # all cells of a config are of one kind
    n_blocks = sum(map(len, blocks))
    return Estimate(config.grid.size, len(sheets), n_blocks, peak / 2**30, seconds)


def _bytes(memory_gib: float) -> int:
    if not (isinstance(memory_gib, int | float) and 0 < memory_gib < 1e6):
        raise InputError(f"memory = {memory_gib!r} GiB: give a number of GiB above 0.")
    return int(memory_gib * 2**30)


def check_target(path: Path) -> None:
    """Refuse a place for a file where a folder lies."""
    if path.is_dir():
        raise InputError(f"the result should go to {path}, but a folder lies there: move it away.")


class _Work:
    """The blocks of one sweep on their way to a dataset."""

    def __init__(self, grid: Grid, sheets: list, memory_gib: float, report: Report) -> None:
        self.grid, self.sheets, self.report = grid, sheets, report
        self.memory = _bytes(memory_gib)
        self.plan: dict[str, Any] = {}
        self.seconds = 0.0

    def blocks(self, folder: RunFolder | None) -> list[Block]:
        """Cut the sheets, as earlier blocks in the folder were cut where there are some."""
        wanted = {"memory_bytes": self.memory}
        self.plan = wanted if folder is None else folder.plan(wanted)
        memory = int(self.plan["memory_bytes"])
        return [b for sheet in self.sheets for b in cut_sheet(sheet, memory)]

    def run(self, folder: RunFolder | None) -> Joiner:
        """Train what is not there yet and join everything."""
        blocks = self.blocks(folder)
        found = [None if folder is None else _valid(folder, i, b) for i, b in enumerate(blocks)]
        cost = [cost_of(b) for b in blocks]
        done = sum(c for c, f in zip(cost, found, strict=True) if f is not None)
        joiner, started = Joiner(self.grid), time.monotonic()
        self.report.start(self.grid.size, sum(cost), done)
        try:
            for i, (block, kept) in enumerate(zip(blocks, found, strict=True)):
                arrays = kept or work_block(block, self.report.advance)
                if folder is not None and kept is None:
                    folder.save_block(i, arrays)
                joiner.add(arrays)
        finally:
            self.report.finish()
        self.seconds = time.monotonic() - started
        return joiner


def _valid(folder: RunFolder, i: int, block: Block) -> dict[str, np.ndarray] | None:
    arrays = folder.load_block(i)
    if arrays is not None and np.array_equal(arrays.get("points", ()), block.points):
        return arrays
    return None
