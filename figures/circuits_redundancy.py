"""How many large neurons for each small one: three or four rather than the post's six.

With one neuron each, circuits that share nothing are exact, but T may not pass D / d. With two a
single neighbour is half of what a circuit hears; with more each neuron serves more circuits, and
unused ones switch on. The published estimate knows only that overlap. Numbers of circuits: as
many as neurons of a block, and 1.6 times as many. Of Linsefors & Bushnaq 2025, "Rotations in
Superposition", the construction; the sweep is our own.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sweeps.circuits_config import NEURONS

from figures import style
from figures.circuit_errors import (
    draw_by_active,
    draw_key,
    draw_nothing,
    draw_published,
    draw_reference,
    means,
    published,
    quantity,
    run_axes,
)
from figures.recipe import write_caption

PRESET = "circuits-redundancy"
ERROR = "mse_x_active"
POST = 6  # the post's redundancy
SMALLEST = 1e-3  # below it the axis is linear, down to an exact 0

# T -> z -> S -> error of x in layer 5 (see `circuit_errors`).
REFERENCE = {
    250: {
        1: {1: 0, 2: 0.0751, 3: 0.0304, 4: 0.0292, 5: 0.0326, 6: 0.0349, 7: 0.0895},
        2: {1: 0, 2: 0.209, 3: 0.227, 4: 0.254, 5: 0.298, 6: 0.324, 7: 0.632},
        3: {1: 0, 2: 0.324, 3: 0.414, 4: 0.461, 5: 0.511, 6: 0.57, 7: 0.936},
    },
    400: {
        1: {1: 0.175, 2: 0.289, 3: 0.135, 4: 0.148, 5: 0.186, 6: 0.417},
        2: {1: 0.397, 2: 0.598, 3: 0.521, 4: 0.536, 5: 0.671, 6: 1.13},
        3: {1: 0.654, 2: 0.817, 3: 0.722, 4: 0.768, 5: 0.897, 6: 1.49},
    },
}


def compute(**how: Any) -> xr.Dataset:
    """Simulate all networks and take means over seeds; `how` as in `run_preset`."""
    return analyse(run_axes(PRESET, ("network", "n_active", "seed"), **how))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return means of the last layer over (network, n_active), and the estimate `theory`."""
    found = means(dataset, (ERROR,)).isel(layer=-1)
    found["theory"] = published(ERROR, dataset).isel(layer=-1)
    found["n_blocks"] = quantity(dataset, "width") / NEURONS
    return found


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw a panel for each number of circuits; `ax`: as many axes."""
    numbers = np.unique(dataset["n_circuits"]).tolist()
    if ax is None:
        size = (5.2 * len(numbers), 4.6)
        figure, axes = plt.subplots(1, len(numbers), figsize=size, sharey=True, squeeze=False)
        axes = axes[0]
    else:
        axes = np.ravel(ax)
        figure = axes[0].figure
    for panel, n_circuits in zip(axes, numbers, strict=True):
        _draw_panel(panel, dataset, n_circuits)
    layer = int(dataset["layer"])
    axes[0].set_ylabel(f"mean |x̂ − x|² of active circuits, layer {layer}")
    draw_key(axes[0], dataset["n_active"].values.tolist(), loc="upper left")
    write_caption(figure, dataset)
    return figure


def _draw_panel(ax: Axes, dataset: xr.Dataset, n_circuits: int) -> None:
    mine = dataset.isel(network=np.flatnonzero(dataset["n_circuits"] == n_circuits))
    mine = mine.sortby("redundancy")
    draw_nothing(ax)
    draw_published(ax, mine, "redundancy")
    draw_by_active(ax, mine, ERROR, "redundancy")
    draw_reference(ax, REFERENCE.get(n_circuits, {}))
    share = n_circuits / float(mine["n_blocks"])
    ax.set_title(f"T = {n_circuits} circuits, {share:.3g} for each neuron of a block")
    ax.set_xlabel("redundancy S, large neurons for each small one  (the post: 6)")
    ax.set_yscale("symlog", linthresh=SMALLEST, linscale=0.4)
    ax.set_yticks([0, 1e-3, 1e-2, 1e-1, 1])
    ax.set_ylim(-0.2 * SMALLEST, 100)
    ax.axvline(POST, color=style.GREY, lw=0.8, zorder=0)
    ax.set_xticks(mine["redundancy"].values)
    ax.minorticks_off()
