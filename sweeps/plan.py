"""From a grid to blocks: which models are trained by which program, and in what width.

Cells that build the same program (same shapes, same static fields) form a sheet of seeds × cells;
a sheet is cut into equally wide blocks that fit the memory setting. Inside a block a layout says
how many models are worked on side by side.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from sweeps.grid import SEED, Grid
from toymodels.errors import InputError
from toymodels.tasks import draw_noise, interpret
from toymodels.training import EVALUATION_BATCH, Run, init_state

Build = Callable[[dict[str, Any]], Run]
Describe = Callable[[dict[str, Any]], dict[str, Any]]

# Inputs and targets of the models that take a step side by side (measured on 2 cores, 1 MiB L2).
CACHE_BYTES = 1_600_000
# From this size of inputs and targets on, a model takes its step alone.
ALONE_BYTES = 40_000
# Copies of a batch that are alive during a step: input, hidden, output, errors, their gradients.
LIVE_COPIES = 8
# Models in a block on a CPU: wide enough for speed, small enough that little is lost by a kill.
CPU_BLOCK = 2048


@dataclass(frozen=True)
class Layout:
    """How many seeds and cells of a block are vectorised together; static, part of the program."""

    seeds: int
    cells: int


@dataclass(frozen=True)
class Sheet:
    """Cells that share a program, under each of some seeds."""

    run: Run  # leaves [C, …]
    names: NDArray[np.uint32]  # [C], hash of each cell's canonical description
    seeds: tuple[int, ...]  # [S]
    points: NDArray[np.int64]  # [S, C], flat index into the grid


@dataclass(frozen=True)
class Block:
    """A rectangle of a sheet, padded to a common width by repeating its last cell and seed."""

    sheet: Sheet
    seed_index: NDArray[np.int64]  # [S_b]
    cell_index: NDArray[np.int64]  # [C_b]
    layout: Layout
    points: NDArray[np.int64]  # [S_b, C_b], -1 where padded

    @property
    def n_models(self) -> int:
        """Models that count, padding left out."""
        return int(np.sum(self.points >= 0))


def cell_name(values: dict[str, Any]) -> np.uint32:
    """Hash a cell's canonical description, which no way of cutting the sweep can change."""
    text = json.dumps(values, sort_keys=True, default=float)
    return np.uint32(int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big"))


def make_sheets(grid: Grid, build: Build, describe: Describe, seed: int) -> list[Sheet]:
    """Group the points of a grid into sheets.

    Args:
        grid: the points; the axis "seed" is the seed of a run, every other one goes to `build`.
        build: makes a `Run` with array leaves from the other axes' values.
        describe: gives what names the cell, for the first weights, from the same values.
        seed: the seed where the grid has no such axis.
    """
    cells: dict[str, tuple[Any, Run, np.uint32]] = {}
    by_seed: dict[tuple[Any, int], list[tuple[str, int]]] = {}
    for flat, point in enumerate(grid.points()):
        values = {k: v for k, v in point.items() if k != SEED}
        label = json.dumps(values, sort_keys=True, default=float)
        if label not in cells:
            run = build(values)
            cells[label] = (_program_of(run), run, cell_name(describe(values)))
        by_seed.setdefault((cells[label][0], int(point.get(SEED, seed))), []).append((label, flat))
    rectangles: dict[Any, dict[int, list[int]]] = {}
    for (program, seed_value), members in by_seed.items():
        labels = tuple(label for label, _ in members)
        rectangles.setdefault((program, labels), {})[seed_value] = [flat for _, flat in members]
    sheets = []
    for (_, labels), rows in rectangles.items():
        runs = [cells[label][1] for label in labels]
        sheets.append(
            Sheet(
                run=jax.tree.map(lambda *leaves: np.stack(leaves), *runs),
                names=np.array([cells[label][2] for label in labels]),
                seeds=tuple(rows),
                points=np.array(list(rows.values())),
            )
        )
    return sheets


def _program_of(run: Run) -> Any:
    leaves, structure = jax.tree.flatten(run)
    return structure, tuple(np.shape(leaf) for leaf in leaves)


def first_cell(sheet: Sheet) -> Run:
    """Return one cell's run, for its sizes."""
    return jax.tree.map(lambda leaf: leaf[0], sheet.run)


def batch_bytes(run: Run, n_examples: int) -> int:
    """Return the bytes of one model's inputs and targets, or what the task says instead."""
    own_word = getattr(run.task, "work_bytes", None)
    if own_word is not None:
        return own_word
    key = jax.random.key(0)
    noise = jax.eval_shape(lambda k: draw_noise(run.task, k, n_examples), key)
    batch = jax.eval_shape(lambda n: interpret(run.task, n), noise)
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(batch))


def model_bytes(run: Run) -> tuple[int, int]:
    """Return the bytes of one model's batch, in training or evaluation, and of its state."""
    state = jax.eval_shape(lambda k: init_state(run, k), jax.random.key(0))
    step = batch_bytes(run, max(run.spec.batch_size, EVALUATION_BATCH))
    return step, sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))


def choose_layout(run: Run, n_seeds: int, n_cells: int, memory: int) -> Layout:
    """Choose how many models are worked on side by side, from one cell's run.

    On a CPU a model whose batch fills the vector units goes alone, as plain matrix products
    (20→5 and 200→20 at batch 1024 gained a third by it); smaller ones go in equal groups whose
    inputs stay in the cache. A GPU takes all that fits.
    """
    step, _ = model_bytes(run)
    budget = max(1, memory // (2 * LIVE_COPIES * step))
    if jax.default_backend() == "cpu":
        own = batch_bytes(run, run.spec.batch_size)
        budget = min(budget, 1 if own >= ALONE_BYTES else max(1, CACHE_BYTES // own))
    seeds = _even(n_seeds, budget)
    return Layout(seeds=seeds, cells=_even(n_cells, max(1, budget // seeds)))


def _even(n: int, most: int) -> int:
    """Return the size of the groups when n are cut into as few equal ones as `most` allows."""
    return -(-n // -(-n // min(n, most)))


def cut(sheet: Sheet, memory: int, widest: int | None = None) -> Iterator[Block]:
    """Cut a sheet into blocks of one width that fit `memory` bytes.

    Raises:
        InputError: the memory does not hold a single model.
    """
    run = first_cell(sheet)
    step, state = model_bytes(run)
    n_seeds, n_cells = sheet.points.shape
    least = 2 * (LIVE_COPIES * step + 4 * state)  # half for batches, half for states
    if least > memory:
        raise InputError(
            f"memory = {memory / 2**30:.3g} GiB does not hold one model, which needs about "
            f"{least / 2**30:.3g} GiB: raise memory or lower batch_size."
        )
    if widest is None:
        widest = CPU_BLOCK if jax.default_backend() == "cpu" else max(1, memory // (8 * state))
    widest = max(1, min(widest, memory // (2 * 4 * state)))
    block_seeds = min(n_seeds, widest)
    n_blocks = -(-n_cells // max(1, widest // block_seeds))
    block_cells = -(-n_cells // n_blocks)
    layout = choose_layout(run, block_seeds, block_cells, memory)
    block_seeds = _round_up(block_seeds, layout.seeds)
    block_cells = _round_up(block_cells, layout.cells)
    for first_seed in range(0, n_seeds, block_seeds):
        for first_cell_ in range(0, n_cells, block_cells):
            s, s_ok = _window(first_seed, block_seeds, n_seeds)
            c, c_ok = _window(first_cell_, block_cells, n_cells)
            points = np.where(s_ok[:, None] & c_ok[None, :], sheet.points[np.ix_(s, c)], -1)
            yield Block(sheet, s, c, layout, points)


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


def _window(first: int, width: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    index = np.arange(first, first + width)
    return np.minimum(index, n - 1), index < n
