"""The keys of a sweep over circuits: what they build, and what is refused with which words."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.config.parse import parse
from sweeps.config.sweep import config_from_json
from sweeps.plan import make_programs
from sweeps.run import run_sweep
from toymodels.circuits import simulate_rotations
from toymodels.circuits.assignment import prime_steps, transversal
from toymodels.circuits.forward import ideal_gating, relu_gating
from toymodels.errors import InputError

SIZES = {"circuits": "rotations", "n_circuits": 557, "width": 1000}
TABLE = {"name": "mine", **SIZES}


def run_of(table):
    return parse(table).build({}).run


def test_every_argument_of_a_simulation_is_a_key_with_its_default():
    """A cell is one call of the library: no argument of it is out of reach, none differs."""
    arguments = dict(inspect.signature(simulate_rotations).parameters)
    del arguments["key"]
    resolved = parse(TABLE).resolved({})
    assert set(resolved) == {"work", "circuits", *arguments}
    run = run_of(TABLE)
    assert run.network.assignment is arguments["assignment"].default is prime_steps
    assert run.network.gating is arguments["gating"].default is relu_gating
    for name in ("bias", "inhibition", "gain"):
        assert resolved[name] == getattr(run.network, name) == arguments[name].default


def test_built_run_holds_the_numbers_of_the_config():
    given = SIZES | {
        "redundancy": 5,
        "n_active": 3,
        "n_layers": 2,
        "n_samples": 70,
        "bias": 0.3,
        "inhibition": 1.15,
        "gain": 3.0,
        "assignment": "transversal",
        "gating": "ideal",
    }
    run = run_of({"name": "mine", **given})
    assert (run.n_active, run.n_samples, run.network.gating) == (3, 70, ideal_gating)
    network = run.network
    assert (network.n_circuits, network.width) == (557, 1000)
    assert (network.redundancy, network.n_layers, network.assignment) == (5, 2, transversal)
    assert (network.bias, network.inhibition, network.gain) == (0.3, 1.15, 3.0)
    assert network.bias.dtype == np.float64  # 0.3 and no float beside it


def test_numbers_that_are_no_sizes_share_a_program():
    grid = {
        "n_active": [1, 2],
        "bias": [0.0, 1.0],
        "inhibition": [1.0, 1.3],
        "n_samples": [10, 20],
        "seed": [0, 1],
    }
    config = parse(TABLE | {"grid": grid})
    (program,) = make_programs(config.grid, config.build)
    assert program.points.shape == (2, 16)
    config = parse(TABLE | {"grid": {"redundancy": [3, 6], "n_layers": [2, 3]}})
    assert len(make_programs(config.grid, config.build)) == 4


def test_a_sweep_of_circuits_is_the_same_after_json():
    table = TABLE | {"grid": {"inhibition": [1.0, 1.3]}, "description": "words"}
    table["zip"] = {"z": {"n_active": [1, 2], "n_samples": [557, 2785]}}
    config = parse(table)
    again = config_from_json(config.as_json())
    assert (again.as_json(), again.hash()) == (config.as_json(), config.hash())
    for point in config.grid.points():
        assert config.resolved(point) == again.resolved(point)


def test_a_size_may_be_derived_from_axes():
    table = TABLE | {"grid": {"rounds": [1, 5], "n_circuits": [100, 557]}}
    table["derive"] = {"n_samples": {"function": "product", "of": ["n_circuits", "rounds"]}}
    config = parse(table)
    assert [config.resolved(p)["n_samples"] for p in config.grid.points()] == [100, 557, 500, 2785]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n_circuits": 558}, "n_circuits = 558 .*use n_circuits <= 557, or redundancy <= 5"),
        ({"assignment": "transversal", "n_circuits": 1682}, "use n_circuits <= 1681"),
        ({"redundancy": 251}, "redundancy = 251 .*n_copies = 250.* use 1 to 250"),
        ({"n_active": 558}, "n_active = 558 .*use 1 to 557"),
        ({"width": 1001}, "width = 1001 is not divisible by d = 4.*use 1000 or 1004"),
        ({"gain": 0.5}, "gain = 0.5: give a finite number, from 1"),
        ({"bias": -1}, "bias = -1.0: give a finite number, from 0"),
        ({"inhibition": float("nan")}, "inhibition = nan"),
        ({"n_layers": 0}, "n_layers = 0"),
        ({"n_samples": "many"}, "n_samples = 'many': .*give a number"),
        ({"n_samples": 1.5}, "n_samples = 1.5"),
        ({"assignment": "prime"}, "assignment = 'prime': .*'prime_steps'.*transversal"),
        ({"gating": "none"}, "gating = 'none': .*relu, ideal"),
        ({"circuits": "steps"}, "circuits = 'steps': .*rotations"),
        ({"steps": 5}, "steps = 5 has no effect with circuits, which are not trained"),
        ({"model": "relu"}, "model = 'relu' has no effect with circuits.*sweeps that train"),
        ({"p_active": 0.5}, "p_active.* has no effect with circuits"),
        ({"widht": 5}, "'widht'. Did you mean 'width'"),
        ({"grid": {"learning_rate": [1]}}, "learning_rate = 1 has no effect with circuits"),
        ({"grid": {"p_active": [0.5]}}, "p_active.* has no effect with circuits"),
        ({"grid": {"inhibitin": [0.5]}}, "Did you mean 'inhibition'"),
        ({"grid": {"layer": [1]}}, "'layer' sets nothing"),
    ],
)
def test_what_means_nothing_or_does_not_fit_is_refused_with_the_way_out(change, told):
    with pytest.raises(InputError, match=told):
        parse(TABLE | change)


def test_a_missing_size_is_named():
    with pytest.raises(InputError, match="width is missing"):
        parse({"name": "mine", "circuits": "rotations", "n_circuits": 5})


def test_a_cell_far_in_the_grid_is_refused_before_anything_runs():
    config = parse(TABLE | {"grid": {"n_circuits": [100, 557, 600]}})
    with pytest.raises(InputError, match="n_circuits = 600"):
        make_programs(config.grid, config.build)


@pytest.mark.parametrize("key", ["width", "n_circuits", "inhibition"])
def test_a_key_of_circuits_in_a_training_sweep_says_where_it_belongs(key):
    table = {"name": "mine", "model": "relu", "n_features": 5, "n_hidden": 2}
    told = f'{key} = 5 has no effect.*belongs to circuits: say circuits = "rotations"'
    for change in ({key: 5}, {"grid": {key: [5]}}):
        with pytest.raises(InputError, match=told):
            parse(table | change)


def test_a_result_name_cannot_be_an_axis_that_helps():
    table = TABLE | {"grid": {"layer": [1, 2]}, "n_samples": 5}
    table["derive"] = {"n_layers": {"function": "product", "of": ["layer"]}}
    with pytest.raises(InputError, match="'layer' is taken by the result"):
        run_sweep(table)


NUMBERS = st.one_of(
    *(st.integers(-2, 300), st.floats(), st.booleans()),
    st.sampled_from([10**20, 1e39, 557, 1000, 2.5, -0.0]),
)
WORDS = st.sampled_from(["rotations", "transversal", "random_subsets", "ideal", "", "a"])
VALUES = st.one_of(NUMBERS, WORDS, st.lists(st.one_of(NUMBERS, WORDS), max_size=3))
KEYS = st.sampled_from([*sorted(parse(TABLE).resolved({})), "seed", "steps", "p_active", "widht"])
TABLES = st.dictionaries(KEYS, VALUES, min_size=1, max_size=3)


@given(change=TABLES, grid=TABLES)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_any_table_of_circuits_is_a_sweep_or_a_clear_message(change, grid):
    try:
        config = parse(TABLE | change | {"grid": grid})
        programs = make_programs(config.grid, config.build, config.seed)
    except InputError as error:
        assert str(error)
    else:
        assert sum(program.points.size for program in programs) == config.grid.size
