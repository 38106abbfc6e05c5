"""Models that go on training while the power of their error moves, upwards and downwards.

If one answer gave way to the other at a jump, each would outlive the other's threshold, and the
two directions would part.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from sweeps.machine import Machine
from sweeps.stored import restore
from sweeps.work.engine import measure_block, train_block
from sweeps.work.layout import choose_layout
from toymodels.streams import Stream, stream
from toymodels.training import with_optimizer

WAYS = ("up", "down")
MEMORY = 2**30
MEASURED = {"spread": "error_spread", "mse": "active_error_mean"}


def follow(cells: xr.Dataset, steps: int, learning_rate: float) -> xr.Dataset:
    """Take models of the lowest power up through all others, and those of the highest down.

    Args:
        cells: of one density of the sweep, with models that are trained from scratch.
        steps: of descent at each power.
        learning_rate: of the first of them.

    Returns:
        `path_spread` and `path_mse` (way, exponent, seed): spread and mean of active features'
        errors; at the power where a way starts, of the models that it starts from.
    """
    powers, seeds = np.sort(cells["exponent"].values), cells["seed"].values
    ends = powers[[0, -1]].tolist()
    first = [[restore(cells, exponent=q, seed=s) for q in ends] for s in seeds.tolist()]
    run = first[0][0].run
    spec = run.spec.replace(steps=steps, learning_rate=np.float32(learning_rate))
    run = run.replace(spec=spec)
    layout = choose_layout(run, len(seeds), len(WAYS), Machine.here(MEMORY))
    both = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), run)
    model = _stacked([_stacked([one.model for one in row]) for row in first])
    found = np.full((len(MEASURED), len(WAYS), powers.size, len(seeds)), np.nan, np.float32)
    for k in range(powers.size):
        at = np.array([k, powers.size - 1 - k])
        runs = both.replace(task=both.task.replace(exponent=jnp.asarray(powers[at], jnp.float32)))
        if k:
            state = jax.vmap(jax.vmap(partial(with_optimizer, run)))(model)
            keys = jnp.stack([jax.random.fold_in(stream(int(s), Stream.DATA), k) for s in seeds])
            model = train_block(runs, state, keys, 0, steps, layout=layout).model
        measured = measure_block(runs, model, layout=layout)
        for i, name in enumerate(MEASURED.values()):
            found[i, [0, 1], at] = np.asarray(measured[name].values).T
    over = ("way", "exponent", "seed")
    return xr.Dataset(
        {f"path_{name}": (over, found[i]) for i, name in enumerate(MEASURED)},
        {"way": list(WAYS), "exponent": powers, "seed": seeds},
    )


def _stacked(models: list) -> object:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *models)
