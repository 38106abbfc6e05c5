"""Training: the kind of work of most sweeps."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import xarray as xr

from sweeps.checkpoint import Checkpoint
from sweeps.machine import Machine
from sweeps.plan import Block, Program
from sweeps.work.base import (
    Advance,
    Output,
    Variables,
    Work,
    dims_of,
    world_of,
)
from sweeps.work.checks import check_run
from sweeps.work.convergence import STILL_FALLING, stops
from sweeps.work.engine import LOSSES, measure, run_block
from sweeps.work.layout import LIVE_COPIES, cut, first_model, model_bytes
from sweeps.work.timed_steps import time_steps
from sweeps.work.timing import extrapolated
from sweeps.work.trained import AT_SNAPSHOT, output
from toymodels.errors import InputError
from toymodels.estimators.base import Estimator, n_batches, require
from toymodels.estimators.best import best_estimator
from toymodels.fields import fields_of
from toymodels.losses import needs_inputs
from toymodels.measures.base import Measure
from toymodels.models.base import Init
from toymodels.optimizers import Adam, Cosine, Optimizer, Schedule
from toymodels.penalties.base import Penalty
from toymodels.tasks.base import Task, outputs_of
from toymodels.training import (
    CURVE_SIZE,
    EVALUATION_BATCH,
    Run,
    TrainSpec,
    as_record,
    chunk_ends,
    keep,
)

# Batches of the models that are timed for an estimate.
TIMED_BYTES = 64_000_000

# What compiling a run takes, in units of its step and one evaluation, measured.
COMPILED_PROGRAMS = 2


class Train(Work):
    """Take steps of descent from first weights of each cell's own, then evaluate and measure."""

    name = "train"
    version = 5
    words = (TrainSpec.create,)
    remarked = ("loss_fall", "still_falling")

    def cell(  # noqa: D417 - the others are told of by `words`
        self,
        *,
        model: Init,
        task: Task,
        estimator: Estimator,
        optimizer: Optimizer = Adam(),
        schedule: Schedule = Cosine(),
        penalties: Sequence[Penalty] = (),
        measures: Sequence[Measure] | None = None,
        frozen: list[str] = [],  # noqa: B006 - read, never changed
        steps: int = 2000,
        batch_size: int = 1024,
        learning_rate: float = 1e-2,
        weight_decay: float = 0.0,
        snapshots: list[int] = [],  # noqa: B006
        evaluation_size: int = 65_536,
    ) -> Run:
        """Make one run; see `TrainSpec.create` for its numbers.

        Args:
            model: what is trained, and how it starts.
            task: what the model is asked, in a world of features.
            estimator: how the loss of a step is computed.
            penalties: terms that are added to the loss in training alone.
            measures: what is measured of a model at the end and at snapshots; if left out, the
                geometry of W where the model has one.
            frozen: leaves of the model that stay as they start, such as "b".

        Raises:
            InputError: parts that do not fit together.
        """
        if not hasattr(optimizer, "descend"):
            raise InputError(
                f'work = "train" needs an optimizer that takes steps, not {optimizer}: '
                'for "newton" leave work out.'
            )
        spec = TrainSpec.create(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            steps=steps,
            batch_size=batch_size,
            optimizer=optimizer,
            schedule=schedule,
            snapshots=snapshots,
            evaluation_size=evaluation_size,
        )
        return make_run(
            task,
            model,
            spec,
            estimator=estimator,
            penalties=tuple(penalties),
            measures=None if measures is None else tuple(measures),
            frozen=tuple(frozen),
        )

    def prepared(self, run: Run) -> Run:
        """Return a run of the user's own as this kind of work takes it.

        Raises:
            InputError: it is no run.
        """
        if not isinstance(run, Run):
            raise InputError(
                f"build returned a {type(run).__name__}: it must return a "
                "`toymodels.training.Run`, which is trained, or a `sweeps.plan.Cell`."
            )
        if not isinstance(run.spec, TrainSpec):
            raise InputError(
                f"spec is a {type(run.spec).__name__}: make it by `TrainSpec.create(steps=2000)`."
            )
        return as_record(run)

    def check(self, run: Run) -> None:
        """Raise `InputError` where the parts of a run of the user's own do not fit together."""
        check_run(run, first_model)

    def variables(self, run: Run) -> Variables:
        """Return weights, losses, measures and the world, with their dimensions."""
        model = first_model(run)
        found = dims_of(fields_of(model) | jax.eval_shape(partial(measure, run), model))
        if run.spec.snapshots:
            found |= {n + AT_SNAPSHOT: ("snapshot", *dims) for n, dims in found.items()}
        outputs = outputs_of(run.task)
        found |= dict.fromkeys(LOSSES, ()) | {"loss_curve": ("step",)}
        return found | {f"loss_per_{outputs}": (outputs,)} | dims_of(world_of(run.task))

    def cut(self, program: Program, machine: Machine) -> Iterator[Block]:
        """Cut a program into equally wide blocks."""
        return cut(program, machine)

    def block_bytes(self, block: Block) -> int:
        """Return the bytes on one device: its states, and the batches alive at the same time."""
        step, state = model_bytes(block.program.cell(0))
        together = block.layout.seeds * block.layout.cells
        own = block.points.size // block.layout.n_devices
        return own * state * 4 + together * step * LIVE_COPIES

    def cost(self, block: Block) -> int:
        """Return models × steps."""
        return block.n_models * block.program.run.spec.steps

    def seconds(self, blocks: list[list[Block]]) -> float:
        """Time a few steps of some models of each program, and one batch of evaluation."""

        def weight(of_program: list[Block]) -> float:
            return sum(map(self.cost, of_program)) * model_bytes(of_program[0].program.cell(0))[0]

        return extrapolated(blocks, weight, self._timed)

    def _timed(self, of_program: list[Block]) -> tuple[float, float]:
        run = of_program[0].program.cell(0)
        step_bytes, _ = model_bytes(run)
        together = of_program[0].layout.seeds * of_program[0].layout.cells
        groups = max(1, TIMED_BYTES // (step_bytes * together))
        compiling, of_step, of_batch = time_steps(of_program[0], groups)
        looks = [CURVE_SIZE] * len(stops(chunk_ends(run.spec))) + [run.spec.evaluation_size] * 2
        best = best_estimator(run.task, first_model(run))
        batches = sum(n_batches(best, n_examples, EVALUATION_BATCH) for n_examples in looks)
        each = run.spec.steps * of_step + batches * of_batch
        return COMPILED_PROGRAMS * compiling, len(of_program) * each

    def run(self, block: Block, advance: Advance) -> Output:
        """Train, evaluate and measure a block."""
        result = run_block(block, lambda steps: advance(steps * block.n_models))
        return output(block, result)

    def resume(self, block: Block, advance: Advance, checkpoint: Checkpoint) -> Output:
        """Go on training a block, then evaluate and measure it."""
        result = run_block(block, lambda steps: advance(steps * block.n_models), checkpoint)
        return output(block, result)

    def data(self, run: Run) -> Any:
        """Return the shape of a batch's uniforms: equal ones are the same numbers."""
        draw = partial(run.estimator.draw, run.task, n_examples=run.spec.batch_size)
        return jax.eval_shape(lambda key: draw(key=key), jax.random.key(0)).shape

    def restore(self, run: Run, stored: xr.Dataset, key: Any) -> Any:
        """Return the stored weights as the model that they are of."""
        shapes = first_model(run)
        leaves, structure = jax.tree.flatten(shapes)
        arrays = []
        for name, shape in zip(fields_of(shapes), leaves, strict=True):
            whole = stored[name].values
            fits = whole.ndim == len(shape.shape)
            held = whole[tuple(slice(n) for n in shape.shape)] if fits else whole
            if held.shape != shape.shape:
                raise InputError(
                    f"the stored {name} {list(held.shape)} is not of a model with {name} "
                    f"{list(shape.shape)}: give what built the run that was stored."
                )
            arrays.append(jnp.asarray(held))
        return jax.tree.unflatten(structure, arrays)

    def restored_from(self, run: Run) -> tuple[str, ...]:
        """Return the names of the weights."""
        return tuple(fields_of(first_model(run)))

    def untrained(self, run: Run) -> Any:
        """Return the model as it is first drawn, under some key."""
        draw = getattr(run.init, "draw", run.init)
        return draw(jax.random.key(0))

    def caption(self, dataset: xr.Dataset) -> list[str]:
        """Say how many seeds and steps, and how many runs diverged."""
        n_seeds, n_models = (dataset.sizes.get(dim, 1) for dim in ("seed", "model_seed"))
        parts = [f"{n_seeds} seeds"] if n_seeds > 1 else []
        parts += [f"{n_models} models a cell"] if n_models > 1 else []
        parts = parts or ["1 seed"]
        shared = {k for k in dataset.coords if dataset[k].ndim == 0}  # by cells of other work too
        of = "of" if "steps" in shared else "batches of"
        said = (("steps", "{:g} step"), ("batch_size", of + " {:g} example"))
        found = [(words, dataset[k].item()) for k, words in said if k in shared]
        numbers = [words.format(n) + "s" * (n != 1) for words, n in found]
        if numbers:
            parts.append(" ".join(numbers))
        if "learning_rate" in shared:
            parts.append(f"learning rate {dataset['learning_rate'].item():g}")
        diverged = int((dataset["diverged"] != 0).sum())
        left_out = "1 run diverged and is left out"
        if diverged > 1:
            left_out = f"{diverged} runs diverged and are left out"
        return parts + ([left_out] if diverged else [])

    def remarks(self, dataset: xr.Dataset) -> list[str]:
        """Say how many runs are not done."""
        known = dataset["loss_fall"].notnull()
        n = int((dataset["still_falling"] == 1).sum())
        if not n:
            return []
        return [
            f"{n:,} of {int(known.sum()):,} runs still improve: at their latest pace a tenth more "
            f"training lowers the loss by over {STILL_FALLING:.1%} (marked in `still_falling`, by "
            "how much in `loss_fall`). More steps, or a larger learning rate, would lower it."
        ]


TRAIN = Train()


def make_run(task: Any, init: Any, spec: TrainSpec, **parts: Any) -> Run:
    """Make a run and check that its parts fit together.

    Raises:
        InputError: an estimator that does not know the task or the model, penalties without
            samples, or a frozen leaf that is not there.
    """
    run = Run(task, init, spec, **parts)
    cls = getattr(init, "model", None)
    require(run.estimator, task, cls if isinstance(cls, type) else first_model(run))
    if needs_inputs(run.penalties) and run.estimator.name != "sampled":
        raise InputError(
            "a penalty is a mean over examples as they are, which estimator = "
            f'"{run.estimator.name}" does not draw: use estimator = "sampled".'
        )
    if run.frozen:
        model = first_model(run)
        keep(run.frozen, model, model)
    return run
