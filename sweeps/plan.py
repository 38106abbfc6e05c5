"""From a grid to blocks: which cells share a program, and what is computed in one piece.

Cells of the same kind of work, shapes and static fields are compiled once: a program of seeds ×
cells. A kind of work cuts its programs into blocks; inside a block a layout says how many models
are computed side by side.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from sweeps.grid import SEED, Grid, codes_of
from sweeps.stack import Stack
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
    """How many seeds and cells of a block are vectorised together; static, part of the program.

    Each of several devices takes an equal share of the block's seeds and cells.
    """

    seeds: int
    cells: int
    devices: tuple[int, int] = (1, 1)  # along seeds, along cells

    @property
    def n_devices(self) -> int:
        """Over how many devices a block goes."""
        return self.devices[0] * self.devices[1]


@dataclass(frozen=True)
class Program:
    """Cells that one compiled program computes, under each of some seeds."""

    work: Any  # sweeps.work.base.Work
    run: Any  # leaves [C, …], arrays or `sweeps.stack.Shared`
    seeds: tuple[int, ...]  # [S]
    points: NDArray[np.int64]  # [S, C], flat index into the grid
    root: int = 0  # the seeds are those of this root
    keep: tuple[str, ...] | None = None  # the variables of its results that are kept; None: all

    def cell(self, c: int) -> Any:
        """Return the run of cell c."""
        return jax.tree.map(lambda leaf: leaf[c], self.run)

    def first(self) -> Cell:
        """Return the first cell, which is of one kind with all others."""
        return Cell(self.work, self.cell(0))


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


def make_programs(
    grid: Grid, build: Build, root: int = 0, keep: tuple[str, ...] | None = None
) -> list[Program]:
    """Group the points of a grid into programs.

    Args:
        grid: the points; the axis "seed" is the seed of a run, every other one goes to `build`.
        build: makes a `Cell` with array leaves from the other axes' values.
        root: the root seed, which every seed is folded into; a grid without seeds has seed 0.
        keep: the variables of the results that are kept; None keeps all.
    """
    at_seeds, seeds, kinds = _seeds_first(grid)
    first = at_seeds[np.unique(kinds, return_index=True)[1]]  # [K, R], a point of every cell
    order = np.argsort(first, axis=None)
    stacks: dict[Any, Stack] = {}
    program_of = np.empty(first.size, np.int64)
    row_in = np.empty(first.size, np.int64)
    for cell, values in zip(order, grid.points_at(first.ravel()[order]), strict=True):
        values.pop(SEED, None)
        built = build(values)
        stack = stacks.setdefault(program_key(built), Stack(built.work, len(stacks)))
        program_of[cell], row_in[cell] = stack.number, stack.add(built.run)
    programs = []
    for same_kinds, own_seeds in _rectangles(seeds, kinds):
        points = np.stack([at_seeds[rows].ravel() for rows in own_seeds.values()])  # [S, C]
        cells = (np.array(same_kinds)[:, None] * first.shape[1] + np.arange(first.shape[1])).ravel()
        for stack in stacks.values():
            mine = np.flatnonzero(program_of[cells] == stack.number)
            if mine.size:
                mine = mine[np.argsort(points[0, mine])]
                rows = np.argsort(points[:, mine[0]])
                run = stack.rows(row_in[cells[mine]])
                own = tuple(list(own_seeds)[int(i)] for i in rows)
                programs.append(Program(stack.work, run, own, points[rows][:, mine], root, keep))
    return sorted(programs, key=lambda program: int(program.points[0, 0]))


def _seeds_first(grid: Grid) -> tuple[NDArray[np.int64], list[int], NDArray[np.int64]]:
    """Return the points `[N, R]` by the dimension that holds the seeds and all others.

    Also the seed of each of its N indices, and which of K combinations of what else it holds.
    """
    points = np.arange(grid.size).reshape(grid.shape)
    for i, d in enumerate(grid.dimensions):
        seeds = [axis.values for axis in d.axes if axis.path == SEED]
        if seeds:
            others = [axis.values for axis in d.axes if axis.path != SEED]
            kinds = codes_of(others) if others else np.zeros(d.size, np.int64)
            at_seeds = np.moveaxis(points, i, 0).reshape(d.size, -1)
            return at_seeds, [int(seed) for seed in seeds[0]], kinds
    return points.reshape(1, -1), [0], np.zeros(1, np.int64)


def _rectangles(
    seeds: list[int], kinds: NDArray[np.int64]
) -> Iterator[tuple[tuple[int, ...], dict[int, list[int]]]]:
    """Yield seeds that go with the same kinds: these, and seed -> indices, one for each kind."""
    indices: dict[int, list[int]] = {}
    for i, seed in enumerate(seeds):
        indices.setdefault(seed, []).append(i)
    found: dict[tuple[int, ...], dict[int, list[int]]] = {}
    for seed, own in indices.items():
        found.setdefault(tuple(kinds[own].tolist()), {})[seed] = own
    yield from found.items()


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


def narrowed(block: Block) -> Block:
    """Return a block whose program has no other cells and seeds than its own: small to send away.

    Its numbers are the same, bit for bit.
    """
    program = block.program
    cells, cell_index = np.unique(block.cell_index, return_inverse=True)
    seeds, seed_index = np.unique(block.seed_index, return_inverse=True)
    own = Program(
        program.work,
        jax.tree.map(lambda leaf: np.asarray(leaf[cells]), program.run),
        tuple(program.seeds[int(i)] for i in seeds),
        program.points[np.ix_(seeds, cells)],
        program.root,
        program.keep,
    )
    return Block(own, seed_index, cell_index, block.layout, block.points)


def window(first: int, width: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return `width` indices from `first` on, the last of `n` repeated, and which of them count."""
    index = np.arange(first, first + width)
    return np.minimum(index, n - 1), index < n
