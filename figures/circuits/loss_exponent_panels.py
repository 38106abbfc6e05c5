"""The panels of `loss-exponent`: spread and error by power, both ways, and the threshold.

Powers stand on an axis that is linear within a hundredth of 2 and logarithmic beyond.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from toymodels.theory import power_loss

# Ferreira da Silva & Heimersheim (arXiv 2607.04800): 100,000 steps of 8,192 examples.
PUBLISHED_WORLD = {"n_features": 100, "n_hidden": 50, "p_active": 0.02}
PUBLISHED = {"exponent": (2.0, 2.5, 4.0), "mse": (0.159, 0.0478, 0.0219)}
PUBLISHED |= {"spread": (1.00, 0.027, 0.031)}

MOSAIC = [["spread", "ways"], ["mse", "threshold"]]
NEAR = 0.01  # around q = 2 the axis is linear
TICKS = (1.5, 1.9, 2, 2.01, 2.03, 2.1, 2.3, 3, 5)
ARROWS = {"up": (style.SERIES[0][0], "^"), "down": (style.SERIES[5][0], "v")}
DOTS: dict[str, Any] = {"ls": "none", "marker": ".", "ms": 4, "mew": 0}
THEIRS: dict[str, Any] = {"ls": "none", "marker": "D", "mfc": "none", "mec": style.RED}
THEIRS |= {"ms": 8, "mew": 1.6, "zorder": 5}
LINES = ("-", (0, (1, 1.2)), (0, (4, 2)))  # of the slowest ways, then faster ones


def named(world: xr.Dataset) -> str:
    """Say which world it is."""
    n, m, p = (float(world[name]) for name in PUBLISHED_WORLD)
    return f"{n:.0f} features, {m:.0f} neurons and density {p:g}"


def seen(dataset: xr.Dataset) -> int:
    """Return the world in which both ways are told best: of those that tell, the densest."""
    gaps = dataset["gap_mean"].isel(path_steps=-1).values
    p = np.where(np.isfinite(gaps), dataset["p_active"].values, -1)
    return int(np.argmax(p))


def draw_panels(dataset: xr.Dataset, axes: Any) -> Figure:
    """Draw all panels."""
    figure, panel = panels(axes, MOSAIC, figsize=(10.4, 7.4))
    first = dataset.isel(world=0)
    _draw_powers(panel["spread"], first, "spread")
    _draw_powers(panel["mse"], first, "mse")
    panel["spread"].set(ylim=(-0.03, 1.12), ylabel="spread of active features' errors")
    panel["mse"].set(ylim=(0, None), ylabel="mean error of an active feature")
    panel["spread"].set_title(f"From scratch: {named(first)}")
    panel["mse"].set_title("The same models: mean error")
    _draw_expected(panel["mse"], first)
    _draw_ways(panel["ways"], dataset.isel(world=seen(dataset)), float(dataset["level"]))
    _draw_threshold(panel["threshold"], dataset)
    for name in ("spread", "mse", "ways"):
        _scale(panel[name], dataset["exponent"].values)
    return figure


def _scale(ax: Axes, powers: np.ndarray) -> None:
    ax.set_xscale(
        "function",
        functions=(lambda q: np.arcsinh((q - 2) / NEAR), lambda t: 2 + NEAR * np.sinh(t)),
    )
    low, high = float(powers.min()), float(powers.max())
    ax.set_xticks(ticks := [t for t in TICKS if low <= t <= high], [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_xlim(2 - 1.2 * (2 - low) if low < 2 else 2 - NEAR, 2 + 1.2 * (high - 2))
    ax.set_xlabel("power q of the error")


def _is_published(world: xr.Dataset) -> bool:
    return all(np.isclose(float(world[name]), value) for name, value in PUBLISHED_WORLD.items())


def _draw_powers(ax: Axes, world: xr.Dataset, name: str) -> None:
    """Draw every seed and the mean of models that were trained at each power."""
    powers = world["exponent"].values
    values = world[name].transpose("exponent", "seed").values
    ax.plot(powers, values, color=style.BLUE, **DOTS)
    ax.plot(powers, world[name].mean("seed"), color=style.BLUE, lw=1.5)
    looks = {"trained here, each seed and mean": {"color": style.BLUE, "marker": ".", "lw": 1.5}}
    if _is_published(world):
        ax.plot(PUBLISHED["exponent"], PUBLISHED[name], **THEIRS)
        looks["published"] = THEIRS
    legend_of(ax, looks, loc="upper right")


def _draw_expected(ax: Axes, world: xr.Dataset) -> None:
    """Draw what both answers leave where features come one at a time."""
    n, m = int(world["n_features"]), int(world["n_hidden"])
    powers = world["exponent"].values
    q = 2 + NEAR * np.sinh(np.linspace(0, np.arcsinh((max(powers.max(), 2.01) - 2) / NEAR), 80))
    ax.plot(q, power_loss(n, m, q).active_error, color=style.INK, lw=1, ls=(0, (4, 2)))
    ax.axhline((1 - m / n) / 3, color=style.INK, lw=1, ls=":")
    looks = {
        "trained here": {"color": style.BLUE, "marker": ".", "lw": 1.5},
        "a neuron each, p → 0": {"color": style.INK, "lw": 1, "ls": ":"},
        "all for all, p → 0": {"color": style.INK, "lw": 1, "ls": (0, (4, 2))},
    }
    if _is_published(world):
        looks["published"] = THEIRS
    legend_of(ax, looks, loc="upper right")


def _draw_ways(ax: Axes, world: xr.Dataset, level: float) -> None:
    """Draw models that go on training while q rises, or falls; slow ways in full lines."""
    powers, looks = world["exponent"].values, {}
    steps = world["path_steps"].values
    for k, line in zip(np.argsort(-steps), LINES, strict=False):
        for way, (color, mark) in ARROWS.items():
            mean = world["path_spread"].isel(path_steps=k).sel(way=way).mean("seed")
            look = {"color": color, "marker": mark, "ls": line, "lw": 1.4, "ms": 5}
            ax.plot(powers, mean, **look)
            looks[f"{'rising' if way == 'up' else 'falling'} q, {steps[k]:,} steps each"] = look
    ax.axhline(level, color=style.GREY, lw=0.8, zorder=0)
    ax.set(ylim=(-0.03, 1.12), ylabel="spread of active features' errors")
    ax.set_title(f"Going on from the ends: {named(world)}")
    legend_of(ax, looks, loc="lower left")


def _draw_threshold(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how far above 2 the spread falls through the level, by density."""
    sizes = np.unique(dataset["n_features"].values)
    above, looks = dataset["threshold_mean"].values - 2, {}
    for k, n in enumerate(sizes):
        own = np.flatnonzero((dataset["n_features"].values == n) & (above > 0))
        own = own[np.argsort(dataset["p_active"].values[own])]
        at = dataset.isel(world=own)
        ends = (at["threshold_low"].values - 2, at["threshold_high"].values - 2)
        color, mark = style.SERIES[k % len(style.SERIES)]
        look = {"color": color, "marker": mark, "ls": "none", "ms": 6}
        draw_interval(ax, at["p_active"], above[own], *ends, **look)
        looks[f"{n} features"] = look
    p, told = dataset["p_active"].values, above > 0
    if told.any():
        ratio = np.exp(np.mean(np.log(above[told] / p[told])))
        ends = np.array([p[told].min() / 1.5, p[told].max() * 1.5])
        ax.plot(ends, ratio * ends, color=style.NULL, lw=1, ls=(0, (4, 2)), zorder=0)
        looks[f"{ratio:.2g} × density"] = {"color": style.NULL, "lw": 1, "ls": (0, (4, 2))}
        ax.set(xscale="log", yscale="log")
    ax.set(xlabel="density p", ylabel=f"power with spread {float(dataset['level']):g}, less 2")
    ax.set_title("Where the answer changes")
    legend_of(ax, looks, loc="upper left")
