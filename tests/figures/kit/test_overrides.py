"""What differs from a preset, as Python values, and what a figure says of itself."""

import numpy as np
import pytest

import figures
from figures.kit.compute import planned
from figures.kit.entry import entries
from figures.kit.overrides import described, texts_of
from toymodels.errors import InputError


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({"steps": 300}, ["steps=300"]),
        ({"steps": np.int64(300), "grid.seed.range": 4}, ["steps=300", "grid.seed.range=4"]),
        (
            {"importance": np.array([1, 0.5, 0.25, 0.1, 0.1])},
            ["importance=[1, 0.5, 0.25, 0.1, 0.1]"],
        ),
        ({"importance": {"law": "geometric", "ratio": 0.5}}, ["importance.ratio=0.5"]),
        ({"grid.p_active": {"log": [0.1, 1, 3]}}, ["grid.p_active.log=[0.1, 1, 3]"]),
        ({"grid.seed": range(3), "model": "linear"}, ["model=linear", "grid.seed=[0, 1, 2]"]),
    ],
)
def test_python_values_run_what_the_commands_texts_run(changes, texts):
    entry = entries()["intro"]
    ours, theirs = (planned(entry, "", given) for given in (texts_of(changes), texts))
    assert ours.identity() == theirs.identity() != planned(entry).identity()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stepz": 3}, "unknown key 'stepz'. Did you mean 'steps'"),
        ({"fats": True}, "no argument 'fats'. Did you mean 'fast'"),
        ({"steps": None}, "steps = None: give a number, a text, a list or a table"),
        ({"grid.sed.range": 3}, "axis 'sed' sets nothing. Did you mean 'seed'"),
        ({"n_hidden": 3}, "intro is about n_hidden = 2 alone"),
    ],
)
def test_a_misspelt_key_or_another_kind_of_value_is_told_before_anything_runs(changes, told):
    with pytest.raises(InputError, match=told):
        figures.intro.compute(**changes)


def test_settings_are_keys_as_well_and_the_caption_says_them():
    found = figures.rotations_samples.compute(version="tiny", n_examples=1, n_active=[1])
    assert found["n_active"].values.tolist() == [1]
    assert "changed: n_examples=1, n_active=[1]" in found.attrs["caption"]


def test_every_figure_is_found_by_tab_and_says_what_it_is_and_what_to_change():
    names = [name for name in dir(figures) if not name.startswith("_")]
    assert names == sorted(name.replace("-", "_") for name in entries())
    for name, entry in entries().items():
        text = getattr(figures, name.replace("-", "_")).__doc__
        assert text == described(entry)
        assert entry.title in text
        assert entry.says in text
    assert "    steps = 3000\n" in figures.intro.__doc__
    assert "    grid.seed = { range = 64 }" in figures.intro.__doc__
    assert "n_hidden" not in figures.intro.__doc__  # it is about two dimensions alone
    assert "    zip.active.n_active = [1, 2, 3]" in figures.rotations_error.__doc__


def test_a_misspelt_figure_gets_the_nearest_one():
    with pytest.raises(AttributeError, match="Did you mean 'intro'"):
        _ = figures.intor
