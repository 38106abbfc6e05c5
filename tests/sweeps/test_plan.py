from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run, make_table
from sweeps.engine import init_block, train_block

from sweeps import plan
from sweeps.config.parse import parse
from sweeps.plan import cell_name, choose_layout, cut, make_sheets, model_bytes
from sweeps.run import block_bytes
from toymodels.errors import InputError

GIB = 2**30


def sheets_of(**table):
    config = parse(make_table(**table))
    return make_sheets(config.grid, config.build, config.describe, config.seed)


@pytest.fixture(scope="module")
def ten_thousand():
    """10,000 models of 20→5 at batch 1024."""
    grid = {"p_active": {"log": [0.01, 1, 100]}, "seed": {"range": 100}}
    (sheet,) = sheets_of(n_features=20, n_hidden=5, batch_size=1024, grid=grid)
    return sheet


def test_floats_vectorise_and_sizes_loop():
    grid = {"p_active": [0.1, 0.5], "learning_rate": [0.1, 0.2, 0.3], "seed": [0, 1]}
    (sheet,) = sheets_of(grid=grid)
    assert sheet.points.shape == (2, 6)
    grid = {"n_hidden": [1, 2], "p_active": [0.1, 0.5], "seed": [0, 1]}
    assert [s.points.shape for s in sheets_of(grid=grid)] == [(2, 2), (2, 2)]
    assert len(sheets_of(grid={"model": ["linear", "relu"], "steps": [5, 6]})) == 4


def test_every_point_is_in_one_sheet_with_its_own_values():
    grid = {"seed": [4, 7], "n_hidden": [1, 2], "p_active": [0.1, 0.2, 0.3]}
    config = parse(make_table(grid=grid))
    points = list(config.grid.points())
    seen = []
    for sheet in make_sheets(config.grid, config.build, config.describe, 0):
        for s, seed in enumerate(sheet.seeds):
            for c in range(sheet.points.shape[1]):
                flat = sheet.points[s, c]
                seen.append(flat)
                assert points[flat]["seed"] == seed
                p = sheet.run.task.features.p_active[c, 0]
                assert p == np.float32(points[flat]["features.p_active"])
    assert sorted(seen) == list(range(12))


def test_a_cells_name_does_not_depend_on_the_sweep_around_it():
    wide = sheets_of(grid={"p_active": [0.1, 0.5], "seed": [0]})[0].names
    narrow = sheets_of(grid={"p_active": [0.5]})[0].names
    fixed = sheets_of(grid={"seed": [3]}, p_active=0.5)[0].names
    assert wide[1] == narrow[0] == fixed[0]
    assert wide[0] != wide[1]


def test_a_name_ignores_the_order_of_its_values():
    assert cell_name({"a": 1, "b": 0.5}) == cell_name({"b": 0.5, "a": 1})
    assert cell_name({"a": 1}) != cell_name({"a": 2})


@pytest.mark.parametrize("memory", [400_000, 1_000_000, 5_000_000, GIB])
def test_blocks_are_equally_wide_and_hold_every_model_once(memory):
    grid = {"p_active": {"linear": [0.1, 1, 23]}, "seed": {"range": 5}}
    (sheet,) = sheets_of(grid=grid)
    blocks = list(cut(sheet, memory))
    assert len({b.points.shape for b in blocks}) == 1
    assert len({b.layout for b in blocks}) == 1
    found = np.concatenate([b.points[b.points >= 0] for b in blocks])
    assert sorted(found) == list(range(115))
    assert sum(b.n_models for b in blocks) == 115
    for block in blocks:
        at = sheet.points[np.ix_(block.seed_index, block.cell_index)]
        assert np.all((block.points == at) | (block.points == -1))
        assert block.points.shape[0] % block.layout.seeds == 0
        assert block.points.shape[1] % block.layout.cells == 0
        assert block_bytes(block) <= memory


def test_a_block_is_no_wider_than_what_may_be_lost_by_a_kill(monkeypatch):
    monkeypatch.setattr(plan, "CPU_BLOCK", 6)
    (sheet,) = sheets_of(grid={"p_active": {"linear": [0.1, 1, 23]}, "seed": {"range": 2}})
    assert {b.points.shape for b in cut(sheet, GIB)} == {(2, 3)}


def test_memory_that_does_not_hold_one_model_is_refused():
    (sheet,) = sheets_of()
    with pytest.raises(InputError, match=r"memory = .* does not hold one model"):
        list(cut(sheet, 1000))


def test_bytes_of_a_model_are_its_batch_and_its_weights():
    step, state = model_bytes(make_run(20, 5, batch_size=1024))
    assert step == 2 * 20 * 1024 * 4  # input and target
    assert state == 3 * (20 * 5 + 20) * 4 + 4  # weights, two moments of Adam, its counter


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_ten_thousand_models_are_planned_under_three_gib(ten_thousand, backend, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    for memory in (2 * GIB, 3 * GIB):
        blocks = list(cut(ten_thousand, memory))
        assert sum(b.n_models for b in blocks) == 10_000
        assert max(map(block_bytes, blocks)) < 3 * GIB


def test_the_compiler_agrees_that_ten_thousand_models_fit(ten_thousand):
    block = next(iter(cut(ten_thousand, 2 * GIB)))
    run = jax.tree.map(lambda leaf: jnp.asarray(leaf[block.cell_index]), ten_thousand.run)
    names = jnp.asarray(ten_thousand.names[block.cell_index])
    keys = jax.vmap(jax.random.key)(jnp.arange(block.points.shape[0]))
    state = jax.eval_shape(partial(init_block, layout=block.layout), run, names, keys)
    program = train_block.lower(run, state, keys, 0, 1, layout=block.layout).compile()
    memory = program.memory_analysis()
    needed = memory.temp_size_in_bytes + memory.argument_size_in_bytes
    assert needed + memory.output_size_in_bytes < 3 * GIB


@pytest.mark.parametrize("sizes", [(2, 1), (20, 5), (200, 20)])
def test_models_go_in_groups_that_stay_in_the_cache(sizes):
    run = make_run(*sizes, batch_size=1024)
    layout = choose_layout(run, 8, 100, 2 * GIB)
    group = layout.seeds * layout.cells
    inputs = 2 * sizes[0] * 1024 * 4
    assert group <= 2 or group * inputs <= plan.CACHE_BYTES
    assert layout.seeds <= 8
    assert layout.cells <= 100


def test_a_gpu_takes_all_that_fits(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    run = make_run(20, 5, batch_size=1024)
    assert choose_layout(run, 8, 100, 4 * GIB) == plan.Layout(8, 100)
    part = choose_layout(run, 8, 100, GIB // 4)
    assert part.seeds * part.cells * plan.LIVE_COPIES * model_bytes(run)[0] <= GIB // 4
