"""What the files say of figures: every field there, sources that can be cited, files that exist."""

import tomllib

import pytest

import figures
from figures.kit.entry import entries, entry_of, files, papers, path_of
from toymodels.errors import InputError

ENTRIES = list(entries().values())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_names_a_source_a_module_and_sweeps_that_are_there(entry):
    assert papers()[entry.cite]["bibtex"].strip().startswith("@")
    assert hasattr(entry.module(), "draw")
    assert hasattr(entry.module(), "claim")
    assert entry.source.exists()
    for name in entry.beside:
        assert path_of(name).exists()
    assert entry.title[0].isupper()
    assert not entry.title.endswith(".")
    assert not entry.says.endswith(".")
    assert 0 < entry.fast_seconds <= entry.seconds
    assert entry.question == "" or (entry.question[0].isupper() and entry.question[-1] == "?")
    if entry.group == "questions":
        assert entry.question and hasattr(entry.module(), "verdict")


def test_no_question_is_asked_twice():
    asked = [entry.question for entry in ENTRIES if entry.question]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("name", [n for n in files() if n not in entries()])
def test_a_sweep_of_its_own_says_what_it_is(name):
    table = tomllib.loads(files()[name].read_text(encoding="utf-8"))
    assert table["description"]
    assert table["name"] == name


def test_the_quick_set_is_a_few_figures_of_less_than_a_minute():
    quick = [entry for entry in ENTRIES if entry.quick]
    assert 2 <= len(quick) <= 4
    assert sum(entry.seconds for entry in quick) < 150


def test_unknown_names_get_the_nearest_one():
    with pytest.raises(InputError, match=r"no figure 'intor'\. Did you mean 'intro'"):
        entry_of("intor")
    with pytest.raises(AttributeError, match="toymodels list"):
        _ = figures.nonsense
