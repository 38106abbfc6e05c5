"""What a kind of work is: how its sheets are cut, what a block costs, and how it is computed.

`sweeps.run` does the same with every kind. A kind is one class in one file, and one line of
`sweeps.config.registry`. Its `cell` makes what one cell runs from keys of a config: its parameters
are those keys.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np
import xarray as xr

from sweeps.plan import Block, Sheet
from toymodels.fields import Field, fields_of

# Told each time some of a block is done, in the units of its cost.
Advance = Callable[[int], None]


class Output(NamedTuple):
    """What a block leaves behind."""

    fields: dict[str, Field]  # values [S, C, …]
    coords: dict[str, np.ndarray]  # of dimensions that have values, such as steps


def names_of(fields: dict[str, Field]) -> set[str]:
    """Return the names of fields and of their dimensions."""
    return {*fields, *(dim for field in fields.values() for dim in field.dims)}


class Work:
    """One kind of work."""

    name: ClassVar[str]
    version: ClassVar[int]  # raised when the same config gives other numbers than before

    def names(self, run: Any) -> set[str]:
        """Return what the fields of a run's result and their dimensions are called."""
        raise NotImplementedError

    def cut(self, sheet: Sheet, memory: int) -> Iterator[Block]:
        """Cut a sheet into blocks that fit `memory` bytes."""
        raise NotImplementedError

    def block_bytes(self, block: Block) -> int:
        """Return about what a block takes while it is computed."""
        raise NotImplementedError

    def cost(self, block: Block) -> int:
        """Return a block's cost in progress units, such as models × steps."""
        raise NotImplementedError

    def seconds(self, blocks: list[list[Block]]) -> float:
        """Return about how long the blocks of every sheet take; keeps nothing."""
        raise NotImplementedError

    def run(self, block: Block, advance: Advance) -> Output:
        """Compute a block; call back with the cost completed so far."""
        raise NotImplementedError

    def data(self, run: Any) -> Any:
        """Return what decides which data a seed's cells see: those that agree share theirs."""
        return None

    def restore(self, run: Any, stored: xr.Dataset, key: Any) -> Any:
        """Return the model of one stored cell; `key` is that of its run."""
        raise NotImplementedError

    def untrained(self, run: Any) -> Any:
        """Return a model of a run's shapes, before any work was done."""
        raise NotImplementedError

    def caption(self, dataset: xr.Dataset) -> list[str]:
        """Say how a dataset was computed, in parts of a sentence."""
        raise NotImplementedError


def world_of(task: Any, leading: int = 0) -> dict[str, Field]:
    """Return the arrays of a task and its features, such as `importance_of_feature`."""
    return {
        f"{name.rpartition('features_')[2]}_of_{field.dims[0]}": field
        for name, field in fields_of(task, leading=leading).items()
        if len(field.dims) == 1
    }


def world_fields(block: Block) -> dict[str, Field]:
    """Return the arrays of a block's tasks, `[S, C, …]`."""
    found = {}
    for name, field in world_of(block.sheet.run.task, leading=1).items():
        values = np.asarray(field.values)[block.cell_index]
        found[name] = field.holding(
            np.broadcast_to(values, (*block.points.shape, *values.shape[1:]))
        )
    return found
