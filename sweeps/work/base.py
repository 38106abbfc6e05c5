"""What a kind of work is: how its programs are cut, what a block costs, and how it is computed.

`sweeps.run` does the same with every kind. A kind is one class in one file, and one line of
`sweeps.config.registry`. Its `cell` makes what one cell runs from keys of a config: its parameters
are those keys.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import jax
import numpy as np
import xarray as xr

from sweeps.checkpoint import Checkpoint
from sweeps.machine import Machine
from sweeps.packed import Output, pack_all, unpack
from sweeps.plan import Block, Layout, Program
from sweeps.work.timing import extrapolated, twice
from toymodels.errors import InputError
from toymodels.fields import Field, fields_of
from toymodels.streams import run_key

# Told each time some of a block is done, in the units of its cost.
Advance = Callable[[int], None]

# Name -> dimensions of what a result holds, the grid's left out.
Variables = dict[str, tuple[str, ...]]


def dims_of(fields: dict[str, Field]) -> Variables:
    """Return the dimensions of each field."""
    return {name: tuple(field.dims) for name, field in fields.items()}


def nan_where_lost(fields: dict[str, Field], lost: np.ndarray) -> dict[str, Field]:
    """Return fields with NaN for every model that has diverged, bool `[S, C]`.

    Only floats are: integers are labels and counts, and `diverged` says whose they are.
    """

    def masked(values: Any) -> np.ndarray:
        values = np.array(values)
        if values.dtype.kind == "f":
            values[lost] = np.nan
        return values

    return {name: field.holding(masked(field.values)) for name, field in fields.items()}


class Work:
    """One kind of work."""

    name: ClassVar[str]
    version: ClassVar[int]  # raised when the same config gives other numbers than before
    words: ClassVar[tuple[Callable[..., Any], ...]] = ()  # their docstrings tell of `cell`'s keys
    remarked: ClassVar[tuple[str, ...]] = ()  # variables that `remarks` reads

    def variables(self, run: Any) -> Variables:
        """Return what the fields of a run's result are called, and their dimensions."""
        raise NotImplementedError

    def cut(self, program: Program, machine: Machine) -> Iterator[Block]:
        """Cut a program into blocks that fit a machine's memory."""
        raise NotImplementedError

    def block_bytes(self, block: Block) -> int:
        """Return about what a block takes while it is computed."""
        raise NotImplementedError

    def cost(self, block: Block) -> int:
        """Return a block's cost in progress units, such as models × steps."""
        raise NotImplementedError

    def seconds(self, blocks: list[list[Block]]) -> float:
        """Return about how long the blocks of every program take; keeps nothing."""
        raise NotImplementedError

    def run(self, block: Block, advance: Advance) -> Output:
        """Compute a block; call back with the cost completed so far."""
        raise NotImplementedError

    def resume(self, block: Block, advance: Advance, checkpoint: Checkpoint) -> Output:
        """Compute a block as `run` does, from where a checkpoint is, and keep it now and then."""
        return self.run(block, advance)

    def data(self, run: Any) -> Any:
        """Return what decides which data a seed's cells see: those that agree share theirs."""
        return None

    def data_of(self, program: Program) -> list[Any]:
        """Return `data` of every cell of a program: the same, unless numbers decide it."""
        return [self.data(program.cell(0))] * program.points.shape[1]

    def restore(self, run: Any, stored: xr.Dataset, key: Any) -> Any:
        """Return the model of one stored cell; `key` is that of its run."""
        raise NotImplementedError

    def restored_from(self, run: Any) -> tuple[str, ...]:
        """Return the names of the variables that `restore` reads."""
        return ()

    def untrained(self, run: Any) -> Any:
        """Return a model of a run's shapes, before any work was done.

        Raises:
            InputError: this kind of work has no models.
        """
        raise InputError(f'work = "{self.name}" has no models that another sweep could study.')

    def caption(self, dataset: xr.Dataset) -> list[str]:
        """Say how a dataset was computed, in parts of a sentence."""
        raise NotImplementedError

    def remarks(self, dataset: xr.Dataset) -> list[str]:
        """Return what a user must know of how the runs went, in lines."""
        return []


class CellWork(Work):
    """A kind of work that computes one cell after the other, on the host."""

    cells_of_a_block: ClassVar[int] = 10  # little is lost by a kill
    bytes_of_a_cell: ClassVar[int] = 2**30

    def compute(self, run: Any, key: jax.Array) -> dict[str, Field]:
        """Compute one cell; `key` is that of its run."""
        raise NotImplementedError

    def cut(self, program: Program, machine: Machine) -> Iterator[Block]:
        """Cut a program into blocks of one seed and a few cells."""
        n_seeds, n_cells = program.points.shape
        for seed in range(n_seeds):
            for first in range(0, n_cells, self.cells_of_a_block):
                cells = np.arange(first, min(first + self.cells_of_a_block, n_cells))
                points = program.points[seed : seed + 1, cells]
                yield Block(program, np.array([seed]), cells, Layout(1, len(cells)), points)

    def block_bytes(self, block: Block) -> int:
        """Return what one cell takes."""
        return self.bytes_of_a_cell

    def cost(self, block: Block) -> int:
        """Return the number of cells."""
        return block.n_models

    def seconds(self, blocks: list[list[Block]]) -> float:
        """Compute one cell of each program, twice where it is quick: the first compiles."""

        def measure(of_program: list[Block]) -> tuple[float, float]:
            block = of_program[0]
            cell, key = block.program.cell(0), run_key(block.seeds[0], block.program.root)
            once, each = twice(lambda: self.compute(cell, key))
            return once, each * sum(map(self.cost, of_program))

        return extrapolated(blocks, lambda b: sum(map(self.cost, b)), measure)

    def run(self, block: Block, advance: Advance) -> Output:
        """Compute the cells of a block, and join them."""
        return self._joined(block, advance, None)

    def resume(self, block: Block, advance: Advance, checkpoint: Checkpoint) -> Output:
        """Compute the cells that are not there yet, and join all."""
        return self._joined(block, advance, checkpoint)

    def _joined(self, block: Block, advance: Advance, checkpoint: Checkpoint | None) -> Output:
        key, n = run_key(block.seeds[0], block.program.root), len(block.cell_index)
        each = _cells_of(checkpoint.load()) if checkpoint else []
        for c in block.cell_index[len(each) :]:
            each.append(self.compute(block.program.cell(int(c)), key))
            if checkpoint:
                checkpoint.keep(partial(_packed, block, each), len(each), (len(each), n), "cell")
            advance(1)
        fields = _stacked(each)
        lost = np.zeros(block.points.shape, np.int8)
        fields = {"diverged": Field(lost, (), "never", ("finite", "diverged"))} | fields
        return Output(fields | world_fields(block), {})

    def variables(self, run: Any) -> Variables:
        """Return the fields of a cell, which is computed, and of its world."""
        fields = self.compute(run, run_key(0)) | world_of(getattr(run, "task", None))
        return {"diverged": ()} | dims_of(fields)


def _stacked(cells: list[dict[str, Field]]) -> dict[str, Field]:
    """Join the fields of cells, values `[1, C, …]`."""
    return {
        name: field.holding(np.stack([cell[name].values for cell in cells])[None])
        for name, field in cells[0].items()
    }


def _packed(block: Block, cells: list[dict[str, Field]]) -> dict[str, np.ndarray]:
    """Return the first cells of a block as arrays that a file can keep."""
    return pack_all(block, Output(_stacked(cells), {}))


def _cells_of(kept: dict[str, np.ndarray]) -> list[dict[str, Field]]:
    """Return the cells that `_packed` was given."""
    fields = unpack(kept).fields if kept else {}
    n = max((field.values.shape[1] for field in fields.values()), default=0)
    return [{name: f.holding(f.values[0, i]) for name, f in fields.items()} for i in range(n)]


def world_of(task: Any, leading: int = 0) -> dict[str, Field]:
    """Return the arrays of a task and its features, such as `importance_of_feature`."""
    found = {}
    for name, field in fields_of(task, leading=leading).items():
        if field.dims:  # numbers are coordinates already
            leaf = name.rpartition("features_")[2]
            found[f"{leaf}_of_{field.dims[0]}" if len(field.dims) == 1 else leaf] = field
    return found


def world_fields(block: Block) -> dict[str, Field]:
    """Return the arrays of a block's tasks, `[S, C, …]`."""
    found = {}
    for name, field in world_of(getattr(block.program.run, "task", None), leading=1).items():
        values = np.asarray(field.values[block.cell_index])
        found[name] = field.holding(
            np.broadcast_to(values, (*block.points.shape, *values.shape[1:]))
        )
    return found
