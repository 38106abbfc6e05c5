"""Painters of stack plots: W with a column for each neuron, stacks, and how to read one."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from figures.kit import style

MOST = 12  # densities that there is room for
SHADES = {1: "#DCEAF6", 2: "#FBE3DB"}  # behind neurons that read one feature, and several
NAMES = {1: "neuron that reads one feature", 2: "several (polysemantic)"}
WIDTH = 0.72  # of a stack
READABLE = 0.045  # a rectangle has a number inside from this share of the axis on
LARGEST = 1.25  # weights have full colour there

Floats = NDArray[np.floating]


def limits_of(W: Floats) -> tuple[float, float]:
    """Return the ends of an axis that holds the stacks of all rows of `W [M, F]`."""
    up, down = (np.maximum(sign * W, 0).sum(-1).max() for sign in (1, -1))
    pad = 0.05 * max(up + down, 1e-3)
    return -down - pad, up + pad


def draw_weights(ax: Axes, cell: xr.Dataset) -> None:
    """Draw Wᵀ: a row for each feature, a column for each neuron, in the order of the stacks."""
    draw_matrix(ax, cell["W"].values[cell["order"].values])
    ax.set(xticks=[], yticks=[])


def draw_matrix(ax: Axes, W: Floats) -> None:
    """Draw `W [M, F]` with neurons side by side and feature 1 on top."""
    ax.imshow(W.T, cmap=style.SIGNED, vmin=-LARGEST, vmax=LARGEST, aspect="auto")
    ax.spines[:].set_visible(False)


def draw_nothing(*axes: Axes) -> None:
    """Leave panels empty."""
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)


def draw_stacks(ax: Axes, cell: xr.Dataset) -> None:
    """Draw the stack of every neuron, shaded by how many features it reads."""
    order = cell["order"].values
    for x, read in enumerate(cell["n_read"].values[order]):
        if read:
            ax.axvspan(x - 0.5, x + 0.5, color=SHADES[min(int(read), 2)], lw=0, zorder=0)
    W = cell["W"].values[order]
    draw_rectangles(ax, W, cell["superposition"].values, limits_of(W))


def draw_rectangles(
    ax: Axes, W: Floats, superposition: Floats, limits: tuple[float, float]
) -> None:
    """Draw one stack for each row of `W [M, F]`: height |w|, negative weights below the axis."""
    x, colors = np.arange(len(W)), style.SUPERPOSITION(np.clip(superposition, 0, 1))
    tops = np.zeros((2, len(W)))  # of what is there already, above and below
    for f in range(W.shape[1]):
        side = (W[:, f] < 0).astype(int)
        bottom = tops[side, x]
        ax.bar(x, W[:, f], WIDTH, bottom, color=colors[f], edgecolor="white", lw=0.35)
        tops[side, x] += W[:, f]
        for at in np.flatnonzero(np.abs(W[:, f]) > READABLE * (limits[1] - limits[0])):
            dark = sum(to_rgb(colors[f])) < 1.5
            look: dict[str, Any] = {"color": "white" if dark else style.INK, "fontsize": 6.5}
            y = bottom[at] + W[at, f] / 2
            ax.text(x[at], y, f"{f + 1}", ha="center", va="center_baseline", **look)
    ax.axhline(0, color=style.INK, lw=0.7)
    ax.set(xlim=(-0.5, len(W) - 0.5), ylim=limits, xticks=[])
    ax.spines[["bottom"]].set_visible(False)


def example(dataset: xr.Dataset) -> tuple[int, int] | None:
    """Choose the neuron that shows how to read a stack, as (density, neuron).

    Of the first density with a neuron that reads several features with both signs, or else several,
    or else any, the first such neuron in the order of the stacks.
    """
    W, read = dataset["W"].values, dataset["n_read"].values
    both = (np.min(W, axis=-1, initial=0) < -0.25) & (read > 1)
    for wanted in (both, read > 1, dataset["best_seed"].values[:, None] >= np.zeros_like(read)):
        if wanted.any():
            i = int(np.argmax(wanted.any(1)))
            order = dataset["order"].values[i]
            return i, int(order[np.argmax(wanted[i, order])])
    return None


def draw_reading(above: Axes, below: Axes, dataset: xr.Dataset) -> None:
    """Draw the weights of one neuron as numbers, and its stack with words beside it."""
    found = example(dataset)
    if found is None:
        draw_nothing(above, below)
        return
    i, neuron = found
    cell = dataset.isel(p_active=i)
    w, limits = cell["W"].values[neuron], limits_of(cell["W"].values)
    draw_matrix(above, w[None])
    above.set_xticks([])
    above.set_yticks(np.arange(w.size), [f"{f + 1}" for f in range(w.size)])
    above.tick_params(length=0)
    above.set_title("how to read:\na neuron's weights")
    for f, value in enumerate(w):
        strong = abs(value) > 0.6 * LARGEST
        look: dict[str, Any] = {"color": "white" if strong else style.INK, "fontsize": 7}
        above.text(0, f, f"{value:+.2f}", ha="center", va="center_baseline", **look)
    draw_rectangles(below, w[None], cell["superposition"].values, limits)
    below.set_xlim(-0.5, 1.5)
    bottoms = [0.0, 0.0]
    for f, value in enumerate(w):
        side = int(value < 0)
        if abs(value) > READABLE * (limits[1] - limits[0]):
            y = bottoms[side] + value / 2
            below.text(0.45, y, f"w{_low(f + 1)} = {value:+.2f}", va="center_baseline", fontsize=7)
        bottoms[side] += value
    below.set_ylabel("stack of a neuron: heights |w|,\nnegative weights below the axis")
    where = list(cell["order"].values).index(neuron) + 1
    below.set_xlabel(f"neuron {where} at 1 − S = {float(cell['p_active']):g}", fontsize=8)


def add_keys(figure: Figure, panel: dict[str, Axes], above: list[str], below: list[str]) -> None:
    """Add the two colour bars and the key of the shades."""
    weights = ScalarMappable(Normalize(-LARGEST, LARGEST), style.SIGNED)
    bar = figure.colorbar(
        weights,
        ax=[panel[a] for a in above],
        shrink=0.75,
        aspect=16,
        ticks=[-1, 0, 1],
        extend="both",
    )
    bar.set_label("weight")
    share = ScalarMappable(Normalize(0, 1), style.SUPERPOSITION)
    bar = figure.colorbar(
        share, ax=[panel[b] for b in below], shrink=0.75, aspect=17, ticks=[0, 0.5, 1]
    )
    bar.set_label("superposition of a feature\nΣⱼ≠ᵢ (Ŵᵢ·Wⱼ)²")
    bar.ax.set_yticklabels(["0", "0.5", "≥ 1"])
    panel[above[0]].set_xlabel(" ")  # room for the key
    handles = [Patch(color=SHADES[k], label=NAMES[k]) for k in SHADES]
    where: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.1, 0.98), "ncols": 2}
    panel[below[0]].legend(handles=handles, **where).set_in_layout(False)


def _low(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
