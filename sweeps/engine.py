"""Train one block: seeds × cells of models through the same compiled program.

The randomness of step t is drawn once per seed, outside the loop over cells: all cells of a seed
see the same data (common random numbers), and the generator, the dearest part of a small model's
step, is paid once. `task`, `init` and `spec` are known by their interface alone.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sweeps.plan import Block, Layout
from toymodels.losses import average_over_batches, loss
from toymodels.tasks import draw_noise, n_batches
from toymodels.training import (
    CURVE_SIZE,
    EVALUATION_BATCH,
    STREAM_DATA,
    STREAM_INIT,
    STREAM_RANKING,
    STREAM_REPORT,
    Evaluation,
    Run,
    TrainState,
    init_state,
    judge,
    measure,
    step,
    stops,
    stream,
)


class Result(NamedTuple):
    """What a block leaves behind, as numpy arrays with leading axes `[S, C]`."""

    model: Any
    evaluation: Evaluation
    loss_curve: np.ndarray  # [S, C, T]
    snapshots: dict[int, Any]


def over_models(f: Callable, layout: Layout, per_cell: Any, per_model: Any, per_seed: Any) -> Any:
    """Apply `f(cell, model, seed)` to every model of a block.

    Leaves: `per_cell [C, …]`, `per_model [S, C, …]`, `per_seed [S, …]`.
    """

    def one_seed(model: Any, seed: Any) -> Any:
        n_cells = jax.tree.leaves(per_cell)[0].shape[0]
        return _over(lambda cm: f(*cm, seed), (per_cell, model), n_cells, layout.cells)

    n_seeds = jax.tree.leaves(per_seed)[0].shape[0]
    return _over(lambda ms: one_seed(*ms), (per_model, per_seed), n_seeds, layout.seeds)


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


@partial(jax.jit, static_argnames="layout")
def init_block(run: Run, names: jax.Array, key_init: jax.Array, *, layout: Layout) -> TrainState:
    """Draw first weights: each cell's own, from its name `[C]` and its seed's key `[S]`."""
    names = jnp.broadcast_to(names, (key_init.shape[0], *names.shape))

    def one(run: Run, name: jax.Array, key: jax.Array) -> TrainState:
        return init_state(run, jax.random.fold_in(key, name))

    return over_models(one, layout, run, names, key_init)


@partial(jax.jit, static_argnames="layout", donate_argnames="state")
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
        noise = jax.vmap(lambda k: draw_noise(one_cell.task, k, run.spec.batch_size))(keys)
        return over_models(lambda r, s, u: step(r, s, u, t), layout, run, state, noise)

    return jax.lax.fori_loop(first_step, first_step + n_steps, body, state)


@partial(jax.jit, static_argnames=("layout", "f", "purpose", "n_batches"))
def average_block(
    f: Callable, run: Run, model: Any, *, layout: Layout, purpose: int, n_batches: int
) -> Any:
    """Average `f(run, model, noise)` over batches of a stream that all models share."""
    one_cell = jax.tree.map(lambda leaf: leaf[0], run)
    n_seeds = jax.tree.leaves(model)[0].shape[0]

    def all_models(noise: jax.Array) -> Any:
        seeds = jnp.zeros(n_seeds)
        return over_models(lambda r, m, _: f(r, m, noise), layout, run, model, seeds)

    def draw(key: jax.Array) -> jax.Array:
        return draw_noise(one_cell.task, key, EVALUATION_BATCH)

    return average_over_batches(all_models, draw, stream(0, purpose), n_batches)


def run_loss(run: Run, model: Any, noise: jax.Array) -> jax.Array:
    """Return the loss on one batch."""
    return loss(run.task, model, noise)


@jax.jit
def judge_block(model: Any, ranking: tuple, report: tuple) -> Evaluation:
    """Judge every model of a block."""
    return jax.vmap(jax.vmap(judge))(model, ranking, report)


def start_block(block: Block) -> tuple[Run, TrainState, jax.Array]:
    """Return a block's runs `[C]`, first states `[S, C]` and data keys `[S]`."""
    sheet = block.sheet
    run = jax.tree.map(lambda leaf: jnp.asarray(leaf[block.cell_index]), sheet.run)
    seeds = jnp.asarray(np.array(sheet.seeds, np.uint32)[block.seed_index])
    key_init, key_data = (
        jax.vmap(lambda s, p=purpose: stream(s, p))(seeds) for purpose in (STREAM_INIT, STREAM_DATA)
    )
    names = jnp.asarray(sheet.names[block.cell_index])
    return run, init_block(run, names, key_init, layout=block.layout), key_data


def time_steps(block: Block, n_steps: int = 10) -> tuple[float, float]:
    """Return the seconds that compiling takes and the seconds of one step, measured."""
    run, state, key_data = start_block(block)
    times = []
    for n in (1, n_steps, n_steps):
        before = time.monotonic()
        state = train_block(run, state, key_data, 0, n, layout=block.layout)
        jax.block_until_ready(state)
        times.append(time.monotonic() - before)
    return times[0], times[-1] / n_steps


def run_block(block: Block, on_steps: Callable[[int], None] = lambda n: None) -> Result:
    """Train and evaluate one block.

    Args:
        block: what to train.
        on_steps: called with the number of steps each time some were taken.
    """
    layout = block.layout
    run, state, key_data = start_block(block)
    spec = run.spec
    curve, snapshots, first = [], {}, 0
    if 0 in spec.snapshots:
        snapshots[0] = _to_numpy(state.model)
    for stop in stops(spec):
        state = train_block(run, state, key_data, first, stop - first, layout=layout)
        curve.append(
            average_block(
                run_loss,
                run,
                state.model,
                layout=layout,
                purpose=STREAM_RANKING,
                n_batches=n_batches(run.task, CURVE_SIZE, EVALUATION_BATCH),
            )
        )
        if stop in spec.snapshots:
            snapshots[stop] = _to_numpy(state.model)
        jax.block_until_ready(curve[-1])
        on_steps(stop - first)
        first = stop
    ranking, report = (
        average_block(
            measure,
            run,
            state.model,
            layout=layout,
            purpose=purpose,
            n_batches=n_batches(run.task, spec.evaluation_size, EVALUATION_BATCH),
        )
        for purpose in (STREAM_RANKING, STREAM_REPORT)
    )
    evaluation = judge_block(state.model, ranking, report)
    return Result(
        _to_numpy(state.model), _to_numpy(evaluation), np.stack(curve, axis=-1), snapshots
    )


def _to_numpy(tree: Any) -> Any:
    return jax.tree.map(np.asarray, tree)
