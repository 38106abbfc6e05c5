"""Figures 8 to 11 of "Rotations in Superposition": errors of 41 networks, by layer and load.

Linsefors & Bushnaq 2025. Panels: layer (rows) by number of active circuits z (columns); points:
networks of width D with T circuits over their load T (d/D)², d = 4; dashed: the published estimate
of each width. Which error is drawn says the setting `error`; all four figures read one run.
"""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures.circuits.errors import (
    EVERY_NETWORK,
    SMALL,
    actives,
    copies,
    each_network,
    means,
    published_error,
)
from figures.kit import style
from figures.kit.panels import legend_of, panels
from figures.kit.words import listed, rounded
from toymodels.errors import InputError, hint

EXACT = 1e-9  # errors below it are rounding
NONE = 1e-4  # and below it an indicator counts as exact
SMALLEST = 1e-4  # below it the axis of errors is linear, down to an exact 0
KEY = "key"  # the panel of the legends

# What the analysis' own variables are.
WORDS = {
    "theory": "published estimate",
    "load": "T (d/D)²",
    "more_than_copies": "whether T > D/d",
}


class Measure(NamedTuple):
    """One error, and what its figure says of it."""

    words: str
    label: str
    null: str  # what an error of 1 means
    expected: str  # the published estimate, in words


MEASURES = {
    "x_active": Measure(
        words="the error of vectors in use",
        label="mean |x̂ − x|²",
        null="as bad as reading out 0",
        expected="(l−1) T t² [z + β(z−1)] + l t (z−1)(1+β),\nt = d/D − 1/(ST),  β = 2(1+b)²",
    ),
    "x_inactive": Measure(
        words="the noise of vectors not in use",
        label="mean |x̂|²",
        null="as strong as an active vector",
        expected="z t,  t = d/D − 1/(ST)",
    ),
    "on_active": Measure(
        words="the error of indicators in use",
        label="mean (α̂ − 1)²",
        null="an indicator that is off",
        expected="0 in every layer",
    ),
    "on_inactive": Measure(
        words="the noise of indicators not in use",
        label="mean α̂²",
        null="an indicator that is on",
        expected="z t,  t = d/D − 1/(ST)",
    ),
}


def check(plan: Any) -> None:
    """Refuse another `error` than those that are measured, before anything runs."""
    error = plan.settings["error"]
    if error not in MEASURES:
        known = ", ".join(MEASURES)
        raise InputError(f"error = {error}: give one of {known}.{hint(error, MEASURES)}")


def measure_of(dataset: xr.Dataset) -> Measure:
    """Return what the setting `error` names."""
    return MEASURES[dataset["error"].item()]


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return the error and its estimate, over (network, n_active, layer) from layer 1.

    `each` with `seed`, its `mean`; `theory`; `load`: T (d/D)²; `more_than_copies`: T > D/d.
    """
    name = f"mse_{dataset['error'].item()}"
    order = ("network", "n_active", "layer")
    found = xr.Dataset(
        {
            "each": each_network(dataset, name).assign_attrs(dataset[name].attrs),
            "mean": means(dataset, [name])[f"{name}_mean"],
        }
    ).isel(layer=slice(1, None))
    found["theory"] = published_error(name, dataset)
    found["load"] = dataset["n_circuits"] / copies(dataset) ** 2
    found["more_than_copies"] = dataset["n_circuits"] > copies(dataset)
    return found.transpose(*order, "seed")


def claim(dataset: xr.Dataset) -> str:
    """Compare the last layer with the estimate: in the lightest and in the heaviest network."""
    words, last = measure_of(dataset).words, dataset.isel(layer=-1)
    layer = int(last["layer"])
    if not last["theory"].values.any():
        counts = (last["mean"] < NONE).sum("network")
        z = list(dict.fromkeys((actives(last)[0], actives(last)[-1])))
        return (
            f"In layer {layer} {words} is below {NONE:g} in "
            f"{listed(counts.sel(n_active=z).values)} of {last.sizes['network']} networks with "
            f"{listed(z)} active at once, and up to {rounded(last['mean'].max())}"
        )
    ends = (int(last["load"].argmin("network")), int(last["load"].argmax("network")))
    light, heavy = (last.isel(network=i) for i in ends)
    return (
        f"In layer {layer} {words} is {_ratios(light)} times the estimate in the lightest network, "
        f"T (d/D)² = {rounded(light['load'])}, and {_ratios(heavy)} times in the heaviest, "
        f"{rounded(heavy['load'])}"
    )


def _ratios(cells: xr.Dataset) -> str:
    """Return the range over z of measured over estimated."""
    known = cells["theory"].where(cells["theory"] > 0)
    ratio = (cells["mean"] / known).dropna("n_active")
    if not ratio.size:
        return "infinitely many"
    low, high = (rounded(r) for r in (ratio.min(), ratio.max()))
    return low if low == high else f"{low} to {high}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are."""
    return [EVERY_NETWORK]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw a panel for the legends, then layers by numbers of active circuits."""
    z, layers = actives(dataset), dataset["layer"].values.tolist()
    names = [[f"layer {layer}, z = {k}" for k in z] for layer in layers]
    size = (max(2.55 * len(z) + 0.8, 10), 2.1 * len(layers) + 1.6)  # as wide as the legends
    ratios = [0.42] + len(layers) * [1]
    mosaic = [[KEY] * len(z), *names]
    figure, panel = panels(axes, mosaic, figsize=size, height_ratios=ratios)
    for row, layer in zip(names, layers, strict=True):
        for name, k in zip(row, z, strict=True):
            ax = panel[name]
            _draw_panel(ax, dataset.sel(layer=layer, n_active=k))
            _scale(ax, dataset)
            ax.tick_params(labelleft=name == row[0], labelbottom=row == names[-1])
        panel[row[0]].set_ylabel(f"layer {layer}\n{measure_of(dataset).label}")
    for top, bottom, k in zip(names[0], names[-1], z, strict=True):
        panel[top].set_title(f"z = {k} active at once")
        panel[bottom].set_xlabel("load T (d/D)²")
    _draw_legend(panel[KEY], dataset)
    return figure


def _draw_panel(ax: Axes, cells: xr.Dataset) -> None:
    """Draw one layer and z: every width's networks in one colour, with its estimate."""
    ax.axhline(1, color=style.GREY, lw=1, ls=":", zorder=0)
    shades, width = _colors(cells), cells["width"].values
    colors = np.array([shades[each] for each in width.tolist()])
    load, mean, expected = (cells[name].values for name in ("load", "mean", "theory"))
    of_width = [np.flatnonzero(width == each) for each in shades]
    rising = [mine[np.argsort(load[mine])] for mine in of_width]
    dashes = [np.stack([load[mine], expected[mine]], axis=1) for mine in rising]
    estimates = LineCollection(dashes, colors=list(shades.values()), ls="--", lw=1.1, zorder=1)
    ax.add_collection(estimates, autolim=False)
    each = cells["each"].transpose("seed", "network").values
    dots: dict[str, Any] = SMALL | {"ms": 2}  # there are many
    ax.plot(load, each.T, **dots, zorder=4)
    many = cells["more_than_copies"].values
    for chosen, marker in ((many, "o"), (~many, "^")):
        ax.scatter(load[chosen], mean[chosen], c=colors[chosen], s=17, marker=marker, zorder=3)
    if not expected.any() and float(cells["mean"].max()) < EXACT:
        ax.text(0.03, 0.15, "0 up to rounding", transform=ax.transAxes, fontsize=8, color=style.INK)
    ax.grid(axis="y", color=style.PALE, lw=0.6)


def _scale(ax: Axes, dataset: xr.Dataset) -> None:
    """Set both axes; that of errors is logarithmic, down to a 0 where some error is exactly 0."""
    ax.set_xlim(0, 1.05 * float(dataset["load"].max()))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter("{x:g}")
    least, most = float(dataset["each"].min()), float(dataset["each"].max())
    if least > SMALLEST:
        ax.set_yscale("log")
        ax.set_ylim(0.5 * least, 2 * max(most, 1))
    else:
        ax.set_yscale("symlog", linthresh=SMALLEST, linscale=0.4)
        powers = np.arange(np.log10(SMALLEST), np.log10(2 * max(most, 1)))
        ax.set_yticks([0, *10.0**powers])
        ax.set_ylim(-0.35 * SMALLEST, 2 * max(most, 1))
    ax.minorticks_off()


def _colors(cells: xr.Dataset) -> dict[int, Any]:
    """Return a colour for each width, dark for narrow networks."""
    widths = np.unique(cells["width"])
    shades = style.IMPORTANCE(np.linspace(0, 0.9, len(widths)))
    return dict(zip(widths.tolist(), shades, strict=True))


def _draw_legend(ax: Axes, dataset: xr.Dataset) -> None:
    ax.axis("off")
    measure, ink = measure_of(dataset), {"color": style.INK}
    shades = {f"D = {width}": {"color": c, "lw": 3} for width, c in _colors(dataset).items()}
    ax.add_artist(legend_of(ax, shades, loc="center left", ncols=3))
    rest: dict[str, dict[str, Any]] = {
        "measured, T > D/d": ink | {"marker": "o", "ls": "none"},
        "measured, T ≤ D/d": ink | {"marker": "^", "ls": "none"},
        f"published estimate, {measure.expected}": ink | {"ls": "--"},
        f"1: {measure.null}": {"color": style.GREY, "ls": ":", "lw": 1.6},
    }
    legend_of(ax, rest, loc="center right", ncols=2)
