"""How programs are cut: every model once, in blocks of one width that fit the memory."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run, make_table

from sweeps.config.parse import parse
from sweeps.machine import Machine
from sweeps.plan import Layout, make_programs
from sweeps.work import layout
from sweeps.work.engine import init_block, train_block
from sweeps.work.layout import LIVE_COPIES, batch_bytes, choose_layout, cut, model_bytes
from sweeps.work.train import TRAIN
from toymodels.errors import InputError
from toymodels.estimators import Quadrature

GIB = 2**30


def program_of(**table):
    config = parse(make_table(**table))
    (program,) = make_programs(config.grid, config.build, config.seed)
    return program


@pytest.fixture(scope="module")
def ten_thousand():
    """10,000 models of 20→5 at batch 1024."""
    grid = {"p_active": {"log": [0.01, 1, 100]}, "seed": {"range": 100}}
    return program_of(n_features=20, n_hidden=5, batch_size=1024, grid=grid)


@pytest.mark.parametrize("memory", [2_000_000, 3_000_000, 5_000_000, GIB])
def test_blocks_are_equally_wide_and_hold_every_model_once(memory):
    program = program_of(grid={"p_active": {"linear": [0.1, 1, 23]}, "seed": {"range": 5}})
    blocks = list(cut(program, Machine(memory)))
    assert len({b.points.shape for b in blocks}) == 1
    assert len({b.layout for b in blocks}) == 1
    found = np.concatenate([b.points[b.points >= 0] for b in blocks])
    assert sorted(found) == list(range(115))
    assert sum(b.n_models for b in blocks) == 115
    for block in blocks:
        at = program.points[np.ix_(block.seed_index, block.cell_index)]
        assert np.all((block.points == at) | (block.points == -1))
        assert block.points.shape[0] % block.layout.seeds == 0
        assert block.points.shape[1] % block.layout.cells == 0
        assert TRAIN.block_bytes(block) <= memory


def test_a_block_is_no_wider_than_what_may_be_lost_by_a_kill(monkeypatch):
    monkeypatch.setattr(layout, "CPU_BLOCK", 6)
    program = program_of(grid={"p_active": {"linear": [0.1, 1, 23]}, "seed": {"range": 2}})
    assert {b.points.shape for b in cut(program, Machine(GIB))} == {(2, 3)}


def test_memory_that_does_not_hold_one_model_is_refused():
    with pytest.raises(InputError, match=r"memory = .* does not hold one model"):
        list(cut(program_of(), Machine(1000)))


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_ten_thousand_models_are_planned_under_three_gib(ten_thousand, backend, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    for memory in (2 * GIB, 3 * GIB):
        blocks = list(cut(ten_thousand, Machine(memory)))
        assert sum(b.n_models for b in blocks) == 10_000
        assert max(map(TRAIN.block_bytes, blocks)) < 3 * GIB


def compiled_bytes(block):
    """What the compiler says that a step of a block takes, its arguments and results included."""
    run = jax.tree.map(lambda leaf: jnp.asarray(leaf[block.cell_index]), block.program.run)
    names = jnp.arange(len(block.cell_index))
    keys = jax.vmap(jax.random.key)(jnp.arange(block.points.shape[0]))
    state = jax.eval_shape(partial(init_block, layout=block.layout), run, names, keys)
    program = train_block.lower(run, state, keys, 0, 1, layout=block.layout).compile()
    memory = program.memory_analysis()
    needed = memory.temp_size_in_bytes + memory.argument_size_in_bytes
    return needed + memory.output_size_in_bytes


def test_the_compiler_agrees_that_ten_thousand_models_fit(ten_thousand):
    block = next(iter(cut(ten_thousand, Machine(2 * GIB))))
    assert compiled_bytes(block) < 3 * GIB


@pytest.mark.parametrize(
    "table",
    [
        {"n_features": 20, "n_hidden": 5, "batch_size": 1024},
        {"n_features": 3, "n_hidden": 200, "batch_size": 256},  # wider inside than outside
        {"n_features": 6, "n_hidden": 2, "estimator": "exact"},
        {"n_features": 3, "n_hidden": 2, "batch_size": 16},
    ],
    ids=lambda t: f"{t['n_features']}→{t['n_hidden']}",
)
def test_a_block_takes_no_more_than_is_planned_for_it(table):
    """The plan is an upper bound: what the compiler counts for one step lies below it."""
    program = program_of(**table, grid={"p_active": {"log": [0.01, 1, 6]}, "seed": {"range": 4}})
    block = next(iter(cut(program, Machine(GIB // 8))))
    assert compiled_bytes(block) < 1.2 * TRAIN.block_bytes(block)
    assert TRAIN.block_bytes(block) <= GIB // 8


@pytest.mark.parametrize("sizes", [(2, 1), (20, 5), (200, 20)])
def test_models_go_in_groups_that_stay_in_the_cache(sizes):
    run = make_run(*sizes, batch_size=1024)
    found = choose_layout(run, 8, 100, Machine(2 * GIB))
    group = found.seeds * found.cells
    inputs = 2 * sizes[0] * 1024 * 4
    assert batch_bytes(run, 1024) == inputs
    assert group <= 2 or group * inputs <= layout.CACHE_BYTES
    assert found.seeds <= 8
    assert found.cells <= 100


def test_a_gpu_takes_all_that_fits():
    run = make_run(20, 5, batch_size=1024)
    assert choose_layout(run, 8, 100, Machine(4 * GIB, "gpu")) == Layout(8, 100)
    part = choose_layout(run, 8, 100, Machine(GIB // 4, "gpu"))
    assert part.seeds * part.cells * LIVE_COPIES * model_bytes(run)[0] <= GIB // 4


def test_wide_runs_on_the_exact_loss_go_in_smaller_groups():
    exact = Quadrature()
    wide, narrow = (
        choose_layout(make_run(n, 1).replace(estimator=exact), 1, 5000, Machine(2**31)).cells
        for n in (6, 2)
    )
    assert wide < 100 < 1000 < narrow


def test_few_large_models_are_cut_by_what_they_cost():
    """Else processes that take parts of such a sweep would have nothing to share."""
    large = {"n_features": 200, "n_hidden": 20, "batch_size": 1024, "grid": {"seed": {"range": 10}}}
    program = program_of(steps=50_000, **large)
    blocks = list(cut(program, Machine(2 * GIB)))
    assert len(blocks) > 1 and sum(block.n_models for block in blocks) == 10
    (one,) = cut(program_of(steps=100, **large), Machine(2 * GIB))
    assert one.n_models == 10
