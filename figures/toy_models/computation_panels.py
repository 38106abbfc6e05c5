"""Painters of models with two layers: the graph, the matrices and the stacks of their weights.

Stacks as in Elhage et al. 2022, "Privileged basis": one for each neuron, one rectangle for each
weight, as high as the weight is large. A neuron with more than one rectangle is polysemantic.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from figures.kit import style

FAINT = 0.02  # share of the largest weight below which nothing is drawn
WIDTH = 0.8  # of a stack


def draw_stacks(ax: Axes, W: ArrayLike, colors: ArrayLike) -> PatchCollection:
    """Stack the weights `W [M, F]` of each neuron, feature 0 next to the axis; negative ones below.

    Args:
        ax: where.
        W: weights into the neurons.
        colors: of the features, `[F, …]`.
    """
    W, colors = np.nan_to_num(np.asarray(W, float)), np.asarray(colors)
    least = FAINT * np.max(np.abs(W), initial=0)
    boxes, fills = [], []
    for sign in (1, -1):
        height = np.where(sign * W > least, np.abs(W), 0)
        below = np.cumsum(height, axis=1) - height
        for k, i in zip(*np.nonzero(height), strict=True):
            corner, size = (k - WIDTH / 2, float(sign * below[k, i])), float(height[k, i])
            boxes.append(Rectangle(corner, WIDTH, sign * size))
            fills.append(colors[i])
    found = PatchCollection(boxes, facecolors=fills, edgecolors="white", linewidths=0.3)
    ax.add_collection(found)
    low, high = -np.maximum(-W, 0).sum(1).max(), np.maximum(W, 0).sum(1).max()
    pad = 0.04 * max(high - low, 1e-9)
    ax.set(xlim=(-0.7, len(W) - 0.3), ylim=(low - pad * (low < 0), high + pad), xticks=[])
    ax.axhline(0, color=style.INK, lw=0.7)
    return found


def draw_weights(ax: Axes, W: ArrayLike) -> AxesImage:
    """Draw a matrix of weights, one column for each neuron, from -1 (blue) to 1 (red)."""
    found = ax.imshow(np.asarray(W), cmap=style.SIGNED, vmin=-1, vmax=1, aspect="auto")
    ax.set(xticks=[])
    return found


def draw_graph(ax: Axes, W: ArrayLike, V: ArrayLike, colors: ArrayLike) -> None:
    """Draw inputs, neurons and outputs from left to right; an edge is as wide as its weight.

    Args:
        ax: where.
        W: weights into the neurons, `[M, F]`; red where positive, blue where negative.
        V: weights out of them, `[F, M]`.
        colors: of the features, `[F, …]`.
    """
    W, V = np.asarray(W), np.asarray(V)
    m, n = W.shape
    neuron, feature = _heights(m), _heights(n)
    _draw_edges(ax, (0, feature), (1, neuron), W.T)
    _draw_edges(ax, (1, neuron), (2, feature), V.T)
    how: dict[str, Any] = {"s": 260, "zorder": 3, "edgecolors": style.INK, "linewidths": 0.8}
    ax.scatter(np.ones(m), neuron, c="white", marker="s", **how)
    label: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8, "zorder": 4}
    for x, name in ((0, "x"), (2, "y")):
        ax.scatter(np.full(n, x), feature, c=colors, **how)
        for i, height in enumerate(feature):
            ax.text(x, height, f"${name}_{{{i + 1}}}$", color="white", **label)
    ax.set(xlim=(-0.25, 2.25), ylim=(-0.12, 1.12), xticks=[0, 1, 2], yticks=[])
    ax.set_xticklabels(["inputs", "neurons", "outputs"])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _heights(n: int) -> NDArray[np.float64]:
    """Return where n nodes stand, from the top."""
    return 1 - (np.arange(n) + 0.5) / n


def _draw_edges(ax: Axes, start: tuple, end: tuple, weights: NDArray) -> None:
    """Draw `weights [start, end]` between two columns of nodes, each `(x, heights)`."""
    weights = np.nan_to_num(weights)
    largest = np.max(np.abs(weights), initial=1e-30)
    pairs = np.argwhere(np.abs(weights) > FAINT * largest)
    lines = [[(start[0], start[1][i]), (end[0], end[1][j])] for i, j in pairs]
    sizes = [weights[i, j] / largest for i, j in pairs]
    colors = [_sign_color(w) for w in sizes]
    ax.add_collection(LineCollection(lines, linewidths=[3 * abs(w) for w in sizes], colors=colors))


def draw_circuit(
    ax: Axes, W: ArrayLike, V: ArrayLike, features: tuple[Any, Any], neurons: tuple[Any, Any]
) -> None:
    """Draw two neurons and two features as a graph, with a number at each edge.

    Args:
        ax: where.
        W: weights into the neurons, `[2 neurons, 2 features]`.
        V: weights out of them, `[2 features, 2 neurons]`.
        features: their names, or indices from 0.
        neurons: the same.
    """
    W, V = np.asarray(W), np.asarray(V)
    height = _heights(2)
    colors = [style.series(i)["color"] for i in range(2)]
    _draw_edges(ax, (0, height), (1, height), W.T)
    _draw_edges(ax, (1, height), (2, height), V.T)
    for start, weights in ((0, W.T), (1, V.T)):
        for i, j in np.argwhere(np.abs(weights) > FAINT * np.max(np.abs(weights), initial=0)):
            along = 0.3 if i == j else 0.24  # labels of crossing edges stand apart
            at, weight = float(height[i] + along * (height[j] - height[i])), float(weights[i, j])
            white = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            number = f"{weight:.2g}".replace("-", "−")
            look: dict[str, Any] = {"ha": "center", "va": "center", "bbox": white, "fontsize": 8}
            ax.text(start + along, at, number, color=_sign_color(weight), zorder=5, **look)
    how: dict[str, Any] = {"s": 420, "zorder": 3, "edgecolors": style.INK, "linewidths": 0.8}
    ax.scatter(np.ones(2), height, c="white", marker="s", **how)
    label: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8.5, "zorder": 4}
    for i in range(2):
        ax.text(1, height[i], _name(neurons[i]), **label)
        for x, letter in ((0, "x"), (2, "y")):
            ax.scatter(x, height[i], color=colors[i], **how)
            text = f"${letter}_{{{_name(features[i])}}}$"
            ax.text(x, height[i], text, color="white", **label)
    ax.set(xlim=(-0.25, 2.25), ylim=(0, 1), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _name(thing: Any) -> str:
    return str(thing + 1) if isinstance(thing, int) else str(thing)


def _sign_color(weight: float) -> str:
    return style.RED if weight > 0 else style.BLUE
