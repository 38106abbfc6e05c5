"""Which large neurons serve which circuit: prime steps, a transversal design, random subsets.

The post's prime steps keep any two circuits from sharing more than one neuron, but use neurons
unequally, and hold 557 circuits where N = 250, S = 6. A transversal design keeps the same promise,
uses its neurons equally and holds 1681: its error is a fraction. Random subsets, which promise
nothing, are the null: drawn anew for every network and dealt out anew in every layer; their use
of neurons is shown for one draw. Linsefors & Bushnaq 2025, "Rotations in Superposition"; the
comparison is our own.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sweeps.circuits_config import ASSIGNMENTS, NEURONS

from figures import style
from figures.circuit_errors import draw_nothing, means, published, quantity, run_axes
from figures.recipe import write_caption
from toymodels.circuits.assignment import largest_overlap, usage

PRESET = "assignment-designs"
ERROR = "mse_x_active"
LIMITS = (2e-3, 1e5)  # of the error
POST = 557  # circuits of the post, as many as its assignment holds for N = 250, S = 6

# Safe for colour-blind readers (Okabe and Ito); the null in grey.
LOOKS = {
    "prime_steps": ("#D55E00", "o", "prime steps (the post)"),
    "transversal": ("#0072B2", "s", "transversal design"),
    "random_subsets": ("#8A8A8A", "^", "random subsets (null)"),
}

# design -> z -> T -> error of x in layer 5 (see `circuit_errors`).
REFERENCE = {
    "prime_steps": {1: {557: 1.69, 400: 0.389}, 2: {557: 4.19, 400: 1.12}},
    "transversal": {1: {557: 0.466, 400: 0.152}, 2: {557: 0.864, 400: 0.586}},
}


def compute(**how: Any) -> xr.Dataset:
    """Simulate all designs and take means over seeds; `how` as in `run_preset`."""
    return analyse(run_axes(PRESET, ("design", "n_active", "seed"), **how))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return means of the last layer over (design, n_active), and how neurons are used.

    `neurons (assignment, load)`: how many neurons of a block serve so many circuits, with the
    most circuits that every design of the sweep holds; `shared`: the most neurons of a pair.
    """
    found = means(dataset, (ERROR,)).isel(layer=-1)
    found["theory"] = published(ERROR, dataset).isel(layer=-1)
    names = list(dict.fromkeys(dataset["assignment"].values.tolist()))
    counts = [set(found["n_circuits"].values[found["assignment"] == name]) for name in names]
    found.attrs["n_compared"] = max(set.intersection(*counts))
    lists = [_list(dataset, name, found.attrs["n_compared"]) for name in names]
    n_blocks = int(quantity(dataset, "width")) // NEURONS
    loads = [usage(held, n_blocks) for held in lists]
    most = max(load.max() for load in loads)
    neurons = np.stack([np.bincount(load, minlength=most + 1) for load in loads])
    of_list = {"list": names, "load": np.arange(most + 1)}
    found["neurons"] = xr.DataArray(neurons, of_list, ("list", "load"))
    found["shared"] = xr.DataArray([largest_overlap(held, n_blocks) for held in lists], dims="list")
    return found


def _list(dataset: xr.Dataset, name: str, n_circuits: int) -> np.ndarray:
    n_blocks = int(quantity(dataset, "width")) // NEURONS
    return ASSIGNMENTS[name](n_circuits, n_blocks, int(quantity(dataset, "redundancy")))


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw errors for each z and, last, how neurons are used; `ax`: so many axes."""
    actives = dataset["n_active"].values.tolist()
    if ax is None:
        size = (4.3 * len(actives) + 3.6, 4.5)
        figure, axes = plt.subplots(1, len(actives) + 1, figsize=size)
    else:
        axes = np.ravel(ax)
        figure = axes[0].figure
    for panel, z in zip(axes, actives, strict=False):
        _draw_errors(panel, dataset.sel(n_active=z), z)
    axes[0].set_ylabel(f"mean |x̂ − x|² of active circuits, layer {int(dataset['layer'])}")
    _draw_key(axes[0])
    _draw_usage(axes[-1], dataset)
    write_caption(figure, dataset)
    return figure


def _draw_errors(ax: Axes, cells: xr.Dataset, z: int) -> None:
    draw_nothing(ax)
    for name, (color, marker, _) in LOOKS.items():
        mine = cells.isel(design=np.flatnonzero(cells["assignment"] == name)).sortby("n_circuits")
        x, mean = mine["n_circuits"], mine[f"{ERROR}_mean"]
        ax.plot(x, mean, color=color, marker=marker, ms=4, lw=1.3)
        ax.vlines(x, mine[f"{ERROR}_low"], mine[f"{ERROR}_high"], color=color, lw=1.3)
        if name == "transversal":  # the estimate is of T, N and S alone
            ax.plot(x, mine["theory"], color=style.INK, ls=(0, (4, 2)), lw=1, zorder=1)
        values = REFERENCE.get(name, {}).get(z, {})
        ax.plot(list(values), list(values.values()), "D", mec=color, mfc="none", ms=8, mew=1.1)
    ax.axvline(POST, color=style.GREY, lw=0.8, zorder=0)
    ax.annotate(
        f"the post's T = {POST}", (POST, 0.02), (4, 0), ("data", "axes fraction"), "offset points",
        fontsize=7.5, color="#666666",
    )  # fmt: skip
    ax.set(yscale="log", ylim=LIMITS, xlabel="circuits T", title=f"z = {z} active at once")


def _draw_key(ax: Axes) -> None:
    handles = [
        Line2D([], [], color=color, marker=marker, ms=4, label=label)
        for color, marker, label in LOOKS.values()
    ]
    ink: dict[str, Any] = {"color": style.INK}
    handles += [
        Line2D([], [], ls="none", marker="D", mfc="none", ms=8, label="measured apart", **ink),
        Line2D([], [], ls=(0, (4, 2)), lw=1, label="published estimate", **ink),
        Line2D([], [], ls=":", lw=1.4, color="#8A8A8A", label="as bad as reading out 0"),
    ]
    ax.legend(
        handles=handles, loc="upper left", fontsize=7.5, frameon=True, facecolor="w", edgecolor="w"
    )


def _draw_usage(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how many circuits the neurons serve, one row of bars for each design."""
    for i, name in enumerate(dataset["list"].values.tolist()):
        neurons = dataset["neurons"].sel(list=name)
        share = neurons / neurons.sum()
        color, _, label = LOOKS[name]
        ax.bar(dataset["load"], share, bottom=-i, width=0.9, color=color)
        most = int(dataset["shared"][i])
        ax.text(
            0.02, 0.45 - i, f"{label}\na pair shares ≤ {most}", fontsize=7.5, va="center",
            transform=ax.get_yaxis_transform(),
        )  # fmt: skip
        ax.axhline(-i, color=style.INK, lw=0.6)
    ax.set(yticks=[], xlabel="circuits served by a neuron", ylim=(-dataset.sizes["list"] + 0.9, 1))
    ax.set_title(f"use of neurons, T = {dataset.attrs['n_compared']}")
    ax.set_ylabel("share of neurons")
