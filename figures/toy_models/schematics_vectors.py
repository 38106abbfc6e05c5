"""Panels of the schematics that show directions: W in two dimensions, and in one."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from figures.kit import style
from figures.toy_models.schematics_numbers import n_features_of, turned

COLORS = [color for color, _ in style.SERIES]
TWINS = (style.BLUE, style.RED)
LIMIT = 1.5
ARROW: dict[str, Any] = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 13}
NOTE: dict[str, Any] = {"fontsize": 9, "color": style.NOTE, "ha": "right", "va": "top"}
TITLE: dict[str, Any] = {"fontsize": 10.5, "fontweight": "bold", "loc": "left"}


def arrow(ax: Axes, end: Any, start: Any = (0, 0), **look: Any) -> None:
    """Draw an arrow."""
    ax.annotate("", end, start, arrowprops=ARROW | {"lw": 2} | look, zorder=4)


def plane(ax: Axes, title: str, *, neurons: bool = True, limit: float = LIMIT) -> None:
    """Prepare the plane of two hidden dimensions: solid axes are neurons, dashed ones nothing."""
    ax.set_facecolor(style.CREAM)
    look: dict[str, Any] = {"color": style.INK if neurons else style.GREY, "zorder": 0}
    look |= {"lw": 1.3} if neurons else {"lw": 0.8, "ls": (0, (4, 4))}
    ax.axhline(0, **look)
    ax.axvline(0, **look)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(title, **TITLE)
    if neurons:
        ax.text(limit, -0.06, "neuron 1", ha="right", va="top", fontsize=8)
        ax.text(0.08, limit, "neuron 2", ha="left", va="top", fontsize=8)


def note(ax: Axes, text: str) -> None:
    """Write a remark below a panel."""
    ax.set_xlabel(text, fontsize=9, color=style.INK)


def features(ax: Axes, W: NDArray, names: Any = None, **look: Any) -> None:
    """Draw the columns of `W [2, F]` as arrows, numbered from 1."""
    names = range(1, W.shape[1] + 1) if names is None else names
    for i, (name, column) in enumerate(zip(names, W.T, strict=True)):
        arrow(ax, column, **{"color": COLORS[i % len(COLORS)]} | look)
        number(ax, column, str(name))


def number(ax: Axes, column: NDArray, name: str) -> None:
    """Write a feature's number beyond the tip of its arrow."""
    place = column * (1 + 0.17 / max(np.linalg.norm(column), 1e-9))
    box = {"boxstyle": "circle,pad=0.12", "fc": style.CREAM, "ec": "none"}
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 10, "bbox": box}
    ax.text(place[0], place[1], name, fontweight="bold", zorder=5, **look)


def lost(dataset: xr.Dataset, layer: str) -> tuple[float, float]:
    """Return what is lost where features lie on the axes, and where they are turned as drawn."""
    curve = dataset["lost"].sel(hidden_layer=layer)
    return float(curve[0]), float(curve.sel(turn=float(dataset["angle"])))


def draw_privileged(ax: Axes, dataset: xr.Dataset) -> None:
    """F2: a ReLU on each neuron makes the axes special."""
    plane(ax, "F2  privileged basis: h = ReLU(Wx)")
    angle = float(dataset["angle"])
    features(ax, np.eye(2))
    for column, color in zip(turned(np.eye(2), angle).T, COLORS, strict=False):
        arrow(ax, column, color=color, alpha=0.3, lw=1.5)
    here, there = lost(dataset, "ReLU")
    note(ax, f"{here:.0%} of E|x|² lost on the axes,\n{there:.0%} turned by {angle:g}° (pale)")


def draw_free(ax: Axes, dataset: xr.Dataset) -> None:
    """F2: without a nonlinearity every rotation is as good."""
    plane(ax, "F2  non-privileged basis: h = Wx", neurons=False)
    angle = float(dataset["angle"])
    for k in range(3):
        ghost = turned(np.eye(2), angle * k)
        for column, color in zip(ghost.T, COLORS, strict=False):
            arrow(ax, column, color=color, alpha=0.3, lw=1.5)
    features(ax, turned(np.eye(2), angle))
    most = float(np.abs(dataset["lost"].sel(hidden_layer="linear")).max())
    note(ax, f"{most:.0%} of E|x|² lost,\nwhatever the angle")


def draw_polysemantic(ax: Axes, dataset: xr.Dataset) -> None:
    """F3: neurons of two features each, which lie on the axes all the same."""
    W = dataset["digons"].values
    plane(ax, "F3  polysemantic, yet aligned")
    features(ax, W)
    on = _range(n_features_of(W))
    note(ax, f"{W.shape[1]} features; each neuron responds to {on}")


def draw_superposed(ax: Axes, dataset: xr.Dataset) -> None:
    """F3: more features than axes."""
    W = dataset["W"].values
    plane(ax, "F3  superposition")
    features(ax, W)
    on = _range(dataset["n_features_of_neuron"].values)
    note(ax, f"{W.shape[1]} features; each neuron responds to {on}")


def _range(counts: NDArray) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low}" if low == high else f"{low} or {high}"


def draw_readout(ax: Axes, dataset: xr.Dataset) -> None:
    """F3: one feature is on, and every direction hears something of it."""
    W, cosine = dataset["W"].values, dataset["cosine"].values
    unit = W / np.linalg.norm(W, axis=0)
    plane(ax, "F3  feature 1 is on: projections", neurons=False)
    for i, (column, value) in enumerate(zip(unit.T, cosine, strict=True)):
        ax.plot(*np.outer(column, [-1.35, 1.35]), color=COLORS[i], lw=0.8, alpha=0.6)
        x, y = 1.42 * column
        ax.text(x, y, str(i + 1), ha="center", va="center", fontsize=9)
        foot = value * column
        if i:
            ax.plot(*np.stack([unit[:, 0], foot], axis=1), ":", color=style.INK, lw=1)
        ax.plot(*foot, "o", color=COLORS[i], ms=7, zorder=6)
    arrow(ax, unit[:, 0], color=COLORS[0], lw=2.6)
    note(ax, "dots: what each direction reads of the arrow")


def draw_projections(ax: Axes, dataset: xr.Dataset) -> None:
    """F3: the same as numbers, and what the model's ReLU and bias make of it."""
    cosine, readout = dataset["cosine"].values, dataset["readout"].values
    at = np.arange(1, len(cosine) + 1)
    ax.bar(at - 0.2, cosine, 0.38, color=COLORS[: len(cosine)], alpha=0.55)
    ax.bar(at + 0.2, readout, 0.38, color=COLORS[: len(cosine)], ec=style.INK, lw=1)
    for x, value in zip(at, cosine, strict=True):
        side = "bottom" if value > 0 else "top"
        ax.text(x - 0.22, value, f" {value:.2f} ", ha="center", va=side, fontsize=8)
    for x, value in zip(at, readout, strict=True):
        ax.text(x + 0.24, max(value, 0), f"{value:.2f}", ha="center", va="bottom", fontsize=8)
    ax.axhline(0, color=style.INK, lw=0.8)
    ax.text(
        0.98, 0.98, "pale: cosine\nframed: output\nof the model", transform=ax.transAxes, **NOTE
    )
    ax.set(ylim=(min(cosine.min(), 0) - 0.2, 1.25), xticks=at, xlabel="feature")
    ax.set_title("F3  interference", **TITLE)


def draw_ambiguous(ax: Axes, dataset: xr.Dataset) -> None:
    """F3: several features on may look like another one."""
    W, x = dataset["W"].values, dataset["twin"].values
    plane(ax, "F3  two inputs, one hidden vector", neurons=False)
    for i, column in enumerate(W.T):
        arrow(ax, column, color=style.GREY, lw=1)
        number(ax, column, str(i + 1))
    for values, color in zip(x, TWINS, strict=True):
        at = np.zeros(2)
        for i in np.flatnonzero(values):
            arrow(ax, at + W[:, i] * values[i], at, color=color, lw=2.4)
            at = at + W[:, i] * values[i]
    ax.plot(*(W @ x[0]), "o", color=style.INK, ms=8, zorder=6)
    distance = float(dataset["twin_distance"])
    note(ax, f"their hidden vectors are {max(distance, 0):.2f} apart")


def draw_twins(ax: Axes, dataset: xr.Dataset) -> None:
    """F3: the two inputs, and the one output that both get."""
    x, y = dataset["twin"].values, dataset["twin_output"].values
    at = np.arange(1, x.shape[1] + 1)
    for values, color, shift in zip(x, TWINS, (-0.27, 0), strict=True):
        on = " + ".join(f"{v:.2f} of {i}" for i, v in zip(at, values, strict=True) if v > 0)
        ax.bar(at + shift, values, 0.26, color=color, label=f"input: {on}")
    ax.bar(at + 0.27, y[0], 0.26, color=style.GREY, ec=style.INK, label="output for the first")
    look: dict[str, Any] = {"color": style.INK, "ms": 5, "ls": "none"}
    ax.plot(at + 0.27, y[1], "D", label="output for the second", **look)
    ax.set(xticks=at, xlabel="feature", ylim=(0, 1.8), yticks=[0, 0.5, 1])
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[1:] + handles[:1], labels[1:] + labels[:1], loc="upper center", fontsize=8.5)
    ax.set_title("F3  … and one output", **TITLE)


def draw_fates(ax: Axes, dataset: xr.Dataset) -> None:
    """F10: what becomes of a second feature in one dimension."""
    p, r = (dataset[f"{name}_of_point"].values for name in ("density", "importance"))
    W, fate = dataset["fate_W"].values, dataset["fate"].values
    loss = dataset["fate_loss"].values
    for k in range(len(p)):
        y = -k
        ax.plot([-1.25, 1.25], [y, y], color=style.GREY, lw=1, zorder=0)
        ax.plot(0, y, "|", color=style.INK, ms=12)
        for i in range(2):
            if abs(W[k, i]) > 0.05:
                arrow(ax, (W[k, i], y), (0, y), color=TWINS[i], lw=3)
            else:
                ax.plot(0, y - 0.16, "o", mfc="white", mec=TWINS[i], mew=1.5, ms=7)
        ax.text(0, y + 0.3, str(fate[k]), ha="center", fontsize=9.5, fontweight="bold")
        told = f"density {p[k]:g}, importance {r[k]:g}:  W = ({W[k, 0]:.2f}, {W[k, 1]:.2f}), "
        ax.text(0, y - 0.42, _plain(told + f"loss {loss[k]:.4f}"), ha="center", fontsize=8)
    ax.set(xlim=(-1.4, 1.4), ylim=(-len(p) + 0.35, 0.75), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title("F10  fates of the second feature (red)", **TITLE)


def _plain(text: str) -> str:
    """Write no zero with a sign."""
    return text.replace("-0.00", "0.00").replace("-", "−")
