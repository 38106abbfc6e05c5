"""A sweep that is written as TOML is the same sweep when it is read."""

import json
import tomllib

import pytest

from figures.kit.compute import is_sweep, sweep_table
from figures.kit.entry import files
from sweeps.config.parse import parse
from sweeps.config.written import as_toml

BASE = {"name": "x", "model": "relu", "n_features": 4, "n_hidden": 2}
PRESETS = [name for name, path in files().items() if is_sweep(sweep_table(path))]
ODD = {
    "names along an axis, which take other keys": {
        "momentum": 0.5,
        "grid": {"optimizer": ["adam", "sgd"], "schedule": ["linear", "cosine"]},
    },
    "kinds of work along an axis": {"grid": {"optimizer": ["adam", "newton"], "n_starts": [4, 8]}},
    "kinds of features along an axis": {
        "features": {"n_sets": 2},
        "grid": {"features.kind": ["independent", "correlated"]},
    },
    "axes that move together": {
        "zip": {"size": {"n_features": [4, 6], "n_hidden": [1, 2]}, "seed": {"seed": [3, 1]}},
        "grid": {"p_active": {"log": [0.01, 1, 40]}, "learning_rate": {"linear": [0.1, 0.3, 9]}},
    },
    "derived keys and helpers": {
        "grid": {"ratio": [0.5, 0.25], "n_hidden": [1, 2]},
        "derive": {
            "init_scale": {"function": "inverse_square_root", "of": ["n_hidden"]},
            "p_active": {"function": "one_minus", "of": ["ratio"]},
        },
    },
    "profiles with a parameter along an axis": {
        "importance": {"first": 2.0},
        "p_active": {"law": "log_spaced", "last": 0.5},
        "grid": {"importance.ratio": [0.5, 0.25], "seed": {"range": [4, 9]}},
    },
    "what is kept": {"keep": ["loss", "norm"]},
    "tables of things": {
        "measures": ["geometry", "activity"],
        "frozen": ["b"],
        "snapshots": [0, 5],
        "steps": 5,
        "features": {"p_active": [0.1, 0.2, 0.3, 0.4]},
        "grid": {"penalties.l1_hidden.weight": [0.1, 1.0]},
    },
    "a thing by its first setting": {"penalties": {"l1_hidden": 0.1}, "features": {"n_sets": 2}}
    | {"grid": {"features.kind": ["correlated", "anticorrelated"]}},
    "the models of another sweep": {
        "task": "hidden_of",
        "model": "sparse_autoencoder",
        "n_latents": 8,
        "n_features": None,
        "n_hidden": None,
        "models": {k: v for k, v in BASE.items() if k != "name"} | {"grid": {"p_active": [0.1, 1]}},
    },
}


def same(config):
    again = parse(tomllib.loads(as_toml(config)))
    assert again.name == config.name
    assert again.unvaried == config.unvaried
    assert again.hash() == config.hash()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_read_as_it_was_written(name):
    same(parse(sweep_table(files()[name])))


@pytest.mark.parametrize("case", ODD)
def test_odd_sweeps_are_read_as_they_were_written(case):
    table = {k: v for k, v in (BASE | ODD[case]).items() if v is not None}
    same(parse(table))


def test_each_key_says_whether_it_was_given_and_what_it_means():
    lines = as_toml(parse(BASE | {"steps": 50, "grid": {"seed": {"range": 3}}})).splitlines()
    assert "steps = 50                          # default 2000: how many steps of descent" in lines
    assert any(line.startswith("batch_size = 1024 ") and "# default: " in line for line in lines)
    assert any(line.startswith('model = "relu" ') and "# needed: " in line for line in lines)
    assert any(line.startswith("# measures: what is measured") for line in lines)
    assert any(line.startswith("seed = { range = 3 }") for line in lines)


def test_what_is_stored_holds_the_defaults_too():
    """`config.json` and the attribute `config` of a result, for people without the package."""
    stored = json.loads(parse(BASE | {"grid": {"n_hidden": [1, 2]}}).as_json())
    (resolved,) = stored["resolved"]
    assert resolved["batch_size"] == 1024
    assert resolved["features"] == {"kind": "independent", "p_active": 1.0, "values": "uniform"}
    assert "n_hidden" not in resolved
