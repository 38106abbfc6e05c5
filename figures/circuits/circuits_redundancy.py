"""How many large neurons for each small one: fewer than the post's six.

With one neuron each, circuits that share nothing are exact, but T may not pass D / d. With two a
single neighbour is half of what a circuit hears; with more each neuron serves more circuits, and
unused ones switch on. The published estimate knows only that overlap. Numbers of circuits: as
many as copies of a small neuron, and 1.6 times as many. Of Linsefors & Bushnaq 2025, "Rotations in
Superposition", the construction; the sweep is our own.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.errors import (
    EVERY_NETWORK,
    actives,
    copies,
    draw_estimates,
    draw_networks,
    draw_reading_zero,
    draw_reference,
    each_network,
    looks,
    means,
    published_error,
    spread_along,
)
from figures.circuits.reference import described, is_published, published, with_reference
from figures.kit import style
from figures.kit.panels import legend_of, panels
from figures.kit.words import rounded

ERROR = "mse_x_active"
SMALLEST = 1e-3  # below it the axis is linear, down to an exact 0
ROUNDING = 1e-9

# What the analysis' own variables are.
WORDS = {
    "theory": "published estimate",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return errors of the last layer over (network, n_active), their estimate and reference.

    `mse_x_active` (…, seed), its `_mean`; `theory`; `reference`.
    """
    dataset = spread_along(dataset, "network", ("n_circuits", "redundancy"))
    found = means(dataset, [ERROR])[[f"{ERROR}_mean"]]
    found[ERROR] = each_network(dataset, ERROR).assign_attrs(dataset[ERROR].attrs)
    found["theory"] = published_error(ERROR, dataset)
    return with_reference(found.isel(layer=-1), ERROR)


def claim(dataset: xr.Dataset) -> str:
    """Say which redundancy errs least for each number of circuits, and compare the post's."""
    z = actives(dataset)[0]
    parts = []
    for n_circuits in numbers(dataset):
        mine = _of(dataset, n_circuits)
        error = mine[f"{ERROR}_mean"].sel(n_active=z)
        best = error.isel(network=int(error.fillna(np.inf).argmin("network")))
        other = error.isel(network=_known(mine))
        parts.append(
            f"at S = {int(best['redundancy'])} for T = {n_circuits} ({_said(best)}, and "
            f"{_said(other)} at S = {int(other['redundancy'])})"
        )
    return (
        f"With {z} active at once errors in layer {int(dataset['layer'])} are least "
        f"{' and '.join(parts)}"
    )


def _known(mine: xr.Dataset) -> int:
    """Return which network has the redundancy of the post, or else the most."""
    redundancy = mine["redundancy"].values
    post = np.flatnonzero(redundancy == published("redundancy"))
    return int(post[0]) if post.size else int(redundancy.argmax())


def _said(error: xr.DataArray) -> str:
    return "0" if float(error) < ROUNDING else rounded(error)


def numbers(dataset: xr.Dataset) -> list[int]:
    """Return the numbers of circuits, one for each panel."""
    return np.unique(dataset["n_circuits"]).tolist()


def _of(dataset: xr.Dataset, n_circuits: int) -> xr.Dataset:
    some = np.flatnonzero(dataset["n_circuits"].values == n_circuits)
    return dataset.isel(network=some).sortby("redundancy")


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are."""
    return [EVERY_NETWORK, *described(dataset)]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw a panel for each number of circuits."""
    names = [f"T = {n}" for n in numbers(dataset)]
    size = (4.6 * len(names) + 2.4, 4.6)
    figure, panel = panels(axes, [names], figsize=size, sharey=True)
    for name, n_circuits in zip(names, numbers(dataset), strict=True):
        _draw_panel(panel[name], _of(dataset, n_circuits), n_circuits)
        _scale(panel[name], dataset)
    layer = int(dataset["layer"])
    panel[names[0]].set_ylabel(f"mean |x̂ − x|² of active circuits, layer {layer}")
    found = looks(dataset, "measured, mean over networks")
    legend_of(panel[names[-1]], found, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _draw_panel(ax: Axes, mine: xr.Dataset, n_circuits: int) -> None:
    draw_reading_zero(ax)
    draw_estimates(ax, mine, "redundancy")
    draw_networks(ax, mine, ERROR, "redundancy")
    draw_reference(ax, mine, "redundancy")
    ratio = n_circuits / float(copies(mine))
    ax.set_title(f"T = {n_circuits} circuits, {ratio:.3g} for each copy of a small neuron")
    said = ""
    if is_published(mine, but=("n_circuits", "redundancy")):
        said = f"  (the post: {published('redundancy')})"
        ax.axvline(published("redundancy"), color=style.GREY, lw=0.8, zorder=0)
    ax.set_xlabel(f"redundancy S, large neurons for each small one{said}")
    ax.set_xticks(mine["redundancy"].values)


def _scale(ax: Axes, dataset: xr.Dataset) -> None:
    most = 2 * max(float(dataset[ERROR].max()), float(dataset["theory"].max()), 1)
    ax.set_yscale("symlog", linthresh=SMALLEST, linscale=0.4)
    ax.set_yticks([0, *10.0 ** np.arange(np.log10(SMALLEST), np.log10(most))])
    ax.set_ylim(-0.2 * SMALLEST, most)
    ax.minorticks_off()
