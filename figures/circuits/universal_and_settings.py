"""Settings of the trained universal AND by width, by how many inputs are on, and their crossing."""

import numpy as np
import xarray as xr


def of_loss(dataset: xr.Dataset) -> xr.Dataset:
    """Return the settings of the balanced squared error."""
    squared = (dataset["class_balance"] == 1) & (dataset["exponent"] == 2)
    some = np.broadcast_to(squared.values, dataset.sizes["setting"])
    return dataset.isel(setting=np.flatnonzero(some) if some.any() else slice(None))


def along(dataset: xr.Dataset, axis: str, other: str) -> xr.Dataset:
    """Return the settings along one axis, at the value of the other that has most of them."""
    values, counts = np.unique(dataset[other], return_counts=True)
    some = np.flatnonzero(dataset[other].values == values[counts.argmax()])
    return dataset.isel(setting=some).sortby(axis)


def axes_of(dataset: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the settings by width, and those by the number of active features."""
    squared = of_loss(dataset)
    by_width = along(squared, "n_hidden", "n_active")
    return by_width, along(squared, "n_active", "n_hidden")


def crossing(dataset: xr.Dataset) -> int:
    """Return the setting that lies on both axes, or else one by width."""
    numbered = dataset.assign_coords(place=("setting", np.arange(dataset.sizes["setting"])))
    by_width, by_active = (of["place"].values for of in axes_of(numbered))
    both = np.intersect1d(by_width, by_active)
    return int(both[0] if both.size else by_width[0])
