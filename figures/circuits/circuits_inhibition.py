"""Inhibition between circuits: too little floods the network, too much switches circuits off.

The published χ makes a circuit hear nothing of the others on average; here it is multiplied.
Without inhibition all indicators end on. Past the balance errors fall below those of the post; but
with two or more active circuits that is because they die: the error is then that of reading out 0.
A single one survives. The network is that of Figures 5 to 7 of Linsefors & Bushnaq 2025, "Rotations
in Superposition"; the sweep is our own.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.errors import (
    GEOMETRIC,
    actives,
    compared_along,
    draw_curves,
    draw_estimates,
    draw_reading_zero,
    draw_reference,
    geometric_means,
    looks,
    means,
    percent,
    published_error,
)
from figures.circuits.reference import described, with_reference
from figures.kit import style
from figures.kit.panels import legend_of, panels
from figures.kit.words import listed

ERROR, DROPPED, SPURIOUS = "mse_x_active", "dropped", "spurious"
PUBLISHED = 1.0  # the multiplier of the published χ

# Curves of the shares.
KINDS: dict[str, dict[str, Any]] = {
    "share of active circuits\nthat are dropped, α̂ < ½": {"color": style.INK, "lw": 1.4},
    "share of inactive circuits\nthat are on, α̂ > ½": {"color": style.INK, "lw": 1.4, "ls": ":"},
}

# What the analysis' own variables are.
WORDS = {
    "theory": "published estimate",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return means of the last layer over (inhibition, n_active), `theory` and `reference`."""
    found = geometric_means(dataset, [ERROR]).merge(means(dataset, [DROPPED, SPURIOUS]))
    found["theory"] = published_error(ERROR, dataset)
    return with_reference(found.isel(layer=-1), ERROR)


def claim(dataset: xr.Dataset) -> str:
    """Say which inhibition errs least, whom it drops, and what happens with the least of it."""
    error = dataset[f"{ERROR}_mean"]
    best = dataset["inhibition"].isel(inhibition=error.fillna(np.inf).argmin("inhibition"))
    dropped = dataset[f"{DROPPED}_mean"].sel(inhibition=best)
    least = dataset.isel(inhibition=int(dataset["inhibition"].argmin("inhibition")))
    on = float(least[f"{SPURIOUS}_mean"].mean())
    return (
        f"With {listed(actives(dataset))} active circuits the error is least at "
        f"{listed(f'{v:g}' for v in best.values)} times the published inhibition, where "
        f"{listed(map(percent, dropped.values))} of them are dropped; at "
        f"{float(least['inhibition']):g} times, {percent(on)} of the inactive ones are on"
    )


def finding(dataset: xr.Dataset) -> str:
    """Give the least error and that of the published inhibition, with intervals."""
    return f"Error by inhibition: {compared_along(dataset, ERROR, 'inhibition', PUBLISHED)}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are."""
    return [GEOMETRIC, "shares: arithmetic ones", *described(dataset)]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw the error and, beside it, which circuits are dropped or wrongly on."""
    figure, panel = panels(axes, [["error", "shares"]], figsize=(12, 4.5))
    error, layer = panel["error"], int(dataset["layer"])
    draw_reading_zero(error)
    draw_estimates(error, dataset, "inhibition")
    draw_curves(error, dataset, ERROR, "inhibition")
    draw_reference(error, dataset, "inhibition")
    error.set(yscale="log", ylabel=f"mean |x̂ − x|² of active circuits, layer {layer}")
    measured = "measured, geometric mean\nand 95 % interval"
    _draw_shares(panel["shares"], dataset, layer)
    where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)}
    legend_of(panel["shares"], looks(dataset, measured) | KINDS, **where)
    for ax in panel.values():
        ax.set_xlabel("inhibition, times the published χ")
        ax.axvline(PUBLISHED, color=style.GREY, lw=0.8, zorder=0)
    return figure


def _draw_shares(ax: Axes, dataset: xr.Dataset, layer: int) -> None:
    draw_curves(ax, dataset, DROPPED, "inhibition")
    draw_curves(ax, dataset, SPURIOUS, "inhibition", ls=":")
    ax.set(ylim=(-0.02, 1.02), ylabel=f"share of circuits, layer {layer}")
