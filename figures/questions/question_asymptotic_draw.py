"""The picture of `question_asymptotic`: the largest loads by width."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels

DESIGNS = {"prime_steps": "prime steps", "transversal": "transversal designs"}
MEAN_FIELD: dict[str, Any] = {"color": style.INK, "ls": (0, (4, 2)), "lw": 1.2}
ALLOWED: dict[str, Any] = {"color": style.NULL, "ls": ":", "lw": 1.6}
FIXED: dict[str, Any] = {"mfc": "white", "lw": 0.9, "ls": (0, (1, 1.5)), "ms": 4}

TITLES = {"quiet": "indicators stay quiet", "accurate": "vectors stay accurate"}


def names_of(dataset: xr.Dataset) -> list[str]:
    """Return what designs are called: the assignment, and χ where it is not the balanced one."""
    pairs = zip(dataset["assignment"].values, dataset["inhibition"].values, strict=True)
    return [
        DESIGNS.get(str(name), str(name)) + (f" and {times:g} χ" if times != 1 else "")
        for name, times in pairs
    ]


def draw(dataset: xr.Dataset, limits: list[str], axes: Any) -> Figure:
    """Draw a row for each limit, a column for each z."""
    every = np.atleast_1d(dataset["n_active"].values).tolist()
    names = [[f"{limit} {z}" for z in every] for limit in limits]
    size = (4.3 * len(every) + 2.8, 3.9 * len(limits))
    figure, panel = panels(axes, names, figsize=size, sharex=True, sharey=True)
    for row, limit in zip(names, limits, strict=True):
        for name, z in zip(row, every, strict=True):
            _draw_panel(panel[name], dataset.sel(n_active=z, limit=limit))
            panel[name].set_title(f"{TITLES[limit]}, z = {z}")
        panel[row[0]].set_ylabel("largest load x = T (d/D)²")
    for name in names[-1]:
        panel[name].set_xlabel("neurons D")
    _scale(panel[names[0][0]], dataset)
    _draw_legend(panel[names[0][-1]], dataset)
    return figure


def _draw_panel(ax: Axes, here: xr.Dataset) -> None:
    width = here["width"].values
    for i in range(here.sizes["design"]):
        mine, look = here.isel(design=i), style.series(i)
        fixed, tuned = (mine.sel(choice=choice) for choice in ("fixed", "tuned"))
        ax.plot(width, fixed["mean"], **(look | FIXED), zorder=2)
        mean, low, high = (tuned[name].values for name in ("mean", "low", "high"))
        draw_interval(ax, width, mean, low, high, **look, zorder=3)
        for at, of, is_passed in zip(width, mean, tuned["passed"].values, strict=True):
            if np.isfinite(of) and not is_passed:
                ax.annotate(
                    "",
                    (at, 1.12 * of),
                    (at, of),
                    arrowprops={"arrowstyle": "->", "color": look["color"], "lw": 1.1},
                )
        if str(here["limit"].values) == "quiet":
            _write_redundancy(ax, tuned, look["color"], i)
    if str(here["limit"].values) == "quiet":
        expected = here["mean_field"].sel(choice="tuned")
        ax.plot(width, expected.where(np.isfinite(expected)), **MEAN_FIELD, zorder=1)
    ax.axhline(float(here["threshold"]), **ALLOWED, zorder=0)


def _write_redundancy(ax: Axes, tuned: xr.Dataset, color: str, i: int) -> None:
    """Write the S that was chosen beside each mark."""
    for at, of, s in zip(tuned["width"], tuned["mean"], tuned["best"], strict=True):
        if np.isfinite(of):
            place = ((float(at), float(of)), (5 if i % 2 else -5, 4 if i % 2 else -9))
            ha = "left" if i % 2 else "right"
            look: dict[str, Any] = {"color": color, "fontsize": 7.5, "ha": ha}
            ax.annotate(f"{int(s)}", *place, textcoords="offset points", **look)


def _scale(ax: Axes, dataset: xr.Dataset) -> None:
    width = dataset["width"].values
    values = dataset["mean"].values
    some = values[np.isfinite(values)]
    low = min([*some.tolist(), float(dataset["threshold"])])
    high = max([*some.tolist(), float(dataset["threshold"])])
    ax.set(xscale="log", yscale="log", ylim=(0.8 * low, 1.3 * high))
    ax.set_xticks(width, [f"{w:,}" for w in width])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_minor_locator(NullLocator())
    ticks = np.outer(10.0 ** np.arange(-5, 0), [1, 2, 4, 8]).ravel().tolist()
    ticks = [t for t in ticks if 0.8 * low <= t <= 1.3 * high]
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    ax.yaxis.set_minor_formatter(NullFormatter())


def _draw_legend(ax: Axes, dataset: xr.Dataset) -> None:
    found: dict[str, Any] = {
        f"{name},\nbest S": style.series(i) | {"lw": 1.4}
        for i, name in enumerate(names_of(dataset))
    }
    s = int(dataset["fixed_redundancy"])
    found[f"the same with S = {s}"] = style.series(0) | FIXED | {"color": style.INK}
    found["mean field, χ as balanced"] = MEAN_FIELD
    found[f"{float(dataset['threshold']):g}, said to be fine"] = ALLOWED
    legend_of(ax, found, loc="upper left", bbox_to_anchor=(1.01, 1))
