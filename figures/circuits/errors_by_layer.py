"""Figures 5 and 6: errors by layer of a value that circuits hold, the vector x or indicator α.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6): D = 1000 neurons, T = 557
circuits, S = 6, one to three circuits active. There one network is shown; here several. With z = 1
every circuit is active once, otherwise 100 T random sets are drawn, as in the post. Four panels:
mean square (above) and worst case (below), of inactive and of active circuits. Dashed: the
published estimate, which knows no neurons that switch on wrongly.
"""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures.circuits.errors import (
    ESTIMATE,
    EVERY_NETWORK,
    NOTHING,
    SMALL,
    actives,
    copies,
    each_network,
    means,
    percent,
    published_error,
)
from figures.kit import style
from figures.kit.panels import legend_of, panels
from figures.kit.words import listed, rounded
from sweeps.config.registry import find
from toymodels.circuits import theory
from toymodels.circuits.assignment import largest_overlap
from toymodels.errors import InputError, hint

GROUPS = ("inactive", "active")
MEASURES = {"mse": 1e-3, "worst": 1e-1}  # the axes are linear below, to show an exact zero
EXACT = 1e-6  # an error below it is none
BETWEEN = 0.06  # of a layer, between the marks of neighbouring z
BOUND: dict[str, Any] = {"ls": ":", "lw": 2.2}

# What the analysis' own variables are.
WORDS = {
    "theory_inactive": "published estimate of the mean square, inactive circuits",
    "theory_active": "published estimate of the mean square, active circuits",
    "bound_inactive": "largest error possible in layer 1, inactive circuits",
    "bound_active": "largest error possible in layer 1, active circuits",
}


class Value(NamedTuple):
    """One of the two values of a rotation circuit."""

    symbol: str  # of its error
    is_on: bool


VALUES = {"x": Value("|x̂ − x|", False), "on": Value("|α̂ − α|", True)}


def check(plan: Any) -> None:
    """Refuse another `value` than those that circuits hold, before anything runs."""
    value = plan.settings["value"]
    if value not in VALUES:
        raise InputError(f"value = {value}: give x or on.{hint(value, VALUES)}")


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return errors of the value that the setting `value` names, and what theory says of them.

    `mse_active`, `worst_inactive`, … (seed, n_active, layer) and their `_mean`; `theory_inactive`,
    `theory_active` (n_active, layer from 1) of the mean square; `bound_inactive`, `bound_active`
    (n_active) of the worst case in layer 1; `dropped_mean`, `spurious_mean`, shares of circuits on
    the wrong side of ½.
    """
    value = dataset["value"].item()
    dataset = dataset.swap_dims(active="n_active")
    found = means(dataset, ("dropped", "spurious"))
    for measure in MEASURES:
        for group in GROUPS:
            name = f"{measure}_{value}_{group}"
            found[f"{measure}_{group}"] = each_network(dataset, name).assign_attrs(
                dataset[name].attrs
            )
            found[f"{measure}_{group}_mean"] = means(dataset, [name])[f"{name}_mean"]
    for group in GROUPS:
        expected = published_error(f"mse_{value}_{group}", dataset)
        found[f"theory_{group}"] = expected.transpose("n_active", "layer").reindex_like(found)
    return found.assign(_bounds(VALUES[value], dataset))


def _bounds(value: Value, dataset: xr.Dataset) -> dict[str, Any]:
    """Return the largest errors that layer 1 can make; NaN where circuits share more neurons."""
    T, S, b = (dataset[key].item() for key in ("n_circuits", "redundancy", "bias"))
    n_copies = int(copies(dataset))
    held = find("assignment", dataset["assignment"].item())(T, n_copies, S)
    known = 1.0 if largest_overlap(held, n_copies) <= 1 else np.nan
    worst = [theory.first_layer_worst(z, S, b) for z in actives(dataset)]
    inactive = [w.on_inactive if value.is_on else w.x_inactive for w in worst]
    active = [0.0 if value.is_on else w.x_active for w in worst]
    return {
        "bound_inactive": ("n_active", known * np.array(inactive)),
        "bound_active": ("n_active", known * np.array(active)),
    }


def claim(dataset: xr.Dataset) -> str:
    """Say how far values can be read, and how wrong they are in the last layer."""
    T, z, last = int(dataset["n_circuits"]), listed(actives(dataset)), dataset["layer"].values[-1]
    mean = dataset["mse_active_mean"].transpose("n_active", "layer")
    start = f"With {z} of {T} circuits active,"
    if VALUES[dataset["value"].item()].is_on:
        exact = _layers(mean < EXACT)
        shares = [_shares(dataset[f"{k}_mean"].sel(layer=last)) for k in ("dropped", "spurious")]
        return (
            f"{start} their indicators are exact for {exact}; in layer {last}, {shares[0]} "
            f"of them are dropped and {shares[1]} of the others are wrongly on"
        )
    theory_last = dataset["theory_active"].sel(layer=last)
    ratio = mean.sel(layer=last) / theory_last.where(theory_last > 0)
    good = f"{start} their vectors are read better than 0 for {_layers(mean < NOTHING)}"
    if ratio.isnull().any():
        return good
    times = listed(map(rounded, ratio))
    return f"{good} and err {times} times the published estimate in layer {last}"


def _layers(good: xr.DataArray) -> str:
    """Count the layers from 1 on until the first that is not good, for each z."""
    text = listed((good.cumprod("layer").sum("layer") - 1).values)
    return f"{text} layer{'s' * (text != '1')}"


def _shares(values: xr.DataArray) -> str:
    return listed(map(percent, values.values))


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are."""
    n = [f"{count:,}" for count in np.atleast_1d(dataset["n_samples"].values)]
    z = listed(actives(dataset))
    return [EVERY_NETWORK, f"examples for z = {z}: {listed(n)}, which the largest error grows with"]


NAMES = [[f"{measure} {group}" for group in GROUPS] for measure in MEASURES]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw mean squares above and worst cases below."""
    figure, panel = panels(axes, NAMES, figsize=(10.6, 6.8), sharex=True)
    symbol = VALUES[dataset["value"].item()].symbol
    for measure, linear in MEASURES.items():
        for group in GROUPS:
            ax = panel[f"{measure} {group}"]
            _draw_measured(ax, dataset, f"{measure}_{group}")
            _draw_expected(ax, dataset, measure, group)
            most = max(float(dataset[f"{measure}_{other}"].max()) for other in GROUPS)
            _scale(ax, linear, most)
        panel[f"{measure} active"].tick_params(labelleft=False)
    for group in GROUPS:
        panel[f"mse {group}"].set_title(f"{group} circuits")
        panel[f"worst {group}"].set_xlabel("layer  (0: the input)")
    panel["mse inactive"].set_ylabel(f"mean {symbol}²")
    panel["worst inactive"].set_ylabel(f"largest {symbol} of all examples")
    _draw_legend(panel["mse active"], dataset)
    return figure


def _draw_measured(ax: Axes, dataset: xr.Dataset, name: str) -> None:
    layer = dataset["layer"].values
    for i, z in enumerate(actives(dataset)):
        here, look = dataset.sel(n_active=z), style.series(z - 1)
        at = layer + BETWEEN * (i - (dataset.sizes["n_active"] - 1) / 2)
        ax.plot(at, here[f"{name}_mean"].values, **look, lw=1.6, zorder=3)
        ax.plot(at, here[name].transpose("layer", "seed").values, **SMALL, zorder=4)


def _draw_expected(ax: Axes, dataset: xr.Dataset, measure: str, group: str) -> None:
    for z in actives(dataset):
        here, color = dataset.sel(n_active=z), style.series(z - 1)["color"]
        if measure == "mse":
            expected = here[f"theory_{group}"].sel(layer=slice(1, None))
            ax.plot(expected["layer"], expected, **ESTIMATE, color=color, zorder=2)
        else:
            bound = float(here[f"bound_{group}"])
            ax.plot([0.65, 1.35], [bound, bound], **BOUND, color=color, zorder=4)
    if group == "active":
        ax.axhline(NOTHING, color=style.GREY, lw=1.2, zorder=1)
        place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        ax.annotate("reading 0", (0, NOTHING), (3, 2), fontsize=7.5, color=style.NOTE, **place)


def _scale(ax: Axes, linear: float, largest: float) -> None:
    """Make the axis logarithmic from `linear` up."""
    ax.set_yscale("symlog", linthresh=linear, linscale=0.35)
    ax.set_ylim(-0.12 * linear, 1.8 * max(largest, NOTHING))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y", color=style.PALE, lw=0.6)


def _draw_legend(ax: Axes, dataset: xr.Dataset) -> None:
    found = {f"z = {z} active at once": style.series(z - 1) for z in actives(dataset)}
    ink = {"color": style.INK}
    found["published estimate"] = ink | ESTIMATE
    if dataset["bound_inactive"].notnull().all():
        found["largest possible\nin layer 1"] = ink | BOUND
    legend_of(ax, found, loc="upper left", bbox_to_anchor=(1.01, 1))
