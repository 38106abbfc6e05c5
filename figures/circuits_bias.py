"""The bias that silences inactive circuits: a smaller one than the post's disturbs x less.

An inactive circuit subtracts b from its vector neurons, an active one makes up for it by
(1 + b) α. The error of x grows with b where several circuits are active, as estimated; at depth
it does for one as well, and b = ¼ errs half as much as the post's b = 1. The indicators do not
know b: their errors are the same to the last bit. The network is that of figures 5 to 7 of
Linsefors & Bushnaq 2025, "Rotations in Superposition"; the sweep is our own.
"""

from typing import Any

import matplotlib.pyplot as plt
import xarray as xr
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

PRESET = "circuits-bias"
X, ON, OFF = "mse_x_active", "mse_on_active", "mse_on_inactive"
LIMITS = (2e-4, 30)  # of the error of x
EARLY = 2  # the layer in which the estimate holds

# z -> b -> error of x in layer 5 (see `circuit_errors`).
REFERENCE = {
    1: {0: 1.15, 0.5: 1.14, 1: 1.79, 1.5: 2.6, 2: 3.56},
    2: {0: 2.04, 0.5: 2.54, 1: 3.91, 1.5: 5.7, 2: 7.88},
    3: {0: 2.84, 0.5: 3.63, 1: 5.58, 1.5: 8.16, 2: 11.4},
}


def compute(**how: Any) -> xr.Dataset:
    """Simulate all biases and take means over seeds; `how` as in `run_preset`."""
    return analyse(run_axes(PRESET, ("bias", "n_active", "seed"), **how))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return means over (bias, n_active) of layer 2 and the last, and the estimate `theory`."""
    layers = [min(EARLY, int(dataset["layer"][-1])), int(dataset["layer"][-1])]
    found = means(dataset, (X, ON, OFF))
    found["theory"] = published(X, dataset)
    return found.sel(layer=layers)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw errors of x early and late, and those of indicators; `ax`: three axes."""
    if ax is None:
        figure, axes = plt.subplots(1, 3, figsize=(12.5, 4.4))
    else:
        axes = ax
        figure = axes[0].figure
    for i, panel in enumerate(axes[:2]):
        cells = dataset.isel(layer=i)
        draw_nothing(panel)
        draw_published(panel, cells, "bias")
        draw_by_active(panel, cells, X, "bias")
        panel.set(yscale="log", ylim=LIMITS, ylabel="mean |x̂ − x|² of active circuits")
        panel.set_title(f"layer {int(cells['layer'])}")
    draw_reference(axes[1], REFERENCE)
    late = dataset.isel(layer=-1)
    draw_by_active(axes[2], late, ON, "bias")
    draw_by_active(axes[2], late, OFF, "bias", ls=":", marker="s")
    axes[2].set(ylim=(0, None), ylabel="mean (α̂ − α)²")
    axes[2].set_title(f"indicators, layer {int(late['layer'])}: no b in them")
    looks = (("active", "-", "o"), ("inactive", ":", "s"))
    axes[2].legend(
        handles=[
            Line2D([], [], color=style.INK, ls=line, marker=marker, ms=4, label=of)
            for of, line, marker in looks
        ]
    )
    for panel in axes:
        panel.set_xlabel("bias b  (the post: 1)")
    draw_key(axes[1], dataset["n_active"].values.tolist(), loc="lower right")
    write_caption(figure, dataset)
    return figure
