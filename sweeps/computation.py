"""The blocks of one sweep on their way to a dataset: planned, computed somewhere, and joined."""

import contextlib
import hashlib
import itertools
import time
from collections.abc import Iterable, Iterator
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from sweeps.executors.base import Executor, InProcess, Job
from sweeps.folder import RunFolder
from sweeps.grid import Grid
from sweeps.keeping import Keep, check_names
from sweeps.machine import NUMERIC, Machine
from sweeps.packed import Output, cut_of, unpack
from sweeps.parts import Part
from sweeps.plan import Block, Build, Program, make_programs
from sweeps.progress import Report
from sweeps.results import Joiner
from sweeps.written_result import Blocks
from toymodels.errors import InputError


class Computation:
    """The blocks of one sweep."""

    def __init__(
        self, grid: Grid, build: Build, root: int, memory: int, report: Report, keep: Keep = None
    ) -> None:
        self.grid, self.report, self.root = grid, report, root
        self.here = Machine.here(memory)
        self.programs = make_programs(grid, build, root, keep)
        check_names(grid, map(Program.first, self.programs), keep)
        self.plan: dict[str, Any] = {}
        self.seconds = 0.0

    def shared_data(self) -> str:
        """Say along which axes cells of a seed see different data, where there are any."""
        kinds: dict[Any, int] = {}
        index = np.zeros(self.grid.size, int)
        for program in self.programs:
            name, own = program.work.name, program.work.data_of(program)
            # None sees no data, as a solved cell
            index[program.points] = [
                0 if data is None else 1 + kinds.setdefault((name, data), len(kinds))
                for data in own
            ]
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

    def jobs(self, folder: RunFolder | None = None) -> list[Job]:
        """Cut the programs into blocks, as those that are in the folder were cut.

        Raises:
            InputError: those who share the folder follow a plan that cannot be followed here.
        """
        if folder is None:
            blocks, self.plan = self._cut(self.here)
        else:
            blocks, self.plan = folder.planned(self._cut, self.here)
        return list(itertools.starmap(Job, enumerate(blocks)))

    def _cut(self, machine: Machine) -> tuple[list[Block], dict[str, Any]]:
        blocks = [b for program in self.programs for b in program.work.cut(program, machine)]
        plan = {
            "memory_bytes": machine.memory,
            "backend": machine.backend,
            "devices": machine.devices,
            "blocks": len(blocks),
            "cut": digest_of(blocks),
            "versions": {name: version(name) for name in NUMERIC},
        }
        return blocks, plan

    def run(self, executor: Executor | None = None) -> Joiner:
        """Compute everything and join it in memory."""
        jobs, joiner = self.jobs(), Joiner(self.grid)
        arrays = self._computed(jobs, None, executor)
        for number, block in jobs:
            joiner.add(block.points, unpack(arrays.pop(number)))
        return joiner

    def run_in(self, folder: RunFolder, executor: Executor | None = None) -> Blocks:
        """Compute what is not there yet in a folder, and return what reads all blocks there."""
        jobs = self.jobs(folder)
        self._computed(jobs, folder, executor)
        return partial(_read, jobs, folder)

    def run_part(self, folder: RunFolder, part: Part) -> bool:
        """Compute what is not there yet of a part; tell whether all blocks are there."""
        jobs = self.jobs(folder)
        own = [job for job in jobs if part.has(job.number)]
        if own:
            self._computed(own, folder, None)
        else:
            print(f"part {part} has none of the {len(jobs)} blocks.")
        return folder.has_files(len(jobs))

    def _computed(
        self, jobs: list[Job], folder: RunFolder | None, executor: Executor | None
    ) -> dict[int, dict[str, np.ndarray]]:
        """Compute the jobs that are not done, and return the arrays of those kept nowhere."""
        cost = {job.number: job.block.program.work.cost(job.block) for job in jobs}
        missing = [job for job in jobs if folder is None or not folder.has_block(*job)]
        done = sum(cost.values()) - sum(cost[job.number] for job in missing)
        if folder is not None:
            done += sum(folder.checkpoint(*job).cost() for job in missing)
        arrays: dict[int, dict[str, np.ndarray]] = {}
        started = time.monotonic()
        models = sum(job.block.n_models for job in jobs)
        self.report.start(models, sum(cost.values()), done)
        todo = missing if folder is None else folder.claimed(missing)
        try:
            finished = (executor or InProcess()).run(todo, folder, self.report.advance)
            with contextlib.closing(finished):  # at once, also where it is stopped by Ctrl-C
                for number, held in finished:
                    if held is not None:
                        arrays[number] = held
        finally:
            self.report.finish()
        self.seconds = time.monotonic() - started
        return arrays


def _read(jobs: list[Job], folder: RunFolder) -> Iterator[tuple[np.ndarray, Output]]:
    """Yield the points of each block and what it left behind.

    Raises:
        InputError: one cannot be read any more.
    """
    for i, block in jobs:
        arrays = folder.load_block(i, block)
        if arrays is None:
            raise InputError(f"block {i + 1} was lost while it was joined: run the same again.")
        yield block.points, unpack(arrays)


def digest_of(blocks: Iterable[Block]) -> str:
    """Return ten hexadecimal digits that name how programs were cut."""
    digest = hashlib.sha256()
    for block in blocks:
        for values in cut_of(block).values():
            digest.update(repr(values.shape).encode())
            digest.update(np.ascontiguousarray(values, np.int64).tobytes())
    return digest.hexdigest()[:10]
