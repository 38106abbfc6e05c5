"""A grid of a user's own code is stored, resumed and restored like any sweep."""

import json

import jax
import numpy as np
import pytest
import xarray as xr
from builders import Ear, make_run

from sweeps import Axis, Dimension, Grid, checkpoint, export_npz, restore, run_grid
from sweeps.plan import Cell
from sweeps.status import blocks_done
from sweeps.store import open_dataset
from sweeps.work.base import CellWork
from toymodels.errors import InputError
from toymodels.fields import Field
from toymodels.optimizers import Cosine
from toymodels.training import evaluate

AXES = (Axis("p", "density", (0.1, 0.5, 1.0)), Axis("seed", "seed", (0, 1)))
GRID = Grid(tuple(Dimension(axis.name, (axis,)) for axis in AXES))
AT = {"density": 0.5, "seed": 1}


class Power(CellWork):
    """A kind of work of a user's own: a power of a number and one of the seed's, without JAX."""

    name, version = "power", 1

    def __init__(self, exponent):
        self.exponent = exponent

    def compute(self, run, key):
        drawn = np.random.default_rng(np.asarray(jax.random.key_data(key))).random()
        return {"power": Field(np.array([run**self.exponent, drawn]), ("of",), "power and draw")}


def build(values, exponent=2):
    return Cell(Power(exponent), np.float64(values["p"]))


def trained(values, **more):
    """What a sweep of `make_table` trains."""
    how = {"steps": 20, "batch_size": 16, "evaluation_size": 64, "schedule": Cosine()} | more
    return make_run(p_active=values["p"], scale=(2 / 5) ** 0.5, **how)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    run_grid(GRID, build, out=folder, name="mine")
    return folder


@pytest.fixture(scope="module")
def models():
    return run_grid(GRID, trained)


def test_a_grid_is_stored_with_the_numbers_that_it_has_in_memory(out):
    (run,) = (out / "runs").iterdir()
    kept = {"config.json", "provenance.json", "plan.json", "result.nc", "blocks", "lock"}
    assert {path.name for path in run.iterdir()} == kept
    assert blocks_done(run) == "2 of 2 blocks"
    stored = open_dataset(out / "mine.nc")
    assert stored.power.dims == ("density", "seed", "of")
    xr.testing.assert_equal(run_grid(GRID, build), stored)
    assert json.loads(stored.attrs["provenance"])["seed"] == 0


def test_the_same_grid_is_only_read_whoever_builds_it(out):
    def another_builder(values):
        return Cell(Power(1 + 1), np.float64(values["p"]))

    ear = Ear()
    again = run_grid(GRID, another_builder, out=out, name="mine", report=ear)
    assert ear.heard == []
    xr.testing.assert_identical(again, open_dataset(out / "mine.nc"))


def test_other_numbers_or_code_never_go_on_in_its_folder(tmp_path, capsys):
    class Doubled(Power):
        def compute(self, run, key):
            return super().compute(2 * run, key)

    builders = (
        build,
        lambda values: build(values, 3),
        lambda values: build({"p": values["p"] + 1e-9}),
        lambda values: Cell(Doubled(2), np.float64(values["p"])),
    )
    found = []
    for i, make in enumerate(builders):
        ear = Ear()
        found.append(run_grid(GRID, make, out=tmp_path, report=ear).power.values.tolist())
        assert ear.steps == 6
        assert capsys.readouterr().out.count("was built otherwise") == i
    assert len(np.unique(found, axis=0)) == 4
    assert len(list((tmp_path / "runs").iterdir())) == 4
    assert run_grid(GRID, build, seed=5, out=tmp_path).power.values.tolist() not in found
    assert "built otherwise" not in capsys.readouterr().out


def test_a_grid_that_was_stopped_goes_on(tmp_path, monkeypatch, out):
    class Stop(Ear):
        def advance(self, cost):
            super().advance(cost)
            if self.steps == 5:
                raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(checkpoint, "LARGEST_SHARE", float("inf"))
    with pytest.raises(KeyboardInterrupt):
        run_grid(GRID, build, out=tmp_path, report=Stop())
    ear = Ear()
    ds = run_grid(GRID, build, out=tmp_path, report=ear)
    assert (ear.heard, ear.steps) == ([(6, 6, 5)], 1)
    xr.testing.assert_equal(ds, open_dataset(out / "mine.nc"))


def test_a_grid_keeps_what_is_asked_for_in_a_folder_of_its_own(models, tmp_path, capsys):
    narrow = run_grid(GRID, trained, out=tmp_path, keep=["norm", "loss"])
    wanted = models[["norm", "loss", "diverged"]]
    xr.testing.assert_identical(narrow.drop_attrs(deep=False), wanted.drop_attrs(deep=False))
    with pytest.raises(InputError, match=r"W, b, .* kept diverged, loss, norm alone"):
        restore(narrow, build=trained, **AT)
    run_grid(GRID, trained, out=tmp_path, keep=["diverged", "loss", "norm"])  # says the same
    run_grid(GRID, trained, out=tmp_path, keep=["loss"])
    assert "built otherwise" not in capsys.readouterr().out
    assert len(list((tmp_path / "runs").iterdir())) == 2
    with pytest.raises(InputError, match=r"gives no variable 'pwr'. Did you mean 'power'"):
        run_grid(GRID, build, keep=["pwr"])


def test_a_cell_is_a_model_again_by_what_built_it(models, tmp_path):
    run, model = restore(models, build=trained, **AT)
    np.testing.assert_array_equal(model.W, models.W.sel(AT))
    assert run.task.features.p_active[0] == np.float32(0.5)
    loss = jax.jit(evaluate)(run, model).loss
    np.testing.assert_allclose(loss, models.loss.sel(AT), rtol=1e-6)
    export_npz(models, tmp_path / "cell.npz", build=trained, **AT)
    with np.load(tmp_path / "cell.npz") as cell:
        np.testing.assert_array_equal(cell["W"], model.W)
        assert json.loads(str(cell["config"]))["density"] == 0.5


@pytest.mark.parametrize(
    ("builder", "told"),
    [
        (None, "give the function that built its runs, restore"),
        (lambda v: make_run(4, 2), r"stored W \[2, 3\] is not of a model with W \[2, 4\]"),
        (lambda v: make_run(3, 3), r"stored W \[2, 3\] is not of a model with W \[3, 3\]"),
        (lambda v: None, "build returned a NoneType"),
    ],
)
def test_a_result_is_not_restored_by_what_did_not_build_it(models, builder, told):
    with pytest.raises(InputError, match=told):
        restore(models, build=builder, **AT)


def test_a_result_that_lost_its_attributes_says_so(models):
    with pytest.raises(InputError, match=r"no config and no grid.*keep_attrs"):
        restore(models.drop_attrs(), build=trained, **AT)


@pytest.mark.parametrize("name", ["", "a/b", "..", 5, None])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="name = "):
        run_grid(GRID, build, out=tmp_path, name=name)


def test_a_result_of_something_else_is_moved_aside(out, capsys):
    smaller = Grid(GRID.dimensions[1:])
    before = open_dataset(out / "mine.nc")
    run_grid(smaller, lambda values: build({"p": 0.5}), out=out, name="mine")
    (aside,) = out.glob("mine.*.nc")
    assert capsys.readouterr().out == f"{out}/mine.nc was of something else: it is now {aside}.\n"
    xr.testing.assert_identical(open_dataset(aside), before)
    run_grid(GRID, build, out=out, name="mine")
    capsys.readouterr()
    run_grid(GRID, build, out=out, name="mine")
    assert capsys.readouterr().out == ""
