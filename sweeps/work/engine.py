"""Train one block: seeds × cells of models through the same compiled program.

The randomness of step t is drawn once per seed, outside the loop over cells: all cells of a seed
see the same data (common random numbers), and random numbers, the costliest part of a small
model's step, are drawn once. Tasks, models and the rest are known by their interface alone.
"""

import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sweeps.checkpoint import Checkpoint
from sweeps.identity import start_name
from sweeps.plan import Block, Layout
from sweeps.work.convergence import loss_fall, stops
from sweeps.work.devices import CELLS, SEEDS, over_devices, placed
from sweeps.work.halves import FIRST_PIECE, Half, arrays_of, half_from, next_piece
from toymodels.compiled import jit
from toymodels.diverged import unless_diverged
from toymodels.errors import InputError
from toymodels.estimators.base import n_batches
from toymodels.estimators.best import best_estimator
from toymodels.fields import Field, fields_of
from toymodels.losses import average_over_batches
from toymodels.measures.base import Measure
from toymodels.measures.columns import has_columns, measure_geometry
from toymodels.streams import Stream, stream
from toymodels.training import (
    CURVE_SIZE,
    EVALUATION_BATCH,
    Evaluation,
    Run,
    TrainState,
    chunk_ends,
    init_state,
    losses,
    step,
    to_evaluation,
    with_optimizer,
)

# Names of what every trained model is evaluated by.
LOSSES = {"loss", "loss_ranking", "loss_curve", "diverged", "evaluated_by"}
LOSSES |= {"loss_fall", "still_falling"}


class Result(NamedTuple):
    """What a block leaves behind, with leading axes `[S, C]`."""

    model: Any
    evaluation: Evaluation
    steps: tuple[int, ...]  # at which `loss_curve` was taken
    loss_curve: np.ndarray  # [S, C, T]
    snapshots: dict[int, Any]  # step -> model
    loss_fall: np.ndarray  # [S, C]

    def lost_at(self, step: int) -> np.ndarray:
        """Tell which models had diverged at a snapshot, bool `[S, C]`; none at the start."""
        if step not in self.steps:
            return np.zeros(self.loss_curve.shape[:2], bool)
        return np.isnan(self.loss_curve[..., self.steps.index(step)])


def over_models(f: Callable, layout: Layout, per_cell: Any, per_model: Any, per_seed: Any) -> Any:
    """Apply `f(cell, model, seed)` to every model of a block.

    Leaves: `per_cell [C, …]`, `per_model [S, C, …]`, `per_seed [S, …]`.
    """

    def share(per_cell: Any, per_model: Any, per_seed: Any) -> Any:
        def one_seed(model: Any, seed: Any) -> Any:
            n_cells = jax.tree.leaves(per_cell)[0].shape[0]
            return _over(lambda cm: f(*cm, seed), (per_cell, model), n_cells, layout.cells)

        n_seeds = jax.tree.leaves(per_seed)[0].shape[0]
        return _over(lambda ms: one_seed(*ms), (per_model, per_seed), n_seeds, layout.seeds)

    if layout.devices == (1, 1):
        return share(per_cell, per_model, per_seed)
    return over_devices(share, layout.devices, per_cell, per_model, per_seed)


def _over(f: Callable, xs: Any, n: int, together: int) -> Any:
    """Map `f` over the leading axis; one at a time means without a batch axis of size 1.

    Such an axis keeps XLA from folding transposes into the products: 200→20 took 20 ms a step
    with it and 13 without.
    """
    if n == 1:
        return jax.tree.map(lambda leaf: leaf[None], f(jax.tree.map(lambda leaf: leaf[0], xs)))
    if together == 1:
        return jax.lax.map(f, xs)
    return jax.vmap(f)(xs) if together >= n else jax.lax.map(f, xs, batch_size=together)


@jit(static_argnames="layout")
def init_block(run: Run, names: jax.Array, key_init: jax.Array, *, layout: Layout) -> TrainState:
    """Draw first weights: each cell's own, from its name `[C]` and its seed's key `[S]`."""
    names = jnp.broadcast_to(names, (key_init.shape[0], *names.shape))

    def one(run: Run, name: jax.Array, key: jax.Array) -> TrainState:
        return init_state(run, jax.random.fold_in(key, name))

    return over_models(one, layout, run, names, key_init)


def init_on_host(block: Block, run: Run, names: np.ndarray, key_init: jax.Array) -> TrainState:
    """Draw first weights where `init.draw(key)` runs on the host: a construction, for example."""
    keys = jax.vmap(lambda key: jax.vmap(partial(jax.random.fold_in, key))(jnp.asarray(names)))(
        key_init
    )
    models = [
        [block.program.cell(c).init.draw(keys[s, i]) for i, c in enumerate(block.cell_index)]
        for s in range(len(block.seed_index))
    ]
    rows = [jax.tree.map(lambda *leaves: jnp.stack(leaves), *row) for row in models]
    model = jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)
    return jax.vmap(jax.vmap(partial(with_optimizer, run)))(model)


@jit(static_argnames="layout", donate_argnames="state")
def train_block(
    run: Run,
    state: TrainState,
    key_data: jax.Array,
    first_step: jax.Array,
    n_steps: jax.Array,
    *,
    layout: Layout,
) -> TrainState:
    """Take some steps of every model; `key_data [S]`, one program for every `n_steps`."""
    one_cell = jax.tree.map(lambda leaf: leaf[0], run)

    def body(t: jax.Array, state: TrainState) -> TrainState:
        keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(key_data, t)
        draw = partial(run.estimator.draw, one_cell.task, n_examples=run.spec.batch_size)
        u = jax.vmap(lambda key: draw(key=key))(keys)
        return over_models(lambda r, s, u: step(r, s, u, t), layout, run, state, u)

    return jax.lax.fori_loop(first_step, first_step + n_steps, body, state)


@jit(static_argnames=("layout", "n_batches"))
def average_losses(
    run: Run, model: Any, key: jax.Array, *, layout: Layout, n_batches: int
) -> tuple[jax.Array, jax.Array]:
    """Average `losses` of every model over batches of a stream that all models share."""
    one_cell, one_model = jax.tree.map(lambda leaf: leaf[0], (run, model))
    estimator = best_estimator(one_cell.task, one_model)
    seeds = jnp.zeros(jax.tree.leaves(model)[0].shape[0])

    def all_models(u: jax.Array) -> Any:
        return over_models(lambda r, m, _: losses(r, m, u), layout, run, model, seeds)

    def draw(key: jax.Array) -> jax.Array:
        return estimator.draw(one_cell.task, key, EVALUATION_BATCH)

    return average_over_batches(all_models, draw, key, n_batches)


@jit
def evaluate_block(model: Any, ranking: tuple, report: tuple) -> Evaluation:
    """Build the evaluation of every model of a block."""
    return jax.vmap(jax.vmap(to_evaluation))(model, ranking, report)


def measures_of(run: Any, model: Any) -> Sequence[Measure]:
    """Return what a run measures: what it names, or the geometry of W where there is one."""
    if run.measures is not None:
        return run.measures
    return (measure_geometry,) if has_columns(model) else ()


def measure(run: Any, model: Any) -> dict[str, Field]:
    """Apply a run's measures to one model."""
    key, found = stream(0, Stream.MEASURE), {}
    for one in measures_of(run, model):
        measured = one(run, model, key)
        _check_measured(measured, found.keys() | fields_of(model))
        found |= measured
    return found


def _check_measured(measured: dict[str, Any], taken: AbstractSet[str]) -> None:
    for name, field in measured.items():
        if not isinstance(field, Field) or len(field.dims) != jnp.ndim(field.values):
            raise InputError(f"measures: {name} is no Field with a dimension for each axis.")
        if name in taken | LOSSES:
            raise InputError(f"measures: {name!r} is there already: give it another name.")


@jit(static_argnames="layout")
def measure_block(run: Run, model: Any, *, layout: Layout) -> Any:
    """Apply the run's measures to every model; named fields with leading axes `[S, C]`."""
    seeds = jnp.zeros(jax.tree.leaves(model)[0].shape[0])
    return over_models(lambda r, m, _: measure(r, m), layout, run, model, seeds)


def runs_of(block: Block) -> Run:
    """Return a block's runs `[C]`, placed on the devices that train them."""
    run = jax.tree.map(lambda leaf: jnp.asarray(leaf[block.cell_index]), block.program.run)
    return placed(run, block.layout, CELLS)


def start_block(block: Block) -> tuple[Run, TrainState, jax.Array]:
    """Return a block's runs `[C]`, first states `[S, C]` and data keys `[S]`, on its devices."""
    program, run, layout = block.program, runs_of(block), block.layout
    seeds = jnp.asarray(np.array(block.seeds, np.uint32))
    key_init, key_data = (
        jax.vmap(partial(stream, purpose=purpose, root=program.root))(seeds)
        for purpose in (Stream.INIT, Stream.DATA)
    )
    of_cell = {int(c): start_name(program.cell(c)) for c in set(block.cell_index.tolist())}
    names = np.array([of_cell[int(c)] for c in block.cell_index])
    if hasattr(program.run.init, "draw"):
        state = placed(init_on_host(block, run, names, key_init), layout, SEEDS, CELLS)
    else:
        state = init_block(run, jnp.asarray(names), key_init, layout=layout)
    return run, state, placed(key_data, layout, SEEDS)


def run_block(
    block: Block,
    on_steps: Callable[[int], None] = lambda n: None,
    checkpoint: Checkpoint | None = None,
) -> Result:
    """Train and evaluate one block.

    Args:
        block: what to train.
        on_steps: called with the number of steps each time some were taken.
        checkpoint: where the block goes on from, and is kept now and then.
    """
    layout = block.layout
    run, state, key_data = start_block(block)
    spec, averages, most = run.spec, partial(_averages, run, layout), FIRST_PIECE
    half, looks = Half(state, 0, [], {}), stops(chunk_ends(spec))
    if 0 in spec.snapshots:
        half.snapshots[0] = jax.tree.map(jnp.copy, state.model)
    if checkpoint is not None:
        half = half_from(checkpoint.load(), half)
    for end in (t for t in looks if t > half.step):
        while half.step < end:
            began, n = time.monotonic(), min(end - half.step, most)
            state = train_block(run, half.state, key_data, half.step, n, layout=layout)
            half = half._replace(state=state, step=half.step + n)
            if half.step == end:
                both = averages(state.model, Stream.RANKING, CURVE_SIZE)
                half.curve.append(unless_diverged(*both))
            if half.step in spec.snapshots:
                half.snapshots[half.step] = jax.tree.map(jnp.copy, state.model)
            jax.block_until_ready((state, half.curve[-1:]))
            most = next_piece(most, time.monotonic() - began)
            if checkpoint is not None:
                cost, at = block.n_models * half.step, (half.step, spec.steps)
                checkpoint.keep(partial(arrays_of, half), cost, at, "step")
            on_steps(n)
    model, curve = half.state.model, half.curve
    ranking, report = (
        averages(model, purpose, spec.evaluation_size)
        for purpose in (Stream.RANKING, Stream.REPORT)
    )
    evaluation = evaluate_block(model, ranking, report)
    losses, steps = np.stack(curve, axis=-1), chunk_ends(spec)
    fall = loss_fall(spec.schedule, looks, losses)
    kept = losses[..., [i for i, t in enumerate(looks) if t in steps]]
    return Result(model, evaluation, steps, kept, half.snapshots, fall)


def _averages(run: Run, layout: Layout, model: Any, purpose: int, n_examples: int) -> Any:
    """Average losses over so many examples of a purpose's stream."""
    one = partial(jax.tree.map, lambda leaf: leaf[0])
    one_cell, one_model = jax.eval_shape(one, (run, model))  # no array is moved for its shape
    estimator = best_estimator(one_cell.task, one_model)
    n = n_batches(estimator, n_examples, EVALUATION_BATCH)
    return average_losses(run, model, stream(0, purpose), layout=layout, n_batches=n)
