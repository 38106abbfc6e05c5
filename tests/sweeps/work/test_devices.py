"""How a block is spread over devices; what several real ones do is in `claims/machines`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_table

from sweeps.config.parse import parse
from sweeps.machine import Machine
from sweeps.plan import Layout, make_programs
from sweeps.work.devices import mesh_of, placed, spread
from sweeps.work.engine import over_models
from sweeps.work.layout import cut
from sweeps.work.train import TRAIN


@pytest.mark.parametrize(
    ("seeds", "cells", "devices", "found"),
    [
        (8, 125, 4, (4, 1)),  # a device draws for its own two seeds alone
        (1, 125, 4, (1, 4)),
        (2, 100, 8, (2, 4)),
        (3, 7, 2, (1, 2)),  # 3 × 4 models each, not 2 × 7
        (1, 5, 4, (1, 3)),  # a fourth would not make it quicker
        (2, 3, 16, (2, 3)),
        (5, 5, 1, (1, 1)),
    ],
)
def test_devices_take_as_few_models_as_can_be_and_of_these_few_seeds(seeds, cells, devices, found):
    assert spread(seeds, cells, devices) == found


@pytest.mark.parametrize(("seeds", "cells"), [(1, 1), (1, 3), (2, 1), (2, 3)])
def test_what_several_devices_would_do_a_single_one_does_in_turn(seeds, cells):
    """Every model meets its own cell and its own seed, however the block is laid out."""
    layout = Layout(seeds, cells, devices=(2, 3))
    assert mesh_of(layout.devices) is None  # this process has one
    cell, seed = np.arange(6.0), 10 * np.arange(4.0)
    model = np.arange(4 * 6 * 5.0).reshape(4, 6, 5)

    nothing = np.zeros((4, 0))  # what an estimator without samples draws

    def f(cell, model, of_seed):
        seed, drawn = of_seed
        return model + cell, seed + drawn.sum()

    given = jax.tree.map(jnp.asarray, (cell, model, (seed, nothing)))
    summed, own = over_models(f, layout, *given)
    np.testing.assert_array_equal(summed, model + cell[None, :, None])
    np.testing.assert_array_equal(own, np.broadcast_to(seed[:, None], (4, 6)))


def test_arrays_stay_where_they_are_on_a_single_device():
    tree = {"W": jnp.ones(4)}
    assert placed(tree, Layout(1, 1), "cells") is tree
    assert placed(tree, Layout(1, 1, devices=(1, 4)), "cells") is tree


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
@pytest.mark.parametrize("n_devices", [2, 3, 8])
def test_blocks_of_several_devices_hold_every_model_once_in_equal_shares(n_devices, backend):
    grid = {"p_active": {"linear": [0.1, 1, 23]}, "seed": {"range": 5}}
    config = parse(make_table(grid=grid))
    (program,) = make_programs(config.grid, config.build, config.seed)
    blocks = list(cut(program, Machine(3_000_000, backend, n_devices)))
    assert len({(b.points.shape, b.layout) for b in blocks}) == 1
    found = np.concatenate([b.points[b.points >= 0] for b in blocks])
    assert sorted(found) == list(range(115))
    seeds, cells = blocks[0].points.shape
    layout = blocks[0].layout
    assert 1 < layout.n_devices <= n_devices
    assert seeds % (layout.seeds * layout.devices[0]) == 0
    assert cells % (layout.cells * layout.devices[1]) == 0
    assert TRAIN.block_bytes(blocks[0]) <= 3_000_000
