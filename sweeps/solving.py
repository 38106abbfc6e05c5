"""Solve the cells of a sheet instead of training them: many starts each, no samples.

A solved cell is a `Run` whose spec is a `SolveSpec`; its blocks are stored, joined and resumed as
trained ones are. The numbers come from `toymodels.exact.solve`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from flax import struct

from sweeps.plan import Block, Layout, Sheet, first_cell
from toymodels.exact.solver import solve
from toymodels.models import Init

# Cells of a block, by features: seconds of work, so that little is lost by a kill, and enough
# for every core.
CELLS = {1: 16_384, 2: 16_384, 3: 4096, 4: 2048, 5: 1024, 6: 256}

# What the solver's groups of cells take at most, measured.
SOLVER_BYTES = 2**30


@struct.dataclass
class SolveSpec:
    """How a cell is solved: from how many starts."""

    n_starts: int = struct.field(pytree_node=False, default=8)
    evaluation_size: int = struct.field(pytree_node=False, default=1)  # the loss is exact

    @property
    def steps(self) -> int:
        """What progress counts of each cell."""
        return self.n_starts


def _start(sheet: Sheet) -> Init:
    """Return the sizes of a sheet's models."""
    init = sheet.run.init
    assert isinstance(init, Init)
    return init


def cut_cells(sheet: Sheet) -> Iterator[Block]:
    """Cut a sheet into blocks of one seed and `CELLS` cells."""
    n_seeds, n_cells = sheet.points.shape
    width = CELLS[_start(sheet).n_features]
    for seed in range(n_seeds):
        for first in range(0, n_cells, width):
            cells = np.arange(first, min(first + width, n_cells))
            points = sheet.points[seed : seed + 1, cells]
            yield Block(sheet, np.array([seed]), cells, Layout(1, len(cells)), points)


def solve_block(block: Block, on_starts: Callable[[int], None]) -> dict[str, np.ndarray]:
    """Solve a block; named arrays with leading axes `[1, C]`, as training's are.

    Args:
        block: one seed's cells.
        on_starts: called with the number of cells × starts each time some were finished.
    """
    run = block.sheet.run
    task, one = run.task, first_cell(block.sheet)
    n_starts = one.spec.n_starts
    importance = np.asarray(task.importance)[block.cell_index]  # [C, F]
    p_active = np.asarray(task.features.p_active)[block.cell_index]
    found = solve(
        p_active,
        importance,
        _start(block.sheet).n_hidden,
        n_starts=n_starts,
        seed=block.sheet.seeds[int(block.seed_index[0])],
        on_cells=lambda n: on_starts(n * n_starts),
    )
    arrays: dict[str, Any] = {
        "model/W": found.W,
        "model/b": found.b,
        "loss": found.loss,
        "loss_ranking": found.loss,
        "loss_per_feature": found.loss_per_feature,
        "diverged": ~np.isfinite(found.loss),
        "runner_up_loss": found.runner_up_loss,
        "runner_up_W": found.runner_up_W,
        "runner_up_b": found.runner_up_b,
        "n_agree": found.n_agree,
        "difference": np.broadcast_to(found.largest_difference, found.loss.shape),
        "loss_curve": np.zeros((len(block.cell_index), 0), np.float32),
        "importance_of_feature": importance,
        "p_active_of_feature": p_active,
    }
    arrays = {name: np.asarray(values)[None] for name, values in arrays.items()}
    return arrays | {"points": block.points, "steps": np.zeros(0, np.int64)}
