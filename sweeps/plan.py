"""From a grid to blocks: which cells share a program, and what is computed in one piece.

Cells of the same kind of work, shapes and static fields are compiled once: a program of seeds ×
cells. A kind of work cuts its programs into blocks; inside a block a layout says how many models
are computed side by side.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from sweeps.grid import SEED, Grid
from toymodels.errors import InputError


class Cell(NamedTuple):
    """One point of a grid without its seed: what is run, and by which kind of work."""

    work: Any  # sweeps.work.base.Work
    run: Any  # a pytree with array leaves


class TrainedModel(NamedTuple):
    """A trained model, and the run that trained it."""

    run: Any
    model: Any


Build = Callable[[dict[str, Any]], Cell]


@dataclass(frozen=True)
class Layout:
    """How many seeds and cells of a block are vectorised together; static, part of the program."""

    seeds: int
    cells: int


@dataclass(frozen=True)
class Program:
    """Cells that one compiled program computes, under each of some seeds."""

    work: Any  # sweeps.work.base.Work
    run: Any  # leaves [C, …]
    seeds: tuple[int, ...]  # [S]
    points: NDArray[np.int64]  # [S, C], flat index into the grid
    root: int = 0  # the seeds are those of this root

    def cell(self, c: int) -> Any:
        """Return the run of cell c."""
        return jax.tree.map(lambda leaf: leaf[c], self.run)


@dataclass(frozen=True)
class Block:
    """A rectangle of a program, padded to a common width by repeating its last cell and seed."""

    program: Program
    seed_index: NDArray[np.int64]  # [S_b]
    cell_index: NDArray[np.int64]  # [C_b]
    layout: Layout
    points: NDArray[np.int64]  # [S_b, C_b], -1 where padded

    @property
    def n_models(self) -> int:
        """Models that count, padding left out."""
        return int(np.sum(self.points >= 0))

    @property
    def seeds(self) -> list[int]:
        """The seeds of the block, [S_b]."""
        return [self.program.seeds[int(i)] for i in self.seed_index]


def make_programs(grid: Grid, build: Build, root: int = 0) -> list[Program]:
    """Group the points of a grid into programs.

    Args:
        grid: the points; the axis "seed" is the seed of a run, every other one goes to `build`.
        build: makes a `Cell` with array leaves from the other axes' values.
        root: the root seed, which every seed is folded into; a grid without seeds has seed 0.
    """
    cells: dict[str, tuple[Any, Cell]] = {}
    by_seed: dict[tuple[Any, int], list[tuple[str, int]]] = {}
    for flat, point in enumerate(grid.points()):
        values = {k: v for k, v in point.items() if k != SEED}
        label = json.dumps(values, sort_keys=True, default=float)
        if label not in cells:
            cell = build(values)
            cells[label] = (program_key(cell), cell)
        by_seed.setdefault((cells[label][0], int(point.get(SEED, 0))), []).append((label, flat))
    rectangles: dict[Any, dict[int, list[int]]] = {}
    for (key, seed), members in by_seed.items():
        labels = tuple(label for label, _ in members)
        rectangles.setdefault((key, labels), {})[seed] = [flat for _, flat in members]
    programs = []
    for (_, labels), rows in rectangles.items():
        members = [cells[label][1] for label in labels]
        run = jax.tree.map(lambda *leaves: np.stack(leaves), *(cell.run for cell in members))
        points = np.array(list(rows.values()))
        programs.append(Program(members[0].work, run, tuple(rows), points, root))
    return programs


def program_key(cell: Cell) -> Any:
    """Return what all cells of a program have in common: structure, shapes, kind of work.

    Raises:
        InputError: a part of the run is neither a number nor a record that JAX knows.
    """
    leaves, structure = jax.tree.flatten(cell.run)
    for leaf in leaves:
        if not (hasattr(leaf, "dtype") or isinstance(leaf, int | float)):
            raise InputError(
                f"{type(leaf).__name__} is no record of arrays: write @flax.struct.dataclass above "
                "its class, and static() for what is no array."
            )
    return cell.work.name, structure, tuple(np.shape(leaf) for leaf in leaves)


def window(first: int, width: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return `width` indices from `first` on, the last of `n` repeated, and which of them count."""
    index = np.arange(first, first + width)
    return np.minimum(index, n - 1), index < n
