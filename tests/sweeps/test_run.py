"""A sweep from its table to its result: what is stored, said, refused and estimated."""

import json

import numpy as np
import pytest
import xarray as xr
from builders import Ear, make_run, make_table

from sweeps import (
    Axis,
    Dimension,
    Grid,
    best_over_seeds,
    estimate,
    parse,
    restore,
    run_grid,
    run_sweep,
    store,
)
from sweeps.computation import Computation
from sweeps.progress import Quiet
from sweeps.remarks import remarks
from sweeps.store import open_dataset
from sweeps.work import layout
from toymodels.errors import InputError
from toymodels.exact import expected_loss_float64
from toymodels.optimizers import Cosine


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
        assert ds.attrs["name"] == "tiny"
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


def test_what_is_asked_of_a_large_result_is_what_is_asked_of_a_small_one(out, monkeypatch):
    small = run_sweep(make_table(), out=out)
    monkeypatch.setattr(store, "READ_WHOLE", 0)
    with run_sweep(make_table(), out=out) as large:
        assert not any(large[name].variable._in_memory for name in large)
        xr.testing.assert_identical(best_over_seeds(large), best_over_seeds(small))
        assert remarks(parse(make_table()), large) == remarks(parse(make_table()), small)
        weights = [restore(ds, p_active=0.5, seed=1).model.W for ds in (large, small)]
        np.testing.assert_array_equal(*weights)
        assert not large["loss_curve"].variable._in_memory


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
    monkeypatch.setattr(layout, "CPU_BLOCK", 4)
    config = parse(make_table(grid={"p_active": [0.1, 0.5, 1.0], "seed": {"range": 2}}))
    found = estimate(config)
    assert (found.models, found.programs, found.blocks) == (6, 1, 2)
    assert 0 < found.memory_gib < 0.01
    assert 0 < found.seconds < 60


def test_every_setting_of_a_sweep_is_a_coordinate(out):
    """A figure says "2,000 steps of Adam" without reading the config again."""
    ds = open_dataset(out / "tiny.nc")
    scalars = {name: c.item() for name, c in ds.coords.items() if c.ndim == 0}
    wanted = {"work": "train", "model": "relu", "optimizer": "adam", "schedule": "cosine"}
    wanted |= {"steps": 20, "batch_size": 16, "learning_rate": 0.01, "weight_decay": 0.0}
    wanted |= {"n_features": 3, "n_hidden": 2, "init_scale": "xavier", "importance": 1.0}
    wanted |= {"kind": "independent", "values": "uniform", "estimator": "sampled"}
    assert wanted.items() <= scalars.items()
    assert not {"p_active", "seed"} & set(scalars)


def test_a_root_leaves_the_seeds_names_alone_and_changes_every_run(out):
    """`--seed 1`: no run of root 0 again, coordinates 0 … n - 1."""
    first, other = open_dataset(out / "tiny.nc"), run_sweep(make_table(seed=1))
    np.testing.assert_array_equal(first.seed, [0, 1])
    np.testing.assert_array_equal(other.seed, [0, 1])
    for name in ("W", "loss_curve"):
        assert not np.any(np.isin(first[name], other[name]))


# Where cells of a seed do not share their data, the result says so.


@pytest.mark.parametrize(
    ("change", "along"),
    [
        ({"grid": {"p_active": [1e-3, 0.5, 1.0], "seed": [0, 1]}}, None),
        ({"grid": {"p_active": [5e-4, 2e-3]}}, None),  # a thousandth was the old threshold
        ({"grid": {"learning_rate": [0.1, 0.2], "n_hidden": [1, 2], "seed": [0, 1]}}, None),
        ({"grid": {"model": ["relu", "linear"]}}, None),
        ({"grid": {"estimator": ["sampled", "stratified"]}}, None),
        ({"grid": {"seed": {"range": 3}}}, None),
        ({"grid": {"p_active": [1e-7, 0.5], "seed": [0, 1]}}, "p_active"),
        ({"grid": {"n_features": [3, 4], "p_active": [0.1, 0.5]}}, "n_features"),
        ({"grid": {"batch_size": [16, 32], "seed": [0]}}, "batch_size"),
        ({"grid": {"n_features": [3, 4], "batch_size": [16, 32]}}, "n_features and batch_size"),
        ({"zip": {"size": {"n_features": [3, 4], "n_hidden": [2, 2]}}}, "size"),
    ],
    ids=str,
)
def test_a_sweep_says_along_which_axes_data_is_not_shared(change, along):
    config = parse(make_table(**({"grid": {"seed": [0]}} | change)))
    said = Computation(config.grid, config.build, config.seed, 2**30, Quiet()).shared_data()
    assert ("they agree in" in said) == (along is not None)
    if along is not None:
        assert f"they agree in {along}, which" in said


def test_what_is_said_is_in_the_result_and_nothing_is_said_where_all_is_shared(out, monkeypatch):
    assert "shared_data" not in open_dataset(out / "tiny.nc").attrs
    monkeypatch.setattr(Computation, "shared_data", lambda self: "as above")
    assert run_sweep(make_table()).attrs["shared_data"] == "as above"


@pytest.mark.parametrize("name", ["step", "loss", "hidden", "feature", "norm", "evaluated_by"])
def test_a_name_of_the_result_is_refused_before_anything_runs(name):
    ear = Ear()
    table = make_table(grid={"seed": [0]}, zip={name: {"n_features": [3, 4]}})
    with pytest.raises(InputError, match=f"grid name {name!r} is taken by the result"):
        run_sweep(table, report=ear)
    assert ear.heard == []


def test_a_grid_of_ones_own_runs_without_a_config():
    axes = (Axis("p", "p", (0.1, 0.5, 1.0)), Axis("seed", "seed", (0, 1)))
    grid = Grid(tuple(Dimension(a.name, (a,)) for a in axes))
    how = {"steps": 20, "batch_size": 16, "evaluation_size": 64, "schedule": Cosine()}
    first, other = (
        run_grid(grid, lambda v: make_run(p_active=v["p"], **how), seed=s) for s in (0, 1)
    )
    assert first.loss.dims == ("p", "seed")
    assert "config" not in first.attrs
    assert not np.any(np.isin(first.W, other.W))


# Trained and solved cells side by side.


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    table = {"name": "mixed", "model": "relu", "n_features": 2, "n_hidden": 1}
    table |= {"grid": {"optimizer": ["adam", "newton"], "p_active": [0.1, 0.9]}}
    out = tmp_path_factory.mktemp("mixed")
    return table, run_sweep(table, out=out), open_dataset(out / "mixed.nc")


def test_kinds_of_work_stand_side_by_side_in_one_sweep(mixed):
    _, ds, stored = mixed
    xr.testing.assert_equal(ds, stored)
    trained, solved = ds.sel(optimizer="adam"), ds.sel(optimizer="newton")
    assert np.all(solved.loss < trained.loss * (1 + 1e-5))
    np.testing.assert_allclose(trained.loss.sel(p_active=0.9), solved.loss.sel(p_active=0.9), 0.3)
    assert trained.loss_curve.notnull().all() and solved.loss_curve.isnull().all()
    assert ds.W.dims == ("optimizer", "p_active", "hidden", "feature")


def test_numbers_that_a_kind_of_work_does_not_have_are_nan(mixed):
    _, ds, _ = mixed
    for name in ("n_agree", "runner_up_loss", "difference"):
        assert ds[name].sel(optimizer="adam").isnull().all()
    assert np.all(ds.n_agree.sel(optimizer="newton") >= 1)
    assert ds.evaluated_by.sel(optimizer="newton").isnull().all()
    np.testing.assert_array_equal(ds.evaluated_by.sel(optimizer="adam"), 0)
    assert ds.diverged.dtype == np.int8


def test_the_time_of_a_mixed_sweep_can_be_told(mixed):
    found = estimate(parse(mixed[0]))
    assert (found.models, found.programs) == (4, 2)
    assert 0 < found.seconds < 120


def test_a_mixed_sweeps_cells_become_models_again(mixed):
    _, ds, _ = mixed
    for name in ("adam", "newton"):
        run, model = restore(ds, optimizer=name, p_active=0.9)
        cell = ds.sel(optimizer=name, p_active=0.9)
        exact = expected_loss_float64(model.W, model.b, 0.9, 1.0)
        assert float(cell.loss) == pytest.approx(exact, rel=1e-5)
        assert run.task.features.p_active[0] == np.float32(0.9)


def test_another_text_of_your_own_module_is_run_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "own_features.py"
    file.write_text("from toymodels.features import Independent as Mine\n")
    table = make_table(features={"kind": "own_features:Mine"})
    first = parse(table)
    assert first.versions.keys() == {"train", "own_features"}
    run_sweep(table, out=tmp_path)
    file.write_text(file.read_text() + "# as before, or not\n")
    ear = Ear()
    run_sweep(table, out=tmp_path, report=ear)
    assert ear.finished == 1 and parse(table).identity() == first.identity()
    assert "(own_features) and are computed again" in capsys.readouterr().out
