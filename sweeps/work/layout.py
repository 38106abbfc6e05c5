"""How wide blocks of training are: what fits the memory, and what is fast side by side."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from sweeps.machine import Machine
from sweeps.plan import Block, Layout, Program, window
from sweeps.work.devices import spread
from toymodels.errors import InputError
from toymodels.estimators.best import best_estimator
from toymodels.models.base import has_hidden, hidden
from toymodels.tasks.base import draw_batch, interpret
from toymodels.training import EVALUATION_BATCH, Run, with_optimizer

# Inputs and targets of the models that take a step side by side (measured on 2 cores, 1 MiB L2).
CACHE_BYTES = 1_600_000
# From this size of inputs and targets on, a model takes its step alone.
ALONE_BYTES = 40_000
# Copies of a batch that are alive during a step: input, hidden, output, errors, their gradients.
LIVE_COPIES = 8
# Models in a block on a CPU: wide enough for speed, small enough that little is lost by a kill.
CPU_BLOCK = 2048
# Multiplications and additions in a block of models that train one at a time on a CPU: about a
# minute's work, so that a sweep of a few large models can still be shared among processes.
ALONE_BLOCK_COST = 6e12
# Multiplications and additions in a step for each weight and example: 2 forwards, 4 backwards.
COST_OF_WEIGHT = 6


def first_model(run: Run) -> Any:
    """Return a run's model as shapes, or as it is drawn where that happens on the host."""
    key = jax.random.key(0)
    draw = getattr(run.init, "draw", None)
    return jax.eval_shape(run.init, key) if draw is None else draw(key)


def size_of(tree: Any) -> int:
    """Return the bytes of a pytree of arrays or shapes."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def batch_bytes(run: Run, n_examples: int, with_hidden: bool = False) -> int:
    """Return the bytes of one model's inputs and targets, or what the estimator says instead."""
    own = getattr(run.estimator, "work_bytes", None)
    if own is not None:
        return own(run.task)
    key = jax.random.key(0)

    def draw(key: jax.Array) -> Any:
        return interpret(run.task, draw_batch(run.task, key, n_examples))

    inputs, targets = jax.eval_shape(draw, key)
    total = size_of((inputs, targets))
    model = first_model(run)
    if with_hidden and has_hidden(model):
        total += size_of(jax.eval_shape(hidden, model, inputs))
    return total


def model_bytes(run: Run) -> tuple[int, int]:
    """Return the bytes of one model's batch, in training or evaluation, and of its state."""
    model = first_model(run)
    state = jax.eval_shape(lambda m: with_optimizer(run, m), model)
    step = batch_bytes(run, max(run.spec.batch_size, EVALUATION_BATCH), with_hidden=True)
    of_evaluation = getattr(best_estimator(run.task, model), "work_bytes", None)
    if of_evaluation is not None:
        step = max(step, of_evaluation(run.task))
    return step, size_of(state)


def choose_layout(run: Run, n_seeds: int, n_cells: int, machine: Machine) -> Layout:
    """Choose how many models are worked on side by side, from one cell's run.

    On a CPU a model whose batch fills the vector units goes alone, as plain matrix products
    (20→5 and 200→20 at batch 1024 gained a third by it); smaller ones go in equal groups whose
    inputs stay in the cache. A GPU takes all that fits.
    """
    step, _ = model_bytes(run)
    budget = max(1, machine.memory // (2 * LIVE_COPIES * step))
    if machine.backend == "cpu":
        own = batch_bytes(run, run.spec.batch_size)
        budget = min(budget, 1 if own >= ALONE_BYTES else max(1, CACHE_BYTES // own))
    devices = spread(n_seeds, n_cells, machine.devices)
    seeds = _even(-(-n_seeds // devices[0]), budget)
    cells = _even(-(-n_cells // devices[1]), max(1, budget // seeds))
    return Layout(seeds, cells, devices)


def _even(n: int, most: int) -> int:
    """Return the size of the groups when n are cut into as few equal ones as `most` allows."""
    return -(-n // -(-n // min(n, most)))


def cut(program: Program, machine: Machine) -> Iterator[Block]:
    """Cut a program into blocks of equal width that fit the memory of each device.

    Raises:
        InputError: the memory does not hold a single model.
    """
    run, memory = program.cell(0), machine.memory
    step, state = model_bytes(run)
    n_seeds, n_cells = program.points.shape
    least = 2 * (LIVE_COPIES * step + 4 * state)  # half for batches, half for states
    if least > memory:
        raise InputError(
            f"memory = {memory / 2**30:.3g} GiB does not hold one model, which needs about "
            f"{least / 2**30:.3g} GiB: raise memory or lower batch_size."
        )
    widest = memory // (2 * 4 * state)
    if machine.backend == "cpu":
        widest = min(widest, _widest_on_cpu(run))
    widest *= machine.devices
    block_seeds = _even(n_seeds, widest)
    n_blocks = -(-n_cells // max(1, widest // block_seeds))
    block_cells = -(-n_cells // n_blocks)
    layout = choose_layout(run, block_seeds, block_cells, machine)
    block_seeds = _round_up(block_seeds, layout.seeds * layout.devices[0])
    block_cells = _round_up(block_cells, layout.cells * layout.devices[1])
    for first_seed in range(0, n_seeds, block_seeds):
        for first_cell in range(0, n_cells, block_cells):
            s, s_ok = window(first_seed, block_seeds, n_seeds)
            c, c_ok = window(first_cell, block_cells, n_cells)
            points = np.where(s_ok[:, None] & c_ok[None, :], program.points[np.ix_(s, c)], -1)
            yield Block(program, s, c, layout, points)


def _widest_on_cpu(run: Run) -> int:
    """Return the most models that a block on a CPU may have, by the time that it takes."""
    n_examples = run.spec.batch_size
    if batch_bytes(run, n_examples) < ALONE_BYTES:
        return CPU_BLOCK
    n_weights = sum(leaf.size for leaf in jax.tree.leaves(first_model(run)))
    cost = COST_OF_WEIGHT * n_weights * n_examples * run.spec.steps
    return min(CPU_BLOCK, max(1, int(ALONE_BLOCK_COST // max(1, cost))))


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple
