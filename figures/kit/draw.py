"""Painters: each draws one thing on one axes and returns what it drew."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import BarContainer
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from figures.kit import style


def draw_columns(
    ax: Axes, W: ArrayLike, colors: ArrayLike, limit: float = 1.5
) -> tuple[LineCollection, PathCollection]:
    """Draw the columns of `W [2, F]` as vectors from the origin, `colors [F, …]`."""
    W = np.asarray(W)
    if W.ndim != 2 or W.shape[0] != 2:
        raise ValueError(f"W has shape {W.shape}: draw_columns needs [2, features].")
    ax.set_facecolor(style.CREAM)
    ax.axhline(0, color=style.GREY, lw=0.7, ls=(0, (4, 4)), zorder=0)
    ax.axvline(0, color=style.GREY, lw=0.7, ls=(0, (4, 4)), zorder=0)
    lines = LineCollection([[(0, 0), (x, y)] for x, y in W.T], colors=colors, lw=2.0)
    ax.add_collection(lines)
    dots = ax.scatter(W[0], W[1], c=colors, s=36, zorder=3)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return lines, dots


def draw_gram(ax: Axes, W: ArrayLike, b: ArrayLike) -> tuple[AxesImage, AxesImage]:
    """Draw `WᵀW` as a square and, right of it, `b` as a column; both on the scale -1 … 1."""
    W = np.asarray(W)
    return draw_map(ax, W.T @ W, b)


def draw_map(ax: Axes, G: ArrayLike, b: ArrayLike) -> tuple[AxesImage, AxesImage]:
    """Draw `G [F, F]` of y = f(G x + b) as `draw_gram` does."""
    G, b = np.asarray(G), np.asarray(b)
    n = len(G)
    shared: dict[str, Any] = {"cmap": style.SIGNED, "vmin": -1, "vmax": 1, "aspect": "equal"}
    gap, width = n * 0.06, n * 0.07
    gram = ax.imshow(G, extent=(0, n, n, 0), **shared)
    bias = ax.imshow(b[:, None], extent=(n + gap, n + gap + width, n, 0), **shared)
    ax.set(xlim=(-0.02 * n, n + gap + width), ylim=(n, -0.02 * n), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return gram, bias


def draw_norms(ax: Axes, norm: ArrayLike, superposition: ArrayLike) -> BarContainer:
    """Draw `‖W_i‖` as bars, feature 0 on top, coloured by superposition (0 dark … ≥ 1 bright)."""
    norm, superposition = np.asarray(norm), np.asarray(superposition)
    ax.set_facecolor("#E9E9E9")
    colors = style.SUPERPOSITION(np.clip(superposition, 0, 1))
    bars = ax.barh(np.arange(norm.size) + 0.5, norm, height=0.85, color=colors)
    ax.set(ylim=(norm.size, 0), xlim=(0, 1.35), yticks=[], xticks=[0, 1])
    return bars
