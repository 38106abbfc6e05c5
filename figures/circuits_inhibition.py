"""Inhibition between circuits: too little floods the network, too much switches circuits off.

The published χ makes a circuit hear nothing of the others on average; here it is multiplied.
Without inhibition all indicators end on. Past the balance errors fall, below those of the post
by a factor of 3; but with two or more active circuits that is because they die: from 1.5 times
on nearly all are lost and the error is that of reading out 0. A single one survives. The network
is that of figures 5 to 7 of Linsefors & Bushnaq 2025, "Rotations in Superposition"; the sweep is
our own.
"""

from typing import Any

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import style
from figures.circuit_errors import (
    draw_by_active,
    draw_key,
    draw_nothing,
    draw_published,
    draw_reference,
    means,
    published,
    run_axes,
)
from figures.recipe import write_caption

PRESET = "circuits-inhibition"
ERROR, LOST, SPURIOUS = "mse_x_active", "dropped", "spurious"
PUBLISHED = 1.0  # the multiplier of the post

# z -> multiplier -> error of x in layer 5 (see `circuit_errors`).
REFERENCE = {
    1: {0: 5730, 0.5: 651, 1: 1.72, 1.15: 0.623, 1.3: 0.547, 1.5: 0.547, 2: 0.544, 3: 0.409},
    2: {0: 11300, 0.5: 1180, 1: 3.68, 1.15: 0.987, 1.3: 0.924, 1.5: 0.968, 2: 0.994, 3: 1.0},
    3: {0: 16900, 0.5: 1590, 1: 5.18, 1.15: 1.08, 1.3: 0.982, 1.5: 0.998, 2: 1.0, 3: 1.0},
}


def compute(**how: Any) -> xr.Dataset:
    """Simulate all multipliers and take means over seeds; `how` as in `run_preset`."""
    return analyse(run_axes(PRESET, ("inhibition", "n_active", "seed"), **how))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return means of the last layer over (inhibition, n_active), and the estimate `theory`."""
    found = means(dataset, (ERROR, LOST, SPURIOUS)).isel(layer=-1)
    found["theory"] = published(ERROR, dataset).isel(layer=-1)
    return found


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw the error and, beside it, which circuits are lost or switched on; `ax`: two axes."""
    if ax is None:
        figure, axes = plt.subplots(1, 2, figsize=(10, 4.5))
    else:
        axes = ax
        figure = axes[0].figure
    layer = int(dataset["layer"])
    draw_nothing(axes[0])
    draw_published(axes[0], dataset, "inhibition")
    draw_by_active(axes[0], dataset, ERROR, "inhibition")
    draw_reference(axes[0], REFERENCE)
    axes[0].set(yscale="log", ylabel=f"mean |x̂ − x|² of active circuits, layer {layer}")
    draw_key(axes[0], dataset["n_active"].values.tolist(), loc="upper right")
    _draw_lost(axes[1], dataset, layer)
    for panel in axes:
        panel.set_xlabel("inhibition, times the published χ")
        panel.axvline(PUBLISHED, color=style.GREY, lw=0.8, zorder=0)
    write_caption(figure, dataset)
    return figure


def _draw_lost(ax: Axes, dataset: xr.Dataset, layer: int) -> None:
    draw_by_active(ax, dataset, LOST, "inhibition")
    draw_by_active(ax, dataset, SPURIOUS, "inhibition", ls=":", marker="s")
    ax.set(ylim=(-0.02, 1.02), ylabel=f"share of circuits, layer {layer}")
    ax.legend(
        handles=[
            Line2D([], [], color=style.INK, marker="o", ms=4, label="active, but lost: α̂ < ½"),
            Line2D(
                [], [], color=style.INK, marker="s", ms=4, ls=":", label="inactive, but on: α̂ > ½"
            ),
        ],
        loc="center right",
    )
