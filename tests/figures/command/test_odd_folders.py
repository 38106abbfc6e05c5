"""What the command makes of folders and files that are not as it left them; nothing is trained."""

import json

import pytest

from figures.command.verbs import load, print_status
from sweeps.config.parse import parse
from toymodels.errors import InputError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_called_like_a_preset_is_not_taken_for_a_file(here):
    """`sweep run intro --out intro` makes one; the second time it lies there."""
    first = load("intro", ("steps=3",))
    (here / "intro").mkdir()
    assert load("intro", ("steps=3",)).hash() == first.hash()
    (here / "intro").rmdir()
    (here / "intro").write_text('name = "mine"\nmodel = "relu"\nn_features = 3\nn_hidden = 2\n')
    assert load("intro", ()).name == "mine"  # a file of the user's is what they mean


@pytest.mark.parametrize("name", ["mine", "mine.toml", "."])
def test_a_folder_that_is_no_preset_is_refused_by_name(here, name):
    (here / name).mkdir(exist_ok=True)
    with pytest.raises(InputError, match=f"{name}: no such file or sweep|{name} cannot be read"):
        load(name, ())


ODD = ["", "[]", "3", "null", "NaN", "{", '{"grid": 5}', '{"grid": [], "run": 3, "name": "x"}']


@pytest.mark.parametrize("text", ODD)
def test_a_config_that_cannot_be_read_is_said_to_be_damaged(here, text, capsys):
    (here / "runs" / "a-1" / "blocks").mkdir(parents=True)
    (here / "runs" / "a-1" / "config.json").write_text(text)
    (here / "runs" / "b-2" / "config.json").mkdir(parents=True)
    print_status(here)
    assert (
        capsys.readouterr().out == "a-1: damaged config, 0 blocks\nb-2: damaged config, 0 blocks\n"
    )


def test_status_counts_blocks_among_all(here, capsys):
    configs = {
        "mine-1": parse(
            {"name": "mine", "model": "relu", "n_features": 3, "n_hidden": 2}
        ).as_json(),
        "own-2": json.dumps({"name": "own", "built": "0123456789", "grid": [], "seed": 0}),
    }
    for name, config in configs.items():
        blocks = here / "runs" / name / "blocks"
        blocks.mkdir(parents=True)
        (blocks / "00000.npz").write_bytes(b"")
        (blocks.parent / "config.json").write_text(config)
        (blocks.parent / "plan.json").write_text('{"memory_bytes": 1, "blocks": 12}')
    (here / "runs" / "own-2" / "result.nc").mkdir()
    print_status(here)
    said = capsys.readouterr().out.splitlines()
    assert said == [f"{name}: not finished, 1 of 12 blocks" for name in configs]
