"""Figures 1, 2 and 4: some circuits' vectors through the layers, true and as read out.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6). Each active circuit turns its
vector by its own angle in every layer. What is read out follows for two or three rotations with
one active circuit and fewer with more, then leaves the circle. Examples of one network, not a
measurement: that is `rotations-error`.
"""

from itertools import pairwise
from typing import Any

import jax
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.errors import NOTHING, actives
from figures.kit import style
from figures.kit.panels import legend_of, panels
from figures.kit.settings import require_at_least
from figures.kit.words import listed
from toymodels.circuits.simulation import rotation_network, rotation_trajectories

LIMIT = 1.6  # of the panels
TRUE, READ = style.SERIES[2][0], style.SERIES[3][0]
SIZES = ("n_circuits", "width", "redundancy", "n_layers")

# What the analysis' own variables are.
WORDS = {
    "true": "vector of an active circuit",
    "estimated": "vector as read out",
    "error": "length of the difference",
    "circuit": "number of the circuit",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Follow one active circuit of each example through one network, for each z.

    `true` and `estimated` (n_active, example, layer, component), `circuit` (n_active, example),
    and `error` (n_active, example, layer), the length of the difference.

    Raises:
        InputError: settings that are not possible.
    """
    require_at_least("n_examples", int(dataset["n_examples"]), 1)
    require_at_least("seed", int(dataset["seed"]), 0)
    key, n = jax.random.key(int(dataset["seed"])), int(dataset["n_examples"])
    sizes: dict[str, Any] = {name: int(dataset[name]) for name in SIZES}
    network = rotation_network(key, **sizes)
    rows = [rotation_trajectories(key, network, n_active=z, n_samples=n) for z in actives(dataset)]
    true, read, circuit = (
        np.stack([getattr(row, name)[:, 0] for row in rows])
        for name in ("true_x", "estimated_x", "active")
    )
    dims = ("n_active", "example", "layer", "component")
    return dataset.assign(
        true=(dims, true),
        estimated=(dims, read),
        error=(dims[:3], np.linalg.norm(read - true, axis=-1)),
        circuit=(dims[:2], circuit),
    ).assign_coords(layer=np.arange(sizes["n_layers"] + 1))


def claim(dataset: xr.Dataset) -> str:
    """Count the examples that are read better than 0, halfway and in the last layer."""
    n, last = dataset.sizes["example"], dataset.sizes["layer"] - 1
    good = (dataset["error"] < NOTHING).sum("example").transpose("layer", "n_active")
    middle, end = (listed(good.sel(layer=at).values) for at in ((last + 1) // 2, last))
    return (
        f"Of {n} vectors each, with {listed(actives(dataset))} of {int(dataset['n_circuits'])} "
        f"circuits active, {middle} are read with an error below {NOTHING:g} in layer "
        f"{(last + 1) // 2} and {end} in layer {last}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is drawn."""
    n, last = dataset.sizes["example"], dataset.sizes["layer"] - 1
    return [
        f"S = {int(dataset['redundancy'])}",
        f"one network, one active circuit of each of the first {n} examples",
        f"numbers: |x̂ − x| in layers 1 to {last}; green dot: layer 0; grey: the unit circle",
        f"panels end at {LIMIT:g}",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw a row of panels per z."""
    z, n = actives(dataset), dataset.sizes["example"]
    names = [[f"z = {k}, example {i}" for i in range(n)] for k in z]
    size = (1.85 * n + 2.2, 1.95 * len(z) + 0.9)
    figure, panel = panels(axes, names, figsize=size)
    for i, row in enumerate(names):
        for k, name in enumerate(row):
            _draw_panel(panel[name], dataset.isel(n_active=i, example=k))
        panel[row[0]].set_ylabel(f"z = {z[i]} active at once")
    looks: dict[str, dict[str, Any]] = {
        "true": {"color": TRUE, "marker": ">", "ms": 5},
        "read out": {"color": READ, "marker": "o", "ms": 4},
        f"off by more than {NOTHING:g}": {"color": READ, "marker": "o", "ms": 4, "mfc": "white"},
    }
    legend_of(panel[names[0][-1]], looks, loc="upper left", bbox_to_anchor=(1.02, 1))
    return figure


def _draw_panel(ax: Axes, one: xr.Dataset) -> None:
    turn = np.linspace(0, 2 * np.pi, 181)
    ax.plot(np.cos(turn), np.sin(turn), color=style.GREY, lw=1.0, zorder=0)
    true, read = one["true"].values, one["estimated"].values
    for tail, head in pairwise(true):
        arrow = {"arrowstyle": "-|>", "color": TRUE, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", head, tail, arrowprops=arrow, annotation_clip=False)
    ax.plot(*true[0], "o", color=TRUE, ms=6, zorder=2)
    ax.plot(*read.T, color=READ, lw=1.2, zorder=3)
    is_off = one["error"].values > NOTHING  # reading 0 would be better
    face = np.where(is_off, "white", READ)
    ax.scatter(*read.T, s=10 + 4 * one["layer"].values, color=face, edgecolor=READ, zorder=4)
    ax.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal", xticks=[], yticks=[])
    ax.set_facecolor(style.CREAM)
    ax.spines[:].set_visible(False)
    errors = "  ".join(f"{e:.1f}" for e in one["error"].values[1:])
    ax.set_title(f"|x̂ − x|  {errors}", fontsize=7.5, color=style.NOTE)
