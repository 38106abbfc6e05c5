"""Are the phase changes jumps or bends? Cuts through the exact phase diagrams, branch by branch.

Elhage et al. 2022, "Superposition as a Phase Change", calls the change of phase discontinuous.
Each column follows the minima of the exact expected loss along one cut (`toymodels.exact.cuts`).
Two branches that cross, each going on behind the crossing as a metastable minimum, are a
first-order transition: the slope of the least loss jumps there. Where one branch deforms, it does
not. No training, no noise.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures import style
from figures.recipe import refuse_overrides, write_caption
from toymodels.exact.cuts import CUTS, Cut, follow_cut

POINTS, FAST_POINTS = 241, 121
# Losses as near as this, relatively, are one branch reached from two sides.
SAME = 1e-4
MOST_CROSSINGS = 6


TEAL, ORANGE = "#009E73", "#E69F00"
COLORS = {
    "antipodal": style.RED,
    "extra dropped": style.INK,
    "equal norms": style.RED,
    "unequal norms": ORANGE,
    "nearly equal norms": style.RED,
    "extra dropped, then weak": style.INK,
    "other dropped, then weak": style.BLUE,
    "pair + one alone": style.RED,
    "triangle": TEAL,
    "isosceles": ORANGE,
    "extra in the pair": style.RED,
    "others in the pair": style.LIGHT_BLUE,
}
NAMES = {"p_active": "density 1 − S", "relative_importance": "relative importance r"}
TICKS = {"p_active": [0.2, 0.3, 0.5, 0.7, 1], "relative_importance": [0.5, 1, 2]}


def compute(
    *, fast: bool = False, overrides: Sequence[str] = (), out: str | Path | None = None, **_: Any
) -> xr.Dataset:
    """Follow every branch of every cut; `fast` takes fewer points.

    The dataset has `loss`, `loss_relative` (to the best explicit solution), `slope` = d loss /
    d ln t, `norm`, `cosine` of the three pairs, over (cut, branch, point), NaN where a branch has
    ended; `t` over (cut, point); `crossing`, the first-order transitions, over (cut, transition).
    """
    refuse_overrides("phase-order", overrides)
    n = FAST_POINTS if fast else POINTS
    dataset = xr.concat([_cut(cut, n) for cut in CUTS], dim="cut", join="outer")
    dataset = dataset.assign_coords(cut=[cut.title for cut in CUTS])
    dataset.attrs["title"] = "Jumps and bends: minima of the exact loss along five cuts"
    dataset.attrs["caption"] = (
        f"{n} points a cut, each minimum followed by continuation; no sampling. "
        "Thick: the least loss; thin: metastable minima, drawn until they disappear. Norms of "
        "features 1, 2, 3 and cosines of pairs 12, 13, 23: full, dashed, dotted; the last feature "
        "is the extra one." + (" FAST version: fewer points than the full figure." if fast else "")
    )
    return dataset


def _cut(cut: Cut, n: int) -> xr.Dataset:
    """Follow one cut and label what was found."""
    found = follow_cut(cut, n)
    transitions = found.transitions[:MOST_CROSSINGS]
    missing = np.full(MOST_CROSSINGS - len(transitions), np.nan)
    n_branches, _, n_features = found.norm.shape
    return xr.Dataset(
        {
            "loss": (("branch", "point"), found.loss),
            "loss_relative": (("branch", "point"), found.loss_relative),
            "slope": (("branch", "point"), found.slope),
            "norm": (("branch", "point", "feature"), found.norm),
            "cosine": (("branch", "point", "pair"), found.cosine),
            "t": (("point",), found.t),
            "crossing": (("transition",), np.append(transitions, missing)),
        },
        {
            "branch": np.arange(n_branches),
            "feature": np.arange(n_features),
            "pair": _pairs(n_features),
        },
    )


def _pairs(n_features: int) -> list[str]:
    i, j = np.triu_indices(n_features, 1)
    return [f"{a + 1}-{b + 1}" for a, b in zip(i, j, strict=True)]


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw loss, slope, norms and angles of every cut; `ax` may be a grid of 4 × 5 axes."""
    if ax is None:
        figure, axes = plt.subplots(4, len(CUTS), figsize=(14.5, 9.2), sharex="col")
    else:
        axes = np.asarray(ax)
        figure = axes[0, 0].figure
    for column, cut in zip(axes.T, CUTS, strict=True):
        _draw_cut(column, cut, dataset.sel(cut=cut.title))
    names = ("loss / best explicit solution", "slope  d loss / d ln t", "norms ‖Wᵢ‖", "cosines")
    for panel, name in zip(axes[:, 0], names, strict=True):
        panel.set_ylabel(name)
    write_caption(figure, dataset)
    return figure


def _draw_cut(column: Any, cut: Cut, data: xr.Dataset) -> None:
    t, loss = data["t"].values, data["loss"].values
    least = np.min(np.where(np.isnan(loss), np.inf, loss), axis=0)
    styles = ("-", "--", ":")
    for k, start in enumerate(cut.starts):
        here, color = data.isel(branch=k), COLORS[start.name]
        stable = loss[k] <= least * (1 + SAME)
        for panel, name in ((column[0], "loss_relative"), (column[1], "slope")):
            values = here[name].values
            panel.plot(t, values, "--", color=color, lw=0.9)
            panel.plot(t, np.where(stable, values, np.nan), color=color, lw=2.2)
        column[0].plot([], [], color=color, lw=2.2, label=start.name)
        for panel, name in ((column[2], "norm"), (column[3], "cosine")):
            for i, line in enumerate(styles):
                if i < here.sizes["feature" if name == "norm" else "pair"]:
                    values = here[name].values[:, i]
                    panel.plot(t, values, line, color=color, lw=0.6, alpha=0.5)
                    kept = np.where(stable, values, np.nan)
                    panel.plot(t, kept, line, color=color, lw=1.8)
    crossings = [float(c) for c in data["crossing"].values if np.isfinite(c)]
    for panel in column:
        for where in crossings:
            panel.axvline(where, color=style.GREY, lw=0.8, zorder=0)
    listed = ", ".join(f"{where:.3f}" for where in crossings)
    verdict = f"first order at {listed}" if crossings else "continuous"
    column[0].set_title(f"{cut.title}\n{verdict}", fontsize=9.5)
    column[0].axhline(1, color=style.GREY, lw=0.8, zorder=0)
    column[0].legend(fontsize=7, loc="best")
    low = np.nanmin(data["loss_relative"].values)
    column[0].set_ylim(low - 0.1 * (1.03 - low), 1.03 + 0.3 * (1.03 - low))
    column[2].set_ylim(-0.05, 1.2)
    column[3].set_ylim(-1.1, 1.1)
    column[3].set(xscale="log", xlabel=NAMES[cut.along])
    column[3].set_xticks(TICKS[cut.along])
    column[3].xaxis.set_major_formatter("{x:g}")
    column[3].xaxis.set_minor_locator(NullLocator())
