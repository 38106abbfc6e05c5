"""Panels of the figure of polytopes: D_i, how often each forms, and the table of polygons."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.cells import draw_cells, signed
from figures.kit.panels import draw_interval
from figures.toy_models.polytopes_ideals import Arrangement, null_vectors
from figures.toy_models.polytopes_solid import FACTORS

TITLE: dict[str, Any] = {"fontsize": 10, "fontweight": "bold"}
LIMIT = 1.45


def fraction(arrangement: Arrangement, k: int) -> str:
    """Write D_i of factor k as a fraction with its name."""
    factor = arrangement.factors[k]
    return f"{factor.name} {factor.n_dimensions}/{factor.n_corners}"


def trained_of(one: xr.Dataset, arrangement: Arrangement) -> NDArray | None:
    """Return the trained `W [M, F]`, or None where no seed formed the arrangement."""
    F, M = arrangement.size
    W = one["W_trained"].values[:M, :F]
    return W if np.isfinite(W).all() else None


def draw_dimensionality(ax: Axes, one: xr.Dataset, arrangement: Arrangement) -> None:
    """F18: trained D_i of each feature on the exact values, and the average that they are not."""
    F, M = arrangement.size
    at, of = np.arange(1, F + 1), arrangement.factor_of
    ax.axhline(M / F, color=style.GREY, lw=1.2, ls="--", zorder=0)
    split = len(set(arrangement.dimensionality)) > 1
    told = f"average {M}/{F}" if split else f"{M}/{F}: all alike"
    ax.text(0.5, M / F + 0.008, told, fontsize=8, color=style.NOTE, va="bottom")
    for k in dict.fromkeys(of.tolist()):
        here, D = at[of == k], arrangement.factors[k].dimensionality
        ax.plot([here[0] - 0.4, here[-1] + 0.4], [D, D], color=FACTORS[k], lw=5, alpha=0.35)
        if split or not k:
            name = fraction(arrangement, k)
            ax.text(here.mean(), D - 0.035, name, fontsize=8.5, color=FACTORS[k], ha="center")
    colors = [FACTORS[k] for k in of]
    ax.scatter(at, one["D_trained"].values[:F], c=colors, s=42, ec="white", lw=0.6, zorder=3)
    ax.set(xlim=(0.4, F + 0.6), ylim=(0.3, 0.75), xticks=at, xlabel="feature")
    ax.set_ylabel("D_i")
    ax.set_title("lines: exact, dots: trained", fontsize=9)


def draw_shares(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw the share of seeds that form each arrangement, by density."""
    p = dataset["p_active"].values
    for k in range(dataset.sizes["size"]):
        one, look = dataset.isel(size=k), style.series(k)
        values = [one[name].values for name in ("share", "low", "high")]
        nudge = 1 + 0.012 * (k - 2)
        name = f"{one['arrangement'].values}, {_size(one)}"
        draw_interval(ax, p * nudge, *values, label=name, **look)
    positive = p[p > 0]
    if len(positive) == len(p) > 1:
        ax.set_xscale("log")
        ax.set_xticks(p, [f"{value:g}" for value in p])
        ax.minorticks_off()
    ax.set(ylim=(-0.03, 1.4), yticks=[0, 0.5, 1], ylabel="share of seeds")
    ax.set_xlabel("density of all features, p = 1 − S")
    ax.legend(loc="upper center", ncols=5, fontsize=8.5)
    ax.set_title("how often training forms each, with 95 % intervals", **TITLE)


def _size(one: xr.Dataset) -> str:
    finite = np.isfinite(one["W_exact"].values)
    return f"{int(finite.any(0).sum())} → {int(finite.any(1).sum())}"


def draw_table_columns(ax: Axes, one: xr.Dataset, arrangement: Arrangement) -> None:
    """F19: columns of W, exact ones pale and broad below trained ones."""
    W = trained_of(one, arrangement)
    ax.set_facecolor(style.CREAM)
    for i, (x, y) in enumerate(arrangement.corners.T):
        ax.plot([0, x], [0, y], color=style.GREY, lw=7, alpha=0.6, solid_capstyle="round")
        ax.text(1.28 * x, 1.28 * y, f"W{_low(i)}", ha="center", va="center", fontsize=10)
    if W is not None:
        for (x, y), k in zip(W.T, arrangement.factor_of, strict=True):
            ax.plot([0, x], [0, y], color=FACTORS[k], lw=1.6, zorder=3)
            ax.plot(x, y, "o", color=FACTORS[k], ms=6, zorder=4)
    _square(ax, f"F19  {arrangement.name}: columns of W")
    ax.set_xlabel("grey: exact, coloured: trained", fontsize=8.5)


def draw_table_graph(ax: Axes, one: xr.Dataset, arrangement: Arrangement) -> None:
    """F19: features as nodes, products of their columns as edges."""
    W = trained_of(one, arrangement)
    corners = arrangement.corners
    exact = corners.T @ corners
    product = exact if W is None else W.T @ W
    for i in range(len(exact)):
        for j in range(i):
            if abs(product[i, j]) < 0.05:
                continue
            ends, value = corners[:, [i, j]], product[i, j]
            color = style.SIGNED(0.5 + 0.5 * np.clip(value, -1, 1))
            ax.plot(*ends, color=color, lw=1 + 4 * abs(value), zorder=1)
            shift = 0.0 if len(exact) == 3 else 0.45 * (-1) ** i  # where two edges cross
            x, y = ends.mean(axis=1) + shift * (ends[:, 0] - ends[:, 1]) / 2
            box: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            text = f"{signed(value)}\n({signed(exact[i, j])})"
            ax.text(x, y, text, fontsize=8, ha="center", va="center", bbox=box, zorder=2)
    for i, (x, y) in enumerate(corners.T):
        color = FACTORS[arrangement.factor_of[i]]
        ax.plot(x, y, "o", ms=19, mfc="white", mec=color, mew=1.8, zorder=3)
        ax.text(x, y, str(i + 1), ha="center", va="center", fontsize=9.5, zorder=4)
    _square(ax, "graph of WᵀW")
    ax.set_xlabel("edges: trained (exact); none: below 0.05", fontsize=8.5)


def draw_table_matrix(ax: Axes, one: xr.Dataset, arrangement: Arrangement) -> None:
    """F19: WᵀW, exact and trained."""
    W, corners = trained_of(one, arrangement), arrangement.corners
    n, at = corners.shape[1], 0.0
    every = {"exact": corners.T @ corners} | ({} if W is None else {"trained": W.T @ W})
    for name, product in every.items():
        draw_cells(ax, product, (at, 0), size=8 if n < 4 else 6.5)
        ax.text(at + (n - 1) / 2, 0.75, name, ha="center", fontsize=9)
        at += n + 0.6
    ax.set(xlim=(-0.7, at - 0.9), ylim=(-n + 0.3, 1.2), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title("WᵀW", **TITLE)


def draw_table_null(ax: Axes, one: xr.Dataset, arrangement: Arrangement) -> None:
    """F19: the vectors that are orthogonal to W."""
    W, corners = trained_of(one, arrangement), arrangement.corners
    exact, own, angle = null_vectors(corners, corners if W is None else W)
    n = corners.shape[1]
    for k, (vector, trained) in enumerate(zip(exact, own, strict=True)):
        at = np.arange(n) + k * (n + 1)
        on = vector / np.abs(vector).max()
        ax.bar(at, on, 0.8, color=style.PALE, ec=style.GREY, label=None if k else "exact")
        if W is not None:
            scaled = trained / np.abs(vector).max()
            ax.plot(at, scaled, "o", color=style.INK, ms=6, label=None if k else "trained")
        name = "(" + ", ".join(f"{value:.0f}" for value in on) + ")"
        ax.text(at.mean(), 1.12, name, ha="center", fontsize=9.5, fontweight="bold")
    places = [i + k * (n + 1) for k in range(len(exact)) for i in range(n)]
    ax.set_xticks(places, [str(i % n + 1) for i in range(len(places))])
    ax.set(ylim=(-0.15, 1.6), yticks=[0, 1], xlabel="feature")
    ax.legend(loc="upper right", ncols=2, fontsize=8)
    told = "" if W is None else f", {angle:.1g}° apart"
    ax.set_title(f"orthogonal to W{told}", **TITLE)


TABLE = {
    "columns": draw_table_columns,
    "graph": draw_table_graph,
    "matrix": draw_table_matrix,
    "null": draw_table_null,
}
"""Painters of the columns of the table."""


def _square(ax: Axes, title: str) -> None:
    ax.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(title, **TITLE)


def _low(i: int) -> str:
    """Write a feature's number, from 1 on, below the line."""
    return chr(0x2081 + i)
