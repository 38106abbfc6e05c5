"""What the figures of circuits share: means over networks, published estimates, curves by z.

A seed is a network. Errors are heavy-tailed between networks, and some are exactly 0. On a
logarithmic axis stands the geometric mean with its interval, which cannot reach below 0; on an axis
that goes down to 0 stand the mean and every network.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from figures.circuits.reference import described
from figures.kit import style
from figures.kit.panels import draw_interval
from figures.kit.words import within
from sweeps.stats import mean_over_seeds
from toymodels.circuits import theory
from toymodels.circuits.small_circuits import ROTATION_NEURONS

# An error that reading out 0 would make: |x| = 1 and α = 1 in active circuits.
NOTHING = 1.0

ESTIMATE: dict[str, Any] = {"ls": (0, (4, 2)), "lw": 1}
SMALL: dict[str, Any] = {"ls": "none", "marker": ".", "ms": 3.5, "mew": 0, "color": style.INK}
HOLLOW: dict[str, Any] = {"ls": "none", "marker": "D", "mfc": "none", "ms": 7.5, "mew": 1.1}
ZERO: dict[str, Any] = {"color": style.NULL, "ls": ":", "lw": 1.3}

# Parts of captions.
GEOMETRIC = "errors of x: geometric means over networks, bars their 95 % intervals"
EVERY_NETWORK = "marks: means over networks; small dots: each network"


def copies(dataset: xr.Dataset) -> xr.DataArray:
    """Return N = D / d, the copies of each small neuron, of one network or of each."""
    return dataset["width"] / ROTATION_NEURONS


def spread_along(dataset: xr.Dataset, dim: str, names: Sequence[str]) -> xr.Dataset:
    """Give each value along a dimension its own number or name, also where all share one."""
    size = dataset.sizes[dim]
    each = {name: (dim, np.broadcast_to(dataset[name].values, size)) for name in names}
    return dataset.assign_coords(each)


def each_network(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return an error of every network, NaN where it blew up."""
    return dataset[name].where(dataset["diverged"] == 0)


def means(dataset: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Return means over seeds: `NAME_mean`, `_low` and `_high` (95 %, Student's)."""
    parts = {}
    for name in names:
        found = mean_over_seeds(dataset, name)
        parts |= {
            f"{name}_{part}": _worded(found[of], dataset[name]) for part, of in _PARTS.items()
        }
    return xr.Dataset(parts)


def geometric_means(dataset: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Return geometric means over seeds: as `means`, of the logarithms; 0 where one is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithms = dataset.assign(dataset[list(names)].map(np.log, keep_attrs=True))
        return means(logarithms, names).map(np.exp, keep_attrs=True)


_PARTS = {"mean": "average", "low": "low", "high": "high"}


def _worded(values: xr.DataArray, of: xr.DataArray) -> xr.DataArray:
    return values.assign_attrs(of.attrs)


def published_error(name: str, dataset: xr.Dataset) -> xr.DataArray:
    """Return the published estimate of an error in all cells and layers from 1.

    Args:
        name: "mse_x_active", "mse_on_active", "mse_x_inactive" or "mse_on_inactive".
        dataset: of a sweep over circuits; gives sizes, floats and layers.
    """
    keys = ("n_circuits", "width", "redundancy", "n_active", "bias")
    layer = dataset["layer"][1:].astype(float)
    arrays = xr.broadcast(layer, *(dataset[key].astype(float) for key in keys))
    L, T, D, S, z, b = cast(list[Any], [array.values for array in arrays])
    t = theory.overlap_constant(T, D / ROTATION_NEURONS, S)
    if name == "mse_on_active":
        values = np.zeros_like(t)
    elif name == "mse_x_active":
        values = theory.mse_active(L, t, T, z, theory.rotation_strength(b))
    else:
        values = theory.mse_inactive(t, z)
    return arrays[0].copy(data=values)


def draw_curves(ax: Axes, cells: xr.Dataset, name: str, along: str, **look: Any) -> None:
    """Draw the mean of an error along an axis, with its interval: a curve for each z."""
    for z in cells["n_active"].values.tolist():
        mine = cells.sel(n_active=z)
        mean, low, high = (mine[f"{name}_{part}"].values for part in _PARTS)
        draw_interval(ax, mine[along].values, mean, low, high, **(style.series(z - 1) | look))


def draw_networks(ax: Axes, cells: xr.Dataset, name: str, along: str) -> None:
    """Draw every network's error as a small dot, and the means joined: a curve for each z."""
    for z in cells["n_active"].values.tolist():
        mine, look = cells.sel(n_active=z), style.series(z - 1)
        x = mine[along].values
        ax.plot(x, mine[f"{name}_mean"].values, **look, lw=1.4, zorder=3)
        ax.plot(x, mine[name].transpose(..., "seed").values, **SMALL, zorder=4)


def draw_estimates(ax: Axes, cells: xr.Dataset, along: str) -> None:
    """Draw the published estimate, `theory`, along an axis, dashed in the colour of its z."""
    for z in cells["n_active"].values.tolist():
        mine = cells.sel(n_active=z)
        values = np.broadcast_to(mine["theory"], mine[along].shape)  # level where it knows no axis
        ax.plot(mine[along], values, color=style.series(z - 1)["color"], **ESTIMATE, zorder=1)


def draw_reference(ax: Axes, cells: xr.Dataset, along: str) -> None:
    """Draw what was measured apart as hollow diamonds, where there is something."""
    for z in cells["n_active"].values.tolist():
        mine = cells.sel(n_active=z)
        some = mine["reference"].notnull().values
        if some.any():
            x, y = mine[along].values[some], mine["reference"].values[some]
            ax.plot(x, y, **HOLLOW, color=style.series(z - 1)["color"], zorder=5)


def draw_reading_zero(ax: Axes) -> None:
    """Draw the error of reading out 0."""
    ax.axhline(NOTHING, **ZERO, zorder=0)


def looks(cells: xr.Dataset, measured: str) -> dict[str, dict[str, Any]]:
    """Return what a legend says: the colours of z, and what lines and marks mean."""
    ink = {"color": style.INK}
    found = {f"z = {z} active at once": style.series(z - 1) for z in actives(cells)}
    found[measured] = ink | {"marker": "o", "ms": 4, "lw": 1.4}
    if described(cells):
        found["measured apart"] = ink | HOLLOW
    found["published estimate"] = ink | ESTIMATE
    found["as bad as reading out 0"] = ZERO
    return found


def with_interval(cells: xr.Dataset, name: str) -> str:
    """Write the mean of an error with its interval: "0.92 (0.88–0.97)"."""
    return within(*(cells[f"{name}_{part}"] for part in _PARTS))


def compared_along(cells: xr.Dataset, name: str, along: str, usual: float) -> str:
    """Say for each z the error where it is least along an axis, and at the usual value, or nearest.

    Args:
        cells: with the means and intervals of `means`, over the axis and n_active.
        name: of the error.
        along: the axis.
        usual: its published value.
    """
    parts = []
    for z in actives(cells):
        mine = cells.sel(n_active=z)
        error = mine[f"{name}_mean"].fillna(np.inf)
        if np.isinf(error).all():
            parts.append(f"z = {z}: every network blew up")
            continue
        best = mine.isel({along: int(error.argmin(along))})
        there = mine.sel({along: usual}, method="nearest")
        parts.append(
            f"z = {z}: {with_interval(best, name)} at {float(best[along]):g}, "
            f"{with_interval(there, name)} at {float(there[along]):g}"
        )
    return "; ".join(parts)


def percent(share: Any) -> str:
    """Write a share in a sentence; a dash where there is none."""
    return f"{float(share):.0%}" if np.isfinite(share) else "–"


def actives(cells: xr.Dataset) -> list[int]:
    """Return the numbers of circuits that are active at once."""
    return np.atleast_1d(cells["n_active"].values).tolist()
