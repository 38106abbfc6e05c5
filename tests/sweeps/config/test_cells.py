"""Cells that share their parts are those that are built alone."""

import jax
import numpy as np
import pytest
from builders import make_table

from sweeps.config import cells
from sweeps.config.parse import parse
from sweeps.config.schema import resolve
from sweeps.plan import make_programs
from toymodels.errors import InputError

GRIDS = {
    "numbers": {"p_active": [0.1, 0.5], "learning_rate": [0.1, 0.2], "importance.ratio": [0.5, 1]},
    "names": {"optimizer": ["adam", "sgd"], "init_scale": ["xavier", 0.5], "weight_decay": [0, 1]},
    "sizes": {"n_features": [3, 4], "importance.ratio": [0.5, 0.9], "model": ["relu", "linear"]},
    "tables": {"features": {"kind": ["independent", "one_active"]}, "penalties.l1_hidden": [0, 1]},
    "zip": {},
    "helpers": {"size": [1, 2], "p_active": [0.1, 0.2]},
}
ZIP = {"p_active": [0.1, 0.2, 0.5], "importance.relative": [1.5, 2.5, 3], "steps": [5, 6, 7.0]}
DERIVE = {"n_hidden": {"function": "product", "of": ["size", "size"]}}


def described(run):
    leaves, structure = jax.tree.flatten(run)
    return structure, [np.asarray(leaf).tolist() for leaf in leaves]


def zipped(table):
    """A sweep in which no value is there twice."""
    return {k: v for k, v in table.items() if k != "grid"} | {"zip": {"draw": ZIP}}


def test_only_the_first_of_cells_that_differ_in_numbers_is_read_as_a_whole():
    config, read = parse(zipped(make_table())), []
    made = cells.Cells(config.run, lambda table: read.append(table) or resolve(table))
    for values in config.grid.points():
        made.make(config.settings(values), {})
    assert (config.grid.size, len(read)) == (3, 1)


@pytest.mark.parametrize("room", [100_000, 1])
@pytest.mark.parametrize("grid", GRIDS)
def test_a_cell_of_a_grid_is_the_cell_built_alone(grid, room, monkeypatch):
    """Whatever was built before, and also where nothing that was made is kept."""
    monkeypatch.setattr(cells, "MOST_KEPT", room)
    derive = {"derive": DERIVE} if grid == "helpers" else {}
    table = make_table(n_features=5, grid=GRIDS[grid], **derive)
    config = parse(table if GRIDS[grid] else zipped(table))
    for values in config.grid.points():
        alone = cells.Cells(config.run, lambda table: resolve(table, config._taken))
        _, expected = alone.make(config.settings(values), {})
        assert described(config.build(values).run) == described(expected)


def test_parts_that_a_setting_does_not_reach_are_made_once():
    grid = {"p_active": [0.1, 0.5], "learning_rate": [0.1, 0.2]}
    config = parse(make_table(grid=grid))
    a, b, c = (config.build(values).run for values in list(config.grid.points())[:3])
    assert a.task is b.task
    assert a.task is not c.task
    assert a.init is c.init
    assert a.spec.learning_rate != b.spec.learning_rate


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        ({"p_active": [0.5, 1.5], "learning_rate": [0.1, 0.2]}, r"p_active = 1\.5"),
        ({"learning_rate": [0.1, 0.2], "steps": [5, 5.5]}, r"steps = 5\.5"),
        ({"steps": [5, 6], "learning_rate": [0.1, -1]}, "learning_rate = -1"),
        ({"steps": [5, 6], "momentum": [0, 0.5]}, "momentum"),
        ({"importance.relative": [2, 3, -1], "p_active": [0.1]}, "-1"),
    ],
)
def test_a_bad_value_late_in_an_axis_is_refused(grid, told):
    with pytest.raises(InputError, match=told):
        config = parse(make_table(grid=grid))
        make_programs(config.grid, config.build)
