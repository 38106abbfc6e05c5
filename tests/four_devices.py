"""What `claims/machines/test_devices` runs in a process of four devices, with a folder for it."""

import dataclasses
import json
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from builders import Ear, make_table

from sweeps import checkpoint, run_sweep
from sweeps.config.parse import parse
from sweeps.machine import Machine
from sweeps.plan import make_programs
from sweeps.work.engine import (
    average_losses,
    init_block,
    measure_block,
    runs_of,
    start_block,
    train_block,
)
from sweeps.work.timed_steps import time_steps
from toymodels.streams import Stream, stream

COLLECTIVES = (
    *("all-reduce", "all-gather", "all-to-all", "collective-permute", "reduce-scatter"),
    "collective-broadcast",
)

# Groups of several models with some padding; models that go alone, one after the other; weights
# that are drawn on the host.
TABLES = {
    "together": make_table(),
    "alone": make_table(
        n_features=7,
        batch_size=1024,
        grid={"p_active": {"linear": [0.1, 1, 5]}, "seed": {"range": 4}},
    ),
    "built": {
        "name": "built",
        "task": "rotations",
        "model": "rotations",
        "n_layers": 2,
        "redundancy": 2,
        "width": 24,
        "n_circuits": 6,
        "room": 6,
        "measures": [],
        "steps": 20,
        "batch_size": 16,
        "grid": {"learning_rate": [1e-3, 2e-3, 3e-3, 0.0, 1e-2]},
    },
}

# What is run on four devices and on one.
SWEEP = make_table(
    name="spread",
    steps=200,
    snapshots=[0, 100],
    grid={"p_active": {"linear": [0.1, 1, 5]}, "seed": {"range": 2}},
)


def block_of(table):
    """Return the one block that a table's models are on all devices of this process."""
    config = parse(table)
    (program,) = make_programs(config.grid, config.build, config.seed)
    (block,) = program.work.cut(program, Machine.here(2**30))
    return block


def shares_of(tree):
    """Return the leading axes `[s, c]` of what each device holds of a state."""
    shards = [leaf.addressable_shards for leaf in jax.tree.leaves(tree)]
    assert all(len({shard.device for shard in of_leaf}) == len(of_leaf) for of_leaf in shards)
    return sorted({(len(of_leaf), *s.data.shape[:2]) for of_leaf in shards for s in of_leaf})


def facts_of(table):
    """Return how a table's block is cut, what devices hold of it, and any collective in it."""
    block = block_of(table)
    how = {"layout": block.layout}
    run, state, keys = start_block(block)
    names = jnp.zeros(block.points.shape[1], int)
    programs = {
        "train_block": train_block.lower(run, state, keys, 0, 5, **how),
        "average_losses": average_losses.lower(
            run, state.model, stream(0, Stream.REPORT), n_batches=2, **how
        ),
        "measure_block": measure_block.lower(run, state.model, **how),
    }
    if not hasattr(block.program.run.init, "draw"):
        programs["init_block"] = init_block.lower(run, names, keys, **how)
    texts = {name: program.compile().as_text() for name, program in programs.items()}
    compiling, *_ = time_steps(block, 1)
    before = shares_of(state)
    trained = train_block(run, state, keys, 0, 5, **how)
    return {
        "devices": block.layout.devices,
        "shape": block.points.shape,
        "before": before,
        "after": shares_of(trained),
        "collectives": {n: [w for w in COLLECTIVES if w in text] for n, text in texts.items()},
        "timed": compiling > 0,
    }


def moved(table):
    """Return the largest difference that another place, on another device, makes to a model."""
    block = block_of(table)

    def trained(cells):
        own = dataclasses.replace(block, cell_index=block.cell_index[cells])
        _, state, keys = start_block(own)
        return train_block(runs_of(own), state, keys, 0, 30, layout=own.layout).model

    n = block.points.shape[1]
    here, there = trained(np.arange(n)), trained(np.roll(np.arange(n), n // 2))
    differ = jax.tree.map(lambda a, b: np.abs(np.roll(a, n // 2, axis=1) - b).max(), here, there)
    return float(max(jax.tree.leaves(differ)))


class Hand(Ear):
    """Presses Ctrl-C after some pieces of work."""

    def advance(self, cost):
        super().advance(cost)
        if self.steps > 0.6 * self.heard[0][1]:
            raise KeyboardInterrupt


def main(folder):
    """Write what is found into a folder: `facts.json` and three runs of one sweep."""
    checkpoint.SECONDS_BETWEEN, checkpoint.LARGEST_SHARE = 0.0, np.inf  # every piece is kept
    run = partial(run_sweep, SWEEP)
    run(out=folder / "whole")
    for name in ("here", "elsewhere"):
        try:
            run(out=folder / name, report=Hand())
        except KeyboardInterrupt:
            continue
    run(out=folder / "here")
    facts = {name: facts_of(table) for name, table in TABLES.items()}
    facts["moved"] = moved(make_table(grid={"p_active": {"linear": [0.1, 1, 8]}}))
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
