"""The engine: a row of a sweep is the solo run, whatever it was trained beside."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import mine
import numpy as np
import pytest
from builders import make_run

from sweeps import Axis, Dimension, Grid, run_grid
from sweeps.identity import start_name
from sweeps.machine import Machine
from sweeps.plan import Cell, Layout, make_programs
from sweeps.work import layout as layouts
from sweeps.work.engine import (
    average_losses,
    init_block,
    measure,
    run_block,
    start_block,
    train_block,
)
from sweeps.work.layout import cut
from sweeps.work.train import TRAIN
from toymodels.errors import InputError
from toymodels.features import SMALLEST_SHARED_DRAW
from toymodels.fields import Field
from toymodels.measures.columns import measure_geometry
from toymodels.models import LinearAutoencoder
from toymodels.optimizers import SGD
from toymodels.streams import Stream, stream
from toymodels.training import EVALUATION_BATCH, Run, TrainSpec, train

SMALL, LARGE = (3, 2), (7, 3)  # evaluated without samples, and from strata


def grid(**axes):
    return Grid(tuple(Dimension(n, (Axis(n, n, tuple(v)),)) for n, v in axes.items()))


def builder(sizes, **fixed):
    return lambda values: make_run(*sizes, **{**fixed, **values})


def program_of(axes, build):
    """The one program of a whole grid."""
    (program,) = make_programs(grid(**axes), lambda values: Cell(TRAIN, build(values)))
    return program


def one_block(axes, sizes=SMALL, layout=None, **fixed):
    """The block that holds a whole grid of one program."""
    (block,) = cut(program_of(axes, builder(sizes, **fixed)), Machine(2**30))
    return dataclasses.replace(block, layout=layout or block.layout)


def trained(block, steps):
    """The models of a block after some steps, without evaluation."""
    run, state, key_data = start_block(block)
    return train_block(run, state, key_data, 0, steps, layout=block.layout).model


def with_cells(block, cells):
    """The same block with other cells at other places."""
    index = np.array(cells)
    return dataclasses.replace(block, cell_index=index, points=block.program.points[:, index])


@pytest.mark.parametrize("sizes", [SMALL, pytest.param(LARGE, marks=pytest.mark.claims)])
def test_row_of_a_sweep_equals_the_solo_run(sizes):
    build = builder(sizes)
    ds = run_grid(grid(p_active=[0.1, 0.5, 1.0], seed=[3, 4]), build)
    for seed, p in ((3, 0.1), (4, 1.0)):
        run = build({"p_active": p})
        key_init = jax.random.fold_in(stream(seed, Stream.INIT), start_name(run))
        solo = train(run, key_init, stream(seed, Stream.DATA))
        row, evaluation = ds.sel(p_active=p, seed=seed), solo.evaluation
        for found, wanted in (
            (row.W, solo.model.W),
            (row.b, solo.model.b),
            (row.loss_curve, solo.loss_curve),
            (row.loss, evaluation.loss),
            (row.loss_ranking, evaluation.loss_ranking),
            (row.loss_per_feature, evaluation.loss_per_feature),
        ):
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("sizes", "layout", "orders"),
    [
        (SMALL, None, ([2, 0, 1], [1, 1, 0])),
        (LARGE, None, ([2, 0, 1], [1, 1, 0])),
        (LARGE, Layout(seeds=1, cells=2), ([3, 2, 0, 1], [2, 2, 1, 0])),
    ],
)
def test_row_is_the_same_bit_for_bit_at_any_place_of_a_block(sizes, layout, orders):
    n = len(orders[0])
    block = one_block({"p_active": np.linspace(0.1, 1, n), "seed": [0, 1]}, sizes, layout)
    first = trained(with_cells(block, range(n)), 30)
    for order in orders:
        moved = trained(with_cells(block, order), 30)
        jax.tree.map(lambda a, b, o=order: np.testing.assert_array_equal(a[:, o], b), first, moved)


def random_numbers(jaxpr):
    """Count the random numbers that one pass through a program draws."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "random_bits":
            total += int(np.prod(equation.outvars[0].aval.shape))
        inner = jax.tree.leaves(
            list(equation.params.values()),
            is_leaf=lambda p: hasattr(p, "eqns") or hasattr(p, "jaxpr"),
        )
        repeats = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        for part in inner:
            if hasattr(part, "jaxpr") or hasattr(part, "eqns"):
                total += repeats * random_numbers(getattr(part, "jaxpr", part))
    return total


@pytest.mark.parametrize("layout", [None, Layout(seeds=1, cells=2)])
@pytest.mark.parametrize("n_cells", [2, 6])
def test_random_numbers_of_a_step_are_seeds_times_features_times_batch(n_cells, layout):
    axes = {"p_active": np.geomspace(SMALLEST_SHARED_DRAW, 1, n_cells), "seed": [0, 1, 2]}
    block = one_block(axes, layout=layout, batch_size=16)
    layout = block.layout
    run = block.program.run
    keys = jax.vmap(lambda s: stream(s, Stream.DATA))(jnp.arange(3))
    names = jnp.arange(n_cells)
    state = jax.eval_shape(partial(init_block, layout=layout), run, names, keys)
    program = jax.make_jaxpr(partial(train_block, layout=layout))(run, state, keys, 0, 1)
    assert random_numbers(program.jaxpr) == 3 * 3 * 16


@pytest.mark.claims  # compiles for many seconds
def test_random_numbers_of_an_evaluation_are_drawn_once_for_all():
    """Twenty features are evaluated from strata: features × examples, whatever seeds and cells."""
    block = one_block({"p_active": [0.1, 0.5], "seed": [0, 1, 2]}, (20, 5))
    run, state, _ = start_block(block)
    average = partial(average_losses, layout=block.layout, n_batches=2)
    program = jax.make_jaxpr(average)(run, state.model, jax.random.key(0))
    assert random_numbers(program.jaxpr) == 2 * 20 * EVALUATION_BATCH


def test_a_grid_of_densities_that_crosses_a_thousandth_shares_its_masks_and_values():
    """Adam on linear models that start at zero follows b alone, the mean of what was seen."""
    densities = [SMALLEST_SHARED_DRAW, 5e-4, 1e-3, 2e-3, 0.5]
    axes = {"p_active": densities, "seed": [0]}
    block = one_block(axes, batch_size=4096)
    run, _, key_data = start_block(block)
    u = run.estimator.draw(block.program.cell(0).task, jax.random.fold_in(key_data[0], 0), 4096)
    worlds = [block.program.cell(c).task.features for c in range(5)]
    x = [np.asarray(world.from_uniforms(u)) for world in worlds]
    for sparse, dense, p, q in zip(x, x[1:], densities, densities[1:], strict=False):
        active = sparse != 0
        assert np.all(dense[active] != 0)  # who is active in the sparse world is in the dense one
        np.testing.assert_allclose(q * dense[active], p * sparse[active], rtol=1e-5)
    assert np.count_nonzero(x[2]) > 5


def test_cells_share_their_seeds_data_and_start_apart():
    """From zero weights, b after a step of plain descent is the mean of what was seen."""
    axes = {"scale": [0.0, 0.5], "p_active": [0.25, 1.0], "seed": [0, 1]}
    how = {"model": LinearAutoencoder, "optimizer": SGD(), "learning_rate": 0.5}
    block = one_block(axes, **how)
    run, _, key_data = start_block(block)
    model = trained(block, 1)
    b, W = (np.asarray(leaf).reshape(2, 2, 2, -1) for leaf in (model.b, model.W))
    assert np.all(W[:, 0] == 0)
    assert len(np.unique(W[:, 1])) == W[:, 1].size  # all start apart
    for s in (0, 1):
        key = jax.random.fold_in(key_data[s], 0)
        u = np.asarray(run.estimator.draw(block.program.cell(0).task, key, 64))
        np.testing.assert_allclose(b[s, 0, 1], u.mean(1), rtol=1e-5)
        np.testing.assert_allclose(b[s, 0, 0], np.where(u < 0.25, 4 * u, 0).mean(1), rtol=1e-5)
    assert not np.any(b[0, 0] == b[1, 0])


def test_a_diverging_cell_is_marked_and_its_neighbours_are_untouched():
    block = one_block({"learning_rate": [0.01, 1e6, 0.02, 0.03], "seed": [0, 1]})
    sick = run_block(with_cells(block, [0, 1, 2]))
    well = run_block(with_cells(block, [0, 3, 2]))
    np.testing.assert_array_equal(sick.evaluation.diverged, [[False, True, False]] * 2)
    assert not np.any(well.evaluation.diverged)
    jax.tree.map(
        lambda a, b: np.testing.assert_array_equal(a[:, [0, 2]], b[:, [0, 2]]),
        (sick.model, sick.evaluation, sick.loss_curve),
        (well.model, well.evaluation, well.loss_curve),
    )


def test_numbers_do_not_depend_on_how_a_sweep_is_cut(monkeypatch):
    axes = {"p_active": [0.1, 0.2, 0.4, 0.7, 1.0], "seed": [0, 1, 2]}
    program = program_of(axes, builder(SMALL))
    (whole,) = cut(program, Machine(2**30))
    wide = trained(whole, 50)
    monkeypatch.setattr(layouts, "CPU_BLOCK", 8)
    parts = list(cut(program, Machine(2_000_000)))
    assert len(parts) == 3
    assert parts[0].layout != whole.layout
    for part in parts:
        narrow, cells = trained(part, 50), part.cell_index
        jax.tree.map(
            lambda a, b, c=cells: np.testing.assert_allclose(a[:, c], b, rtol=1e-4, atol=1e-5),
            wide,
            narrow,
        )


def test_a_task_and_a_model_of_a_user_train_unchanged():
    def build(values):
        task = mine.Magnitude.create(values["p_active"])
        spec = TrainSpec(np.float32(0.02), steps=200, batch_size=32, evaluation_size=1024)
        return Run(task, partial_start, spec)

    ds = run_grid(grid(p_active=[0.5, 1.0], seed=[0, 1]), build)
    assert ds.W.dims == ("p_active", "seed", "W_0", "W_1")
    assert ds.inner_offset.dims == ("p_active", "seed")
    assert ds.loss_per_length.dims == ("p_active", "seed", "length")
    assert not ds.diverged.any()
    symmetric = (ds.W + ds.W.transpose(..., "W_1", "W_0").values) / 2
    np.testing.assert_allclose(symmetric, np.broadcast_to(np.eye(2), (2, 2, 2, 2)), atol=0.1)


def partial_start(key):
    """A start that is a plain function, of a model whose dimensions are not declared."""
    return mine.Quadratic.start()(key)


def test_start_of_a_block_is_the_start_of_its_runs():
    block = one_block({"p_active": [0.1, 1.0], "seed": [5, 6]})
    run, state, key_data = start_block(block)
    np.testing.assert_allclose(run.task.features.p_active[:, 0], [0.1, 1.0])
    assert state.model.W.shape == (2, 2, 2, 3)
    expected = [jax.random.key_data(stream(s, Stream.DATA)) for s in (5, 6)]
    np.testing.assert_array_equal(jax.random.key_data(key_data), expected)


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        ({"W": Field(jnp.zeros(2), ("feature",))}, "'W' is there already"),
        ({"loss": Field(jnp.zeros(()))}, "'loss' is there already"),
        ({"norm": Field(jnp.zeros(()))}, "'norm' is there already"),
        ({"length": jnp.zeros(2)}, "length is no Field"),
        ({"length": Field(jnp.zeros(2), ())}, "length is no Field with a dimension for each axis"),
    ],
)
def test_a_measure_that_would_hide_or_break_something_is_refused(measured, told):
    run = dataclasses.replace(make_run(), measures=(measure_geometry, lambda *_: measured))
    with pytest.raises(InputError, match=told):
        measure(run, run.init(jax.random.key(0)))
