"""The panels of `question_discrete`: errors by layer, and rotations survived by every way."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from figures.circuits.errors import NOTHING, ZERO
from figures.kit import style
from figures.kit.panels import legend_of

SMALLEST = 1e-3  # below it the axis is linear, down to an exact 0
LARGEST = 20.0  # where the axis ends: beyond it single networks blow up

# Ways that the panels of depth draw, as (circuit, values, layers between clean-ups, what).
LOOKS: dict[tuple[str, int, int, str], dict[str, Any]] = {
    ("vector", 0, 0, "values"): {"color": style.INK, "ls": "-"},
    ("vector", 4, 0, "values"): {"color": style.NULL, "ls": (0, (4, 2))},
    ("vector", 0, 1, "indicators"): {"color": style.SERIES[1][0], "ls": "-"},
    ("vector", 4, 4, "values"): {"color": style.SERIES[4][0], "ls": (0, (1, 1.2))},
    ("vector", 4, 1, "values"): {"color": style.SERIES[0][0], "ls": "-"},
    ("signs", 4, 0, "values"): {"color": style.SERIES[5][0], "ls": "-"},
}


def label_of(which: tuple[str, int, int, str]) -> str:
    """Return what a way is called."""
    circuit, values, every, what = which
    angle = f"{values} values" if values else "any angle"
    if circuit == "signs":
        angle = f"{angle}, circuits clean their own signs"
    if not every:
        return angle if circuit == "signs" else f"{angle}, no clean-up"
    of = "indicators " if what == "indicators" else ""
    often = "every layer" if every == 1 else f"every {every} layers"
    return f"{angle}, {of}cleaned {often}"


def which_way(dataset: xr.Dataset, i: int) -> tuple[str, int, int, str]:
    """Return what way number i is."""
    circuit, what = (str(dataset[name].values[i]) for name in ("small_circuit", "cleaning"))
    return circuit, int(dataset["n_values"][i]), int(dataset["clean_every"][i]), what


def draw_depth(ax: Axes, cells: xr.Dataset) -> None:
    """Draw the error by layer of some ways, at one number of circuits."""
    layer, top = cells["layer"].values, 3.0
    for i in range(cells.sizes["way"]):
        which = which_way(cells, i)
        if which not in LOOKS:
            continue
        mine, look = cells.isel(way=i), LOOKS[which]
        mean, low, high = (mine[f"error_{end}"].values for end in ("mean", "low", "high"))
        ax.plot(layer, mean, lw=1.6, **look)
        top = np.nanmax([top, *(1.5 * mean)])
        ax.fill_between(layer, low, high, color=look["color"], alpha=0.18, lw=0)
    ax.axhline(NOTHING, **ZERO, zorder=0)
    ax.set_yscale("symlog", linthresh=SMALLEST, linscale=0.4)
    ax.set_ylim(-0.2 * SMALLEST, min(top, LARGEST))
    ax.minorticks_off()
    ax.set(
        xlabel="layer, one rotation each",
        ylabel="mean |x̂ - x|² of active circuits",
        title=f"T = {int(cells['n_circuits'])} circuits, D = {int(cells['width'])}",
    )


def draw_survived(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how many rotations every way survives, a mark for each number of circuits."""
    ways, numbers = dataset.sizes["way"], dataset["n_circuits"].values.tolist()
    step, looks = 0.7 / max(1, len(numbers)), {}
    for j, n in enumerate(numbers):
        mine = dataset.isel(n_circuits=j)
        y = np.arange(ways) + (j - (len(numbers) - 1) / 2) * step
        mean, low, high = (mine[f"survived_{end}"].values for end in ("mean", "low", "high"))
        half = np.nan_to_num(np.stack([mean - low, high - mean]))
        color, marker = style.SERIES[j % len(style.SERIES)]
        how: dict[str, Any] = {"color": color, "marker": marker, "ms": 4.5, "ls": "none"}
        ax.errorbar(mean, y, xerr=np.maximum(half, 0), capsize=2, lw=1, **how)
        looks[f"T = {n}"] = how
    n_layers = int(dataset["n_layers"])
    ax.axvline(n_layers, color=style.GREY, lw=0.8, zorder=0)
    for i in range(0, ways, 2):
        ax.axhspan(i - 0.5, i + 0.5, color=style.PALE, alpha=0.5, lw=0, zorder=-1)
    labels = [label_of(which_way(dataset, i)) for i in range(ways)]
    ax.set_yticks(range(ways), labels)
    ax.set(ylim=(ways - 0.5, -0.5), xlim=(-0.5, 1.04 * n_layers))
    ax.set(
        xlabel=f"rotations before the error exceeds {float(dataset['large']):g} (of {n_layers})",
        title="Rotations survived",
    )
    where: dict[str, Any] = {"loc": "upper left", "fontsize": 7.5}
    ax.add_artist(legend_of(ax, looks, bbox_to_anchor=(1.0, 1.0), **where))
    there = [which_way(dataset, i) for i in range(ways)]
    lines = {label_of(which): look for which, look in LOOKS.items() if which in there}
    lines["as bad as reading out 0"] = ZERO
    title = {"title": "Curves by layer", "title_fontsize": 8, "alignment": "left"}
    legend_of(ax, lines, bbox_to_anchor=(1.0, 0.66), handlelength=2.6, **title, **where)
