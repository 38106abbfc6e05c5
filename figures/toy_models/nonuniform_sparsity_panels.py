"""Panels of trained models with one feature of another density; see `nonuniform_sparsity`."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from figures.exact.pentagon_digon_panels import (
    COLOR_NORM,
    COLORS,
    PAPER,
    PAPER_COLOR,
    TICKS,
    at_density,
    canonical,
    has_paper,
)
from figures.kit import style
from figures.kit.panels import draw_interval, legend_of
from toymodels.exact.pentagon_digon import BRANCHES, DIGONS, F

MARKS = ("o", "s")
DENSITY = f"relative density of feature {F}  (1: like the others; left: sparser)"


def draw_solutions(ax: Axes, dataset: xr.Dataset, branch: int) -> None:
    """Lay a branch's best trained solutions over each other, coloured by feature 5's density."""
    W = dataset["trained_W"].transpose("branch", "random_at", "hidden", "feature").values[branch]
    n = 0
    for t, columns in zip(dataset["random_at"].values, W, strict=True):
        if not np.isfinite(columns).all():
            continue
        n += 1
        color = style.SUPERPOSITION(COLOR_NORM(t))
        turned = canonical(columns, branch)
        for x, y in turned.T:
            ax.plot([0, x], [0, y], color=color, lw=1.0, alpha=0.6, zorder=1)
        ax.scatter(*turned[:, :-1], color=color, s=26, zorder=3)
        ax.scatter(*turned[:, -1:], color=color, s=120, marker="*", zorder=4, ec="none")
    ax.set_facecolor(style.CREAM)
    ax.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    name = "two digons" if branch == DIGONS else "pentagon"
    ax.set_title(f"{name}: the best trained\nat each of {n} densities" if n else f"{name}: none")
    ax.text(0.03, 0.03, f"★ feature {F}", transform=ax.transAxes, fontsize=8, color=style.INK)


def label_losses(ax: Axes) -> None:
    """Label the axis of relative density below the losses."""
    ax.set_xticks(TICKS, [f"{t:g}" for t in TICKS])
    ax.minorticks_off()
    ax.set_xlabel(DENSITY)
    ax.set_title("trained models (dots) on the exact branches (lines)")


def draw_shares(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how many models are on which branch: from random weights, and started on it."""
    at, looks = dataset["random_at"].values, {}
    for k, name in enumerate(BRANCHES):
        look: dict[str, Any] = {"color": COLORS[k], "marker": MARKS[k], "ms": 5}
        parts = (dataset[part].values[k] for part in ("share", "low", "high"))
        draw_interval(ax, at, *parts, **look)
        started: dict[str, Any] = {"color": COLORS[k], "ls": ":", "lw": 1.8}
        ax.plot(at, dataset["stays"].values[k], **started)
        looks |= {f"{name}, from random weights": look, f"started as {name}: stays": started}
    t = at_density(dataset, "crossing")
    if np.isfinite(t):
        ax.axvline(t, color=style.INK, lw=1)
        ax.text(t, 1.1, f"{1 / t:.2f}×", ha="center", fontsize=8, color=style.INK)
    if has_paper(dataset):
        ax.axvline(PAPER, color=PAPER_COLOR, lw=1.1, ls=":")
        ax.text(PAPER, 1.1, f"paper {1 / PAPER:g}×", ha="left", fontsize=8, color=PAPER_COLOR)
    density = dataset["relative_density"].values
    ax.set(xscale="log", xlim=(0.93 * density[0], 1.07 * density[-1]), ylim=(-0.05, 1.18))
    ax.set_xticks(TICKS, [f"{t:g}" for t in TICKS])
    ax.minorticks_off()
    ax.set(ylabel="share of models", yticks=[0, 0.5, 1])
    ax.set_xlabel(DENSITY)
    legend_of(ax, looks, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
