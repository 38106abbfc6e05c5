"""Training: the kind of work of most sweeps."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from sweeps.plan import Block, Program
from sweeps.work.base import Advance, Output, Work, names_of, world_fields, world_of
from sweeps.work.convergence import STILL_FALLING, fall_fields, stops
from sweeps.work.engine import LOSSES, Result, measure, measure_block, run_block, time_steps
from sweeps.work.layout import LIVE_COPIES, cut, first_model, model_bytes
from sweeps.work.timing import extrapolated
from toymodels.errors import InputError
from toymodels.estimators.base import Estimator, n_batches, require
from toymodels.estimators.best import ESTIMATES, best_estimator
from toymodels.fields import Field, fields_of
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

AT_SNAPSHOT = "_at_snapshot"

# Batches of the models that are timed for an estimate.
TIMED_BYTES = 64_000_000

# What compiling a run takes, in units of its step and one evaluation, measured.
COMPILED_PROGRAMS = 2


class Train(Work):
    """Take steps of descent from first weights of each cell's own, then evaluate and measure."""

    name = "train"
    version = 4

    def cell(
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
        """Return a run of the user's own as this kind of work takes it."""
        return as_record(run)

    def names(self, run: Run) -> set[str]:
        """Return the names of weights, losses, measures, the world and of their dimensions."""
        model = first_model(run)
        fields = fields_of(model) | jax.eval_shape(partial(measure, run), model)
        found = names_of(fields | world_of(run.task))
        if run.spec.snapshots:
            found |= {name + AT_SNAPSHOT for name in fields} | {"snapshot"}
        outputs = outputs_of(run.task)
        return found | {*LOSSES, f"loss_per_{outputs}", outputs, "step"}

    def cut(self, program: Program, memory: int) -> Iterator[Block]:
        """Cut a program into equally wide blocks."""
        return cut(program, memory)

    def block_bytes(self, block: Block) -> int:
        """Return the bytes of states and of the batches that are alive at a time."""
        step, state = model_bytes(block.program.cell(0))
        together = block.layout.seeds * block.layout.cells
        return block.points.size * state * 4 + together * step * LIVE_COPIES

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
        ends = stops(run.spec.steps, chunk_ends(run.spec))
        looks = [CURVE_SIZE] * len(ends) + [run.spec.evaluation_size] * 2
        best = best_estimator(run.task, first_model(run))
        batches = sum(n_batches(best, n_examples, EVALUATION_BATCH) for n_examples in looks)
        each = run.spec.steps * of_step + batches * of_batch
        return COMPILED_PROGRAMS * compiling, len(of_program) * each

    def run(self, block: Block, advance: Advance) -> Output:
        """Train, evaluate and measure a block."""
        result = run_block(block, lambda steps: advance(steps * block.n_models))
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
            arrays.append(jnp.asarray(whole[tuple(slice(n) for n in shape.shape)]))
        return jax.tree.unflatten(structure, arrays)

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
        said = (("steps", "{:g} steps"), ("batch_size", "of {:g} examples"))
        shared = {k for k in dataset.coords if dataset[k].ndim == 0}  # by cells of other work too
        numbers = [words.format(dataset[k].item()) for k, words in said if k in shared]
        if numbers:
            parts.append(" ".join(numbers))
        if "learning_rate" in shared:
            parts.append(f"learning rate {dataset['learning_rate'].item():g}")
        diverged = int((dataset["diverged"] != 0).sum())
        return parts + ([f"{diverged} runs diverged and are left out"] if diverged else [])

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
            f'a penalty is a mean over examples, which estimator = "{run.estimator.name}" does '
            'not draw: use estimator = "sampled".'
        )
    if run.frozen:
        model = first_model(run)
        keep(run.frozen, model, model)
    return run


def output(block: Block, result: Result) -> Output:
    """Name the arrays of a trained block."""
    run, spec = block.program.run, block.program.run.spec
    fields = fields_of(result.model, leading=2)
    run_on_device = jax.tree.map(lambda leaf: jnp.asarray(leaf[block.cell_index]), run)
    measure_all = partial(measure_block, run_on_device, layout=block.layout)
    fields |= measure_all(result.model)
    steps = [t for t in spec.snapshots if t in result.snapshots]
    if steps:
        kept = [fields_of(result.snapshots[t], leading=2) for t in steps]
        kept = [k | measure_all(result.snapshots[t]) for k, t in zip(kept, steps, strict=True)]
        fields |= {name + AT_SNAPSHOT: stack(name, kept) for name in kept[0]}
    fields |= evaluation_fields(block, result.evaluation)
    fields |= fall_fields(result.loss_fall, np.asarray(result.evaluation.diverged))
    curve = "loss at about a hundred steps, where samples are drawn on the same few thousand"
    fields["loss_curve"] = Field(result.loss_curve, ("step",), curve)
    fields |= world_fields(block)
    fields = {
        name: field.replace(values=np.asarray(field.values)) for name, field in fields.items()
    }
    coords = {"step": np.array(chunk_ends(spec))}
    return Output(fields, coords | ({"snapshot": np.array(steps)} if steps else {}))


def stack(name: str, kept: list[dict[str, Field]]) -> Field:
    """Join a field of several snapshots along the dimension `snapshot`, after `[S, C]`."""
    first = kept[0][name]
    values = np.stack([np.asarray(fields[name].values) for fields in kept], axis=2)
    return Field(values, ("snapshot", *first.dims), f"{first.words}, at each snapshot")


def evaluation_fields(block: Block, evaluation: Any) -> dict[str, Field]:
    """Return the losses of a block, and by which estimate they were computed."""
    one = block.program.cell(0)
    best = best_estimator(one.task, first_model(one))
    names = tuple(estimator.name for estimator in ESTIMATES)
    outputs = outputs_of(one.task)
    label = np.full(block.points.shape, names.index(best.name), np.int8)
    return {
        "loss": Field(evaluation.loss, (), "importance-weighted squared error, summed"),
        f"loss_per_{outputs}": Field(evaluation.loss_per_output, (outputs,), "the split of `loss`"),
        "loss_ranking": Field(
            evaluation.loss_ranking,
            (),
            "the loss on other examples, where any are drawn: choose by this, report `loss`",
        ),
        "diverged": Field(
            np.asarray(evaluation.diverged, np.int8),
            (),
            "1 where weights or loss are not finite, or 100 times that of learning nothing",
            ("finite", "diverged"),
        ),
        "evaluated_by": Field(label, (), "estimate behind `loss` and `loss_curve`", names),
    }
