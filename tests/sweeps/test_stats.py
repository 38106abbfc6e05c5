import numpy as np
import pytest
import xarray as xr
from scipy import stats

from sweeps import best_over_seeds, mean_over_seeds, median_over_seeds, share_over_seeds
from toymodels.errors import InputError

RNG = np.random.default_rng(0)


def dataset(n_cells=3, n_seeds=12, diverged=()):
    """Losses over cell × seed; `diverged` lists (cell, seed)."""
    loss = RNG.lognormal(size=(n_cells, n_seeds))
    flags = np.zeros((n_cells, n_seeds), np.int8)
    for cell, seed in diverged:
        flags[cell, seed] = 1
        loss[cell, seed] = 1e30 if seed % 2 else np.nan
    dims = ("cell", "seed")
    return xr.Dataset(
        {
            "loss": (dims, loss),
            "loss_ranking": (dims, loss[:, ::-1].copy() if not diverged else loss),
            "W": ((*dims, "hidden", "feature"), RNG.normal(size=(n_cells, n_seeds, 2, 3))),
            "diverged": (dims, flags),
        },
        {"cell": np.arange(n_cells) * 10, "seed": np.arange(n_seeds) + 100},
    )


SICK = [(0, 1), (0, 4), *((1, s) for s in range(12)), *((2, s) for s in range(11))]


def test_mean_has_the_student_t_interval_of_scipy():
    ds = dataset()
    found = mean_over_seeds(ds, confidence=0.9)
    for c in range(3):
        x = ds.loss.values[c]
        low, high = stats.t.interval(0.9, len(x) - 1, loc=x.mean(), scale=stats.sem(x))
        cell = found.isel(cell=c)
        np.testing.assert_allclose([cell["mean"], cell.low, cell.high], [x.mean(), low, high])
        assert cell.n == 12
        assert cell.n_diverged == 0


def test_diverged_seeds_are_left_out_of_the_mean_and_counted():
    ds = dataset(diverged=SICK)
    found = mean_over_seeds(ds)
    x = np.delete(ds.loss.values[0], [1, 4])
    low, high = stats.t.interval(0.95, 9, loc=x.mean(), scale=stats.sem(x))
    np.testing.assert_allclose(
        [found["mean"][0], found.low[0], found.high[0]], [x.mean(), low, high]
    )
    np.testing.assert_array_equal(found.n, [10, 0, 1])
    np.testing.assert_array_equal(found.n_diverged, [2, 12, 11])
    assert np.isnan(found["mean"][1])
    assert np.isfinite(found["mean"][2])
    assert np.isnan(found.low[1:]).all()
    assert np.isnan(found.high[1:]).all()


def test_median_interval_agrees_with_the_bootstrap_of_scipy():
    ds = dataset(n_seeds=40)
    found = median_over_seeds(ds, resamples=4000)
    for c in range(3):
        x = ds.loss.values[c]
        theirs = stats.bootstrap(
            (x,), np.median, n_resamples=4000, method="percentile", rng=1
        ).confidence_interval
        np.testing.assert_allclose(found["median"][c], np.median(x))
        np.testing.assert_allclose([found.low[c], found.high[c]], theirs, rtol=0.15)


def test_median_leaves_diverged_seeds_out_and_survives_a_cell_of_nothing_else():
    ds = dataset(diverged=SICK)
    found = median_over_seeds(ds)
    x = np.delete(ds.loss.values[0], [1, 4])
    np.testing.assert_allclose(found["median"][0], np.median(x))
    assert x.min() <= found.low[0] <= found["median"][0] <= found.high[0] <= x.max()
    assert np.isnan([found["median"][1], found.low[1], found.high[1]]).all()
    np.testing.assert_array_equal(found.n_diverged, [2, 12, 11])


def test_statistics_of_a_single_cell_are_numbers():
    ds = dataset().isel(cell=0)
    for summary in (mean_over_seeds(ds), median_over_seeds(ds), share_over_seeds(ds, ds.loss > 1)):
        assert summary.low.ndim == 0
        assert summary.low <= summary.high
    assert best_over_seeds(ds).loss.ndim == 0


def test_intervals_cover_as_often_as_they_say():
    ds = xr.Dataset(
        {
            "loss": (("cell", "seed"), RNG.normal(size=(2000, 8))),
            "diverged": (("cell", "seed"), np.zeros((2000, 8), np.int8)),
        },
        {"seed": np.arange(8)},
    )
    found = mean_over_seeds(ds, confidence=0.9)
    covered = float(((found.low < 0) & (found.high > 0)).mean())
    assert abs(covered - 0.9) < 4 * np.sqrt(0.9 * 0.1 / 2000)


@pytest.mark.parametrize("k", [0, 1, 6, 12])
def test_share_has_the_wilson_interval_of_scipy(k):
    ds = dataset()
    happened = xr.DataArray(np.arange(12) < k, dims="seed") & (ds.loss > -1)
    found = share_over_seeds(ds, happened, confidence=0.9)
    theirs = stats.binomtest(k, 12).proportion_ci(0.9, method="wilson")
    np.testing.assert_allclose(found.share, k / 12)
    np.testing.assert_allclose(found.low, theirs.low, atol=1e-12)
    np.testing.assert_allclose(found.high, theirs.high, atol=1e-12)


def test_share_counts_only_seeds_that_did_not_diverge():
    ds = dataset(diverged=SICK)
    found = share_over_seeds(ds, ds.loss > -1)
    np.testing.assert_array_equal(found.share, [1, np.nan, 1])
    np.testing.assert_array_equal(found.n, [10, 0, 1])
    assert np.isnan(found.low[1])


def test_best_seed_is_ranked_by_one_loss_and_reports_another():
    ds = dataset()
    best = best_over_seeds(ds)
    for c in range(3):
        winner = int(np.argmin(ds.loss_ranking.values[c]))
        assert best.best_seed[c] == 100 + winner
        assert best.loss[c] == ds.loss.values[c, winner]
        np.testing.assert_array_equal(best.W[c], ds.W.values[c, winner])
    assert "seed" not in best.dims


def test_best_seed_never_diverged_and_is_minus_one_where_all_did():
    ds = dataset(diverged=SICK)
    best = best_over_seeds(ds)
    np.testing.assert_array_equal(best.best_seed[1:], [-1, 111])
    assert np.isnan(best.loss[1])
    assert np.isnan(best.W[1]).all()
    assert best.loss[0] == np.delete(ds.loss.values[0], [1, 4]).min()
    np.testing.assert_array_equal(best.n_diverged, [2, 12, 11])


def test_unknown_names_are_refused():
    ds = dataset()
    with pytest.raises(InputError, match="no dimension 'sed'"):
        mean_over_seeds(ds, dim="sed")
    with pytest.raises(InputError, match="no variable 'los'"):
        median_over_seeds(ds, "los")


def test_an_array_of_ones_own_does_as_well_as_a_name():
    ds = dataset(diverged=SICK)
    for function in (mean_over_seeds, median_over_seeds):
        xr.testing.assert_identical(function(ds, ds.loss * 1.0), function(ds, "loss"))
    xr.testing.assert_identical(best_over_seeds(ds, ds.loss), best_over_seeds(ds, "loss"))
    ds["large"] = ds.loss > 1
    share = share_over_seeds(ds, "large")
    xr.testing.assert_identical(share, share_over_seeds(ds, ds.loss > 1))
    np.testing.assert_allclose(mean_over_seeds(ds, ds.large).average, share.share)
    n_large = (ds.W > 0).sum(("hidden", "feature"))  # integers, without a name
    assert mean_over_seeds(ds, n_large).average.dims == ("cell",)


def test_the_mean_is_an_attribute_under_a_name_that_is_no_method():
    found = mean_over_seeds(dataset())
    np.testing.assert_array_equal(found.average, found["mean"])


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (lambda ds: ds.cell, "'cell' has no dimension 'seed'"),
        (lambda ds: ds.loss.isel(cell=[0]), "'loss' is over other cells"),
        (lambda ds: ds.loss.astype(str), "holds <U"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(of, told):
    ds = dataset()
    with pytest.raises(InputError, match=told):
        mean_over_seeds(ds, of(ds))
