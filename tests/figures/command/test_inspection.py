"""`toymodels inspect` and `export`: what a stranger's file is answered with."""

import sys

import numpy as np
import pytest
import xarray as xr
from builders import make_table

from figures.command import cli, inspected, inspection_report
from sweeps import parse
from sweeps.store import save_dataset
from toymodels.exact.oracle import expected_loss_float64

DIGONS = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]], np.float32)
PENTAGON = np.stack([f(2 * np.pi * np.arange(5) / 5) for f in (np.cos, np.sin)]).astype(np.float32)


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run the command among the files of a test; returns (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(line):
        monkeypatch.setattr(sys, "argv", ["toymodels", *line.split()])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A result as a sweep of 3 densities and 2 seeds leaves it, its weights drawn here."""
    config = parse(make_table())
    rng = np.random.default_rng(0)
    axes = {"p_active": [0.1, 0.5, 1.0], "seed": [0, 1]}
    W, b = rng.normal(size=(3, 2, 2, 3)), rng.normal(size=(3, 2, 3))
    grid = ("p_active", "seed")
    losses = [
        [expected_loss_float64(W[i, k], b[i, k], p, 1) for k in (0, 1)]
        for i, p in enumerate(axes["p_active"])
    ]
    variables = {
        "W": ((*grid, "hidden", "feature"), W),
        "b": ((*grid, "feature"), b),
        "loss": (grid, losses),
        "diverged": (grid, np.zeros((3, 2), np.int8)),
    }
    path = tmp_path_factory.mktemp("result") / "tiny.nc"
    save_dataset(xr.Dataset(variables, axes, {"config": config.as_json()}), path)
    return path


@pytest.fixture
def unsolved(monkeypatch):
    """Leave the solver out: its program takes seconds to compile."""
    monkeypatch.setattr(inspection_report, "best_known", lambda *args, **more: None)


def refused(found, *words):
    status, _, err = found
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    for word in words:
        assert word in err


def test_a_pentagon_that_lies_the_other_way_is_asked_about_and_turned(command, tmp_path):
    """Before, (5, 2) was "dedicated + dedicated"."""
    np.save(tmp_path / "w.npy", PENTAGON.T)
    refused(command("inspect w.npy"), "(5, 2)", "--transpose", "--as toymodels")
    assert "pentagon" in command("inspect w.npy --transpose")[1]
    assert "dedicated" in command("inspect w.npy --as toymodels")[1]


def test_loss_gap_and_what_would_be_better(command, tmp_path):
    """Two features of one dimension, apart where a digon is best."""
    np.savez(tmp_path / "w.npz", W=np.float32([[1, 0]]), b=np.float32([0, 0.05]))
    _, out, _ = command("inspect w.npz --p 0.1 --importance [1,0.5]")
    loss = 0.5 * (0.1 / 3 - 0.1**2 / 4)
    assert f"{loss:.6g}" in out
    assert "gap to the best known" in out
    assert "better: digon" in out


def test_models_of_a_first_axis_get_a_line_and_a_small_picture_each(command, tmp_path):
    W = np.stack([PENTAGON.T, 0 * PENTAGON.T, np.full((5, 2), np.nan)])
    np.savez(tmp_path / "w.npz", W=W, b_final=np.zeros((3, 5)))
    status, out, _ = command("inspect w.npz --out w.png")
    assert status == 0
    assert "layout notebook" in out
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert lines["instance 0"].endswith("pentagon")
    assert lines["instance 1"].endswith("nothing, 5 dropped")
    assert lines["instance 2"].endswith("it diverged")
    assert (tmp_path / "w.png").stat().st_size > 1000
    assert "pentagon" in command("inspect w.npz instance=0")[1]
    refused(command("inspect w.npz instance=3"), "choose by instance=0 to 2")
    refused(command("inspect w.npz instance=2"), "NaN or infinity")


def test_a_result_is_inspected_whole_or_by_cell(command, result, unsolved):
    """Before, it was said to hold pickled data."""
    status, out, _ = command(f"inspect {result} p_active=0.1 seed=1")
    with xr.open_dataset(result) as dataset:
        stored = float(dataset.loss.sel(p_active=0.1, seed=1))
    assert status == 0
    rows = [line.split() for line in out.splitlines() if "loss" in line and "best" not in line]
    assert [float(row[4 if row[1] == "of" else 2]) for row in rows] == [
        pytest.approx(stored, rel=1e-4)
    ] * 2
    refused(command(f"inspect {result} seed=7"), "seed = 7 is not in the grid")
    refused(command(f"inspect {result} sed=0"), "no coordinate 'sed'")


def test_export_and_inspect_agree(command, result, unsolved):
    status, out, _ = command(f"export {result} --as notebook p_active=0.5 cells.npz")
    assert status == 0
    assert out.split() == ["cells.npz", "cells.npz.json"]
    lines = command("inspect cells.npz")[1].splitlines()
    whole = command(f"inspect {result} p_active=0.5")[1].splitlines()
    assert [line.split()[-8:] for line in lines[-2:]] == [line.split()[-8:] for line in whole[-2:]]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("inspect m.pt", "loading one can run any code"),
        ("inspect nothing.npy", "no such file"),
        ("inspect w.npy --as laptop", "no layout 'laptop'"),
        ("inspect w.npy --out w.bmp", "end it in .png, .pdf or .svg"),
        ("inspect w.npy seed=0", "choose by instance=0 to 0"),
        ("inspect w.npy --p many", "give a number, a list"),
        ("inspect w.npy --p 2", "p_active = 2"),
        ("inspect w.npy --p nan", "p_active = nan"),
        ("inspect w.npy --p 0.1 --importance -1", "importance = -1"),
        ("inspect w.npy --p [0.1,0.2]", "p_active has shape (2,)"),
        ("inspect w.npy --p {ratio=0.9,first=x}", "give a number"),
        ("export m.nc --as notebook", "export takes a result"),
        ("export nothing.nc out.npz", "no such file"),
    ],
)
def test_a_mistake_ends_with_one_message(command, tmp_path, line, word):
    (tmp_path / "m.pt").write_bytes(b"\x80\x02}q\x00.")
    np.save(tmp_path / "w.npy", DIGONS)
    refused(command(line), word)


def test_a_dictionary_of_many_features_says_what_is_left_out(command, tmp_path, monkeypatch):
    monkeypatch.setattr(inspected, "MANY", 100)
    W = np.random.default_rng(0).normal(size=(8, 500)).astype(np.float32)
    np.save(tmp_path / "w.npy", W)
    status, out, _ = command("inspect w.npy --out w.png")
    assert status == 0
    assert "shapes of more than 100 features are not looked for" in out
    assert "closest other feature" in out
    assert (tmp_path / "w.png").stat().st_size > 1000


def test_an_untied_model_is_drawn_by_its_map(command, tmp_path):
    arrays = {"W1": DIGONS, "W2": 2 * DIGONS.T, "b2": np.zeros(4)}
    np.savez(tmp_path / "w.npz", **arrays)
    status, out, _ = command("inspect w.npz --out w.svg")
    assert status == 0
    assert "UntiedAutoencoder" in out
    np.savez(tmp_path / "v.npz", **arrays | {"W1": 4 * DIGONS, "W2": DIGONS.T / 2})
    assert command("inspect v.npz")[1].splitlines()[1:] == out.splitlines()[1:-1]
    assert (tmp_path / "w.svg").stat().st_size > 1000
