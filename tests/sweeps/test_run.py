import json

import numpy as np
import pytest
import xarray as xr
from builders import make_table

from sweeps import estimate, parse, plan, run_sweep
from sweeps.store import open_dataset
from toymodels.errors import InputError


class Ear:
    def __init__(self):
        self.heard, self.steps, self.finished = [], 0, 0

    def start(self, models, model_steps, done):
        self.heard.append((models, model_steps, done))

    def advance(self, model_steps):
        self.steps += model_steps

    def finish(self):
        self.finished += 1


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    ear = Ear()
    run_sweep(make_table(), out=folder, report=ear)
    assert ear.heard == [(6, 120, 0)]
    assert (ear.steps, ear.finished) == (120, 1)
    return folder


def run_folder(out):
    (folder,) = (out / "runs").iterdir()
    return folder


def test_a_result_lies_beside_its_folder_and_holds_everything(out):
    with xr.open_dataset(out / "tiny.nc") as ds:
        assert ds.sizes == {"p_active": 3, "seed": 2, "hidden": 2, "feature": 3, "step": 1}
        assert {"loss", "loss_curve", "W", "b", "norm", "diverged"} <= set(ds)
        assert json.loads(ds.attrs["config"])["run"]["n_features"] == 3
        assert json.loads(ds.attrs["provenance"])["versions"]["jax"]
    folder = run_folder(out)
    assert folder.name == f"tiny-{parse(make_table()).hash()}"
    kept = {"config.json", "provenance.json", "plan.json", "result.nc", "blocks"}
    assert kept <= {p.name for p in folder.iterdir()}
    assert json.loads((folder / "provenance.json").read_text())["seed"] == 0


def test_a_second_run_only_reads(out):
    ear = Ear()
    again = run_sweep(make_table(), out=out, report=ear)
    assert ear.heard == []
    xr.testing.assert_identical(again, open_dataset(out / "tiny.nc"))


def test_in_memory_and_on_disk_are_the_same_numbers(out):
    xr.testing.assert_equal(run_sweep(make_table()), open_dataset(out / "tiny.nc"))


def test_a_damaged_result_is_joined_again_from_its_blocks(out):
    before = open_dataset(out / "tiny.nc")
    result = run_folder(out) / "result.nc"
    result.write_bytes(result.read_bytes()[:500])
    ear = Ear()
    xr.testing.assert_equal(run_sweep(make_table(), out=out, report=ear), before)
    assert ear.heard == [(6, 120, 120)]
    assert ear.steps == 0


def test_fresh_starts_over(out):
    before, ear = open_dataset(out / "tiny.nc"), Ear()
    after = run_sweep(make_table(), out=out, fresh=True, report=ear)
    assert ear.steps == 120
    xr.testing.assert_equal(after, before)


def test_density_and_importance_zero_are_legal_and_finite():
    grid = {"p_active": [0.0, 0.5, 1.0], "seed": [0, 1]}
    ds = run_sweep(make_table(grid=grid, importance=[1, 0.5, 0]))
    for name in ("loss", "W", "b", "loss_curve", "norm", "feature_dimensionality"):
        assert np.isfinite(ds[name]).all()
    assert not ds.diverged.any()
    np.testing.assert_array_equal(ds.loss.sel(p_active=0.0), [0, 0])
    split = ds.loss_per_feature.sel(p_active=0.5)
    assert (split[:, -1] == 0).all()
    assert (split[:, :-1] > 0).all()


@pytest.mark.parametrize("kind", ["file", "file in runs", "folder for the result"])
def test_an_output_folder_that_cannot_be_used_is_found_before_training(tmp_path, kind):
    out, ear = tmp_path / "out", Ear()
    if kind == "file":
        out.write_text("here first")
    elif kind == "file in runs":
        out.mkdir()
        (out / "runs").write_text("here first")
    else:
        (out / "tiny.nc").mkdir(parents=True)
    with pytest.raises(InputError, match="out"):
        run_sweep(make_table(), out=out, report=ear)
    assert ear.heard == []


@pytest.mark.parametrize("memory", [0, -1, float("nan"), "2"])
def test_memory_must_be_a_number_above_zero(memory):
    with pytest.raises(InputError, match="memory = "):
        run_sweep(make_table(), memory_gib=memory)


def test_an_estimate_counts_models_programs_and_blocks(monkeypatch):
    monkeypatch.setattr(plan, "CPU_BLOCK", 4)
    config = parse(make_table(grid={"p_active": [0.1, 0.5, 1.0], "seed": {"range": 2}}))
    found = estimate(config)
    assert (found.models, found.programs, found.blocks) == (6, 1, 2)
    assert 0 < found.memory_gib < 0.01
    assert 0 < found.seconds < 60
