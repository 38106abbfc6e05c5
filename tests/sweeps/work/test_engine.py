"""The engine: a row of a sweep is the solo run, whatever it was trained beside."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from flax import struct
from sweeps.engine import init_block, run_block, start_block, train_block

from sweeps import Axis, Dimension, Grid, plan, run_grid
from sweeps.plan import Layout, cell_name, cut, make_sheets
from toymodels.models import LinearAutoencoder
from toymodels.training import STREAM_DATA, STREAM_INIT, Run, TrainSpec, stream, train

SMALL, LARGE = (3, 2), (7, 3)  # both sides of SMALL_MATRIX: all at once, and in groups


def grid(**axes):
    return Grid(tuple(Dimension(n, (Axis(n, n, tuple(v)),)) for n, v in axes.items()))


def builder(sizes, **fixed):
    return lambda values: make_run(*sizes, **{**fixed, **values})


def one_block(axes, sizes=SMALL, layout=None, **fixed):
    """The block that holds a whole grid of one program."""
    (sheet,) = make_sheets(grid(**axes), builder(sizes, **fixed), lambda v: v, 0)
    (block,) = cut(sheet, 2**30)
    return dataclasses.replace(block, layout=layout or block.layout)


def trained(block, steps):
    """The models of a block after some steps, without evaluation."""
    run, state, key_data = start_block(block)
    return train_block(run, state, key_data, 0, steps, layout=block.layout).model


def with_cells(block, cells):
    """The same block with other cells at other places."""
    index = np.array(cells)
    return dataclasses.replace(block, cell_index=index, points=block.sheet.points[:, index])


@pytest.mark.parametrize("sizes", [SMALL, LARGE])
def test_row_of_a_sweep_equals_the_solo_run(sizes):
    build = builder(sizes)
    ds = run_grid(grid(p_active=[0.1, 0.5, 1.0], seed=[3, 4]), build)
    for seed in (3, 4):
        for p in (0.1, 1.0):
            key_init = jax.random.fold_in(stream(seed, STREAM_INIT), cell_name({"p_active": p}))
            solo = train(build({"p_active": p}), key_init, stream(seed, STREAM_DATA))
            row = ds.sel(p_active=p, seed=seed)
            np.testing.assert_allclose(row.W, solo.model.W, rtol=0, atol=1e-6)
            np.testing.assert_allclose(row.b, solo.model.b, rtol=0, atol=1e-6)
            np.testing.assert_allclose(row.loss_curve, solo.loss_curve, rtol=0, atol=1e-6)
            np.testing.assert_allclose(row.loss, solo.evaluation.loss, rtol=0, atol=1e-6)
            np.testing.assert_allclose(row.loss_ranking, solo.evaluation.loss_ranking, atol=1e-6)
            np.testing.assert_allclose(
                row.loss_per_feature, solo.evaluation.loss_per_feature, atol=1e-6
            )


@pytest.mark.parametrize(
    ("sizes", "layout"), [(SMALL, None), (LARGE, None), (LARGE, Layout(seeds=1, cells=2))]
)
def test_row_is_the_same_bit_for_bit_at_any_place_of_a_block(sizes, layout):
    axes = {"p_active": [0.1, 0.3, 0.6, 1.0], "seed": [0, 1]}
    block = one_block(axes, sizes, layout)
    first = trained(with_cells(block, [0, 1, 2, 3]), 30)
    for order in ([3, 2, 0, 1], [2, 2, 1, 0]):
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
    axes = {"p_active": np.linspace(0.1, 1, n_cells), "seed": [0, 1, 2]}
    block = one_block(axes, layout=layout, batch_size=16)
    layout = block.layout
    (sheet,) = [block.sheet]
    keys = jax.vmap(lambda s: stream(s, STREAM_DATA))(jnp.arange(3))
    state = jax.eval_shape(partial(init_block, layout=layout), sheet.run, sheet.names, keys)
    program = jax.make_jaxpr(partial(train_block, layout=layout))(sheet.run, state, keys, 0, 1)
    assert random_numbers(program.jaxpr) == 3 * 3 * 16


def test_cells_share_their_seeds_data_and_start_apart():
    """A model that starts at zero shows its data; `tag` names a cell and changes nothing."""
    axes = grid(scale=[0.0, 0.5], tag=[1, 2], seed=[0, 1])
    build = lambda v: make_run(scale=v["scale"], model=LinearAutoencoder)  # noqa: E731
    (sheet,) = make_sheets(axes, build, lambda v: v, 0)
    (block,) = cut(sheet, 2**30)
    model = trained(block, 30)
    b, W = np.asarray(model.b), np.asarray(model.W)  # seed × (scale, tag)
    np.testing.assert_array_equal(b[:, 0], b[:, 1])
    assert not np.any(b[0, 0] == b[1, 0])
    assert not np.any(W[:, 2] == W[:, 3])
    assert not np.any(W[0, 2:] == W[1, 2:])


def test_a_diverging_cell_is_marked_and_its_neighbours_are_untouched():
    axes = {"learning_rate": [0.01, 1e6, 0.02, 0.03], "seed": [0, 1]}
    block = one_block(axes, steps=30)
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
    axes = grid(p_active=[0.1, 0.2, 0.4, 0.7, 1.0], seed=[0, 1, 2])
    (sheet,) = make_sheets(axes, builder(SMALL), lambda v: v, 0)
    (whole,) = cut(sheet, 2**30)
    wide = trained(whole, 50)
    monkeypatch.setattr(plan, "CPU_BLOCK", 8)
    parts = list(cut(sheet, 400_000))
    assert len(parts) == 3
    assert parts[0].layout == Layout(1, 1)
    for part in parts:
        narrow, cells = trained(part, 50), part.cell_index
        jax.tree.map(
            lambda a, b, c=cells: np.testing.assert_allclose(a[:, c], b, rtol=1e-4, atol=1e-5),
            wide,
            narrow,
        )


@struct.dataclass
class Magnitude:
    """A user's task: the length of a vector; one output for two inputs."""

    p_active: jax.Array

    def sample(self, key):
        key_value, key_active = jax.random.split(key)
        x = jax.random.uniform(key_value, (2,), minval=-2, maxval=2)
        x = x * (jax.random.uniform(key_active) < self.p_active)
        return x, jnp.sum(x**2, keepdims=True)

    def error(self, output, target):
        return jnp.abs(output - target)


@struct.dataclass
class Quadratic:
    """A user's model, with a leaf of one number and one of an odd name."""

    W: jax.Array
    inner: dict

    def __call__(self, x):
        return jnp.array([x @ self.W @ x + self.inner["offset"]])


def start_quadratic(key):
    return Quadratic(0.1 * jax.random.normal(key, (2, 2)), {"offset": jnp.zeros(())})


def test_a_task_and_a_model_of_a_user_train_unchanged():
    def build(values):
        spec = TrainSpec(
            learning_rate=np.float32(0.02), steps=200, batch_size=32, evaluation_size=1024
        )
        return Run(Magnitude(np.float32(values["p_active"])), start_quadratic, spec)

    ds = run_grid(grid(p_active=[0.5, 1.0], seed=[0, 1]), build)
    assert ds.W.dims == ("p_active", "seed", "hidden", "feature")
    assert ds.inner_offset.dims == ("p_active", "seed")
    assert ds.loss_per_feature.shape == (2, 2, 1)
    assert not ds.diverged.any()
    symmetric = (ds.W + ds.W.transpose(..., "feature", "hidden").values) / 2
    np.testing.assert_allclose(symmetric, np.broadcast_to(np.eye(2), (2, 2, 2, 2)), atol=0.1)


def test_start_of_a_block_is_the_start_of_its_runs():
    block = one_block({"p_active": [0.1, 1.0], "seed": [5, 6]})
    run, state, key_data = start_block(block)
    np.testing.assert_allclose(run.task.features.p_active[:, 0], [0.1, 1.0])
    assert state.model.W.shape == (2, 2, 2, 3)
    expected = [jax.random.key_data(stream(s, STREAM_DATA)) for s in (5, 6)]
    np.testing.assert_array_equal(jax.random.key_data(key_data), expected)
