"""Trained sweeps: names and words of a result, snapshots, measures, penalties, frozen leaves."""

import jax
import mine
import numpy as np
import pytest
import xarray as xr
from builders import make_run, make_table

from sweeps import run_sweep
from sweeps.config.parse import parse
from sweeps.identity import start_name
from sweeps.stats import best_over_seeds, mean_over_seeds, share_over_seeds
from sweeps.work.train import TRAIN
from sweeps.work.train import make_run as checked_run
from toymodels import geometry
from toymodels.errors import InputError
from toymodels.estimators import Quadrature
from toymodels.exact import expected_loss_float64
from toymodels.penalties.l1_hidden import L1Hidden
from toymodels.streams import Stream, stream


def test_names_and_dimensions_are_those_of_the_design(sizes):
    grid = ("p_active", "learning_rate", "size")
    assert sizes.W.dims == (*grid, "hidden", "feature")
    assert sizes.b.dims == sizes.loss_per_feature.dims == sizes.norm.dims == (*grid, "feature")
    assert sizes.superposition.dims == sizes.feature_dimensionality.dims == (*grid, "feature")
    assert sizes.loss.dims == sizes.dimensions_per_feature.dims == sizes.diverged.dims == grid
    assert sizes.loss_curve.dims == (*grid, "step")
    assert sizes.W_at_snapshot.dims == (*grid, "snapshot", "hidden", "feature")
    assert sizes.norm_at_snapshot.dims == (*grid, "snapshot", "feature")
    assert sizes.p_active_of_feature.dims == (*grid, "feature")
    assert sizes.n_features.dims == sizes.n_hidden.dims == ("size",)
    np.testing.assert_array_equal(sizes.step, [10, 20])
    np.testing.assert_array_equal(sizes.snapshot, [0, 10])
    np.testing.assert_array_equal(sizes.diverged.attrs["flag_values"], [0, 1])
    assert sizes.diverged.attrs["flag_meanings"] == "finite diverged"


def test_smaller_cells_are_padded_with_nan(sizes):
    small, large = sizes.isel(size=0, learning_rate=0), sizes.isel(size=1, learning_rate=0)
    for name in ("W", "b", "norm", "loss_per_feature", "W_at_snapshot", "norm_at_snapshot"):
        assert np.isnan(small[name].values[..., 2:]).all()
        assert np.isfinite(small[name].values[..., :2]).all()
        assert np.isfinite(large[name]).all()
    np.testing.assert_allclose(small.loss, small.loss_per_feature.sum("feature"), rtol=1e-6)


def test_geometry_is_that_of_the_weights(sizes):
    cell = sizes.isel(size=1, learning_rate=0, p_active=1)
    for name in ("superposition", "feature_dimensionality", "dimensions_per_feature"):
        np.testing.assert_allclose(cell[name], getattr(geometry, name)(cell.W.values), rtol=1e-5)
    np.testing.assert_allclose(cell.norm, np.linalg.norm(cell.W, axis=0), rtol=1e-5)


def test_geometry_of_a_snapshot_is_that_of_its_weights(sizes):
    cell = sizes.isel(size=1, learning_rate=0, p_active=1).sel(snapshot=10)
    found = cell.feature_dimensionality_at_snapshot
    wanted = geometry.feature_dimensionality(cell.W_at_snapshot.values)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_a_snapshot_before_the_first_step_is_the_start(sizes):
    """And the last one would be the end: `tests/toymodels/test_training.py`."""
    first = sizes.W_at_snapshot.sel(snapshot=0)
    np.testing.assert_array_equal(first.isel(learning_rate=0), first.isel(learning_rate=1))
    assert np.all(sizes.b_at_snapshot.isel(size=1).sel(snapshot=0) == 0)


def test_a_diverged_cell_keeps_its_weights_and_nothing_that_a_mean_could_take_in(sizes):
    """At a learning rate of 1e6; at the start it was as good as its neighbour."""
    lost, well = sizes.isel(learning_rate=1, size=1), sizes.isel(learning_rate=0, size=1)
    assert np.all(lost.diverged == 1) and not np.any(well.diverged)
    kept = {"W", "b", "W_at_snapshot", "b_at_snapshot"}
    kept |= {"importance_of_feature", "p_active_of_feature"}
    for name, variable in lost.data_vars.items():
        if name in kept or variable.dtype.kind != "f":
            assert variable.notnull().all(), name
        elif name.endswith("_at_snapshot"):
            start = well[name].sel(snapshot=0)
            np.testing.assert_array_equal(variable.sel(snapshot=0), start)
            assert variable.sel(snapshot=10).isnull().all(), name
        else:
            assert variable.isnull().all(), name
    assert sizes.diverged.dtype == sizes.evaluated_by.dtype == np.int8
    assert float(np.abs(lost.W).max()) > 1e5


def test_a_plain_mean_is_that_of_the_runs_that_live(sizes):
    """And so are the statistics that leave diverged runs out by their mark."""
    cell, rates = sizes.isel(size=1), "learning_rate"
    well = cell.isel(learning_rate=0)
    for name in ("loss", "norm", "loss_curve"):
        np.testing.assert_array_equal(cell[name].mean(rates), well[name])
    best = best_over_seeds(cell, dim=rates)
    np.testing.assert_array_equal(best.norm, well.norm)
    assert np.all(best.best_seed == 0.01) and np.all(best.n_diverged == 1)
    mean = mean_over_seeds(cell, "loss", dim=rates)
    np.testing.assert_array_equal(mean["mean"], well.loss)
    share = share_over_seeds(cell, cell.loss < 10, dim=rates)
    assert np.all(share.share == 1) and np.all(share.n == 1)


def test_the_world_of_a_cell_is_beside_it(sizes):
    large = sizes.isel(size=1)
    np.testing.assert_allclose(
        large.importance_of_feature, np.broadcast_to(0.5 ** np.arange(4), (2, 2, 4))
    )
    np.testing.assert_allclose(large.p_active_of_feature.sel(p_active=0.1), 0.1, rtol=1e-6)


def test_every_array_says_what_it_holds(sizes):
    for name, variable in sizes.data_vars.items():
        assert variable.attrs.get("long_name"), name
    words = {name: sizes[name].attrs["long_name"] for name in ("loss", "loss_ranking", "W")}
    assert len(set(words.values())) == 3
    assert "snapshot" in sizes.W_at_snapshot.attrs["long_name"]


def test_the_result_says_by_which_estimate_runs_are_judged(sizes):
    meanings = sizes.evaluated_by.attrs["flag_meanings"].split()
    assert meanings == ["exact", "stratified", "sampled"]
    assert np.all(sizes.evaluated_by == meanings.index("exact"))
    cell = sizes.isel(size=1, learning_rate=0, p_active=1)
    exact = expected_loss_float64(cell.W.values, cell.b.values, 1.0, 0.5 ** np.arange(4))
    assert float(cell.loss) == pytest.approx(exact, rel=1e-6)
    assert float(cell.loss) == float(cell.loss_ranking) == float(cell.loss_curve[-1])


@pytest.mark.claims  # compiles for many seconds
def test_one_sweep_may_be_judged_in_two_ways():
    """Each cell by the best estimate that there is for it; the label says which it was."""
    ds = run_sweep(make_table(n_features=2, n_hidden=1, grid={"model": ["relu", "linear"]}))
    names = np.array(ds.evaluated_by.attrs["flag_meanings"].split())
    assert list(names[ds.evaluated_by.values]) == ["exact", "stratified"]


# Measures, penalties and frozen leaves, of a user's own where there are none here.

OWN = {
    "measures": ["geometry", "mine:largest_weight", "mine:MeanOutput"],
    "penalties": {"mine:L2": {}},
    "snapshots": [10],
    "frozen": ["b"],
    "learning_rate": 0.1,
    "grid": {"penalties.mine:L2.weight": [0.0, 10.0], "seed": [0, 1]},
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    out = tmp_path_factory.mktemp("own")
    ds = run_sweep(make_table(**OWN), out=out)
    with xr.open_dataset(out / "tiny.nc", engine="h5netcdf") as stored:
        xr.testing.assert_equal(stored, ds)
    return ds


def test_a_users_measure_is_stored_at_the_end_and_at_snapshots(own):
    largest = np.maximum(abs(own.W).max(("hidden", "feature")), abs(own.b).max("feature"))
    np.testing.assert_allclose(own.largest_weight, largest, rtol=1e-6)
    early = abs(own.W_at_snapshot).max(("hidden", "feature"))
    np.testing.assert_allclose(own.largest_weight_at_snapshot, early, rtol=1e-6)
    assert own.mean_output.dims == (*own.loss.dims, "feature")
    assert own.largest_weight.attrs["long_name"] == "largest |weight| or |bias|"
    assert {"norm", "norm_at_snapshot"} <= set(own)


def test_a_penaltys_weight_is_an_axis_of_one_program_and_pulls(own):
    assert own.loss.dims == ("weight_L2", "seed")
    norm = (own.W**2).sum(("hidden", "feature"))
    assert np.all(norm.isel(weight_L2=1) < norm.isel(weight_L2=0) / 2)
    exact = expected_loss_float64(own.W.values[1, 0], own.b.values[1, 0], 1.0, 1.0)
    assert float(own.loss[1, 0]) == pytest.approx(exact, rel=1e-5)  # without the penalty


@pytest.mark.claims  # compiles for many seconds
def test_a_penalty_on_weights_alone_goes_with_the_exact_loss():
    table = make_table(estimator="exact", penalties={"mine:L2": 10.0}, learning_rate=0.1)
    pulled = run_sweep(table | {"steps": 200})
    assert float(abs(pulled.W).max()) < 0.02


def test_frozen_leaves_of_a_sweep_stay_and_the_others_train(own):
    assert np.all(own.b == 0) and np.all(own.b_at_snapshot == 0)
    assert np.all(own.W_at_snapshot.isel(snapshot=0) != own.W)


def test_a_start_from_the_host_is_the_one_that_draw_gives_for_the_runs_key_and_name():
    ds = run_sweep(make_table(model="mine:Constructed", snapshots=[0], measures=[], seed=4))
    task = make_run(p_active=0.5).task
    run = make_run().replace(task=task, init=mine.FromHost(3, 2))
    for seed in (0, 1):
        key = jax.random.fold_in(stream(seed, Stream.INIT, root=4), start_name(run))
        first = ds.W_at_snapshot.sel(p_active=0.5, seed=seed, snapshot=0)
        np.testing.assert_array_equal(first, run.init.draw(key).W)
        assert set(np.unique(first)) == {-1.0, 1.0}
    assert len(np.unique(ds.W_at_snapshot.sel(snapshot=0).values.reshape(6, -1), axis=0)) > 3
    assert not ds.diverged.any()
    assert not {"norm", "superposition"} & set(ds)  # no measures are less than the default


def test_tasks_and_models_of_a_user_train_from_a_config(magnitudes):
    """The squared length of a vector: the form becomes the identity."""
    ds = magnitudes
    assert ds.W.dims == ("p_nonzero", "spread", "seed", "row", "column")
    assert ds.loss_per_length.dims == ("p_nonzero", "spread", "seed", "length")
    assert (ds.W.attrs["long_name"], ds["task"].item()) == ("the form", "mine:Magnitude")
    symmetric = (ds.W.values + ds.W.values.swapaxes(-1, -2)) / 2
    np.testing.assert_allclose(symmetric, np.broadcast_to(np.eye(2), symmetric.shape), atol=0.15)
    np.testing.assert_allclose(ds.inner_offset, 0, atol=0.2)
    assert ds.evaluated_by.attrs["flag_meanings"].split()[ds.evaluated_by.values.max()] == "sampled"


def test_parts_that_do_not_fit_together_are_refused():
    run = make_run()
    with pytest.raises(InputError, match="a penalty is a mean over examples"):
        how = {"estimator": Quadrature(), "penalties": (L1Hidden.create(1.0),)}
        checked_run(run.task, run.init, run.spec, **how)
    with pytest.raises(InputError, match="frozen = 'V': the model has W, b"):
        checked_run(run.task, run.init, run.spec, frozen=("V",))


def test_what_a_result_will_hold_is_known_before_it_runs(own):
    """So that no axis can take one of the names, and that a name to be kept is there."""
    config = parse(make_table(**OWN))
    run = config.build({"penalties.mine:L2.weight": 1.0}).run
    n = config.grid.shape
    assert TRAIN.variables(run) == {name: own[name].dims[len(n) :] for name in own}


def test_runs_that_still_improve_are_counted_where_they_are_known():
    fall = xr.DataArray([0.02, 0.001, np.nan, 0.006], dims="seed")  # the third diverged
    ds = xr.Dataset({"loss_fall": fall, "still_falling": (fall > 0.005).astype(float)})
    (line,) = TRAIN.remarks(ds)
    assert line.startswith("2 of 3 runs still improve")
    assert TRAIN.remarks(ds.isel(seed=[1, 2])) == []


def test_a_mark_stands_for_its_share_and_a_diverged_run_has_none(sizes):
    lost = sizes.diverged == 1
    assert lost.any()
    assert (sizes.loss_fall.isnull() == lost).all()
    assert ((sizes.loss_fall > 0.005) == (sizes.still_falling == 1)).all()
    assert sizes.still_falling.attrs["flag_meanings"] == "settled still_falling"
