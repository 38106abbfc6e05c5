"""The panels of `loss-exponent`: spread and error by power, both ways, and the threshold.

Powers stand on an axis that is linear within a hundredth of 2 and logarithmic beyond.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.loss_exponent_full import PUBLISHED
from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from toymodels.theory import power_loss

MOSAIC = [["full", "densities"], ["mse", "threshold"]]
NEAR = 0.01  # around q = 2 the axis is linear
TICKS = (1.5, 1.9, 2, 2.01, 2.03, 2.1, 2.3, 2.5, 3, 4, 5)
NO_LABEL = (2.5, 3)
BESIDE = 1.1  # marks of one density stand so far apart
COLORS = {"scratch": style.INK, "up": style.SERIES[0][0], "down": style.SERIES[5][0]}
MARKS = {"scratch": "o", "up": "^", "down": "v"}
SAID = {"scratch": "from scratch", "up": "as q rises", "down": "as q falls"}
THEIRS: dict[str, Any] = {"ls": "none", "marker": "D", "mfc": "none", "mec": style.RED}
THEIRS |= {"ms": 9, "mew": 1.6, "zorder": 5}
SPREAD = "spread of errors, sd / mean over features"


def draw_panels(dataset: xr.Dataset, axes: Any) -> Figure:
    """Draw all panels."""
    figure, panel = panels(axes, MOSAIC, figsize=(12.4, 7.6))
    n, m = int(dataset["full_n_features"]), int(dataset["full_n_hidden"])
    where = f"{n} features, {m} neurons, p = {float(dataset['full_p_active']):g}"
    _draw_full(panel["full"], dataset, "spread")
    _draw_full(panel["mse"], dataset, "mse")
    _draw_expected(panel["mse"], n, m, float(dataset["full_exponent"].max()))
    panel["full"].set(ylim=(-0.03, 1.12), ylabel=SPREAD, title=f"{where}: how uneven errors are")
    panel["mse"].set(ylim=(0, None), ylabel="mean error of an active feature")
    panel["mse"].set_title(f"{where}: how large they are")
    legend_of(panel["full"], _looks(), loc="upper right")
    _draw_densities(panel["densities"], dataset)
    _draw_threshold(panel["threshold"], dataset)
    for name in ("full", "mse"):
        _scale(panel[name], dataset["full_exponent"].values)
    _scale(panel["densities"], dataset["exponent"].values)
    return figure


def _scale(ax: Axes, powers: np.ndarray) -> None:
    ax.set_xscale(
        "function",
        functions=(lambda q: np.arcsinh((q - 2) / NEAR), lambda t: 2 + NEAR * np.sinh(t)),
    )
    low, high = float(powers.min()), float(powers.max())
    ticks = [t for t in TICKS if low <= t <= high]
    ax.set_xticks(ticks, ["" if t in NO_LABEL else f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_xlim(2 - 1.2 * (2 - low) if low < 2 else 2 - NEAR, 2 + 1.2 * (high - 2))
    ax.set_xlabel("power q of the error")


def _looks() -> dict[str, dict[str, Any]]:
    """Return how full-size models and published ones look."""
    found = {SAID[way]: _look(way) for way in COLORS}
    return found | {"published": THEIRS}


def _look(way: str) -> dict[str, Any]:
    return {"color": COLORS[way], "marker": MARKS[way], "lw": 1.2, "ms": 4.5}


def _draw_full(ax: Axes, dataset: xr.Dataset, name: str) -> None:
    """Draw full-size models from scratch and on both ways, and the published numbers."""
    powers = dataset["full_exponent"].values
    for way in COLORS:
        mean = dataset[f"full_{name}"].sel(full_way=way).mean("full_seed").values
        there = np.isfinite(mean)
        ax.plot(powers[there], mean[there], **_look(way))
    ax.plot(PUBLISHED["exponent"], PUBLISHED[name], **THEIRS)


def _draw_expected(ax: Axes, n: int, m: int, highest: float) -> None:
    """Draw what both answers leave where features come one at a time."""
    q = 2 + NEAR * np.sinh(np.linspace(0, np.arcsinh((highest - 2) / NEAR), 80))
    apart: dict[str, Any] = {"color": style.NULL, "lw": 1.2, "ls": ":"}
    together: dict[str, Any] = apart | {"ls": (0, (4, 2))}
    ax.axhline((1 - m / n) / 3, **apart)
    ax.plot(q, power_loss(n, m, q).active_error, **together)
    looks = {"a neuron each, p → 0": apart, "all for all, p → 0": together}
    legend_of(ax, looks, loc="lower left")


def _draw_densities(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw each density: seeds from scratch with their mean, and both ways where they went."""
    powers, looks = dataset["exponent"].values, {}
    slow = dataset["path_spread"].isel(path_steps=int(dataset["path_steps"].argmax("path_steps")))
    for k, p in enumerate(dataset["p_active"].values):
        color = style.SERIES[k % len(style.SERIES)][0]
        values = dataset["spread"].isel(p_active=k).transpose("exponent", "seed")
        ax.plot(powers, values.values, color=color, ls="none", marker=".", ms=3, mew=0)
        ax.plot(powers, values.mean("seed"), color=color, lw=1.4)
        for way in ("up", "down"):
            mean = slow.isel(p_active=k).sel(way=way).mean("seed")
            ax.plot(powers, mean, color=color, ls="none", marker=MARKS[way], ms=5, mfc="none")
        looks[f"p = {p:g}"] = {"color": color, "lw": 1.4}
    hollow = {"color": style.NOTE, "ls": "none", "mfc": "none", "ms": 5}
    looks |= {SAID[way]: hollow | {"marker": MARKS[way]} for way in ("up", "down")}
    ax.axhline(float(dataset["level"]), color=style.GREY, lw=0.8, zorder=0)
    ax.set(ylim=(-0.03, 1.12), ylabel=SPREAD)
    n, m = int(dataset["n_features"]), int(dataset["n_hidden"])
    ax.set_title(f"{n} features, {m} neurons: by density")
    legend_of(ax, looks, loc="lower left")


def _draw_threshold(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how far above 2 the spread falls through the level, and how far both ways part."""
    p, looks = dataset["p_active"].values, {}
    n, full_n = int(dataset["n_features"]), int(dataset["full_n_features"])
    threshold: dict[str, Any] = {"color": style.BLUE, "marker": "o", "ls": "none", "ms": 6}
    looks[f"q − 2, {n} features"] = _draw_ends(ax, p, dataset, "threshold", 2, threshold)
    wide = threshold | {"color": style.INK, "marker": "s", "mfc": "none", "ms": 9}
    at = [float(dataset["full_p_active"])]
    looks[f"q − 2, {full_n} features"] = _draw_ends(ax, at, dataset, "full_threshold", 2, wide)
    part: dict[str, Any] = {"color": style.SERIES[5][0], "ls": "none", "ms": 6}
    steps = dataset["path_steps"].values
    for k, mark in zip(np.argsort(-steps), ("x", "+", "1"), strict=False):
        look = part | {"marker": mark, "mew": 1.6}
        name = f"both ways part, {steps[k]:,} steps each"
        beside = p * (BESIDE if k == np.argmax(steps) else BESIDE**2)
        looks[name] = _draw_ends(ax, beside, dataset.isel(path_steps=k), "gap", 0, look)
    look = part | {"marker": "s", "mfc": "none", "ms": 9}
    name = f"the same, {full_n} features, {int(dataset['full_path_steps']):,} steps"
    looks[name] = _draw_ends(ax, [at[0] / BESIDE], dataset, "full_gap", 0, look)
    line = np.array([0.7 * p.min(), 1.4 * p.max()])
    looks["q = 2 + p"] = {"color": style.NULL, "lw": 1, "ls": (0, (4, 2))}
    ax.plot(line, line, zorder=0, **looks["q = 2 + p"])
    ax.set(xscale="log", yscale="log", xlabel="density p")
    ax.set_xticks(p, [f"{value:g}" for value in p])
    ax.minorticks_off()
    ax.set_ylim(1e-4, None)
    ax.set_ylabel(f"difference of powers at spread {float(dataset['level']):g}")
    ax.set_title("Where the answer changes: just above squared errors")
    legend_of(ax, looks, loc="center left", bbox_to_anchor=(1.01, 0.5))


def _draw_ends(
    ax: Axes, p: Any, dataset: xr.Dataset, name: str, less: float, look: dict[str, Any]
) -> dict[str, Any]:
    """Draw means above 0 with their intervals on a logarithmic axis; return how they look."""
    mean, low, high = (
        np.atleast_1d(dataset[f"{name}_{end}"].values) - less for end in ("mean", "low", "high")
    )
    there = mean > 0
    draw_interval(ax, np.asarray(p)[there], mean[there], low[there], high[there], **look)
    return look
