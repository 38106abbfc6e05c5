"""Figure 7: neurons that no active circuit uses switch on from layer 2 on, and then ever more.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6). Dashed: the z S of N neurons
that active circuits use. Bars: a mean field of the others (`toymodels.circuits.switching`),
from the measured link density and inhibition; it has no free parameter.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from figures.circuits.errors import actives, copies, means
from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.words import listed, rounded
from toymodels.circuits.measures import ON
from toymodels.circuits.small_circuits import ROTATION_NEURONS
from toymodels.circuits.switching import Links, share_on, switching_points

BLOCKS = ("a₀ indicator", "a₁ indicator", "a₂ vector", "a₃ vector")
STYLES = ("-", "-", "-", (0, (4, 2)))  # a₂ and a₃ lie on one another
BETWEEN = 0.05  # of a layer
OF_MEAN_FIELD = 3  # layers that it knows
FIELD: dict[str, Any] = {"ls": "none", "marker": "_", "ms": 15, "mew": 2.4, "alpha": 0.55}

# What the analysis' own variables are.
WORDS = {
    "used": "share of neurons that active circuits use, z S / N",
    "mean_field": "share of neurons that are on, by the mean field",
    "switching_point": "α from which a neuron is on",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return the share of neurons that are on, and what to expect of it.

    `fraction_on_mean`, `_low`, `_high` (n_active, layer, block); `used` (n_active) = z S / N;
    `mean_field` (n_active, layer, block), NaN beyond layer 3; `switching_point` (block), the α from
    which a neuron is on.
    """
    dataset = dataset.swap_dims(active="n_active")
    found = means(dataset, ["fraction_on"])
    found["used"] = dataset["n_active"] * dataset["redundancy"] / copies(dataset)
    found["mean_field"] = (("n_active", "layer", "block"), _mean_field(dataset))
    points = switching_points(float(dataset["gain"]), float(dataset["bias"]))
    return found.assign(switching_point=("block", points))


def _mean_field(dataset: xr.Dataset) -> np.ndarray:
    links = Links(
        int(copies(dataset)),
        int(dataset["redundancy"]),
        float(dataset["link_density"].mean()),
        float(dataset["inhibition_strength"].mean()),
    )
    gain, bias = float(dataset["gain"]), float(dataset["bias"])
    z, n_layers = actives(dataset), dataset.sizes["layer"] - 1
    values = np.full((len(z), max(n_layers, OF_MEAN_FIELD) + 1, ROTATION_NEURONS), np.nan)
    values[:, 1 : OF_MEAN_FIELD + 1] = [share_on(links, n, gain, bias) for n in z]
    return values[:, : n_layers + 1]


def claim(dataset: xr.Dataset) -> str:
    """Compare the neurons that are on in the last layer with those that are in use."""
    last = dataset.isel(layer=-1, block=0)
    shares = (last["fraction_on_mean"], last["used"])
    on, used = (listed(f"{rounded(100 * v)}%" for v in values.values) for values in shares)
    return (
        f"With {listed(actives(last))} of {int(last['n_circuits'])} circuits active, {on} of the "
        f"a₀ neurons are on in layer {int(last['layer'])}; these circuits use {used}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what counts as on and what the bars are."""
    n = [f"{count:,}" for count in np.atleast_1d(dataset["n_samples"].values)]
    return [
        f"means over networks with 95 % intervals; on: above {ON:g}",
        f"examples for z = {listed(actives(dataset))}: {listed(n)}",
        "mean field: from the measured share of linked pairs and inhibition, no free parameter",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw one panel per z."""
    z = actives(dataset)
    names = [f"z = {n}" for n in z]
    size = (3.4 * len(z) + 2.2, 4.3)
    figure, panel = panels(axes, [names], figsize=size, sharey=True)
    for name, n in zip(names, z, strict=True):
        _draw_panel(panel[name], dataset.sel(n_active=n))
        panel[name].set_title(f"{name} active at once")
        panel[name].set_xlabel("layer")
    top = 1.05 * float(dataset["fraction_on_high"].fillna(dataset["fraction_on_mean"]).max())
    for ax in panel.values():
        ax.set_ylim(0, top)
    panel[names[0]].set_ylabel("share of the neurons of a block that are on")
    _draw_legend(panel[names[-1]], dataset)
    return figure


def _draw_panel(ax: Axes, here: xr.Dataset) -> None:
    layer = here["layer"].values[1:]
    for i, line in enumerate(STYLES):
        mean, low, high = (
            here[f"fraction_on_{part}"].values[1:, i] for part in ("mean", "low", "high")
        )
        look, at = style.series(i), layer + BETWEEN * (i - 1.5)
        draw_interval(ax, at, mean, low, high, **look, ls=line, lw=1.6)
        ax.plot(at, here["mean_field"].values[1:, i], color=look["color"], **FIELD)
    used = float(here["used"])
    ax.axhline(used, color=style.INK, ls="--", lw=1.0)
    ax.annotate(
        f"z S / N = {used:.1%}",
        (1, used),
        (-2, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=7.5,
        ha="right",
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _draw_legend(ax: Axes, dataset: xr.Dataset) -> None:
    points = dataset["switching_point"].values
    found: dict[str, Any] = {
        f"{name},\non from α = {point:.2g}": {**style.series(i), "ls": line, "lw": 1.6}
        for i, (name, line, point) in enumerate(zip(BLOCKS, STYLES, points, strict=True))
    }
    found["used by active circuits"] = {"color": style.INK, "ls": "--", "lw": 1.0}
    found["mean field"] = {"color": style.INK} | FIELD
    legend_of(ax, found, loc="upper left", bbox_to_anchor=(1.01, 1))
