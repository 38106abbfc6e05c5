"""F15: exact loss surfaces of two features in one dimension, without bias, and their minima.

McGrath's comment on Elhage et al. 2022, "Superposition as a Phase Change". y = ReLU(W^T W x) with
W = (w1, w2), importance 1 and r, both features active with probability p. Up to the flip
(w1, w2) -> (-w1, -w2) there are at most two minima: weights of opposite sign, an antipodal pair,
and weights of the same sign, which for r = 1 are equal, 1/sqrt 2: the "confused" feature stands
for either. Within a branch the minimum moves continuously with p; the best one changes branch.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from figures import style
from figures.recipe import refuse_overrides, write_caption
from toymodels.theory.surface_2_1 import (
    BRANCHES,
    find_jumps,
    find_minima,
    loss_2_1_without_bias,
)

TITLE = "Two features in one dimension, no bias: exact loss over (w₁, w₂) and its minima"
IMPORTANCES = (1.0, 0.5, 0.1)
DENSITIES = (0.1, 0.2, 0.3, 0.5, 0.6, 0.8, 1.0)
PANELS = ((1.0, (1.0, 0.6, 0.5, 0.3)), (0.1, (1.0, 0.3, 0.2, 0.1)))  # r, and p from left to right
LIMIT = 1.5  # of the surfaces
SIZE, TRACK_SIZE = 121, 199
FAST_SIZE, FAST_TRACK_SIZE = 61, 51

LEVELS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5)
# Of the label of a jump: left of it or not, and where along it.
LABELS = {1.0: (False, -0.35), 0.5: (True, -0.6), 0.1: (False, -0.2)}
COLORS = {1.0: style.BLUE, 0.5: "#E69F00", 0.1: style.RED}


def compute(*, fast: bool = False, overrides: Sequence[str] = (), **_: Any) -> xr.Dataset:
    """Evaluate the closed form and find its minima: nothing is trained.

    `loss (relative_importance, p_active, w1, w2)`; `minimum (relative_importance, p_active,
    branch, weight)` and `minimum_loss`, NaN where a branch has none; the same over a fine `p_track`
    as `track` and `track_loss`; `jump`, the density at which the best branch changes, and both
    minima there, `jump_weight`.

    Raises:
        InputError: an override, for there is nothing to change.
    """
    refuse_overrides("loss-surface-2-1", overrides)
    size, n_track = (FAST_SIZE, FAST_TRACK_SIZE) if fast else (SIZE, TRACK_SIZE)
    w = np.linspace(-LIMIT, LIMIT, size)
    r, p = np.array(IMPORTANCES), np.array(DENSITIES)
    p_track = np.linspace(0.01, 1.0, n_track)
    minimum, minimum_loss = find_minima(p[None], r[:, None])
    track, track_loss = find_minima(p_track[None], r[:, None])
    jump = find_jumps(p_track, r, track_loss)
    loss = loss_2_1_without_bias(
        w[:, None], w[None, :], p[None, :, None, None], r[:, None, None, None]
    )
    cells, tracks = ("relative_importance", "p_active"), ("relative_importance", "p_track")
    return xr.Dataset(
        {
            "loss": ((*cells, "w1", "w2"), loss.astype(np.float32)),
            "minimum": ((*cells, "branch", "weight"), minimum),
            "minimum_loss": ((*cells, "branch"), minimum_loss),
            "track": ((*tracks, "branch", "weight"), track),
            "track_loss": ((*tracks, "branch"), track_loss),
            "jump": (("relative_importance",), jump),
            "jump_weight": (("relative_importance", "branch", "weight"), find_minima(jump, r).w),
        },
        {
            **{"relative_importance": r, "p_active": p, "p_track": p_track, "w1": w, "w2": w},
            **{"branch": list(BRANCHES), "weight": ["w1", "w2"]},
        },
        attrs={"title": TITLE, "caption": _caption(fast)},
    )


def _caption(fast: bool) -> str:
    text = (
        "p: density of both features, r: importance of the second. Nothing is trained: closed "
        "form, minima by Newton's method. "
        "Filled: the best minimum; hollow: the other one; each has a mirror image."
    )
    return text + (" FAST version: coarser than the full figure." if fast else "")


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw surfaces in two rows and the minima's way with p beside them; `ax`: nine axes."""
    n = max(len(densities) for _, densities in PANELS)
    if ax is None:
        figure = plt.figure(figsize=(12.4, 5.6))
        grid = figure.add_gridspec(2, n + 2, width_ratios=[1] * n + [0.06, 1.55])
        panels = [figure.add_subplot(grid[i, j]) for i in range(2) for j in range(n)]
        bar, side = figure.add_subplot(grid[:, n]), figure.add_subplot(grid[:, n + 1])
    else:
        *panels, side = list(np.ravel(ax))
        figure, bar = side.figure, None
    cells = [(r, p) for r, densities in PANELS for p in densities]
    surfaces = [
        _draw_surface(panel, dataset.sel(relative_importance=r, p_active=p))
        for panel, (r, p) in zip(panels, cells, strict=True)
    ]
    for panel in panels[::n]:
        panel.set_ylabel("w₂")
    for panel in panels[-n:]:
        panel.set_xlabel("w₁")
    label = "loss / loss of answering 0"
    figure.colorbar(surfaces[-1], cax=bar, ax=None if bar else panels, label=label, ticks=LEVELS)
    _draw_tracks(side, dataset)
    write_caption(figure, dataset)
    return figure


def _draw_surface(ax: Axes, cell: xr.Dataset) -> QuadContourSet:
    r, p = float(cell["relative_importance"]), float(cell["p_active"])
    share = cell["loss"].values.T / (p * (1 + r) / 3)
    w = cell["w1"].values
    norm = BoundaryNorm(LEVELS, 256, extend="both")
    filled = ax.contourf(w, w, share, LEVELS, norm=norm, cmap="cividis", extend="both")
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


def _draw_tracks(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw w2 of both minima over p, the best one thick, for each importance."""
    p = dataset["p_track"].values
    for r in dataset["relative_importance"].values:
        one = dataset.sel(relative_importance=r)
        color = COLORS[float(r)]
        w2, loss, jump = one["track"].values[..., 1], one["track_loss"].values, float(one["jump"])
        best = np.nanargmin(loss, axis=1)
        for k in range(2):
            ax.plot(p, w2[:, k], color=color, lw=1.0, ls=(0, (2, 2)))
            ax.plot(p, np.where(best == k, w2[:, k], np.nan), color=color, lw=2.4)
        ends = one["jump_weight"].values[:, 1]
        ax.plot([jump, jump], ends, color=color, lw=0.9, ls=":")
        ax.plot([jump, jump], ends, "o", color=color, ms=3.5)
        left, height = LABELS[float(r)]
        ax.annotate(
            f"r = {r:g}\njump at\np = {jump:.3f}",
            (jump, height),
            (-4 if left else 4, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
            color=color,
        )
    ax.axhline(0, color=style.GREY, lw=0.7, zorder=0)
    ax.set(xlabel="density p", ylabel="w₂ at the minimum (w₁ > 0)", xlim=(0, 1), ylim=(-1.3, 0.9))
    ax.set_title("the best w₂ moves with p, then jumps\nthick: best minimum, dotted: the other")
