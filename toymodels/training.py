"""Training: one run is a pure function of its task, its start, its spec and its keys.

`train_chunk` is the unit that `sweeps` vectorises: some steps of one run, no host in between.
Step t draws its batch from `fold_in(key_data, t)`. Neither the key nor the step number is part of
the state, so under `vmap` over cells (`in_axes=None` for both) all cells share one stream of data.
"""

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.compiled import jit
from toymodels.diverged import has_diverged, is_finite, unless_diverged
from toymodels.errors import InputError, require_range
from toymodels.estimators.base import Estimator, n_batches
from toymodels.estimators.best import best_estimator
from toymodels.estimators.sampled import Sampled
from toymodels.fields import static
from toymodels.losses import average_over_batches, objective
from toymodels.measures.base import Measure
from toymodels.optimizers import Adam, Constant, Cosine, Optimizer, Schedule
from toymodels.penalties.base import Penalty
from toymodels.streams import Stream, stream

# Examples behind one point of a loss curve.
CURVE_SIZE = 4096

# Examples of one batch of an evaluation, whatever the training batch is.
EVALUATION_BATCH = 1024


@struct.dataclass
class TrainSpec:
    """How a run is trained. Floats that a sweep may vary are leaves; the rest is static."""

    learning_rate: Any  # []
    weight_decay: Any = 0.0  # []
    steps: int = static(default=2000)
    batch_size: int = static(default=1024)
    optimizer: Optimizer = static(default=Adam())
    schedule: Schedule = static(default=Constant())
    snapshots: tuple[int, ...] = static(default=())
    evaluation_size: int = static(default=65_536)

    @classmethod
    def create(
        cls,
        *,
        learning_rate: float = 1e-2,
        weight_decay: float = 0.0,
        steps: int = 2000,
        batch_size: int = 1024,
        optimizer: Optimizer = Adam(),
        schedule: Schedule = Cosine(),
        snapshots: Sequence[int] = (),
        evaluation_size: int = 65_536,
    ) -> Self:
        """Check numbers and make the spec.

        Args:
            learning_rate: of the first step; the schedule lowers it.
            weight_decay: coefficient of the decay of every weight, the bias included.
            steps: how many steps of descent.
            batch_size: examples of a step, drawn anew each time.
            optimizer: how a gradient becomes a step.
            schedule: how the learning rate changes along the run.
            snapshots: steps at which the model is kept and measured.
            evaluation_size: examples that a finished run is ranked and reported by, where its
                loss is not computed without samples.

        Raises:
            InputError: a number out of range, or a snapshot after the last step.
        """
        require_range("learning_rate", learning_rate, 0, 1e30)
        require_range("weight_decay", weight_decay, 0, 1e30)
        require_range("steps", steps, 1, 100_000_000)
        require_range("batch_size", batch_size, 1, 1_000_000)
        require_range("evaluation_size", evaluation_size, 1, 10_000_000)
        for name, off in (
            ("come before the start", [t for t in snapshots if t < 0]),
            (f"come after the last of steps = {steps}", [t for t in snapshots if t > steps]),
        ):
            if off:
                shown = off if len(off) < 7 else f"{off[:3]} and {len(off) - 3} more"
                raise InputError(f"snapshots = {shown} {name}: give steps from 0 to {steps}.")
        return cls(
            learning_rate=np.float32(learning_rate),
            weight_decay=np.float32(weight_decay),
            steps=steps,
            batch_size=batch_size,
            optimizer=optimizer,
            schedule=schedule,
            snapshots=tuple(sorted(set(snapshots))),
            evaluation_size=evaluation_size,
        )


@struct.dataclass
class TrainState:
    """What a step changes: the model and the optimiser's memory of it."""

    model: Any
    optimizer: Any


@struct.dataclass
class Run:
    """Everything that defines one training run but its keys."""

    task: Any
    init: Callable[[jax.Array], Any]  # a frozen record such as `models.Init`
    spec: TrainSpec
    penalties: tuple[Penalty, ...] = ()  # their weights are leaves
    estimator: Estimator = Sampled()  # a record: what a sweep may vary of it is a leaf
    measures: tuple[Measure, ...] | None = static(default=None)  # None: the geometry of W
    frozen: tuple[str, ...] = static(default=())  # names of leaves that training leaves alone


class Evaluation(NamedTuple):
    """What is known of a trained model's loss, without penalties; NaN where it has diverged."""

    loss: jax.Array  # [], from the reporting stream
    loss_per_output: jax.Array  # [O], its split
    loss_ranking: jax.Array  # [], from the ranking stream
    diverged: jax.Array  # [], bool

    @property
    def loss_per_feature(self) -> jax.Array:
        """The split of `loss`, `[O]`."""
        return self.loss_per_output


class Trained(NamedTuple):
    """What a finished run leaves: the model, its evaluation and its history."""

    model: Any
    evaluation: Evaluation
    steps: tuple[int, ...]  # at which `loss_curve` was taken
    loss_curve: jax.Array  # [len(steps)]
    snapshots: dict[int, Any]  # step -> model


def as_record(run: Run) -> Run:
    """Return a run whose `init`, if it is a plain function, is part of the program."""
    if isinstance(run.init, FunctionType):
        return run.replace(init=jax.tree_util.Partial(run.init))  # pyright: ignore
    return run


def init_state(run: Run, key_init: jax.Array) -> TrainState:
    """Draw the first weights and an empty optimiser state."""
    return with_optimizer(run, run.init(key_init))


def with_optimizer(run: Run, model: Any) -> TrainState:
    """Return the state of a model that has taken no step."""
    return TrainState(model=model, optimizer=run.spec.optimizer.init(model))


def step(run: Run, state: TrainState, u: jax.Array, t: jax.Array) -> TrainState:
    """Take one step of descent on the batch that `u` stands for."""
    spec = run.spec
    gradient = jax.grad(objective, argnums=1)(run, state.model, u)
    rate = spec.learning_rate * spec.schedule(t / spec.steps)
    model, optimizer = spec.optimizer.descend(
        gradient, state.model, state.optimizer, rate, spec.weight_decay
    )
    frozen = (*run.frozen, *getattr(model, "fixed_leaves", ()))
    if frozen:
        model = keep(frozen, state.model, model)
    return TrainState(model=model, optimizer=optimizer)


def keep(names: Sequence[str], old: Any, new: Any) -> Any:
    """Return the model `new` with the leaves that are named as they are in `old`.

    Raises:
        InputError: the model has no leaf of a name.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(new)
    known = ["_".join(str(getattr(k, "name", k)) for k in path) for path, _ in leaves]
    for name in names:
        if name not in known:
            raise InputError(f"frozen = {name!r}: the model has {', '.join(known)}.")
    pairs = zip(known, jax.tree.leaves(old), (leaf for _, leaf in leaves), strict=True)
    return jax.tree.unflatten(structure, [a if name in names else b for name, a, b in pairs])


def train_chunk(
    run: Run, state: TrainState, key_data: jax.Array, first_step: jax.Array, n_steps: jax.Array
) -> TrainState:
    """Take the steps `first_step … first_step + n_steps - 1`; one program for every length."""

    def body(t: jax.Array, state: TrainState) -> TrainState:
        key = jax.random.fold_in(key_data, t)
        return step(run, state, run.estimator.draw(run.task, key, run.spec.batch_size), t)

    return jax.lax.fori_loop(first_step, first_step + n_steps, body, state)


def chunk_ends(spec: TrainSpec) -> tuple[int, ...]:
    """Return the steps between chunks: about a hundred, every snapshot, and the last."""
    stride = max(100, -(-spec.steps // 100))
    inner = {t for t in spec.snapshots if 0 < t < spec.steps}
    return tuple(sorted(set(range(stride, spec.steps, stride)) | inner | {spec.steps}))


def losses(run: Run, model: Any, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return what evaluation averages over batches: loss per output, and that of nothing."""
    estimator = best_estimator(run.task, model)
    return estimator.loss_per_output(run.task, model, u), estimator.baseline(run.task, u)


def to_evaluation(model: Any, ranking: tuple, report: tuple) -> Evaluation:
    """Build the `Evaluation` from the averages over both streams."""
    (ranking_split, nothing), (report_split, _) = ranking, report
    loss_ranking, loss_report = jnp.sum(ranking_split), jnp.sum(report_split)
    lost = has_diverged(loss_report, nothing) | ~jnp.isfinite(loss_ranking) | ~is_finite(model)
    losses = (jnp.where(lost, jnp.nan, a) for a in (loss_report, report_split, loss_ranking))
    return Evaluation(*losses, diverged=lost)


def evaluate(run: Run, model: Any) -> Evaluation:
    """Measure a model's loss by the best estimate there is, on streams that all runs share.

    Args:
        run: with a `task`, and a `spec` that says how many examples to draw, if any are drawn.
        model: the model.
    """
    estimator = best_estimator(run.task, model)
    n_examples = run.spec.evaluation_size if estimator.draws else 1
    n = n_batches(estimator, n_examples, EVALUATION_BATCH)
    ranking, report = (
        average_over_batches(
            lambda u: losses(run, model, u),
            lambda key: estimator.draw(run.task, key, EVALUATION_BATCH),
            stream(0, purpose),
            n,
        )
        for purpose in (Stream.RANKING, Stream.REPORT)
    )
    return to_evaluation(model, ranking, report)


def curve_point(run: Run, model: Any) -> jax.Array:
    """Return the loss by the best estimate, on the same few thousand examples at every step."""
    estimator = best_estimator(run.task, model)
    average = average_over_batches(
        lambda u: losses(run, model, u),
        lambda key: estimator.draw(run.task, key, EVALUATION_BATCH),
        stream(0, Stream.RANKING),
        n_batches(estimator, CURVE_SIZE, EVALUATION_BATCH),
    )
    return unless_diverged(*average)


def train(
    run: Run,
    key_init: jax.Array,
    key_data: jax.Array,
    on_chunk: Callable[[int, TrainState], None] = lambda t, state: None,
) -> Trained:
    """Train one run: a loop on the host over compiled chunks.

    Args:
        run: task, start and spec.
        key_init: the key of the first weights.
        key_data: the key of the training data.
        on_chunk: called as `on_chunk(t, state)` after each chunk, for progress or a picture.
    """
    run = as_record(run)
    state, first, curve, kept = _init(run, key_init), 0, [], {}
    if 0 in run.spec.snapshots:
        kept[0] = state.model
    for end in chunk_ends(run.spec):
        state = _chunk(run, state, key_data, first, end - first)
        first = end
        curve.append(_curve_point(run, state.model))
        if end in run.spec.snapshots:
            kept[end] = state.model
        on_chunk(end, state)
    evaluation = _evaluate(run, state.model)
    return Trained(state.model, evaluation, chunk_ends(run.spec), jnp.stack(curve), kept)


# Old names, kept for one version.
stops, judge = chunk_ends, to_evaluation
STREAM_DATA, STREAM_INIT = Stream.DATA, Stream.INIT
STREAM_RANKING, STREAM_REPORT = Stream.RANKING, Stream.REPORT

_init = jit(init_state)
_chunk = jit(train_chunk)
_curve_point = jit(curve_point)
_evaluate = jit(evaluate)
