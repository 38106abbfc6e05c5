"""What files are called: the plain name for a preset as it is, else what differs."""

import pytest
import xarray as xr

from figures.command.stems import LONGEST, mark_of, stem_of_dataset, stem_of_sweep, with_changes
from sweeps.config.parse import parse
from sweeps.store import save_dataset

TABLE = {"name": "mine", "model": "relu", "n_features": 3, "n_hidden": 2, "steps": 5}
MARK = "0123456789"


@pytest.mark.parametrize(
    ("overrides", "stem"),
    [
        (["steps=500"], "intro.steps=500"),
        (["seed=1", "grid.seed.range=4"], "intro.seed=1,grid.seed.range=4"),
        (["grid.p_active=[0.1, 1.0]"], "intro.grid.p_active=0.1,1.0"),
        (['model="linear"', " steps = 5 "], "intro.model=linear,steps=5"),
        (["task=my_module:Doubled"], "intro.task=my_module.Doubled"),
        (["learning_rate=1e-3", "learning_rate=1e-2"], "intro.learning_rate=1e-2"),
        (
            ["importance={ law = 'geometric', ratio = 0.9 }"],
            "intro.importance=law=geometric,ratio=0.9",
        ),
        (["models=../other/sweep.toml"], "intro.01234567"),
        (["measures=['größe']"], "intro.01234567"),
        (["a=[[1, 2], [3]]"], "intro.01234567"),
        (["importance=" + ",".join("1" * 60)], "intro.01234567"),
    ],
)
def test_a_name_says_what_differs_in_letters_that_every_file_system_takes(overrides, stem):
    found = with_changes("intro", overrides, MARK)
    assert found == stem
    assert len(found) <= LONGEST


def test_a_sweep_is_called_after_its_file_and_never_as_a_figure():
    plain, same, other = (parse(TABLE, texts) for texts in ((), ["steps=5"], ["steps=6"]))
    assert stem_of_sweep(plain, plain, []) == "mine"
    assert stem_of_sweep(same, plain, ["steps=5"]) == "mine"
    assert stem_of_sweep(other, plain, ["steps=6"]) == "mine.steps=6"
    assert stem_of_sweep(other, None, ["steps=6"]) == "mine.steps=6"
    figure = parse(TABLE | {"name": "intro"})
    assert stem_of_sweep(figure, plain, ["name=intro"]) == "intro.sweep"


def test_pictures_of_a_file_are_called_after_it_and_replace_none_of_another_dataset(tmp_path):
    attrs = {"figure": "intro", "caption": "changed: steps=5", "config": "{}", "claim": "c"}

    def stem(name):
        return stem_of_dataset("intro", tmp_path / "elsewhere" / name, attrs, tmp_path)

    assert stem("intro.steps=5.nc") == "intro.steps=5"
    assert stem("mine.nc") == "intro.from-mine"
    save_dataset(xr.Dataset(attrs=attrs), tmp_path / "intro.steps=5.nc")
    assert stem("intro.steps=5.nc") == "intro.steps=5"
    save_dataset(xr.Dataset(attrs=attrs | {"claim": "another"}), tmp_path / "intro.steps=5.nc")
    assert stem("intro.steps=5.nc") == f"intro.steps=5.{mark_of(attrs)}"
