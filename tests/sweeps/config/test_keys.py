"""Every key has a meaning, and the default that is told is the one that is taken."""

import tomllib

import pytest

from sweeps.config import parse as parsing
from sweeps.config.keys import NEEDED, OUTER, keys_of, keys_of_one, of_profiles
from sweeps.config.meanings import first_line
from sweeps.config.registry import NAMES, find
from sweeps.config.schema import resolve
from toymodels.profiles import PROFILES

LEAST = {
    "train": {"model": "relu", "n_features": 5, "n_hidden": 2},
    "solve": {"optimizer": "newton", "n_features": 5, "n_hidden": 2},
    "simulate": {"circuits": "rotations", "n_circuits": 20, "width": 80},
}


@pytest.mark.parametrize("family", NAMES)
def test_every_key_has_a_meaning_and_every_thing_says_what_it_is(family):
    """A new thing without words in its docstring, or one of whose keys has none, fails here."""
    assert not [key.path for key in keys_of(family) if not key.meaning.partition(" (")[0]]
    things = {name: find(family, name) for name in NAMES[family]}
    told = {n: first_line(type(t) if family == "work" else t) for n, t in things.items()}
    assert not [name for name, line in told.items() if not line]


def test_every_profile_and_every_key_of_the_sweep_itself_has_a_meaning():
    assert not [key for key in of_profiles("importance") if not key.meaning]
    assert not [name for name, profile in PROFILES.items() if not first_line(profile)]
    assert set(OUTER) == {*parsing.OUTER, "work"}
    assert all(key.meaning for key in OUTER.values())


@pytest.mark.parametrize("work", LEAST)
def test_the_default_that_is_told_is_what_a_config_resolves_to(work):
    thing = resolve(LEAST[work])
    resolved = thing.resolved()
    for key in keys_of_one("work", work):
        if key.default == NEEDED:
            assert key.path in LEAST[work]
        elif key.default:
            told = tomllib.loads(f"value = {key.default}")["value"]
            assert resolved[key.path] == (told or type(resolved[key.path])())


def test_types_are_told_in_words():
    told = {key.path: key.type for family in NAMES for key in keys_of(family)}
    assert told["steps"] == "integer"
    assert told["init_scale"] == 'number or "xavier"'
    assert told["importance"] == "number, list or profile"
    assert told["snapshots"] == "list of integers, or spacing"
    assert told["decomposition"] == '"pca" or "ica"'
    assert told["penalties"] == "list of names, or table"
    assert told["features"] == "table"
