"""Training: one run is a pure function of its task, its start, its spec and its keys.

`train_chunk` is the unit that `sweeps` vectorises: some steps of one run, no host in between.
Step t draws its batch from `fold_in(key_data, t)`. Neither the key nor the step number is part of
the state, so under `vmap` over cells (`in_axes=None` for both) all cells share one stream of data.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.losses import (
    average_over_batches,
    expected_loss_per_output,
    loss,
    loss_of_nothing,
    loss_per_output,
)
from toymodels.optimizers import Adam, Constant, Optimizer, Schedule
from toymodels.tasks import draw_noise, n_batches

# The streams of random numbers. Training data and first weights belong to a seed; the other two
# are shared by every run: one ranks runs, one gives the loss that is reported.
STREAM_DATA, STREAM_INIT, STREAM_RANKING, STREAM_REPORT = 1, 2, 3, 4

# A run whose loss is this many times that of the constant output 0 has diverged.
DIVERGED = 100.0

# Examples behind one point of a loss curve.
CURVE_SIZE = 4096

# Examples of one batch of an evaluation, whatever the training batch is.
EVALUATION_BATCH = 1024


@struct.dataclass
class TrainSpec:
    """How a run is trained. Floats that a sweep may vary are leaves; the rest is static."""

    learning_rate: Any  # []
    weight_decay: Any = 0.0  # []
    steps: int = struct.field(pytree_node=False, default=2000)
    batch_size: int = struct.field(pytree_node=False, default=1024)
    optimizer: Optimizer = struct.field(pytree_node=False, default=Adam())
    schedule: Schedule = struct.field(pytree_node=False, default=Constant())
    snapshots: tuple[int, ...] = struct.field(pytree_node=False, default=())
    evaluation_size: int = struct.field(pytree_node=False, default=65_536)


@struct.dataclass
class TrainState:
    """What a step changes: the model and the optimiser's memory of it."""

    model: Any
    optimizer: Any


@struct.dataclass
class Run:
    """Everything that defines one training run but its keys."""

    task: Any
    init: Callable[[jax.Array], Any]  # a frozen record such as `models.Init`, or a function
    spec: Any  # TrainSpec; a sweep that solves instead has its own

    def __post_init__(self) -> None:
        """Make a plain function a record: it is then part of the program, not a leaf."""
        if inspect.isfunction(self.init):
            object.__setattr__(self, "init", jax.tree_util.Partial(self.init))


class Evaluation(NamedTuple):
    """What is measured of a trained model."""

    loss: jax.Array  # [], from the reporting stream
    loss_per_feature: jax.Array  # [O], its split
    loss_ranking: jax.Array  # [], from the ranking stream
    diverged: jax.Array  # [], bool


class Trained(NamedTuple):
    """A finished run."""

    model: Any
    evaluation: Evaluation
    steps: tuple[int, ...]  # at which `loss_curve` was taken
    loss_curve: jax.Array  # [len(steps)]
    snapshots: dict[int, Any]  # step -> model


def init_state(run: Run, key_init: jax.Array) -> TrainState:
    """Draw the first weights and an empty optimiser state."""
    model = run.init(key_init)
    return TrainState(model=model, optimizer=run.spec.optimizer.init(model))


def step(run: Run, state: TrainState, noise: jax.Array, t: jax.Array) -> TrainState:
    """Take one step of descent on the batch that `noise` stands for."""
    spec = run.spec
    gradient = jax.grad(loss, argnums=1)(run.task, state.model, noise)
    rate = spec.learning_rate * spec.schedule(t / spec.steps)
    model, optimizer = spec.optimizer.descend(
        gradient, state.model, state.optimizer, rate, spec.weight_decay
    )
    return TrainState(model=model, optimizer=optimizer)


def train_chunk(
    run: Run, state: TrainState, key_data: jax.Array, first_step: jax.Array, n_steps: jax.Array
) -> TrainState:
    """Take the steps `first_step … first_step + n_steps - 1`; one program for every length."""

    def body(t: jax.Array, state: TrainState) -> TrainState:
        noise = draw_noise(run.task, jax.random.fold_in(key_data, t), run.spec.batch_size)
        return step(run, state, noise, t)

    return jax.lax.fori_loop(first_step, first_step + n_steps, body, state)


def stops(spec: TrainSpec) -> tuple[int, ...]:
    """Return the steps between chunks: about a hundred, every snapshot, and the last."""
    stride = max(100, -(-spec.steps // 100))
    inner = {t for t in spec.snapshots if 0 < t < spec.steps}
    return tuple(sorted(set(range(stride, spec.steps, stride)) | inner | {spec.steps}))


def measure(run: Run, model: Any, noise: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return what evaluation averages over batches: loss per output, and loss of output 0."""
    return loss_per_output(run.task, model, noise), loss_of_nothing(run.task, noise)


def judge(model: Any, ranking: tuple, report: tuple) -> Evaluation:
    """Turn the averages over the ranking and the reporting stream into an `Evaluation`."""
    (ranking_split, nothing), (report_split, _) = ranking, report
    loss_ranking, loss_report = jnp.sum(ranking_split), jnp.sum(report_split)
    finite = jnp.isfinite(loss_ranking) & jnp.isfinite(loss_report)
    for leaf in jax.tree.leaves(model):
        finite &= jnp.all(jnp.isfinite(leaf))
    blown_up = loss_report > DIVERGED * nothing + 1e-6
    return Evaluation(loss_report, report_split, loss_ranking, ~finite | blown_up)


def evaluate(run: Run, model: Any) -> Evaluation:
    """Measure a model on the two streams that all runs share."""
    n = n_batches(run.task, run.spec.evaluation_size, EVALUATION_BATCH)
    ranking, report = (
        average_over_batches(
            lambda noise: measure(run, model, noise),
            lambda key: draw_noise(run.task, key, EVALUATION_BATCH),
            stream(0, purpose),
            n,
        )
        for purpose in (STREAM_RANKING, STREAM_REPORT)
    )
    return judge(model, ranking, report)


def curve_point(run: Run, model: Any) -> jax.Array:
    """Return the loss on a few thousand examples of the ranking stream, the same at every step."""
    key = stream(0, STREAM_RANKING)
    return jnp.sum(expected_loss_per_output(run.task, model, key, CURVE_SIZE, EVALUATION_BATCH))


def stream(seed: int | jax.Array, purpose: int) -> jax.Array:
    """Return the key of one purpose's stream under a seed."""
    return jax.random.fold_in(jax.random.key(seed), purpose)


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
    state, first, curve, kept = _init(run, key_init), 0, [], {}
    if 0 in run.spec.snapshots:
        kept[0] = state.model
    for stop in stops(run.spec):
        state = _chunk(run, state, key_data, first, stop - first)
        first = stop
        curve.append(_curve_point(run, state.model))
        if stop in run.spec.snapshots:
            kept[stop] = state.model
        on_chunk(stop, state)
    evaluation = _evaluate(run, state.model)
    return Trained(state.model, evaluation, stops(run.spec), jnp.stack(curve), kept)


_init = jax.jit(init_state)
_chunk = jax.jit(train_chunk)
_curve_point = jax.jit(curve_point)
_evaluate = jax.jit(evaluate)
