"""Panels of the figure of absolute values by sparsity: stacks, close-ups and counts."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.panels import draw_interval
from figures.toy_models.computation_panels import draw_stacks

MONOSEMANTIC = 0.8  # share of a neuron's largest weight from which it is for one feature
NAMED = 0.12  # height of a rectangle, as a share of its axis, from which its feature is named
SHADE = 0.5  # of a neuron whose weights are all alike
LIMITS = {"monosemantic": (0, 1), "computed": (0, np.inf), "rank_correlation": (-1, 1)}
TITLES = {
    "monosemantic": "share of monosemantic neurons",
    "computed": "features computed",
    "rank_correlation": "rank correlation of neurons:\nless important, more mixed",
}


def _sorted(cell: xr.Dataset) -> tuple[NDArray, NDArray, NDArray]:
    """Return `|W| [M, F]` rescaled, and each neuron's share, from the most important feature."""
    W, share = np.abs(cell["W"].values), cell["share_of_largest"].values
    feature = cell["largest_feature"].values
    order = np.lexsort((-np.nan_to_num(share), feature))
    largest = np.max(W, axis=1, keepdims=True)
    W = np.divide(W, largest, out=np.zeros_like(W), where=largest > 0)
    return W[order], share[order], feature[order]


def _draw(ax: Axes, cell: xr.Dataset, n: int) -> tuple[NDArray, NDArray]:
    """Draw the first n stacks over their shades."""
    W, share, feature = (values[:n] for values in _sorted(cell))
    colors = style.SUPERPOSITION(np.clip(np.nan_to_num(cell["superposition"].values), 0, 1))
    for k, value in enumerate(np.nan_to_num(share, nan=1.0)):
        dark = SHADE * (1 - value)
        ax.axvspan(k - 0.5, k + 0.5, color=style.RED, alpha=dark, lw=0, zorder=0)
    draw_stacks(ax, W, colors)
    return W, feature


def draw_density(ax: Axes, cell: xr.Dataset) -> None:
    """Draw all neurons at one density."""
    ax.set_title(f"1 − S = {float(cell['p_active']):g}", loc="left")
    if int(cell["best_seed"]) < 0:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "all runs diverged", transform=ax.transAxes, ha="center")
        return
    _draw(ax, cell, cell.sizes["hidden"])
    share = float(np.mean(cell["share_of_largest"].values > MONOSEMANTIC))
    said = f"{share:.0%} monosemantic, loss {float(cell['loss_over_pairs']):.2g}"
    ax.set_title(said, loc="right", fontsize=8.5, color=style.NOTE)


def draw_close_up(ax: Axes, cell: xr.Dataset, n: int) -> None:
    """Draw the n neurons of the most important features, with the features' numbers."""
    ax.set_title(f"close-up of {float(cell['p_active']):g}, with features' numbers", loc="left")
    if int(cell["best_seed"]) < 0:
        ax.set_axis_off()
        return
    W, _ = _draw(ax, cell, n)
    top = ax.get_ylim()[1]
    above = np.cumsum(W, axis=1)
    for k, i in np.argwhere(W / top > NAMED):
        light = float(cell["superposition"].values[i]) < 0.5
        color = "white" if light else style.INK
        look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7, "color": color}
        ax.text(k, float(above[k, i] - W[k, i] / 2), str(i + 1), zorder=4, **look)


def draw_scale(figure: Figure, axes: list[Axes]) -> None:
    """Draw which colour is which superposition."""
    mappable = ScalarMappable(Normalize(0, 1), style.SUPERPOSITION)
    bar = figure.colorbar(mappable, ax=axes, ticks=[0, 0.5, 1], aspect=40, shrink=0.7)
    bar.set_label("superposition of a feature  Σⱼ≠ᵢ (Ŵᵢ·Wⱼ)²")
    bar.ax.set_yticklabels(["0", "0.5", "≥ 1"])


def draw_count(ax: Axes, dataset: xr.Dataset, name: str) -> None:
    """Draw what was counted by density, with what chance or pairs of neurons would give."""
    p = dataset["p_active"].values
    mean, low, high = (dataset[k].values for k in (name, f"{name}_low", f"{name}_high"))
    least, most = LIMITS[name]
    draw_interval(
        ax,
        p,
        mean,
        np.maximum(low, least),
        np.minimum(high, most),
        fmt="o-",
        color=style.INK,
        ms=4.5,
    )
    look: dict[str, Any] = {"color": style.NULL, "ls": "--", "lw": 1.1}
    if name == "monosemantic":
        ax.plot(p, dataset["shuffled"].values, marker="s", ms=3.5, label="weights shuffled", **look)
        ax.legend()
    elif name == "computed":
        half = dataset.sizes["hidden"] / 2
        ax.axhline(half, label=f"two neurons each: {half:g}", **look)
        ax.legend(loc="lower left")
    else:
        ax.axhline(0, **look)
    pad = 0.04 * (most - least) if np.isfinite(most) else 0.0
    ax.set_ylim(least - pad, most + pad if np.isfinite(most) else None)
    ax.set(xscale="log", title=TITLES[name])
    ax.set_xticks(p, [f"{value:g}" for value in p])
    ax.minorticks_off()
    ax.set_xlim(p.max() * 1.3, p.min() / 1.3)  # sparser to the right
    if name == "rank_correlation":
        ax.set_xlabel("density 1 − S (sparser to the right)")
