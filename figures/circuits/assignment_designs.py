"""Which large neurons serve which circuit: prime steps, a transversal design, random subsets.

The post's prime steps keep any two circuits from sharing more than one neuron, but use neurons
unequally, and hold 557 circuits where N = 250, S = 6. A transversal design keeps the same promise,
uses its neurons equally and holds 1681. Random subsets, which promise nothing, are the null: drawn
anew for every network and dealt out anew in every layer. Linsefors & Bushnaq 2025, "Rotations in
Superposition"; the comparison is our own.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.errors import (
    ESTIMATE,
    GEOMETRIC,
    HOLLOW,
    ZERO,
    actives,
    copies,
    draw_reading_zero,
    geometric_means,
    published_error,
    spread_along,
    with_interval,
)
from figures.circuits.reference import described, is_published, published, with_reference
from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.words import listed, rounded
from sweeps.config.registry import find
from toymodels.circuits.assignment import largest_overlap, usage

ERROR = "mse_x_active"

LOOKS = {
    "prime_steps": ({"color": style.SERIES[5][0], "marker": "o", "ms": 4}, "prime steps"),
    "transversal": ({"color": style.SERIES[0][0], "marker": "s", "ms": 4}, "transversal designs"),
    "random_subsets": ({"color": style.NULL, "marker": "^", "ms": 4}, "random subsets"),
}

# What the analysis' own variables are.
WORDS = {
    "theory": "published estimate",
    "neurons": "neurons of a block that serve so many circuits",
    "shared": "the most neurons that a pair of circuits shares",
}


def look_of(name: str) -> tuple[dict[str, Any], str]:
    """Return how a design is drawn and called; one of the user's own in ink, by its name."""
    return LOOKS.get(name, ({"color": style.INK, "marker": "D", "ms": 4}, name.rpartition(":")[2]))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return means of the last layer over (design, n_active), and how neurons are used.

    `n_compared`: the most circuits that every design of the sweep has; with it, `neurons
    (list, load)`: how many neurons of a block serve so many circuits, and `shared (list)`: the most
    neurons of a pair of circuits. Of a design that is drawn, one example.
    """
    dataset = spread_along(dataset, "design", ("assignment", "n_circuits"))
    found = geometric_means(dataset, [ERROR])
    found["theory"] = published_error(ERROR, dataset)
    found = with_reference(found.isel(layer=-1), ERROR)
    names = designs(found)
    compared = int(_compared(found))
    n_copies, redundancy = int(copies(dataset)), int(dataset["redundancy"])
    lists = [find("assignment", name)(compared, n_copies, redundancy) for name in names]
    loads = [usage(held, n_copies) for held in lists]
    most = max(load.max() for load in loads)
    neurons = np.stack([np.bincount(load, minlength=most + 1) for load in loads])
    return found.assign(
        neurons=(("list", "load"), neurons),
        shared=("list", [largest_overlap(held, n_copies) for held in lists]),
    ).assign_coords(list=names, load=np.arange(most + 1), n_compared=compared)


def designs(dataset: xr.Dataset) -> list[str]:
    """Return the names of the designs."""
    return list(dict.fromkeys(dataset["assignment"].values.tolist()))


def _compared(dataset: xr.Dataset) -> int:
    counts = [set(_of(dataset, name)["n_circuits"].values.tolist()) for name in designs(dataset)]
    return max(set.intersection(*counts))


def _of(dataset: xr.Dataset, name: str) -> xr.Dataset:
    some = np.flatnonzero(dataset["assignment"].values == name)
    return dataset.isel(design=some).sortby("n_circuits")


def _alike(dataset: xr.Dataset, name: str) -> xr.Dataset:
    """Return a design's cells where all designs have as many circuits."""
    mine = _of(dataset, name)
    return mine.isel(
        design=int(np.flatnonzero(mine["n_circuits"].values == int(dataset["n_compared"]))[0])
    )


def claim(dataset: xr.Dataset) -> str:
    """Compare the designs' errors where all have as many circuits."""
    z, compared = actives(dataset)[0], int(dataset["n_compared"])
    parts = []
    for name in designs(dataset):
        error = _alike(dataset, name)[f"{ERROR}_mean"].sel(n_active=z)
        parts.append(f"{rounded(error)} with {look_of(name)[1]}")
    return (
        f"For {compared} circuits, {z} active at once, the error in layer {int(dataset['layer'])} "
        f"is {listed(parts)}"
    )


def finding(dataset: xr.Dataset) -> str:
    """Give the designs' errors where all have as many circuits, with intervals, for each z."""
    parts = []
    for z in actives(dataset):
        cells = {name: _alike(dataset, name).sel(n_active=z) for name in designs(dataset)}
        errors = [f"{look_of(name)[1]} {with_interval(of, ERROR)}" for name, of in cells.items()]
        parts.append(f"z = {z}: {', '.join(errors)}")
    return f"Errors for {int(dataset['n_compared'])} circuits: {'; '.join(parts)}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are."""
    return [
        GEOMETRIC,
        "every network has a random list of its own; its use of neurons is shown for one",
        *described(dataset),
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw errors for each z and, last, how neurons are used."""
    z = actives(dataset)
    names = [f"z = {n}" for n in z]
    size = (4.1 * len(z) + 5.4, 4.5)
    figure, panel = panels(axes, [[*names, "use"]], figsize=size)
    every = dataset[[f"{ERROR}_low", f"{ERROR}_high", f"{ERROR}_mean", "reference"]].to_array()
    theory = dataset["theory"]
    least = min(float(every.where(every > 0).min()), float(theory.where(theory > 0).min()))
    limits = (0.6 * least, 1.7 * max(float(every.max()), 1))
    for name, n in zip(names, z, strict=True):
        _draw_errors(panel[name], dataset.sel(n_active=n))
        panel[name].set(
            yscale="log", ylim=limits, xlabel="circuits T", title=f"{name} active at once"
        )
    layer = int(dataset["layer"])
    panel[names[0]].set_ylabel(f"mean |x̂ − x|² of active circuits, layer {layer}")
    _draw_usage(panel["use"], dataset)
    _draw_key(panel["use"], dataset)
    return figure


def _draw_errors(ax: Axes, cells: xr.Dataset) -> None:
    draw_reading_zero(ax)
    for name in designs(cells):
        mine, (look, _) = _of(cells, name), look_of(name)
        x = mine["n_circuits"].values
        mean, low, high = (mine[f"{ERROR}_{part}"].values for part in ("mean", "low", "high"))
        draw_interval(ax, x, mean, low, high, **look)
        ax.plot(x, mine["reference"], **HOLLOW, color=look["color"], zorder=4)
    every = cells.sortby("n_circuits")  # the estimate is of T, N and S alone
    ax.plot(every["n_circuits"], every["theory"], color=style.INK, **ESTIMATE, zorder=1)
    if is_published(cells, but=("assignment", "n_circuits")):
        post = published("n_circuits")
        ax.axvline(post, color=style.GREY, lw=0.8, zorder=0)
        place: dict[str, Any] = {"fontsize": 7.5, "color": style.NOTE}
        where = ((post, 0.02), (4, 0), ("data", "axes fraction"), "offset points")
        ax.annotate(f"the post's T = {post}", *where, **place)


def _draw_key(ax: Axes, dataset: xr.Dataset) -> None:
    found = {label: look for look, label in map(look_of, designs(dataset))}
    ink: dict[str, Any] = {"color": style.INK}
    if described(dataset):
        found["measured apart"] = ink | HOLLOW
    found["published estimate"] = ink | ESTIMATE
    found["as bad as reading out 0"] = ZERO
    legend_of(ax, found, loc="upper left", bbox_to_anchor=(1.01, 1))


def _draw_usage(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how many circuits the neurons serve, one row of bars for each design."""
    for i, name in enumerate(dataset["list"].values.tolist()):
        neurons = dataset["neurons"].sel(list=name)
        look, label = look_of(name)
        ax.bar(dataset["load"], neurons / neurons.sum(), bottom=-i, width=0.9, color=look["color"])
        ax.annotate(
            f"{label}\na pair shares ≤ {int(dataset['shared'].sel(list=name))}",
            (0.02, 0.95 - i),
            xycoords=("axes fraction", "data"),
            fontsize=7.5,
            va="top",
        )
        ax.axhline(-i, color=style.INK, lw=0.6)
    ax.set(yticks=[], xlabel="circuits served by a neuron", ylim=(-dataset.sizes["list"] + 0.9, 1))
    ax.set_title(f"use of neurons, T = {int(dataset['n_compared'])}")
    ax.set_ylabel("share of neurons")
