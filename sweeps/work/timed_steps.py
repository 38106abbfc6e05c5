"""How long the steps of a block take, measured on some of its models."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from sweeps.plan import Block
from sweeps.work.engine import average_losses, start_block, train_block

# Steps that are timed take at least so long together.
TIMED_SECONDS = 0.1


def time_steps(block: Block, groups: int) -> tuple[float, float, float]:
    """Return the seconds of compiling, of one step and of evaluating one batch, measured.

    Only so many groups of models that are worked on side by side take part, and few steps.
    """
    few = _first_groups(block, groups)
    run, state, key_data = start_block(few)
    began = time.monotonic()
    how: Any = {"layout": few.layout}
    steps = train_block.lower(run, state, key_data, 0, 1, **how).compile()
    batch = average_losses.lower(run, state.model, key_data[0], n_batches=1, **how).compile()
    compiling = time.monotonic() - began

    def walk(n_steps: int) -> Any:
        nonlocal state
        state = steps(run, state, key_data, 0, n_steps)
        return state

    for first in (lambda: batch(run, state.model, key_data[0]), lambda: walk(1)):
        _seconds(first)  # a first call sets up what others reuse
    share, n = block.points.size / few.points.size, 1
    of_batch = _seconds(lambda: batch(run, state.model, key_data[0]))
    of_steps = _seconds(lambda: walk(n))
    while of_steps < TIMED_SECONDS and n < 1000:  # a short call is mostly overhead
        n *= 10
        of_steps = _seconds(lambda n=n: walk(n))
    return compiling, share * of_steps / n, share * of_batch


def _first_groups(block: Block, groups: int) -> Block:
    """Return a block with the first groups of each device: cells first, then more seeds."""
    layout, (seeds, cells) = block.layout, block.points.shape
    most = groups * layout.cells * layout.devices[1]
    cells = min(cells, most)
    seeds = min(seeds, max(1, most // cells) * layout.seeds * layout.devices[0])
    index = block.seed_index[:seeds], block.cell_index[:cells]
    return replace(
        block, seed_index=index[0], cell_index=index[1], points=block.points[:seeds, :cells]
    )


def _seconds(work: Callable[[], Any]) -> float:
    """Return the seconds that work takes, the second time where it is short."""
    seconds = np.inf
    for _ in range(2):
        began = time.monotonic()
        jax.block_until_ready(work())
        seconds = min(seconds, time.monotonic() - began)
        if seconds > TIMED_SECONDS:
            break
    return float(seconds)
