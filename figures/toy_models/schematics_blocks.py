"""Panels of the schematics that show networks: blocks with numbers in them, and graphs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.cells import draw_cells
from figures.toy_models.schematics_vectors import COLORS, TITLE, arrow

TEXT: dict[str, Any] = {"ha": "center", "va": "center"}


def blank(ax: Axes, title: str) -> None:
    """Prepare a panel without axes."""
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)
    ax.set_title(title, **TITLE)


def draw_blocks(ax: Axes, dataset: xr.Dataset) -> None:
    """F5: an input goes through the model, with every number on its way."""
    blank(ax, "F5  h = Wx,  x′ = ReLU(Wᵀh + b): one example")
    W, n = dataset["W"].values, dataset.sizes["feature"]
    columns = {
        "x": dataset["example_input"].values[:, None],
        "W": W,
        "h": dataset["example_hidden"].values[:, None],
        "Wᵀ": W.T,
        "b": dataset["b"].values[:, None],
        "x′": dataset["example_output"].values[:, None],
    }
    x, middle = 0.0, (n - 1) / 2
    signs = ("→", "→", "→", "+", "ReLU\n→", "")
    for (name, values), sign in zip(columns.items(), signs, strict=True):
        rows, wide = values.shape
        top = middle + (rows - 1) / 2
        draw_cells(ax, values, (x, top))
        ax.text(x + (wide - 1) / 2, top + 0.85, name, fontsize=11, fontweight="bold", **TEXT)
        ax.text(x + wide + 0.05, middle, sign, fontsize=10, **TEXT)
        x += wide + 1.1
    ax.set(xlim=(-0.7, x - 1.3), ylim=(-0.9, n + 0.6))


def draw_simulated(ax: Axes, dataset: xr.Dataset) -> None:
    """F4: a large sparse network's features, the small network that holds them, and back."""
    x, h = dataset["large_x"].values, dataset["small_h"].values
    read = dataset["large_read"].values
    title = f"F4  {len(h)} neurons hold {len(x)} sparse features"
    blank(ax, title)
    tall = int(np.ceil(np.sqrt(len(x))))
    at, names = 0.0, ("large sparse network, x", "small network, h = Wx", "read out, Wᵀh")
    edges = []
    for values, name in zip((x, h, read), names, strict=True):
        rows = tall if len(values) == len(x) else min(tall, len(values))
        wide = int(np.ceil(len(values) / rows))
        place = np.arange(len(values))
        px, py = at + place // rows, tall / 2 - (place % rows) - (tall - rows) / 2
        color = style.SIGNED(0.5 + 0.5 * np.clip(values, -1, 1))
        ax.scatter(px, py, s=75, c=color, ec=style.GREY, lw=0.6, zorder=3)
        if name.startswith("read"):
            on = x > 0
            ax.scatter(px[on], py[on], s=150, fc="none", ec=style.INK, lw=1.6, zorder=4)
        ax.text(at + (wide - 1) / 2, tall / 2 + 1.1, name, fontsize=9, **TEXT)
        edges.append((at, at + wide - 1))
        at += wide + 4
    for (_, left), (right, _), sign in zip(edges, edges[1:], ("W", "Wᵀ"), strict=False):
        arrow(ax, (right - 0.8, 0.5), (left + 0.8, 0.5), color=style.INK, lw=1.5)
        ax.text((left + right) / 2, 1.1, sign, fontsize=11, fontweight="bold", **TEXT)
    others = read[x == 0].max()
    told = f"ringed: the {int(x.sum())} that are on, read out at {listed(read[x > 0])}; "
    ax.set_xlabel(told + f"the strongest of the others at {others:.2f}", fontsize=9)
    ax.set(xlim=(-1, at - 4), ylim=(-tall / 2 + 0.2, tall / 2 + 1.8))


def listed(values: Sequence[float] | NDArray) -> str:
    """Join numbers as a sentence does."""
    texts = [f"{value:.2f}" for value in values]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else texts[0]


def draw_recovered(ax: Axes, dataset: xr.Dataset) -> None:
    """F4: how often the features on are those read out strongest."""
    counts, sizes = dataset["n_on"].values, dataset["n_neurons"].values
    for i, m in enumerate(sizes):
        share, here = dataset["share_found"].values[i], m == dataset.sizes["neuron"]
        look: dict[str, Any] = style.series(i) | ({"lw": 2.4, "ms": 7} if here else {"lw": 1.2})
        ax.plot(counts, share, label=f"{m} neurons", **look)
    ax.axvline(int(dataset["on"]), color=style.GREY, lw=1, ls=":", zorder=0)
    ax.set(xticks=counts, ylim=(-0.03, 1.05), yticks=[0, 0.5, 1])
    ax.set(xlabel="features on at once (dotted: as on the left)", ylabel="share of inputs")
    ax.legend(loc="upper right", fontsize=8.5)
    ax.set_title("F4  are those on read out strongest?", **TITLE)


def draw_diagram(ax: Axes, dataset: xr.Dataset) -> None:
    """F35: the model as blocks."""
    blank(ax, "F35  one W: block diagram")
    n, m = dataset.sizes["entry"], dataset.sizes["unit"]
    steps = (f"x  ({n})", "W₁", f"h = ReLU(W₁x)  ({m})", "W₂", f"y = ReLU(W₂h + b)  ({n})")
    for k, text in enumerate(steps):
        weights = text.startswith("W")
        box = {"boxstyle": "round,pad=0.45", "ec": style.INK, "lw": 0.8}
        box |= {"fc": "white" if weights else style.AREAS[1]}
        ax.text(0, -k, text, bbox=box, fontsize=10, **TEXT)
        if k:
            arrow(ax, (0, -k + 0.32), (0, -k + 0.68), color=style.INK, lw=1.2)
    error = float(dataset["largest_error"])
    ax.set_xlabel(f"y = |x|: largest error {error:g}", fontsize=9)
    ax.set(xlim=(-2.3, 2.3), ylim=(-len(steps) + 0.4, 0.6))


def draw_matrix(ax: Axes, dataset: xr.Dataset) -> None:
    """F35: W as a matrix."""
    W = dataset["W_in"].values
    blank(ax, "F35  as a matrix, W₁")
    draw_cells(ax, W, (0, W.shape[0] - 1), digits=0)
    for j in range(W.shape[1]):
        ax.text(j, W.shape[0] - 0.25, f"x{_low(j + 1)}", color=COLORS[j], fontsize=10, **TEXT)
    for i in range(W.shape[0]):
        ax.text(-0.85, W.shape[0] - 1 - i, f"h{_low(i + 1)}", fontsize=9, **TEXT)
    ax.set(xlim=(-2.2, W.shape[1] + 0.7), ylim=(-0.7, W.shape[0] + 0.3))


def draw_stack(ax: Axes, dataset: xr.Dataset) -> None:
    """F35: W as stacks, one for each neuron."""
    W = dataset["W_in"].values
    at = np.arange(1, len(W) + 1)
    up, down = np.zeros(len(W)), np.zeros(len(W))
    for j, weights in enumerate(W.T):
        low = np.where(weights >= 0, up, down)
        ax.bar(at, weights, 0.8, bottom=low, color=COLORS[j], ec="white", label=f"x{_low(j + 1)}")
        up, down = up + np.maximum(weights, 0), down + np.minimum(weights, 0)
    ax.axhline(0, color=style.INK, lw=0.8)
    ax.set(xticks=at, xlabel="neuron", ylabel="weight", yticks=[-1, 0, 1])
    ax.set_ylim(min(down.min(), -1) - 0.15, max(up.max(), 1) + 0.6)
    ax.legend(ncols=W.shape[1], loc="upper center", fontsize=8.5)
    ax.set_title("F35  as stacks", **TITLE)


def draw_graph(ax: Axes, dataset: xr.Dataset) -> None:
    """F35: both W as a graph; red weights are positive, blue ones negative."""
    W, V = dataset["W_in"].values, dataset["W_out"].values
    m, n = W.shape
    blank(ax, "F35  as a graph")
    low, high = np.linspace(-n + 1, n - 1, n), np.linspace(-m / 2 + 0.5, m / 2 - 0.5, m)
    lines, colors = [], []
    for weights, (a, ya), (b, yb) in (
        (W, (low, 0.0), (high, 2.0)),
        (V.T, (low, 4.0), (high, 2.0)),
    ):
        for i, j in np.argwhere(weights):
            lines.append([(a[j], ya), (b[i], yb)])
            colors.append(style.SIGNED(0.5 + 0.5 * np.clip(weights[i, j], -1, 1)))
    ax.add_collection(LineCollection(lines, colors=colors, lw=2, zorder=1))
    for x, y, name in ((low, 0.0, "x"), (high, 2.0, "h"), (low, 4.0, "y")):
        ax.scatter(x, np.full(len(x), y), s=230, fc="white", ec=style.INK, zorder=3)
        for k, place in enumerate(x):
            ax.text(place, y - 0.02, f"{name}{_low(k + 1)}", fontsize=8.5, zorder=4, **TEXT)
    ax.set_xlabel("red +1, blue −1", fontsize=9)
    ax.set(xlim=(-m / 2 - 0.3, m / 2 + 0.3), ylim=(-0.5, 4.5))


def _low(k: int) -> str:
    """Write a small number below the line."""
    return "".join(chr(0x2080 + int(digit)) for digit in str(k))
