"""The panels of `question_gating`: circuits that are on by temperature, errors by circuits kept."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, ScalarFormatter

from figures.kit import style
from figures.kit.panels import draw_interval, legend_of

# What the ways of a gate are called, and how they look; a way not among them stays out.
SOLID, LATE = "-", (0, (1, 1.2))
LOOKS: dict[tuple[str, int], tuple[str, dict[str, Any]]] = {
    ("none", 2): ("no gate", {"color": style.NULL, "marker": "x", "ls": SOLID}),
    ("exclusive", 2): (
        "neurons that serve no kept circuit silenced",
        style.series(1) | {"ls": SOLID},
    ),
    ("by_share", 2): (
        "indicators inhibited by share of\nruled-out circuits",
        style.series(5) | {"ls": SOLID},
    ),
    ("by_share", 5): ("the same, in layer 5 alone", style.series(5) | {"ls": LATE}),
    ("blind", 2): (
        "all indicators alike, blind to circuits",
        style.series(3) | {"ls": (0, (4, 2)), "mfc": "none", "ms": 8},
    ),
    ("weights", 2): (
        "out of all weights: a network without\nruled-out circuits",
        style.series(0) | {"ls": SOLID},
    ),
    ("weights", 3): ("out of weights from layer 3 on", style.series(0) | {"ls": (0, (4, 2))}),
    ("weights", 5): ("out of weights of layer 5 alone", style.series(0) | {"ls": LATE}),
}
ANEW = "T_eff circuits in a network of their own"
# Of circuits that run alone.
ALONE: dict[str, Any] = {"ls": (0, (4, 2)), "lw": 1.2}
TITLES = {"survived": "Called circuits that stay on", "spurious": "Other circuits that are on"}


def draw_attention(ax: Axes, dataset: xr.Dataset, name: str) -> None:
    """Draw a share of circuits that are on by temperature, a curve for each context."""
    x, looks = dataset["temperature"].values, {}
    for i, n in enumerate(dataset["n_tokens"].values.tolist()):
        mine, look = dataset.isel(context=i), style.series(i)
        mean, low, high = (mine[f"{name}_{end}"].values for end in ("mean", "low", "high"))
        draw_interval(ax, x, mean, low, high, **look)
        ax.plot(x, mine[f"{name}_alone_mean"], color=look["color"], **ALONE, zorder=1)
        looks[f"{int(mine['n_calling'])} of {n} tokens call it"] = look
    looks["the same circuits alone"] = {"color": style.INK} | ALONE
    ax.set_xscale("log")
    _plain_ticks(ax, [t for t in (0.3, 0.5, 1, 2, 4, 7) if x.min() <= t <= x.max()])
    layer = int(dataset["attention_layers"])
    ax.set(xlabel="temperature of the softmax (sharp to broad)", title=TITLES[name])
    if name == "survived":
        ax.set(ylabel=f"share on in layer {layer}", ylim=(-0.03, 1.05))
        legend_of(ax, looks, loc="lower left")
    else:
        ax.set_yscale("symlog", linthresh=1e-5, linscale=0.4)
        ax.set(ylabel=f"share on in layer {layer}", ylim=(-1e-6, None))


def draw_errors(ax: Axes, cells: xr.Dataset, kept: xr.DataArray, legend: bool) -> None:
    """Draw errors of every gate by circuits kept, of one number of circuits."""
    x, looks = kept.values, {}
    for i in range(cells.sizes["way"]):
        which = str(cells["gate"].values[i]), int(cells["gate_from"].values[i])
        if which not in LOOKS:
            continue
        label, look = LOOKS[which]
        mine = cells.isel(way=i)
        ends = [mine[f"mse_x_active_{end}"].values for end in ("mean", "low", "high")]
        mean, low, high = (np.where(end > 0, end, np.nan) for end in ends)
        draw_interval(ax, x, mean, low, high, **look)
        looks[label] = look
    anew = {"ls": "none", "marker": "*", "ms": 11, "color": style.INK, "mfc": "white"}
    ax.plot(x, np.where(cells["anew_mean"] > 0, cells["anew_mean"], np.nan), **anew, zorder=6)
    looks[ANEW] = anew
    ax.set_xscale("log")
    ax.set_yscale("log")
    _plain_ticks(ax, x.tolist())
    n, layer = int(cells["n_circuits"]), int(cells["n_layers"])
    ax.set(
        xlabel="T_eff, circuits that the gate keeps",
        ylabel=f"mean |x̂ - x|² of active circuits, layer {layer}",
        title=f"Error with a gate, T = {n} circuits",
    )
    if legend:
        legend_of(ax, looks, loc="upper left", bbox_to_anchor=(1.01, 1), handlelength=3.2)


def _plain_ticks(ax: Axes, ticks: list[float]) -> None:
    ax.set_xticks(ticks)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_locator(NullLocator())
