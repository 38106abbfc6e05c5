"""What the figures of circuits in superposition share: means, published estimates, curves by z.

Sources: Linsefors & Bushnaq 2025, "Rotations in Superposition". The reference values that figures
draw as hollow markers were measured apart from this project, on the circuits and assignment of
the authors' public code (means of 3 networks, layer 5, D = 1000).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from sweeps.circuits_config import NEURONS, CircuitsConfig

from figures import style
from figures.recipe import preset_config, require_axes, run_of, run_preset
from sweeps.stats import mean_over_seeds
from toymodels.circuits import theory

DEFAULTS = {f.name: f.default for f in dataclasses.fields(CircuitsConfig)}

# By the number of active circuits.
COLORS = {z: color for z, (color, _) in enumerate(style.SERIES, start=1)}

# An error that reading out 0 would make: |x| = 1 and α = 1 in active circuits.
NOTHING = 1.0

# z -> value of the axis -> error
Reference = Mapping[int, Mapping[float, float]]


def run_axes(preset: str, axes: Sequence[str], **how: Any) -> xr.Dataset:
    """Run a preset whose grid has no other axes than these; `how` as in `run_preset`.

    Raises:
        InputError: as `run_preset`, and for an override that adds an axis.
    """
    fast, overrides = how.get("fast", False), how.get("overrides", ())
    require_axes(preset_config(preset, fast=fast, overrides=overrides), axes)
    return run_preset(preset, **how)


def means(dataset: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Return means over seeds, `NAME_mean`, `_low` and `_high` (95 %), and `n`."""
    parts = {}
    for name in names:
        found = mean_over_seeds(dataset, name)
        parts |= {f"{name}_{part}": found[part] for part in ("mean", "low", "high")}
        parts["n"] = found["n"]
    return xr.Dataset(parts, attrs=dataset.attrs)


def quantity(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return what a key of the config is: a number, or one for each value of an axis."""
    if name in dataset.coords:
        return dataset[name].astype(float)
    return xr.DataArray(float(run_of(dataset).get(name, DEFAULTS[name])))


def published(name: str, dataset: xr.Dataset) -> xr.DataArray:
    """Return the published estimate of an error in all cells and layers from 1.

    Args:
        name: "mse_x_active", "mse_on_active", "mse_x_inactive" or "mse_on_inactive".
        dataset: of a sweep over circuits; gives sizes, floats and layers.
    """
    keys = ("n_circuits", "width", "redundancy", "n_active", "bias")
    layer = dataset["layer"][1:].astype(float)
    arrays = xr.broadcast(layer, *(quantity(dataset, key) for key in keys))
    L, T, D, S, z, b = cast(list[Any], [array.values for array in arrays])
    t = theory.overlap_constant(T, D / NEURONS, S)
    if name == "mse_on_active":
        values = np.zeros_like(t)
    elif name == "mse_x_active":
        values = theory.mse_active(L, t, T, z, theory.rotation_strength(b))
    else:
        values = theory.mse_inactive(t, z)
    return arrays[0].copy(data=values)


def draw_by_active(
    ax: Axes, cells: xr.Dataset, name: str, along: str, **line: Any
) -> dict[int, Line2D]:
    """Draw the mean of an error along an axis, with its interval: a line for each z."""
    x, lines = cells[along].values, {}
    for z in cells["n_active"].values.tolist():
        mine = cells.sel(n_active=z)
        mean, low, high = (mine[f"{name}_{part}"].values for part in ("mean", "low", "high"))
        look: dict[str, Any] = {"marker": "o", "ms": 4, "lw": 1.3, "label": f"z = {z}"} | line
        (lines[z],) = ax.plot(x, mean, color=COLORS.get(z, style.INK), **look)
        ax.vlines(x, low, high, color=COLORS.get(z, style.INK), lw=1.3)
    return lines


def draw_published(ax: Axes, cells: xr.Dataset, along: str, name: str = "theory") -> None:
    """Draw the published estimate along an axis, dashed, in the colour of its z."""
    for z in cells["n_active"].values.tolist():
        mine = cells.sel(n_active=z)
        color = COLORS.get(z, style.INK)
        values = np.broadcast_to(mine[name], mine[along].shape)  # level where it knows no such axis
        ax.plot(mine[along], values, color=color, ls=(0, (4, 2)), lw=1, zorder=1)


def draw_reference(ax: Axes, reference: Reference) -> None:
    """Draw reference values as hollow diamonds, in the colour of their z."""
    for z, values in reference.items():
        ax.plot(list(values), list(values.values()), "D", mec=COLORS[z], mfc="none", ms=7, mew=1.1)


def draw_nothing(ax: Axes) -> None:
    """Draw the error of reading out 0."""
    ax.axhline(NOTHING, color="#8A8A8A", ls=":", lw=1.3, zorder=0)


def draw_key(ax: Axes, actives: Sequence[int], reference: bool = True, **where: Any) -> None:
    """Draw the legend: colours for z, and what line and marker mean."""
    ink: dict[str, Any] = {"color": style.INK}
    handles = [Line2D([], [], color=COLORS.get(z, style.INK), lw=3) for z in actives]
    labels = [f"z = {z} active at once" for z in actives]
    others = [
        (Line2D([], [], marker="o", ms=4, lw=1.3, **ink), "measured, mean and 95 % interval"),
        (Line2D([], [], ls=(0, (4, 2)), lw=1, **ink), "published estimate"),
        (Line2D([], [], ls=":", lw=1.4, color="#8A8A8A"), "as bad as reading out 0"),
    ]
    if reference:
        hollow = Line2D([], [], ls="none", marker="D", mfc="none", ms=7, **ink)
        others.insert(1, (hollow, "the authors' circuits, measured apart"))
    handles += [handle for handle, _ in others]
    ax.legend(handles, [*labels, *(label for _, label in others)], **where)
