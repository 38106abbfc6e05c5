"""Statistics over seeds: best-of, means, medians and shares, each with its interval and its n.

Diverged seeds are left out and counted (`n_diverged`). Intervals are at the level `confidence`.
"""

import numpy as np
import xarray as xr
from scipy import stats

from toymodels.errors import InputError


def _seeds(dataset: xr.Dataset, dim: str) -> None:
    if dim not in dataset.dims:
        known = ", ".join(map(str, dataset.dims))
        raise InputError(f"the dataset has no dimension {dim!r}; it has {known}.")


def _finite(dataset: xr.Dataset, variable: str, dim: str) -> xr.DataArray:
    _seeds(dataset, dim)
    if variable not in dataset:
        raise InputError(f"the dataset has no variable {variable!r}; it has {list(dataset)}.")
    return dataset[variable].where(dataset["diverged"] == 0)


def best_over_seeds(dataset: xr.Dataset, by: str = "loss_ranking", dim: str = "seed") -> xr.Dataset:
    """Keep in each cell the seed with the lowest `by`, and add `best_seed` and `n_diverged`.

    Where every seed diverged the numbers are NaN and `best_seed` is -1.
    """
    rank = _finite(dataset, by, dim)
    none_left = rank.isnull().all(dim)
    winner = rank.fillna(np.inf).argmin(dim)
    best = dataset.isel({dim: winner}).drop_vars(dim, errors="ignore")
    floats = [name for name in best if best[name].dtype.kind == "f"]
    best = best.assign({name: best[name].where(~none_left) for name in floats})
    best["best_seed"] = dataset[dim].isel({dim: winner}).drop_vars(dim).where(~none_left, -1)
    best["n_diverged"] = (dataset["diverged"] != 0).sum(dim)
    return best


def mean_over_seeds(
    dataset: xr.Dataset, variable: str = "loss", dim: str = "seed", confidence: float = 0.95
) -> xr.Dataset:
    """Return `mean`, `low`, `high`, `n`, `n_diverged`: the mean with its Student-t interval.

    With n < 2 the interval is NaN.
    """
    values = _finite(dataset, variable, dim)
    n = values.notnull().sum(dim)
    mean, spread = values.mean(dim), values.std(dim, ddof=1)
    quantile = stats.t.ppf(0.5 + confidence / 2, np.maximum(n.values - 1, 1))
    half = (spread / np.sqrt(n)) * xr.DataArray(quantile, dims=n.dims)
    half = half.where(n >= 2)
    return _summary(dataset, dim, mean=mean, low=mean - half, high=mean + half, n=n)


def median_over_seeds(
    dataset: xr.Dataset,
    variable: str = "loss",
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
    happened: xr.DataArray,
    dim: str = "seed",
    confidence: float = 0.95,
    *,
    without: xr.DataArray | None = None,
) -> xr.Dataset:
    """Return `share`, `low`, `high`, `n`, `n_diverged`: the share with its Wilson interval.

    Args:
        dataset: gives which seeds diverged.
        happened: true where what is counted happened.
        dim: the seeds' dimension.
        confidence: level of the interval.
        without: a seed for each cell that is not counted, such as `best_seed`: where the others
            are compared with a winner, the winner has no vote.
    """
    _seeds(dataset, dim)
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
