"""How sweeps of one name differ, and that no finished result is lost without a word."""

import json

import pytest
import xarray as xr

from sweeps.config.parse import parse
from sweeps.differences import attributes, differences, differences_of_runs, make_room
from sweeps.run import folder_of
from sweeps.store import save_dataset

TABLE = {
    **{"name": "mine", "model": "relu", "n_features": 3, "n_hidden": 2, "steps": 20},
    "grid": {"p_active": [0.1, 1.0], "seed": {"range": 2}},
}


def config(*overrides):
    return parse(TABLE, overrides)


def result_of(one, **attrs):
    return xr.Dataset({"loss": 1.0}, attrs={"config": one.as_json()} | attrs)


def stored_run(one, out):
    folder = folder_of(one, out)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(one.as_json())
    save_dataset(result_of(one), folder / "result.nc")
    return folder


def test_only_what_differs_is_told_with_defaults_filled_in():
    default = config().variants[0]["learning_rate"]
    assert differences([config(), config("steps=20", f"learning_rate={default}")]) == ["", ""]
    others = config("learning_rate=0.5", "seed=3"), config("grid.seed.range=8")
    told = differences([config(), *others])
    assert told[0].endswith("seed = 2 values (0, 1)")
    assert "root seed = 3, learning_rate = 0.5" in told[1]
    assert "seed = 8 values (0, 1, 2, …, 7)" in told[2]
    assert "p_active" not in "".join(told)


def test_a_key_that_one_of_them_lacks_and_many_keys_at_once():
    told = differences([config(), config("penalties.l1_hidden=0.1")])
    assert "penalties.l1_hidden.weight = none" in told[0]
    assert "penalties.l1_hidden.weight = 0.1" in told[1]
    many = ["steps=1", "batch_size=2", "learning_rate=3.0", "weight_decay=0.1", "init_scale=0.5"]
    told = differences([config(), config(*many, "seed=1", "n_hidden=1", "optimizer=sgd")])
    assert told[1].endswith("more")


def test_what_is_kept_is_told():
    told = differences([config(), config('keep=["loss", "norm"]')])
    assert told == ["keep = everything", "keep = 2 values (loss, norm)"]


def test_runs_are_compared_with_those_of_their_name(tmp_path):
    runs = [stored_run(c, tmp_path) for c in (config(), config("steps=5"), config("name=other"))]
    damaged = tmp_path / "damaged.json"
    damaged.write_text("[]")
    told = differences_of_runs([*(run / "config.json" for run in runs), damaged])
    assert {path.parent: text for path, text in told.items()} == {
        runs[0]: "steps = 20",
        runs[1]: "steps = 5",
    }


def test_a_result_of_another_config_is_replaced_with_a_word_and_kept_in_its_run(tmp_path, capsys):
    path, old = tmp_path / "mine.nc", config("steps=5")
    save_dataset(result_of(old), path)
    folder = stored_run(old, tmp_path)
    make_room(path, old)
    assert capsys.readouterr().out == ""
    make_room(path, config())
    said = capsys.readouterr().out
    assert f"mine.nc was a sweep with steps = 5: it is replaced here and stays in {folder}" in said
    assert path.exists()


@pytest.mark.parametrize("figure", ["", "intro"])
def test_what_is_kept_nowhere_else_is_moved_aside(tmp_path, capsys, figure):
    path, old = tmp_path / "mine.nc", config("steps=5")
    save_dataset(result_of(old, figure=figure), path)
    make_room(path, config())
    aside = tmp_path / f"mine.{old.hash()[:8]}.nc"
    assert f"it is now {aside}" in capsys.readouterr().out
    assert not path.exists()
    assert json.loads(attributes(aside)["config"])["run"]["steps"] == 5


def test_what_is_no_result_tells_nothing(tmp_path, capsys):
    path = tmp_path / "mine.nc"
    for make in (lambda: None, lambda: path.write_bytes(b"\x89HDF"), path.unlink, path.mkdir):
        make()
        make_room(path, config())
    assert attributes(path) is None
    assert capsys.readouterr().out == ""
