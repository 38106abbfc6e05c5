"""The panels of learning dynamics: D_i and the loss of one run, and shares against chance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import stats

from figures.kit import style
from figures.kit.panels import legend_of, panels
from toymodels.dynamics import Comparison
from toymodels.theory import POLYTOPE_DIMENSIONALITY

COLORS = (style.SERIES[0][0], style.SERIES[5][0], style.INK)  # by fate
NAMES = ("ends in a digon", "ends dropped", "ends otherwise")
SHAPES = {"digon": "½", "pentagon": "⅖"}
ROOM = 2.2  # what is drawn, in times of the last jump
FRAMES, SECONDS = 70, 7


def draw_dimensionality(ax: Axes, dataset: xr.Dataset, jumps: xr.Dataset) -> None:
    """Draw D_i over steps, coloured by how each feature ends."""
    t, D, fate = (dataset[k].values for k in ("snapshot", "shown_D", "fate"))
    for i in np.argsort(-fate):
        ax.plot(t, D[:, i], color=COLORS[fate[i]], lw=0.9, alpha=0.75)
    for shape, text in SHAPES.items():
        at = POLYTOPE_DIMENSIONALITY[shape]
        ax.axhline(at, color=style.GREY, lw=0.7, ls=(0, (4, 4)), zorder=0)
        ax.annotate(f"{shape}, {text}", (1, at), (3, 0), va="center", **_right())
    _mark(ax, jumps)
    top = max(0.62, float(np.nanmax(D, initial=0)) if np.isfinite(D).any() else 0)
    ax.set(xlim=limits(dataset, jumps), ylim=(-0.03, top), ylabel="dimensionality Dᵢ")
    looks = {NAMES[k]: {"color": COLORS[k]} for k in np.unique(fate)}
    legend_of(ax, looks, loc="center right", ncols=1)
    ax.tick_params(labelbottom=False)


def draw_loss(ax: Axes, dataset: xr.Dataset, jumps: xr.Dataset) -> None:
    """Draw the loss over the same steps, its mean over 2 % of them, and which jumps have a drop."""
    t, loss = dataset["step"].values, dataset["shown_loss"].values
    ax.plot(t, loss, color=style.LIGHT_BLUE, lw=0.7)
    ax.plot(t, smooth(t, loss), color=style.INK, lw=1.5)
    _mark(ax, jumps)
    low, high = limits(dataset, jumps)
    seen = loss[(t > low + 0.012 * (t[-1] - t[0])) & (t <= high)]
    seen = seen[np.isfinite(seen)]
    if seen.size:
        room = max(float(np.ptp(seen)), 1e-6 * float(seen.max()))
        ax.set_ylim(seen.min() - 0.05 * room, seen.max() + 0.3 * room)
    for first, last, drop in zip(*(jumps[f"jump_{k}"].values for k in _ENDS), strict=True):
        text = "drop" if drop else "no drop\nby rule"
        place = ((first + last) / 2, 0.98)
        ax.annotate(
            text, place, (0, 0), va="top", ha="center", xycoords=ax.get_xaxis_transform(), **_note()
        )
    ax.set(xlim=(low, high), xlabel="training step", ylabel="loss")
    looks = {"loss": {"color": style.LIGHT_BLUE}, "mean over 2 % of training": {"color": style.INK}}
    legend_of(ax, looks, loc="upper right")


_ENDS = ("first", "last", "drop")


def _note() -> dict[str, Any]:
    return {"textcoords": "offset points", "fontsize": 8, "color": style.NOTE}


def _right() -> dict[str, Any]:
    return {"xycoords": ("axes fraction", "data"), "annotation_clip": False} | _note()


def _mark(ax: Axes, jumps: xr.Dataset) -> None:
    """Shade the times of jumps."""
    for first, last in zip(jumps["jump_first"].values, jumps["jump_last"].values, strict=True):
        ax.axvspan(first, last, color=style.AREAS[3], alpha=0.55, lw=0, zorder=-1)


def limits(dataset: xr.Dataset, jumps: xr.Dataset) -> tuple[float, float]:
    """Return which steps are drawn: all, or as many as leave the jumps room."""
    t = dataset["snapshot"].values
    last = float(jumps["jump_last"].values.max(initial=t[0]))
    end = t[-1] if last <= t[0] else min(float(t[-1]), t[0] + ROOM * (last - t[0]))
    return float(t[0]), float(end)


def smooth(t: NDArray, values: NDArray) -> NDArray:
    """Return the mean of values within 1 % of the run on either side."""
    half = 0.01 * (t[-1] - t[0])
    low, high = np.searchsorted(t, t - half), np.searchsorted(t, t + half, "right")
    sums = np.concatenate([[0], np.cumsum(values)])
    return (sums[high] - sums[low]) / (high - low)


def draw_shares(ax: Axes, by: Mapping[str, Comparison]) -> None:
    """Draw which share of jumps coincides with a drop, with 95 % intervals, and chance."""
    for k, found in enumerate(by.values()):
        if not found.n:
            ax.annotate("no jumps", (k, 0), (0, 4), ha="center", rotation=90, **_note())
            continue
        low, high = stats.binomtest(found.happened, found.n).proportion_ci(method="wilson")
        share = found.happened / found.n
        ax.errorbar(k, share, [[share - low], [high - share]], capsize=3, **style.series(0))
        ax.hlines(found.expected / found.n, k - 0.3, k + 0.3, color=style.NULL, lw=2)
        ax.annotate(f"{found.happened}/{found.n}", (k, share), (7, 0), va="center", **_note())
    ax.set(xlim=(-0.5, len(by) - 0.2), ylim=(0, 1.05), ylabel="share of jumps with a drop")
    ax.set_xticks(range(len(by)), list(by))
    ax.set_xlabel("density")
    looks = {
        "runs": style.series(0) | {"ls": ""},
        "random times": {"color": style.NULL, "lw": 2},
    }
    legend_of(ax, looks, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, columnspacing=1)
    ax.set_title("all runs: jumps with a drop")


def animate_run(dataset: xr.Dataset, jumps: xr.Dataset) -> Any:
    """Animate WᵀW, features sorted by how they end, beside D_i and the loss with a moving step."""
    from matplotlib.animation import FuncAnimation

    mosaic = [["gram", "D"], ["gram", "loss"]]
    figure, panel = panels(None, mosaic, figsize=(9, 3.9), width_ratios=[1, 1.7])
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0, 0, 0.97, 1))  # pyright: ignore - room for the shapes' names
    draw_dimensionality(panel["D"], dataset, jumps)
    draw_loss(panel["loss"], dataset, jumps)
    panel["gram"].set_title("step")  # its place is laid out before it moves
    end = limits(dataset, jumps)[1]
    shown = np.flatnonzero(dataset["snapshot"].values <= end)
    frames = np.unique(shown[np.linspace(0, len(shown) - 1, FRAMES).astype(int)])
    order = order_of(dataset)
    W = np.nan_to_num(dataset["shown_W"].values[..., order])
    image = panel["gram"].imshow(W[0].T @ W[0], cmap=style.SIGNED, vmin=-1, vmax=1)
    panel["gram"].set(xticks=[], yticks=[], xlabel="features, by how they end")
    cursors = [panel[k].axvline(0, color=style.RED, lw=1) for k in ("D", "loss")]

    def show(k: int) -> list[Any]:
        image.set_data(W[k].T @ W[k])
        t = int(dataset["snapshot"].values[k])
        for cursor in cursors:
            cursor.set_xdata([t, t])
        panel["gram"].set_title(f"WᵀW, step {t:,}")
        return [image, *cursors]

    each = 1000 * SECONDS / FRAMES
    return FuncAnimation(figure, show, frames.tolist(), interval=each, repeat_delay=1500)


def order_of(dataset: xr.Dataset) -> NDArray[np.intp]:
    """Return features sorted by how they end, partners of a digon beside each other."""
    W, fate = np.nan_to_num(dataset["shown_W"].values[-1]), dataset["fate"].values
    partner = np.argmin(W.T @ W, axis=1)
    at = np.arange(len(fate))
    return np.lexsort((at, np.minimum(at, partner), fate))
