"""The command as a user meets it: what it prints, where files lie, how it refuses."""

import dataclasses
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from figures.command import catalogue
from figures.kit.entry import entries

SMALL = ("steps=20", "batch_size=16", "grid.seed.range=2", "evaluation_size=1024")


def test_help_answers_in_half_a_cpu_second():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    help_command = [Path(sys.executable).with_name("toymodels"), "--help"]
    done = subprocess.run(help_command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "figure" in done.stdout
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < 1.5  # goal 0.5 on a quiet machine; JAX alone would take 1.3 there
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, figures.command.cli; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"jax", "numpy", "xarray", "matplotlib", "pydantic"} & set(loaded)


def test_names_and_options_come_in_any_order(command, mine, tmp_path):
    options = ("--out", tmp_path, "--memory", "1")
    key = "learning_rate=0.02"
    for given in ((*options, mine, key), (mine, *options, key), (mine, key)):
        status, out, _ = command("sweep", "run", *given, "--dry-run")
        assert status == 0
        assert "4 models" in out


def test_list_names_every_figure_and_sweep_whole(command):
    status, out, _ = command("list")
    assert status == 0
    first = [line.split()[0] for line in out.splitlines()]
    assert set(entries()) <= set(first)
    as_json = json.loads(command("list", "--json")[1])
    assert {f["name"] for f in as_json["figures"]} == set(entries())
    assert {s["name"] for s in as_json["sweeps"]} >= set(entries())


def test_open_questions_are_listed_and_chosen_as_a_group(command, monkeypatch):
    one = dataclasses.replace(entries()["intro"], group="questions", question="Is it so?")
    monkeypatch.setattr(catalogue, "entries", lambda: {"intro": one})
    assert catalogue.choose((), "questions") == [one]
    assert f"{one.title}. Is it so? Elhage" in command("list")[1]


def test_sweep_writes_its_result_and_a_second_call_trains_nothing(command, mine, tmp_path):
    out = tmp_path / "results"
    status, text, _ = command("sweep", "run", mine, "--out", out)
    assert status == 0
    assert str(out / "mine.nc") in text
    with xr.open_dataset(out / "mine.nc") as dataset:
        assert dataset["W"].dims == ("p_active", "seed", "hidden", "feature")
        assert {"loss", "loss_curve", "b", "norm"} <= set(dataset)
        assert "versions" in dataset.attrs["provenance"]
        first = dataset.load()
    (folder,) = (out / "runs").iterdir()
    changed = (folder / "result.nc").stat().st_mtime_ns
    assert command("sweep", "run", mine, "--out", out)[0] == 0
    assert (folder / "result.nc").stat().st_mtime_ns == changed
    assert command("sweep", "run", mine, "--out", out, "--fresh")[0] == 0
    assert (folder / "result.nc").stat().st_mtime_ns > changed
    with xr.open_dataset(out / "mine.nc") as again:
        np.testing.assert_array_equal(again["W"], first["W"])
    assert "finished" in command("sweep", "status", out)[1]


def test_a_cluster_is_refused_where_it_does_not_fit(command, mine, tmp_path):
    out = ("--out", tmp_path, "--cluster")
    for words, said in (
        (("sweep", "run", mine, *out, "local:2", "--part", "1/2"), "--part and --cluster"),
        (("figure", "intro", *out, "local:2", "--part", "1/2"), "--part and --cluster"),
        (("figure", "intro", "--from", "some.nc", *out, "local:2"), "leave out --cluster"),
        (("sweep", "run", mine, *out, "local"), "local:N"),
        (("figure", "intro", *out, "none.json"), "no such scheduler file"),
    ):
        status, _, err = command(*words)
        assert status == 2
        assert said in err
    assert not list(tmp_path.glob("runs/*"))


def test_dry_run_prints_grid_blocks_memory_and_time_and_trains_nothing(command, mine, tmp_path):
    status, out, _ = command("sweep", "run", mine, "--dry-run", "--out", tmp_path / "nothing")
    assert status == 0
    for word in ("p_active", "seed", "4 models", "blocks", "GiB", "about"):
        assert word in out
    assert not (tmp_path / "nothing").exists()


def test_figure_writes_picture_paper_and_dataset_and_says_what_differs(command, tmp_path):
    status, out, _ = command("figure", "intro", "--fast", "--out", tmp_path, *SMALL)
    assert status == 0
    stem = f"intro.fast.{','.join(SMALL)}"
    for ending in ("png", "pdf", "nc"):
        path = tmp_path / f"{stem}.{ending}"
        assert path.stat().st_size > 1000
        assert str(path) in out
    with xr.open_dataset(tmp_path / f"{stem}.nc") as dataset:
        assert "steps=20" in dataset.attrs["caption"]
        assert "FAST" in dataset.attrs["caption"]
        assert dataset.attrs["changed"] == ", ".join(SMALL)


def test_another_root_gives_other_runs_at_the_same_seeds(command, mine, tmp_path):
    found = []
    for root in (0, 7):
        assert command("sweep", "run", mine, f"seed={root}", "--out", tmp_path)[0] == 0
        stem = f"mine.seed={root}" if root else "mine"
        with xr.open_dataset(tmp_path / f"{stem}.nc") as dataset:
            np.testing.assert_array_equal(dataset["seed"], [0, 1])
            found.append(dataset["W"].values)
    assert not np.any(np.isin(*found))


OWN = """
from flax import struct
from toymodels.tasks import Reconstruction

@struct.dataclass
class Doubled(Reconstruction):
    def error(self, output, target):
        return 4 * super().error(output, target)
"""


def test_a_task_of_ones_own_may_lie_beside_its_config(command, mine, tmp_path, monkeypatch):
    """The command is run where the reader's files are; their module needs no installation."""
    (tmp_path / "beside_mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", ".")])
    status, _, err = command("sweep", "run", mine, "task=beside_mine:Doubled", "steps=2")
    assert status == 0
    assert "beside_mine" not in err  # where it is slow, progress stands there
    stem = "mine.task=beside_mine.Doubled,steps=2"
    with xr.open_dataset(tmp_path / "out" / f"{stem}.nc") as dataset:
        assert dataset["task"].item() == "beside_mine:Doubled"


def test_inspect_measures_a_matrix_and_draws_it(command, tmp_path):
    np.save(tmp_path / "w.npy", np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]]))
    picture = tmp_path / "w.png"
    status, out, _ = command("inspect", tmp_path / "w.npy", "--out", picture)
    assert status == 0
    assert "0.5000" in out
    assert "digon + digon  (together: square)" in out
    assert picture.stat().st_size > 1000


def test_doctor_prints_versions_devices_and_the_cache_folder(command):
    out = command("doctor")[1]
    for word in ("jax", "numpy", "devices", "cache", "python"):
        assert word in out


def test_a_diverged_run_is_named_in_the_summary(command, mine, tmp_path):
    status, out, _ = command("sweep", "run", mine, "learning_rate=1e6", "--out", tmp_path)
    assert status == 0
    assert "4 of 4 runs diverged" in out
    assert "p_active = 0.1" in out


BAD_CALLS = {
    "misspelt figure": (("figure", "intor"), "Did you mean 'intro'"),
    "no figure": (("figure",), "no figure to make"),
    "misspelt group": (("figure", "--group", "toy-model"), "Did you mean 'toy-models'"),
    "unknown key": (("figure", "intro", "stepz=3"), "Did you mean 'steps'"),
    "format": (("figure", "intro", "--format", "bmp"), "png, pdf, svg, gif or mp4"),
    "no such dataset": (("figure", "intro", "--from", "nothing.nc"), "no such file"),
    "another's dataset": (("figure", "intro", "--from", "k.nc"), "toymodels figure k-gons --from"),
    "no dataset of a figure": (
        ("figure", "k-gons", "--from", "a.nc"),
        "is not a dataset of k-gons",
    ),
    "key of a file": (("figure", "intro", "--from", "a.nc", "steps=3"), "leave out steps=3"),
    "p_active": (("sweep", "run", "mine.toml", "grid.p_active=[1.5]"), "p_active = 1.5"),
    "zero features": (("sweep", "run", "mine.toml", "n_features=0"), "n_features = 0"),
    "zero hidden": (("sweep", "run", "mine.toml", "n_hidden=0"), "n_hidden = 0"),
    "NaN importance": (("sweep", "run", "mine.toml", "importance=nan"), "importance"),
    "negative importance": (("sweep", "run", "mine.toml", "importance=-1"), "importance"),
    "infinite importance": (("sweep", "run", "mine.toml", "importance=inf"), "importance"),
    "wrong type": (("sweep", "run", "mine.toml", "steps=many"), "steps"),
    "empty axis": (("sweep", "run", "mine.toml", "grid.p_active=[]"), "empty"),
    "twice": (("sweep", "run", "mine.toml", "grid.p_active=[0.1,0.1]"), "twice"),
    "no file": (("sweep", "run", "nowhere.toml"), "no such file"),
    "memory": (("sweep", "run", "mine.toml", "--memory", "0"), "memory"),
    "too little memory": (("sweep", "run", "mine.toml", "--memory", "1e-6"), "memory"),
    "status": (("sweep", "status", "empty"), "holds no runs"),
    "inspect": (("inspect", "mine.toml"), "cannot be read"),
    "out is a file": (("sweep", "run", "mine.toml", "--out", "mine.toml"), "cannot write"),
    "result is a folder": (
        ("sweep", "run", "mine.toml", "--out", "blocked"),
        "a folder lies there",
    ),
    "figure's out is a file": (("figure", "intro", "--out", "mine.toml"), "cannot write"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_mistake_ends_with_one_message_and_status_2(command, mine, tmp_path, monkeypatch, case):
    arguments, message = BAD_CALLS[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocked" / "mine.nc").mkdir(parents=True)
    xr.Dataset(attrs={"figure": "k-gons"}).to_netcdf(tmp_path / "k.nc", engine="h5netcdf")
    xr.Dataset({"W": ("a", [1.0])}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    status, _, err = command(*arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_a_damaged_result_is_named_and_a_damaged_block_is_computed_again(command, mine, tmp_path):
    damaged = tmp_path / "damaged.nc"
    damaged.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    status, _, err = command("figure", "intro", "--from", damaged, "--out", tmp_path)
    assert status == 2
    assert "damaged" in err
    assert command("sweep", "run", mine, "--out", tmp_path)[0] == 0
    (folder,) = (tmp_path / "runs").iterdir()
    for path in (folder / "result.nc", *(folder / "blocks").iterdir()):
        path.write_bytes(path.read_bytes()[:50])
    status, out, _ = command("sweep", "run", mine, "--out", tmp_path)
    assert status == 0
    assert "computed again" in out
    with xr.open_dataset(tmp_path / "mine.nc") as dataset:
        assert np.all(np.isfinite(dataset["loss"]))
