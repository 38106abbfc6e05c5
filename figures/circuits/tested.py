"""Trained networks of circuits, tested with as many circuits active as they were trained on."""

from typing import Any

import numpy as np
import xarray as xr

from toymodels.errors import InputError, listed


def numbers_tested(dataset: xr.Dataset) -> list[int]:
    """Return the numbers of active circuits that were tested, the same in every cell."""
    tested = dataset["n_active_tested"]
    return [int(z) for z in tested.isel(dict.fromkeys(tested.dims[:-1], 0)).values]


def as_trained(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return what was measured with as many circuits active as in training."""
    at = [numbers_tested(dataset).index(int(z)) for z in dataset["n_active"].values]
    same = xr.DataArray(at, dims="n_active", coords={"n_active": dataset["n_active"]})
    return dataset[name].isel(tested_active=same)


def false_ones(dataset: xr.Dataset, spurious: xr.DataArray) -> xr.DataArray:
    """Return how many inactive circuits read as on, for each active one."""
    return spurious * (dataset["n_circuits"] - dataset["n_active"]) / dataset["n_active"]


def require_tested(plan: Any) -> None:
    """Refuse numbers of active circuits that are trained and not tested, before anything runs.

    Raises:
        InputError: names them, and the key that tests them.
    """
    config = plan.config
    trained = {z for point in config.grid.points() for z in [point.get("n_active")] if z}
    tested = config.variants[0]["measures"].get("circuit_errors", {}).get("n_active", [])
    missing = sorted(trained - set(tested))
    if missing:
        raise InputError(
            f"n_active = {listed(map(str, missing))} is trained and not tested: give "
            f"measures.circuit_errors.n_active={sorted({*tested, *trained})} as well."
        )


def student(values: np.ndarray) -> tuple[float, float, float]:
    """Return mean, low and high of numbers `[n]`: a 95 % Student interval, NaN for n < 2."""
    from scipy import stats

    known = values[np.isfinite(values)]
    if len(known) < 2:
        return (float(known.mean()) if len(known) else np.nan), np.nan, np.nan
    half = stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / len(known) ** 0.5
    return float(known.mean()), float(known.mean() - half), float(known.mean() + half)
