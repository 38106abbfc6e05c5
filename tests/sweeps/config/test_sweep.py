"""A whole sweep: the name of its folder, what it stores, and what its cells share."""

import json
from pathlib import Path

import pytest
from builders import make_table

from sweeps.config.parse import parse
from sweeps.config.paths import leaves, with_path
from sweeps.config.registry import find
from sweeps.config.sweep import axis_name, config_from_json
from sweeps.run import run_sweep
from sweeps.status import say_if_outdated
from toymodels.errors import InputError

TRAINED = make_table(importance={"ratio": 0.5})
SOLVED = {
    "name": "solved",
    "model": "relu",
    "n_features": 2,
    "n_hidden": 1,
    "optimizer": "newton",
    "grid": {"importance.relative": [0.5, 2.0], "seed": {"range": 2}},
}
SIMULATED = {
    "name": "simulated",
    "circuits": "rotations",
    "n_circuits": 20,
    "width": 800,
    "grid": {"inhibition": [1.0, 1.3], "seed": {"range": 2}},
}
KINDS = {"train": TRAINED, "solve": SOLVED, "simulate": SIMULATED}
OWN = {"task": "mine:Magnitude", "model": "mine:Quadratic", "penalties": {"mine:L2": {}}}
OWN |= {"name": "own", "measures": {"mine:MeanOutput": {}}, "grid": {"spread": [0.1, 0.2]}}


def hash_of(table):
    return parse(table).hash()


def defaults_of(table):
    """Every resolved number and name of the first cell that the table does not give."""
    config = parse(table)
    given = {path for path, _ in leaves(config.run)}
    axes = {axis.path for d in config.grid.dimensions for axis in d.axes}
    return [
        (path, value)
        for path, value in leaves(config.variants[0])
        if path not in given | axes | set(table)
    ]


@pytest.mark.parametrize("table", [TRAINED, SOLVED, SIMULATED, OWN], ids=lambda t: t["name"])
def test_a_default_spelled_out_changes_no_folder(table):
    found = defaults_of(table)
    names = {path for path, _ in found}
    wanted = {
        "tiny": {"learning_rate", "features.values", "features.kind", "b1", "importance.law"},
        "solved": {"estimator", "features.kind", "features.p_active"},
        "simulated": {"gain", "assignment", "redundancy"},
        "own": {"steps", "p_nonzero"},
    }
    assert wanted[table["name"]] <= names
    for path, value in found:
        assert hash_of(with_path(table, path, value)) == hash_of(table), (path, value)


def test_penalties_written_alike_are_one_folder():
    ways = [["mine:L2"], {"mine:L2": {}}, {"mine:L2": 0.1}, {"mine:L2": {"weight": 0.1}}]
    assert len({hash_of(TRAINED | {"penalties": way}) for way in ways}) == 1


def test_numbers_written_alike_are_one_folder():
    assert hash_of(TRAINED | {"n_features": 3.0}) == hash_of(TRAINED)
    assert hash_of(TRAINED | {"init_scale": 1}) == hash_of(TRAINED | {"init_scale": 1.0})
    assert hash_of(TRAINED | {"description": "words"}) == hash_of(TRAINED)
    by_table = TRAINED | {"features": {"p_active": 0.3}}
    del by_table["grid"]
    by_key = TRAINED | {"p_active": 0.3}
    del by_key["grid"]
    assert hash_of(by_table) == hash_of(by_key)


@pytest.mark.parametrize("table", [TRAINED, SOLVED, SIMULATED, OWN], ids=lambda t: t["name"])
def test_any_number_that_changes_is_another_folder(table):
    config, before = parse(table), hash_of(table)
    axes = {axis.path for d in config.grid.dimensions for axis in d.axes}
    tried = []
    for path, value in leaves(config.variants[0]):
        if path in axes or isinstance(value, str):
            continue
        for changed in (value + 1, value * 0.9):
            try:
                other = hash_of(with_path(table, path, changed))
            except ValueError:  # no such size
                continue
            if changed == value:
                continue
            tried.append(path)
            assert other != before, (path, changed)
    assert len(set(tried)) > 1


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 5},
        {"grid": {"p_active": [0.1, 0.5, 1.0], "seed": {"range": 3}}},
        {"grid": {"p_active": [0.1, 0.5, 0.9], "seed": {"range": 2}}},
        {"grid": {"seed": {"range": 2}, "p_active": [0.1, 0.5, 1.0]}},
        {"model": "untied"},
        {"optimizer": "adamw"},
        {"schedule": "constant"},
        {"estimator": "stratified"},
        {"features": {"values": "signed_uniform"}},
        {"importance": {"ratio": 0.5, "first": 2.0}},
        {"importance": {"last": 0.5}},
        {"importance": [1.0, 0.5, 0.24]},
        {"measures": []},
        {"measures": ["geometry"]},
        {"snapshots": [0]},
        {"frozen": ["b"]},
        {"penalties": ["mine:L2"]},
        {"derive": {"learning_rate": {"function": "product", "of": ["features.p_active"]}}},
    ],
    ids=str,
)
def test_whatever_changes_a_result_is_another_folder(change):
    assert hash_of(TRAINED | change) != hash_of(TRAINED)


@pytest.mark.parametrize("work", KINDS)
def test_each_kind_of_work_has_a_version_of_its_own(work, monkeypatch):
    """Raising one throws away the results of that kind and of no other."""
    before = {name: hash_of(table) for name, table in KINDS.items()}
    kind = type(find("work", work))
    monkeypatch.setattr(kind, "version", kind.version + 1)
    after = {name: hash_of(table) for name, table in KINDS.items()}
    assert {name for name in KINDS if before[name] != after[name]} == {work}


def test_a_sweep_of_two_kinds_has_both_versions(monkeypatch):
    both = {k: v for k, v in SOLVED.items() if k != "optimizer"}
    both |= {"grid": {"optimizer": ["adam", "newton"]}}
    config = parse(both)
    assert config.versions == {"train": find("work", "train").version} | {
        "solve": find("work", "solve").version
    }
    before = config.hash()
    for work in ("train", "solve"):
        with monkeypatch.context() as patch:
            patch.setattr(type(find("work", work)), "version", 99)
            assert hash_of(both) != before


def test_a_sweep_is_the_same_after_json():
    table = make_table(grid={"p_active": [0.1, 1], "init_scale": ["xavier", 0.5]})
    table["zip"] = {"size": {"steps": [10, 20], "batch_size": [8, 8]}}
    table["derive"] = {"learning_rate": {"function": "reciprocal", "of": ["steps"]}}
    config = parse(table, ["seed=7"])
    again = config_from_json(config.as_json())
    assert (again.as_json(), again.hash()) == (config.as_json(), config.hash())
    for point in config.grid.points():
        assert config.resolved(point) == again.resolved(point)
        assert config.resolved(point)["learning_rate"] == 1 / point["steps"]


# What an older release left behind: `config.json` of version 2 for all kinds of work.
OLD = {
    "name": "tiny",
    "run": {
        "batch_size": 16,
        "evaluation_size": 64,
        "features": {"values": "uniform"},
        "importance": {"ratio": 0.5},
        "model": "relu",
        "n_features": 3,
        "n_hidden": 2,
        "steps": 20,
    },
    "grid": [
        ["p_active", {"features.p_active": ["p_active", [0.1, 0.5, 1.0]]}],
        ["seed", {"seed": ["seed", [0, 1]]}],
    ],
    "derive": {},
    "seed": 0,
    "result_version": 2,
}


def old_folder(out: Path, **changes):
    folder = out / "runs" / "tiny-91cea0b472"
    (folder / "blocks").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(OLD | changes))
    (folder / "result.nc").write_bytes(b"of another format")
    return folder


def test_a_folder_of_an_older_release_is_computed_again_and_says_why(tmp_path, capsys):
    folder = old_folder(tmp_path)
    found = run_sweep(TRAINED, out=tmp_path)
    said = capsys.readouterr().out
    version = find("work", "train").version
    assert said.splitlines() == [
        "tiny-91cea0b472 holds numbers of version 2; they changed with version "
        f"{version} (train) and are computed again."
    ]
    assert found.loss.shape == (3, 2)
    assert (folder / "result.nc").read_bytes() == b"of another format"
    new = tmp_path / "runs" / f"tiny-{hash_of(TRAINED)}"
    assert (new / "result.nc").exists()
    run_sweep(TRAINED, out=tmp_path)
    assert capsys.readouterr().out == ""  # the result is there now


@pytest.mark.parametrize(
    "changes", [{"seed": 1}, {"run": OLD["run"] | {"steps": 21}}, {"run": 5}, {"grid": None}]
)
def test_folders_of_other_sweeps_say_nothing(tmp_path, capsys, changes):
    old_folder(tmp_path, **changes)
    (tmp_path / "runs" / "tiny-broken").mkdir()
    (tmp_path / "runs" / "tiny-broken" / "config.json").write_text("{")
    say_if_outdated(parse(TRAINED), tmp_path / "runs")
    assert capsys.readouterr().out == ""


def test_shared_keys_are_numbers_and_names_and_no_axis():
    found = parse(TRAINED).coordinates()
    assert found["steps"] == 20
    assert found["optimizer"] == "adam"
    assert found["ratio_importance"] == 0.5
    assert found["values"] == "uniform"
    assert not {"p_active", "seed"} & set(found)


def test_a_key_that_differs_between_cells_is_not_shared():
    table = make_table(grid={"optimizer": ["adam", "sgd"]})
    found = parse(table).coordinates()
    assert not {"optimizer", "b1", "momentum"} & set(found)
    assert found["learning_rate"] == 0.01


def test_a_derived_value_stands_along_the_axes_that_it_is_of():
    table = make_table(grid={"p_active": [0.1, 0.5], "steps": [10, 20]})
    table["derive"] = {"learning_rate": {"function": "reciprocal", "of": ["steps"]}}
    dims, values = parse(table).coordinates()["learning_rate"]
    assert (dims, values.tolist()) == (["steps"], [0.1, 0.05])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("features.p_active", "p_active"),
        ("importance.relative", "relative_importance"),
        ("penalties.l1_hidden.weight", "weight_l1_hidden"),
        ("measures.adversarial.epsilon", "epsilon_adversarial"),
        ("models.seed", "model_seed"),
        ("models.features.p_active", "model_p_active"),
        ("penalties.mine:L2.weight", "weight_L2"),
        ("steps", "steps"),
    ],
)
def test_axes_are_called_after_what_they_set(path, name):
    assert axis_name(path) == name


def test_a_key_that_some_cells_take_is_none_that_has_no_effect():
    table = {"model": "relu", "n_features": 5, "n_hidden": 2, "name": "x", "momentum": 0.9}
    table |= {"grid": {"optimizer": ["adam", "sgd"]}}
    config = parse(table)
    assert config.build({"optimizer": "sgd"}).run.spec.optimizer.momentum == 0.9
    assert "momentum" not in config.resolved({"optimizer": "adam"})
    solved = {"model": "relu", "n_features": 2, "n_hidden": 1, "steps": 7, "name": "y"}
    config = parse(solved | {"grid": {"optimizer": ["adam", "newton"]}})
    assert config.build({"optimizer": "adam"}).run.spec.steps == 7
    assert config.versions.keys() == {"train", "solve"}
    with pytest.raises(InputError, match=r"momentum = 0\.9 has no effect"):
        parse(table | {"grid": {"optimizer": ["adam", "adamw"]}})
    kinds = {"grid": {"features": {"kind": ["independent", "correlated"]}}}
    config = parse(solved | kinds | {"features": {"n_sets": 2}})
    assert config.build({"features.kind": "correlated"}).run.task.features.p_active.shape == (2,)
    with pytest.raises(InputError, match=r"features\.momentum = 0\.9 has no effect"):
        parse(solved | {"features": {"momentum": 0.9}, "grid": {"optimizer": ["adam", "sgd"]}})
