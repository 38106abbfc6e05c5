"""The blocks of one sweep on their way to a dataset: planned, computed somewhere, and joined."""

import contextlib
import hashlib
import time
from collections.abc import Iterable, Iterator
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from sweeps.executors.base import Executor, InProcess, Job
from sweeps.folder import RunFolder, machine_of
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

    def blocks(self, folder: RunFolder | None) -> list[Block]:
        """Cut the programs, as earlier blocks in the folder were cut where there are some.

        Raises:
            InputError: those who share the folder follow a plan that cannot be followed here.
        """
        if folder is not None and folder.shared:
            return self._agreed(folder)
        machine = self.here if folder is None else folder.machine(self.here)
        try:
            blocks = self._planned(machine)
        except InputError:  # no block was ever cut by this: the plan was damaged
            blocks = self._planned(self.here)
        if folder is not None:
            folder.keep_plan(self.plan)
        return blocks

    def _agreed(self, folder: RunFolder) -> list[Block]:
        """Cut as whoever came first has planned it."""
        blocks = self._planned(self.here)
        kept = folder.agree(self.plan)
        if kept != self.plan:
            blocks = self._planned(machine_of(kept, self.here))
            _require_same(kept, self.plan, folder)
        return blocks

    def _planned(self, machine: Machine) -> list[Block]:
        blocks = [b for program in self.programs for b in program.work.cut(program, machine)]
        self.plan = {
            "memory_bytes": machine.memory,
            "backend": machine.backend,
            "devices": machine.devices,
            "blocks": len(blocks),
            "cut": digest_of(blocks),
            "versions": {name: version(name) for name in NUMERIC},
        }
        return blocks

    def run(self, executor: Executor | None = None) -> Joiner:
        """Compute everything and join it in memory."""
        blocks, joiner = self.blocks(None), Joiner(self.grid)
        arrays = self._computed(list(map(Job, range(len(blocks)), blocks)), None, executor)
        for i, block in enumerate(blocks):
            joiner.add(block.points, unpack(arrays.pop(i)))
        return joiner

    def run_in(self, folder: RunFolder, executor: Executor | None = None) -> Blocks:
        """Compute what is not there yet in a folder, and return what reads all blocks there."""
        blocks = self.blocks(folder)
        self._computed(list(map(Job, range(len(blocks)), blocks)), folder, executor)
        return partial(_read, blocks, folder)

    def run_part(self, folder: RunFolder, part: Part) -> bool:
        """Compute what is not there yet of a part; tell whether all blocks are there."""
        jobs = list(map(Job, range(len(blocks := self.blocks(folder))), blocks))
        self._computed([job for job in jobs if part.has(job.number)], folder, None)
        return all(folder.has_file(i) for i in range(len(jobs)))

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
        todo = _claimed(missing, folder) if folder is not None and folder.shared else missing
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


def _claimed(jobs: Iterable[Job], folder: RunFolder) -> Iterator[Job]:
    """Yield the jobs that no other process has in work, and keep them from others meanwhile."""
    for job in jobs:
        with folder.claim(job.number) as is_ours:
            if not is_ours:
                print(f"block {job.number} is in work elsewhere, and left there.")
            elif not folder.has_block(*job):
                yield job


def _read(blocks: list[Block], folder: RunFolder) -> Iterator[tuple[np.ndarray, Output]]:
    """Yield the points of each block and what it left behind.

    Raises:
        InputError: one cannot be read any more.
    """
    for i, block in enumerate(blocks):
        arrays = folder.load_block(i, block)
        if arrays is None:
            raise InputError(f"block {i} was lost while it was joined: run the same again.")
        yield block.points, unpack(arrays)


def digest_of(blocks: Iterable[Block]) -> str:
    """Return ten hexadecimal digits that name how programs were cut."""
    digest = hashlib.sha256()
    for block in blocks:
        for values in cut_of(block).values():
            digest.update(repr(values.shape).encode())
            digest.update(np.ascontiguousarray(values, np.int64).tobytes())
    return digest.hexdigest()[:10]


def _require_same(kept: dict[str, Any], own: dict[str, Any], folder: RunFolder) -> None:
    """Refuse a plan that was made by what gives other numbers than this process would."""
    there, here = kept.get("versions"), own["versions"]
    if isinstance(there, dict) and there != here:
        told = ", ".join(
            f"{name} {there.get(name)}, here {here[name]}"
            for name in here
            if there.get(name) != here[name]
        )
        raise InputError(
            f"{folder.path} was begun with {told}: parts of one run need the same versions. "
            "Install those, or choose another --out."
        )
    if kept.get("cut") != own["cut"] or kept.get("blocks") != own["blocks"]:
        raise InputError(
            f"{folder.path} was cut into other blocks than this process would cut: run once "
            "without --part, or choose another --out."
        )
