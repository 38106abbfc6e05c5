"""`toymodels show` prints a config that can be read, copied and run."""

import tomllib

import pytest

from figures.command.show import print_config
from figures.command.verbs import load
from sweeps.config.parse import parse
from toymodels.errors import InputError


def test_what_is_shown_of_a_preset_is_the_preset_with_what_differs(capsys):
    print_config("intro", ("steps=7", "grid.seed.range=3"), load)
    shown = capsys.readouterr().out
    assert shown.startswith("# toymodels figure intro KEY=VALUE …\n")
    assert "steps = 7 " in shown
    found = parse(tomllib.loads(shown))
    assert found.hash() == load("intro", ("steps=7", "grid.seed.range=3")).hash()


def test_a_file_is_shown_as_well(tmp_path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\nmodel = "linear"\nn_features = 3\nn_hidden = 1\n')
    print_config(str(file), (), load)
    assert parse(tomllib.loads(capsys.readouterr().out)).hash() == load(str(file), ()).hash()


def test_settings_of_a_figure_stand_beside_its_sweep_or_alone(capsys):
    print_config("rotations-error", (), load)
    shown = capsys.readouterr().out
    assert '# value = "x"' in shown
    assert parse(tomllib.loads(shown)).hash() == load("circuits-post", ()).hash()
    print_config("pentagon-digon", ("points=5",), load)
    shown = capsys.readouterr().out
    assert "points = 5  # of either side of relative density 1\n" in shown
    assert tomllib.loads(shown)["settings"]["starts"] == 128
    print_config("step-function", (), load)
    assert "nothing to set" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "overrides"),
    [("intro", ("stepz=3",)), ("step-function", ("steps=3",)), ("nowhere", ())],
)
def test_a_mistake_is_refused(file, overrides):
    with pytest.raises(InputError):
        print_config(file, overrides, load)
