"""The kinds of work a sweep may be: its cells are trained, solved or simulated.

A kind says how its sheets are cut into blocks, what a block takes, and how it is worked off;
`sweeps.run` does the same with all of them.
"""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from sweeps.engine import run_block, time_steps
from sweeps.plan import LIVE_COPIES, Block, Sheet, cut, first_cell, model_bytes
from sweeps.results import flatten_result
from sweeps.simulating import (
    SimulationSpec,
    cost_of_block,
    cut_simulations,
    simulate_block,
    simulation_bytes,
    simulation_seconds,
)
from sweeps.solving import SOLVER_BYTES, SolveSpec, cut_cells, solve_block

# What a kind works a block off with: told each time how much was done, in the units of its cost.
Work = Callable[[Block, Callable[[int], None]], dict[str, np.ndarray]]


class Kind(NamedTuple):
    """How blocks of one kind are made and worked off."""

    cut: Callable[[Sheet, int], Iterable[Block]]  # a sheet, within so many bytes
    block_bytes: Callable[[Block], int]
    cost: Callable[[Block], int]  # what progress counts
    seconds: Callable[[list[list[Block]]], float]  # of the blocks of every sheet, estimated
    work: Work


def kind_of(sheet: Sheet) -> Kind:
    """Return the kind of a sheet's cells, which their spec tells."""
    return KINDS.get(type(sheet.run.spec), TRAINED)


def cut_sheet(sheet: Sheet, memory: int) -> list[Block]:
    """Cut a sheet into blocks that fit `memory` bytes."""
    return list(kind_of(sheet).cut(sheet, memory))


def block_bytes(block: Block) -> int:
    """Return about what a block takes while it is worked off."""
    return kind_of(block.sheet).block_bytes(block)


def cost_of(block: Block) -> int:
    """Return what progress counts of a block: models × steps, or what is like it."""
    return kind_of(block.sheet).cost(block)


def work_block(block: Block, advance: Callable[[int], None]) -> dict[str, np.ndarray]:
    """Work a block off; named arrays `[S, C, …]`."""
    return kind_of(block.sheet).work(block, advance)


def _training_bytes(block: Block) -> int:
    step, state = model_bytes(first_cell(block.sheet))
    together = block.layout.seeds * block.layout.cells
    return block.points.size * state * 4 + together * step * LIVE_COPIES


def _model_steps(block: Block) -> int:
    return block.n_models * first_cell(block.sheet).spec.steps


def _training_seconds(sheets: list[list[Block]]) -> float:
    """Return the seconds of every sheet's equally wide blocks: they compile once."""
    seconds = 0.0
    for blocks in sheets:
        spec = first_cell(blocks[0].sheet).spec
        compile_seconds, per_step = time_steps(blocks[0])
        evaluation = 2 * spec.evaluation_size / spec.batch_size / 3
        seconds += compile_seconds + len(blocks) * per_step * (spec.steps + evaluation)
    return seconds


def _train(block: Block, advance: Callable[[int], None]) -> dict[str, np.ndarray]:
    result = run_block(block, lambda steps: advance(steps * block.n_models))
    return flatten_result(block, result)


def _solver_seconds(sheets: list[list[Block]]) -> float:
    seconds = 0.0
    for blocks in sheets:
        began = time.monotonic()
        solve_block(blocks[0], lambda starts: None)
        seconds += len(blocks) * (time.monotonic() - began)
    return seconds


TRAINED = Kind(cut, _training_bytes, _model_steps, _training_seconds, _train)
KINDS = {
    SolveSpec: Kind(
        lambda sheet, memory: cut_cells(sheet),
        lambda block: SOLVER_BYTES,
        _model_steps,
        _solver_seconds,
        solve_block,
    ),
    SimulationSpec: Kind(
        cut_simulations, simulation_bytes, cost_of_block, simulation_seconds, simulate_block
    ),
}
