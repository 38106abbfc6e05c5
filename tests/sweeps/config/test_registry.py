"""Names of things: the project's own, and a user's from a module where the command is run."""

import sys

import pytest

from sweeps.config.registry import NAMES, find
from toymodels.errors import InputError


def test_the_first_name_of_a_key_is_its_default():
    first = {key: next(iter(names), None) for key, names in NAMES.items()}
    wanted = {"features": "independent", "task": "reconstruction", "estimator": "sampled"}
    assert {key: first[key] for key in wanted} == wanted
    assert (first["optimizer"], first["schedule"]) == ("adam", "cosine")


def test_a_module_where_the_command_is_run_is_found(tmp_path, monkeypatch):
    (tmp_path / "beside_the_config.py").write_text("class Mine:\n    name = 'here'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", ".")])
    assert find("task", "beside_the_config:Mine").name == "here"


def test_a_name_that_is_not_there_suggests_the_right_one():
    with pytest.raises(InputError, match=r"optimizer = 'admw'.*Did you mean 'adamw'.*module:name"):
        find("optimizer", "admw")


@pytest.mark.parametrize("name", ["", ":", "a:", ":b", "..:x", ".a:b", "a b:c", "a:b.c", "a::b"])
def test_what_is_no_name_at_all_is_refused(name):
    with pytest.raises(InputError, match="no such name"):
        find("model", name)
