"""A run is named by what is built: measuring it or training it otherwise leaves its start alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from sweeps.config.parse import parse
from sweeps.identity import canonical, digest, plain, start_name
from sweeps.machine import Machine
from sweeps.plan import make_programs
from sweeps.work.engine import start_block
from sweeps.work.solve import solver_seed
from toymodels import models
from toymodels.models import xavier_scale
from toymodels.streams import Stream, stream

CELL = {"name": "x", "model": "relu", "n_features": 3, "n_hidden": 2, "p_active": 0.3}


def start_of(**changes):
    """First weights `[seed, cell, …]`, data keys and the name of the first cell of a sweep."""
    config = parse(CELL | changes)
    (program,) = make_programs(config.grid, config.build, config.seed)
    (block,) = program.work.cut(program, Machine(2**30))
    _, state, key_data = start_block(block)
    weights = [np.asarray(leaf) for leaf in jax.tree.leaves(state.model)]
    return weights, np.asarray(jax.random.key_data(key_data)), start_name(program.cell(0))


PLAIN = start_of()

# How a run is trained and measured.
OTHERWISE = [
    {"snapshots": [0, 10]},
    {"evaluation_size": 100},
    {"steps": 12},
    {"learning_rate": 1.0, "weight_decay": 0.1},
    {"batch_size": 3},
    {"optimizer": "sgd", "momentum": 0.5},
    {"schedule": "constant"},
    {"estimator": "exact"},
    {"measures": []},
    {"penalties": ["mine:L2"], "frozen": ["b"]},
    {"description": "words", "name": "other"},
]
# The same start and world in other words.
IN_OTHER_WORDS = [
    {"init_scale": xavier_scale(3, 2), "importance": {"value": 1}},
    {"p_active": [0.3, 0.3, 0.3], "importance": [1, 1, 1.0]},
    {"p_active": {"law": "constant", "value": 0.3}, "features": {"kind": "independent"}},
]


@pytest.mark.parametrize("change", [*OTHERWISE, *IN_OTHER_WORDS], ids=str)
def test_how_a_run_is_trained_and_written_leaves_its_name_alone(change):
    assert start_name(parse(CELL | change).build({}).run) == PLAIN[2]


@pytest.mark.parametrize(
    "change",
    [
        {k: v for change in OTHERWISE for k, v in change.items() if k not in ("estimator",)},
        {"estimator": "exact"},
        {k: v for change in IN_OTHER_WORDS[:2] for k, v in change.items()},
        {"grid": {"learning_rate": [0.1, 0.2]}},
    ],
    ids=["trained otherwise", "without samples", "in other words", "among others"],
)
def test_first_weights_and_data_stay_bit_for_bit(change):
    weights, key_data, _ = start_of(**change)
    np.testing.assert_array_equal(key_data, PLAIN[1])
    for found, wanted in zip(weights, PLAIN[0], strict=True):
        np.testing.assert_array_equal(found[:, :1], wanted)


@pytest.mark.parametrize(
    "change",
    [
        {"p_active": 0.31},
        {"p_active": [0.3, 0.3, 0.31]},
        {"importance": 2.0},
        {"importance": {"ratio": 0.9}},
        {"init_scale": 0.5},
        {"features": {"values": "signed_uniform"}},
        {"model": "linear"},
        {"n_features": 4},
        {"n_hidden": 1},
    ],
    ids=str,
)
def test_another_world_model_or_size_is_another_draw(change):
    run = parse(CELL | change).build({}).run
    assert start_name(run) != PLAIN[2]
    key = jax.random.fold_in(stream(0, Stream.INIT), start_name(run))
    assert not np.any(np.isin(run.init(key).W, PLAIN[0][0]))


def test_cells_of_a_grid_have_starts_of_their_own_and_share_their_seeds_data():
    weights, key_data, _ = start_of(grid={"importance.ratio": [0.5, 0.9], "seed": [0, 1, 2]})
    W = weights[0]
    assert W.shape == (3, 2, 2, 3)
    assert len(np.unique(W)) == W.size
    assert len(np.unique(key_data, axis=0)) == 3


def test_a_cell_has_its_start_wherever_it_stands():
    """In a wider sweep, in another order of axes, and alone."""
    (W, _), _, _ = start_of(grid={"importance.ratio": [0.5, 0.9, 1.0], "seed": [3, 1]})
    (turned, _), _, _ = start_of(grid={"seed": [1], "importance.ratio": [0.9, 0.2]})
    (alone, _), _, _ = start_of(importance=[1, 0.9, 0.81], grid={"seed": [1]})
    np.testing.assert_array_equal(W[1, 1], turned[0, 0])
    np.testing.assert_array_equal(W[1, 1], alone[0, 0])


def test_another_root_gives_other_runs_at_the_same_seeds():
    """`--seed 1` once gave n - 1 of the n runs of `--seed 0` again."""
    grid = {"seed": {"range": 8}}
    first, other = (start_of(grid=grid, seed=root) for root in (0, 1))
    for here, there in ((first[0][0], other[0][0]), (first[1], other[1])):
        flat = [set(map(bytes, a.reshape(8, -1))) for a in (here, there)]
        assert len(flat[0]) == len(flat[1]) == 8
        assert not flat[0] & flat[1]


def test_random_starts_of_the_solver_follow_seed_and_root():
    table = {"name": "x", "model": "relu", "n_features": 2, "n_hidden": 1, "optimizer": "newton"}
    found = []
    for root in (0, 1, 2):
        config = parse(table | {"grid": {"seed": {"range": 8}}, "seed": root})
        (program,) = make_programs(config.grid, config.build, config.seed)
        found += [solver_seed(block) for block in program.work.cut(program, Machine(2**30))]
    assert found[:8] == list(range(8))
    assert len(set(found)) == 24


# Descriptions of things.


@how(deadline=None, derandomize=True, max_examples=50)
@given(x=st.floats(-1e6, 1e6), n=st.integers(1, 4))
def test_floats_count_as_float32_however_they_are_held(x, n):
    ways = [x, np.float64(x), np.float32(x), jnp.float32(x), np.asarray(x)]
    assert len({str(canonical(way)) for way in ways}) == 1
    assert canonical(np.full(n, x)) == canonical(np.full(n, x, np.float32))
    assert canonical(-0.0) == canonical(0.0)


def test_records_are_told_apart_by_class_and_by_value():
    W, b = jnp.ones((1, 2)), jnp.zeros(2)
    linear, relu = models.LinearAutoencoder(W, b), models.ReluAutoencoder(W, b)
    assert canonical(linear) != canonical(relu)
    assert canonical(relu) == canonical(models.ReluAutoencoder(np.ones((1, 2)), np.zeros(2)))
    assert canonical(relu) != canonical(relu.replace(W=2 * W))
    assert canonical(np.ones((1, 2))) != canonical(np.ones((2, 1)))


def draw_small(key, scale):
    return scale * jax.random.normal(key, (2,))


def test_a_start_that_is_a_function_is_named_by_it_and_by_what_it_is_given():
    one, two = (jax.tree_util.Partial(draw_small, scale=s) for s in (0.1, 0.2))
    assert canonical(one) == canonical(jax.tree_util.Partial(draw_small, scale=np.float32(0.1)))
    assert canonical(one) != canonical(two)
    assert canonical(draw_small) != canonical(start_of)


def test_a_table_is_named_by_its_numbers_and_not_by_how_they_are_written():
    assert digest({"a": 1, "b": [1, 2.5]}) == digest({"b": (1.0, 2.5), "a": 1.0})
    assert digest({"a": 0.0}) == digest({"a": -0.0})
    assert len(digest({})) == 10
    assert plain(True) is True
    others = [{"a": 1}, {"a": True}, {"a": "1"}, {"a": [1]}, {"a": None}, {"b": 1}]
    assert len({digest(table) for table in others}) == len(others)


class Triangle:
    """Values of a user's own, no record of arrays."""

    def __init__(self, slope):
        self.slope = slope


def test_objects_and_functions_that_are_no_records_have_names():
    assert canonical(Triangle(1)) == canonical(Triangle(1)) != canonical(Triangle(2))
    assert canonical(jnp.square) == canonical(jnp.square) != canonical(jnp.sqrt)
