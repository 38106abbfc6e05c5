"""The bias that silences inactive circuits: a smaller one than the post's disturbs x less.

An inactive circuit subtracts b from its vector neurons, an active one makes up for it by
(1 + b) α. The error of x grows with b where several circuits are active, as estimated; at depth
it does for one as well. The indicators do not know b: their errors are the same to the last bit.
The network is that of Figures 5 to 7 of Linsefors & Bushnaq 2025, "Rotations in Superposition"; the
sweep is our own.
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
    published_error,
)
from figures.circuits.reference import described, is_published, published, with_reference
from figures.kit import style
from figures.kit.panels import legend_of, panels
from figures.kit.words import listed, rounded

X, ON, OFF = "mse_x_active", "mse_on_active", "mse_on_inactive"
EARLY = 2  # the layer in which the estimate holds

# Curves of the indicators.
KINDS: dict[str, dict[str, Any]] = {
    "indicators of active circuits": {"color": style.INK, "lw": 1.4},
    "indicators of inactive circuits": {"color": style.INK, "lw": 1.4, "ls": ":"},
}

# What the analysis' own variables are.
WORDS = {
    "theory": "published estimate",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return means over (bias, n_active) of layer 2 and the last, `theory` and `reference`."""
    layers = sorted({min(EARLY, int(dataset["layer"][-1])), int(dataset["layer"][-1])})
    found = geometric_means(dataset, [X]).merge(means(dataset, [ON, OFF]))
    found["theory"] = published_error(X, dataset)
    return with_reference(found.sel(layer=layers), X)


def claim(dataset: xr.Dataset) -> str:
    """Say which bias errs least in the last layer, and whether indicators know it."""
    late = dataset.isel(layer=-1)
    error, bias = late[f"{X}_mean"], late["bias"]
    best = error.fillna(np.inf).argmin("bias")
    at = float(bias[int(abs(bias - published("bias")).argmin("bias"))])
    ratio = error.min("bias") / error.sel(bias=at)
    where = [f"{b:g}" for b in bias[best].values]
    where = where[:1] if len(set(where)) == 1 else where
    start = (
        f"With {listed(actives(late))} active at once the error of x in layer "
        f"{int(late['layer'])} is least at b = {listed(where)}: "
        f"{listed(map(rounded, ratio.values))} times that at b = {at:g}"
    )
    spread = max(_spread(late[f"{name}_mean"]) for name in (ON, OFF))
    knows = f"change by up to {spread:.0%}" if spread > 0 else "do not change at all"
    return f"{start}; indicators {knows}"


def finding(dataset: xr.Dataset) -> str:
    """Give the least error of the last layer and that of the published bias, with intervals."""
    late = dataset.isel(layer=-1)
    return f"Error of x by b: {compared_along(late, X, 'bias', published('bias'))}"


def _spread(errors: xr.DataArray) -> float:
    """Return how much errors change along the bias, relative to the largest."""
    most = float(errors.max())
    return float((errors.max("bias") - errors.min("bias")).max()) / most if most else 0.0


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are."""
    return [GEOMETRIC, "those of indicators: arithmetic ones", *described(dataset)]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw errors of x early and late, and those of indicators."""
    layers = dataset["layer"].values.tolist()
    names = [f"layer {layer}" for layer in layers]
    mosaic = [[*names, "indicators"]]
    figure, panel = panels(axes, mosaic, figsize=(3.8 * len(mosaic[0]) + 2.4, 4.3))
    errors = dataset[[f"{X}_low", f"{X}_mean", f"{X}_high", "theory", "reference"]].to_array()
    some = errors.where(errors > 0)
    for layer, name in zip(layers, names, strict=True):
        cells = dataset.sel(layer=layer)
        draw_reading_zero(panel[name])
        draw_estimates(panel[name], cells, "bias")
        draw_curves(panel[name], cells, X, "bias")
        draw_reference(panel[name], cells, "bias")
        panel[name].set(yscale="log", ylim=(0.6 * float(some.min()), 1.7 * float(some.max())))
        panel[name].set_title(name)
        panel[name].tick_params(labelleft=name == names[0])
    panel[names[0]].set_ylabel("mean |x̂ − x|² of active circuits")
    _draw_indicators(panel["indicators"], dataset.isel(layer=-1))
    said = f"  (the post: {published('bias'):g})" if is_published(dataset, but=["bias"]) else ""
    for ax in panel.values():
        ax.set_xlabel(f"bias b{said}")
    measured = "measured, geometric mean\nand 95 % interval"
    found = looks(dataset, measured) | KINDS
    legend_of(panel["indicators"], found, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _draw_indicators(ax: Axes, late: xr.Dataset) -> None:
    draw_curves(ax, late, ON, "bias")
    draw_curves(ax, late, OFF, "bias", ls=":")
    ax.set(ylim=(0, None), ylabel="mean (α̂ − α)²")
    ax.set_title(f"indicators, layer {int(late['layer'])}")
