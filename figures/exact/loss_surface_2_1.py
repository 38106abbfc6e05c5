"""F15: exact loss surfaces of two features in one dimension, without bias, and their minima.

McGrath's comment on Elhage et al. 2022, "Superposition as a Phase Change". y = ReLU(W^T W x) with
W = (w1, w2), importance 1 and r, both features active with probability p. Up to the flip
(w1, w2) -> (-w1, -w2) there are at most two minima: weights of opposite sign, an antipodal pair,
and weights of the same sign, which for r = 1 are equal, 1/sqrt 2: the "confused" feature stands
for either. Within a branch the minimum moves continuously with p; the best one changes branch.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import panels
from figures.kit.settings import require_at_least
from figures.kit.words import listed
from toymodels.theory.surface_2_1 import (
    BRANCHES,
    find_jumps,
    find_minima,
    loss_2_1_without_bias,
)

IMPORTANCES = (1.0, 0.5, 0.1)
SURFACES = ((1.0, (1.0, 0.6, 0.5, 0.3)), (0.1, (1.0, 0.3, 0.2, 0.1)))  # r, and p left to right
LIMIT = 1.5  # of the surfaces
LOWEST = 0.01  # density of the ways
LEVELS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5)
COLORS = dict(zip(IMPORTANCES, (style.BLUE, style.SERIES[1][0], style.RED), strict=True))

# What the analysis' own variables are.
WORDS = {
    "loss": "expected loss without bias",
    "minimum": "weights at a minimum",
    "minimum_loss": "loss at a minimum",
    "track": "weights at a minimum, by density",
    "track_loss": "loss at a minimum, by density",
    "jump": "density at which the best minimum changes",
    "jump_weight": "weights at both minima there",
}


def check(plan: Any) -> None:
    """Refuse grids that are too coarse.

    Raises:
        InputError: fewer than 2 points or densities.
    """
    for name, value in plan.settings.items():
        require_at_least(name, value, 2)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Evaluate the closed form and find its minima: nothing is trained.

    `loss (surface, w1, w2)` and its `minimum (surface, branch, weight)`, `minimum_loss`, NaN where
    a branch has none, of the surfaces (`r_of_surface`, `p_of_surface`); `track` and `track_loss`,
    the same for each `relative_importance` along `p_active`; `jump`, the density at which the best
    branch changes, and both minima there, `jump_weight`.
    """
    w = np.linspace(-LIMIT, LIMIT, int(dataset["points"]))
    p = np.linspace(LOWEST, 1.0, int(dataset["densities"]))
    r, cells = np.array(IMPORTANCES), np.array([(r, p) for r, row in SURFACES for p in row])
    loss = loss_2_1_without_bias(w[:, None], w, *cells.T[::-1, :, None, None])
    minimum, minimum_loss = find_minima(*cells.T[::-1])
    track, track_loss = find_minima(p, r[:, None])
    jump = find_jumps(p, r, track_loss)
    at_jump = find_minima(np.nan_to_num(jump, nan=1.0), r).w
    way = ("relative_importance", "p_active", "branch")
    variables = {
        "loss": (("surface", "w1", "w2"), loss.astype(np.float32)),
        "minimum": (("surface", "branch", "weight"), minimum),
        "minimum_loss": (("surface", "branch"), minimum_loss),
        "track": ((*way, "weight"), track),
        "track_loss": (way, track_loss),
        "jump": ("relative_importance", jump),
        "jump_weight": (("relative_importance", "branch", "weight"), at_jump),
    }
    coords = {"relative_importance": r, "p_active": p, "w1": w, "w2": w, "weight": ["w1", "w2"]}
    coords |= {"branch": list(BRANCHES)}
    of_surface = {f"{name}_of_surface": ("surface", cells[:, i]) for i, name in enumerate("rp")}
    return xr.Dataset(variables, coords | of_surface)


def claim(dataset: xr.Dataset) -> str:
    """Say where the second weight of the best minimum changes sign, and by how much."""
    jumps = dataset.dropna("relative_importance", subset=["jump"])
    if not jumps.sizes["relative_importance"]:
        return "The best minimum never changes sign: no jump at any density"
    w2 = jumps["jump_weight"].sel(weight="w2").values
    sizes = np.abs(np.diff(w2, axis=1))
    where = listed(f"{float(p):.3f}" for p in jumps["jump"])
    which = listed(f"{float(r):g}" for r in jumps["relative_importance"])
    return (
        f"Both minima move continuously, but the best w₂ jumps by {sizes.min():.2f} to "
        f"{sizes.max():.2f} at density {where} for importance {which}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is shown."""
    return [
        "p: density of both features, r: importance of the second",
        "nothing is trained: closed form, minima by Newton's method",
        "filled: the best minimum; hollow: the other one; each has a mirror image",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw surfaces in two rows and the minima's way with p beside them."""
    rows = [[f"r = {r:g}, p = {p:g}" for p in row] for r, row in SURFACES]
    mosaic = [[*row, "ways"] for row in rows]
    ratios = [1] * len(rows[0]) + [1.75]
    figure, panel = panels(axes, mosaic, figsize=(12.6, 5.9), width_ratios=ratios)
    surfaces = [panel[name] for row in rows for name in row]
    filled = [_draw_surface(ax, dataset.isel(surface=i)) for i, ax in enumerate(surfaces)]
    for row in rows:
        panel[row[0]].set_ylabel("w₂")
    for name in rows[-1]:
        panel[name].set_xlabel("w₁")
    label = "loss / loss of answering 0"
    figure.colorbar(filled[-1], ax=surfaces, label=label, ticks=LEVELS, aspect=32, fraction=0.03)
    _draw_ways(panel["ways"], dataset)
    return figure


def _draw_surface(ax: Axes, cell: xr.Dataset) -> QuadContourSet:
    r, p = float(cell["r_of_surface"]), float(cell["p_of_surface"])
    share = cell["loss"].values.T / (p * (1 + r) / 3)
    w = cell["w1"].values
    norm = BoundaryNorm(LEVELS, 256, extend="both")
    colors = style.SUPERPOSITION
    filled = ax.contourf(w, w, share, LEVELS, norm=norm, cmap=colors, extend="both")
    ax.contour(w, w, share, LEVELS, colors="white", linewidths=0.4, alpha=0.6)
    best = int(np.nanargmin(cell["minimum_loss"].values))
    for k, (w1, w2) in enumerate(cell["minimum"].values):
        face = "white" if k == best else "none"
        ax.plot([w1, -w1], [w2, -w2], "o", mfc=face, mec="white", ms=6, mew=1.3)
    w1, w2 = cell["minimum"].values[best]
    kind = "" if r != 1 else (": confused" if w2 > 0 else ": antipodal")
    place = f"({w1:.2f}, {w2:.2f})".replace("-", "−")
    ax.set_title(f"r = {r:g}, p = {p:g}\nbest {place}{kind}", fontsize=8.5)
    ax.set(aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    ax.spines[:].set_visible(False)
    return filled


def _draw_ways(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw w₂ of both minima over p, the best one thick, for each importance."""
    for r in dataset["relative_importance"].values:
        one, color = dataset.sel(relative_importance=r, weight="w2"), COLORS[float(r)]
        best = np.nanargmin(one["track_loss"].values, axis=1)
        for k in range(len(BRANCHES)):
            w2 = one["track"].values[:, k]
            ax.plot(one["p_active"], w2, color=color, lw=1.0, ls=(0, (2, 2)))
            ax.plot(one["p_active"], np.where(best == k, w2, np.nan), color=color, lw=2.4)
        ax.plot(
            [], [], color=color, lw=2.4, label=f"r = {r:g}: jump at p = {float(one['jump']):.3f}"
        )
        jump, ends = [float(one["jump"])] * 2, one["jump_weight"].values
        ax.plot(jump, ends, color=color, lw=0.9, ls=":")
        ax.plot(jump, ends, "o", color=color, ms=3.5)
    ax.axhline(0, color=style.GREY, lw=0.7, zorder=0)
    ax.set(xlabel="density p", ylabel="w₂ at the minimum (w₁ > 0)", xlim=(0, 1))
    ax.legend(loc="best", frameon=True, framealpha=0.9, edgecolor="none")
    ax.set_title("w₂ of both minima\nthick: best minimum, dotted: the other")
