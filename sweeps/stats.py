"""Statistics over seeds: best-of, means, medians and shares, each with its interval and its n.

Diverged seeds are left out and counted (`n_diverged`). Intervals are at the level `confidence`.
"""

import numpy as np
import xarray as xr
from scipy import stats

from sweeps.keeping import keep_of
from toymodels.errors import InputError, listed


def _seeds(dataset: xr.Dataset, dim: str) -> None:
    if dim not in dataset.dims:
        known = ", ".join(map(str, dataset.dims))
        raise InputError(f"the dataset has no dimension {dim!r}; it has {known}.")


def _array(dataset: xr.Dataset, given: str | xr.DataArray, dim: str) -> xr.DataArray:
    """Return a variable by its name, or an array of the dataset's cells as it is."""
    _seeds(dataset, dim)
    if isinstance(given, xr.DataArray):
        values, name = given, repr(given.name) if given.name else "the array"
    elif given in dataset:
        values, name = dataset[given], repr(given)
    else:
        keep = keep_of(dataset)
        more = f" Its sweep kept {listed(keep)} alone: name it in `keep` as well." if keep else ""
        raise InputError(f"the dataset has no variable {given!r}; it has {list(dataset)}.{more}")
    if dim not in values.dims:
        dims = listed(values.dims) or "none"
        raise InputError(f"{name} has no dimension {dim!r} to go over; it has {dims}.")
    if values.dtype.kind not in "biuf":
        raise InputError(f"{name} holds {values.dtype}, which has no statistics: give numbers.")
    try:
        xr.align(values, dataset["diverged"], join="exact")
    except ValueError:
        raise InputError(
            f"{name} is over other cells than the dataset: select the same of both."
        ) from None
    return values


def _finite(dataset: xr.Dataset, given: str | xr.DataArray, dim: str) -> xr.DataArray:
    values = _array(dataset, given, dim)
    values = values if values.dtype.kind == "f" else values.astype(float)
    return values.where(dataset["diverged"] == 0)


def best_over_seeds(
    dataset: xr.Dataset, by: str | xr.DataArray = "loss_ranking", dim: str = "seed"
) -> xr.Dataset:
    """Keep in each cell the seed with the lowest `by`, and add `best_seed` and `n_diverged`.

    `by` is a variable's name or an array of the dataset's cells. Where every seed diverged the
    numbers are NaN and `best_seed` is -1.
    """
    rank = _finite(dataset, by, dim)
    none_left = rank.isnull().all(dim)
    winner = rank.fillna(np.inf).argmin(dim)
    # One variable at a time is read of a file: numpy picks from it faster than HDF5 does.
    picked = {
        name: value.compute().isel({dim: winner}, missing_dims="ignore")
        for name, value in dataset.items()
    }
    shared = dataset.drop_vars(list(dataset)).isel({dim: winner}, missing_dims="ignore")
    best = shared.assign(picked).drop_vars(dim, errors="ignore")
    floats = [name for name in best if best[name].dtype.kind == "f"]
    best = best.assign({name: best[name].where(~none_left) for name in floats})
    best["best_seed"] = dataset[dim].isel({dim: winner}).drop_vars(dim).where(~none_left, -1)
    best["n_diverged"] = (dataset["diverged"] != 0).sum(dim)
    return best


def mean_over_seeds(
    dataset: xr.Dataset,
    variable: str | xr.DataArray = "loss",
    dim: str = "seed",
    confidence: float = 0.95,
) -> xr.Dataset:
    """Return `average`, `low`, `high`, `n`, `n_diverged`: the mean with its Student-t interval.

    `variable` is a name or an array of the dataset's cells. With n < 2 the interval is NaN.
    `result["mean"]`, the old name of `average`, works for one more version; `result.mean` is a
    method of xarray.
    """
    values = _finite(dataset, variable, dim)
    n = values.notnull().sum(dim)
    mean, spread = values.mean(dim), values.std(dim, ddof=1)
    quantile = stats.t.ppf(0.5 + confidence / 2, np.maximum(n.values - 1, 1))
    half = (spread / np.sqrt(n)) * xr.DataArray(quantile, dims=n.dims)
    half = half.where(n >= 2)
    old = mean.assign_attrs(long_name="the old name of `average`, for one version")
    return _summary(dataset, dim, average=mean, mean=old, low=mean - half, high=mean + half, n=n)


def median_over_seeds(
    dataset: xr.Dataset,
    variable: str | xr.DataArray = "loss",
    dim: str = "seed",
    confidence: float = 0.95,
    resamples: int = 2000,
    rng_seed: int = 0,
) -> xr.Dataset:
    """Return `median`, `low`, `high`, `n`, `n_diverged`: the median with a bootstrap interval."""
    values = _finite(dataset, variable, dim)
    picks = np.random.default_rng(rng_seed).integers(
        0, values.sizes[dim], size=(resamples, values.sizes[dim])
    )
    axis = values.get_axis_num(dim)
    data = np.moveaxis(values.values, axis, -1)
    with np.errstate(all="ignore"):
        medians = np.stack([_nanmedian(data[..., pick]) for pick in picks])
        tail = (1 - confidence) / 2
        low, high = (_nanquantile(medians, q) for q in (tail, 1 - tail))
    shape = values.isel({dim: 0}, drop=True)
    return _summary(
        dataset,
        dim,
        median=values.median(dim),
        low=shape.copy(data=low),
        high=shape.copy(data=high),
        n=values.notnull().sum(dim),
    )


def _nanmedian(data: np.ndarray) -> np.ndarray:
    return np.ma.filled(np.ma.median(np.ma.masked_invalid(data), axis=-1), np.nan)


def _nanquantile(data: np.ndarray, q: float) -> np.ndarray:
    return np.apply_along_axis(
        lambda row: np.quantile(row[~np.isnan(row)], q) if (~np.isnan(row)).any() else np.nan,
        0,
        data,
    )


def share_over_seeds(
    dataset: xr.Dataset,
    happened: str | xr.DataArray,
    dim: str = "seed",
    confidence: float = 0.95,
    *,
    without: xr.DataArray | None = None,
) -> xr.Dataset:
    """Return `share`, `low`, `high`, `n`, `n_diverged`: the share with its Wilson interval.

    Args:
        dataset: gives which seeds diverged.
        happened: true where what is counted happened; an array, or a variable's name.
        dim: the seeds' dimension.
        confidence: level of the interval.
        without: a seed for each cell that is not counted, such as `best_seed`: where the others
            are compared with a winner, the winner has no vote.
    """
    happened = _array(dataset, happened, dim)
    counted = dataset["diverged"] == 0
    if without is not None:
        counted = counted & (dataset[dim] != without)
    n = counted.sum(dim)
    n_or_nan = n.where(n > 0)
    k = (happened.astype(bool) & counted).sum(dim)
    z = stats.norm.ppf(0.5 + confidence / 2)
    share, per_n = k / n_or_nan, z**2 / n_or_nan
    centre = (share + per_n / 2) / (1 + per_n)
    half = np.sqrt(per_n * share * (1 - share) + per_n**2 / 4) / (1 + per_n)
    low, high = (centre - half).clip(0, 1), (centre + half).clip(0, 1)
    return _summary(dataset, dim, share=share, low=low, high=high, n=n)


def _summary(dataset: xr.Dataset, dim: str, **values: xr.DataArray) -> xr.Dataset:
    n_diverged = (dataset["diverged"] != 0).sum(dim)
    return xr.Dataset({**values, "n_diverged": n_diverged})
