"""Solving: the least expected loss of each cell, from many starts, without samples.

The numbers come from `toymodels.exact.solve`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from flax import struct

from sweeps.machine import Machine
from sweeps.plan import Block, Layout, Program
from sweeps.work.base import (
    Advance,
    Output,
    Variables,
    Work,
    dims_of,
    nan_where_lost,
    world_fields,
    world_of,
)
from sweeps.work.engine import measure
from sweeps.work.timing import extrapolated, twice
from sweeps.work.tried import lone_finds, starts_of
from toymodels.errors import InputError, require_range
from toymodels.estimators.base import require
from toymodels.estimators.quadrature import Quadrature
from toymodels.exact.expected import LARGEST_F
from toymodels.exact.rounds import rounds_after
from toymodels.exact.solver import MOST_STARTS, Solution, solve
from toymodels.exact.starts import known_starts
from toymodels.fields import Field, static
from toymodels.measures.base import Measure
from toymodels.models.autoencoders import ReluAutoencoder
from toymodels.tasks.base import Task
from toymodels.tasks.reconstruction import Reconstruction

# Cells of a block, by features: seconds of work, so that little is lost by a kill, and enough
# for every core.
CELLS = {1: 16_384, 2: 16_384, 3: 4096, 4: 2048, 5: 1024, 6: 256}

# What the solver's groups of cells take at most, measured.
SOLVER_BYTES = 2**30

# The time of a sweep is estimated by this share of a block: some programs' worth of starts.
TIMED_SHARE = 1 / 16


@dataclass(frozen=True)
class Newton:
    """Newton's method from many starts in every cell, known arrangements among them.

    Attributes:
        n_starts: starts of a cell, the best end is its solution; without a number each cell gets
            as many as it needs, by the rule of `toymodels.exact.rounds`.
    """

    n_starts: int | None = None

    def __post_init__(self) -> None:
        """Check the number of starts."""
        if self.n_starts is not None:
            require_range("n_starts", self.n_starts, 1, MOST_STARTS)

    def cost(self, n_features: int, n_hidden: int) -> int:
        """Return the starts of a cell, of its first round if it gets as many as it needs."""
        return self.n_starts or rounds_after(len(known_starts(n_features, n_hidden)))[0]


@struct.dataclass
class Problem:
    """What is solved in one cell."""

    task: Reconstruction
    n_hidden: int = static()
    newton: Newton = static()
    measures: tuple[Measure, ...] | None = static(default=None)  # None: the geometry of W


class Solve(Work):
    """Find the least expected loss of the tied ReLU autoencoder."""

    name = "solve"
    version = 4
    remarked = ("n_tried", "n_agree")

    def cell(
        self,
        *,
        task: Task,
        optimizer: Newton,
        n_features: int,
        n_hidden: int,
        model: str = "relu",
        estimator: str = "exact",
        measures: Sequence[Measure] | None = None,
    ) -> Problem:
        """Make the problem of one cell.

        Args:
            task: what is asked: reconstruction of independent, uniform features.
            optimizer: "newton", which is what asks for this kind of work.
            n_features: F, at most 6.
            n_hidden: M, hidden dimensions, fewer than F.
            model: "relu", the one that it solves for.
            estimator: "exact", the loss that it minimises.
            measures: what is measured of a solution; if left out, the geometry of W.

        Raises:
            InputError: another optimizer, model or estimator, or sizes the solver does not know.
        """
        if not isinstance(optimizer, Newton):
            raise InputError('work = "solve" needs optimizer = "newton".')
        for key, given, wanted in (("model", model, "relu"), ("estimator", estimator, "exact")):
            if given != wanted:
                raise InputError(
                    f'optimizer = "newton" needs {key} = {wanted!r}, got {given!r}: it solves for '
                    "the least expected loss."
                )
        if not 1 <= n_hidden < n_features <= LARGEST_F:
            raise InputError(
                f'optimizer = "newton" needs 1 <= n_hidden < n_features <= {LARGEST_F}, got '
                f"n_hidden = {n_hidden}, n_features = {n_features}: train instead."
            )
        require(Quadrature(), task, ReluAutoencoder)
        assert isinstance(task, Reconstruction)
        return Problem(task, n_hidden, optimizer, None if measures is None else tuple(measures))

    def variables(self, run: Problem) -> Variables:
        """Return weights, losses, measures and the world, with their dimensions."""
        shape = (1, run.n_hidden, run.task.importance.shape[-1])
        nothing: Any = np.zeros(shape)
        fields = solution_fields(Solution(*(nothing for _ in Solution._fields)))
        found = jax.eval_shape(partial(measure, run), self.untrained(run))
        return dims_of(fields | found | world_of(run.task))

    def cut(self, program: Program, machine: Machine) -> Iterator[Block]:
        """Cut a program into blocks of one seed and `CELLS` cells."""
        n_seeds, n_cells = program.points.shape
        width = CELLS[program.run.task.importance.shape[-1]]
        for seed in range(n_seeds):
            for first in range(0, n_cells, width):
                cells = np.arange(first, min(first + width, n_cells))
                points = program.points[seed : seed + 1, cells]
                yield Block(program, np.array([seed]), cells, Layout(1, len(cells)), points)

    def block_bytes(self, block: Block) -> int:
        """Return what the solver takes, whatever the block."""
        return SOLVER_BYTES

    def cost(self, block: Block) -> int:
        """Return cells × starts."""
        run = block.program.run
        n_features = run.task.importance.shape[-1]
        return block.n_models * run.newton.cost(n_features, run.n_hidden)

    def seconds(self, blocks: list[list[Block]]) -> float:
        """Solve a few cells of each program's first block."""

        def measure(of_program: list[Block]) -> tuple[float, float]:
            block = of_program[0]
            width = CELLS[block.program.run.task.importance.shape[-1]]
            n_cells = max(1, int(TIMED_SHARE * width))
            cells = block.cell_index[:: -(-len(block.cell_index) // n_cells)]
            few = replace(block, cell_index=cells, points=block.program.points[:1, cells])
            once, each = twice(lambda: self.run(few, lambda cost: None))
            return once, each * sum(map(self.cost, of_program)) / self.cost(few)

        return extrapolated(blocks, lambda b: sum(map(self.cost, b)), measure)

    def run(self, block: Block, advance: Advance) -> Output:
        """Solve a block."""
        problem = block.program.run
        importance = np.asarray(problem.task.importance)[block.cell_index]  # [C, F]
        p_active = np.asarray(problem.task.features.p_active)[block.cell_index]
        per_cell = self.cost(block) // block.n_models
        found = solve(
            p_active,
            importance,
            problem.n_hidden,
            n_starts=problem.newton.n_starts,
            seed=solver_seed(block),
            on_cells=lambda n: advance(n * per_cell),
        )
        model = ReluAutoencoder(jnp.asarray(found.W), jnp.asarray(found.b))
        each = jax.tree.map(lambda leaf: jnp.asarray(leaf)[block.cell_index], problem)
        lost = ~np.isfinite(found.loss)
        fields = solution_fields(found) | nan_where_lost(measured(each, model), lost)
        fields = {k: f.holding(np.asarray(f.values)[None]) for k, f in fields.items()}
        return Output(fields | world_fields(block), {})

    def restore(self, run: Problem, stored: xr.Dataset, key: Any) -> Any:
        """Return the stored optimum as a model."""
        n_features = run.task.importance.shape[-1]
        W, b = (jnp.asarray(stored[name].values) for name in ("W", "b"))
        return ReluAutoencoder(W[: run.n_hidden, :n_features], b[:n_features])

    def restored_from(self, run: Problem) -> tuple[str, ...]:
        """Return the names of the weights."""
        return "W", "b"

    def untrained(self, run: Problem) -> Any:
        """Return the model of zeros."""
        n_features = run.task.importance.shape[-1]
        return ReluAutoencoder(jnp.zeros((run.n_hidden, n_features)), jnp.zeros(n_features))

    def caption(self, dataset: xr.Dataset) -> list[str]:
        """Say how many cells and starts, how exact, and what one start alone found, if kept."""
        sizes = " × ".join(str(n) for n in dataset["diverged"].shape)
        starts = f" {starts_of(dataset)} each," if "n_tried" in dataset else ""
        parts = [f"{sizes} cells,{starts} no sampling"]
        if "difference" in dataset:
            worst = float(dataset["difference"].max())
            parts.append(f"largest relative error of the solver's own loss {worst:.0e}")
        return parts + (lone_finds(dataset) if set(self.remarked) <= set(dataset) else [])

    def remarks(self, dataset: xr.Dataset) -> list[str]:
        """Say in how many cells no second start confirms the optimum."""
        return [
            f"{found.capitalize()} (`n_agree` is 1): more n_starts may find a lower one there."
            for found in lone_finds(dataset)
        ]


SOLVE = Solve()


def solver_seed(block: Block) -> int:
    """Return the seed of the random starts: that of the run, under the root."""
    (seed,) = block.seeds
    if not block.program.root:
        return seed
    return int(np.random.SeedSequence([block.program.root, seed]).generate_state(1)[0])


def solution_fields(found: Any) -> dict[str, Field]:
    """Name the arrays of a `Solution` of C cells, values `[C, …]`."""
    runner_up = "of the best other minimum that was found"
    shape = found.loss.shape
    return {
        "W": Field(found.W, ("hidden", "feature"), "weights of the best minimum"),
        "b": Field(found.b, ("feature",), "biases of the best minimum"),
        "loss": Field(found.loss, (), "least expected loss that was found, summed over features"),
        "loss_ranking": Field(found.loss, (), "the same as `loss`"),
        "loss_per_feature": Field(found.loss_per_feature, ("feature",), "the split of `loss`"),
        "diverged": Field(
            (~np.isfinite(found.loss)).astype(np.int8),
            (),
            "1 where the loss is not finite",
            ("finite", "diverged"),
        ),
        "runner_up_loss": Field(found.runner_up_loss, (), f"loss {runner_up}"),
        "runner_up_W": Field(found.runner_up_W, ("hidden", "feature"), f"weights {runner_up}"),
        "runner_up_b": Field(found.runner_up_b, ("feature",), f"biases {runner_up}"),
        "n_agree": Field(found.n_agree, (), "starts that ended in the optimum"),
        "n_tried": Field(found.n_starts, (), "starts that the cell had"),
        "difference": Field(
            np.broadcast_to(found.largest_difference, shape),
            (),
            "largest relative difference between the solver's loss and the exact one",
        ),
    }


@jax.jit
@jax.vmap
def measured(run: Problem, model: ReluAutoencoder) -> dict[str, Field]:
    """Return what each problem `[C]` measures of its optimum, `W [C, M, F]`."""
    return measure(run, model)
