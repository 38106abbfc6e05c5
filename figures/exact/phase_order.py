"""Are the phase changes jumps or bends? Cuts through the phase diagrams, branch by branch.

Elhage et al. 2022, "Superposition as a Phase Change", calls the change of phase discontinuous.
Each column follows the minima of the expected loss along one cut (`toymodels.exact.cuts`). Two
branches that cross, each going on behind the crossing as a metastable minimum, are a first-order
transition: the slope of the least loss jumps there. Where one branch deforms, it does not.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures.kit import style
from figures.kit.analysis import Parts
from figures.kit.panels import panels
from figures.kit.settings import require_at_least
from figures.kit.words import counted, listed
from toymodels.exact.cuts import CUTS, Cut, CutBranches, follow_cut

SAME = 1e-4  # losses as near as this, relatively, are one branch reached from two sides
ROWS = {
    "slope": "slope  d loss / d ln t",
    "loss_relative": "loss / best explicit solution",
    "norm": "norms ‖Wᵢ‖",
    "cosine": "cosines of pairs",
}
TEAL, ORANGE = style.SERIES[2][0], style.SERIES[1][0]
COLORS = {
    "antipodal": style.RED,
    "extra dropped": style.INK,
    "equal norms": style.RED,
    "unequal norms": ORANGE,
    "nearly equal norms": style.RED,
    "extra dropped, then weak": style.INK,
    "other dropped, then weak": style.BLUE,
    "pair + one dedicated": style.RED,
    "triangle": TEAL,
    "isosceles": ORANGE,
    "extra in the pair": style.RED,
    "others in the pair": style.LIGHT_BLUE,
}
NAMES = {"p_active": "density 1 − S", "relative_importance": "relative importance r"}
TICKS = {"p_active": [0.2, 0.3, 0.5, 0.7, 1], "relative_importance": [0.5, 1, 2]}

# What the analysis' own variables are.
WORDS = {
    "loss": "expected loss, sum over features",
    "loss_relative": "loss over that of the best explicit solution",
    "slope": "d loss / d ln t",
    "norm": "norms of the columns of W",
    "cosine": "cosines of pairs of columns",
    "t": "place along the cut: density or relative importance",
    "crossing": "t at which minima cross",
    "slope_jump": "change of the slope of the least loss there, as a share of its largest value",
}


def check(plan: Any) -> None:
    """Refuse fewer points than a line has.

    Raises:
        InputError: fewer than 2 points.
    """
    require_at_least("points", plan.settings["points"], 2)


def parts(dataset: xr.Dataset) -> Parts:
    """Return what follows each cut."""
    return {cut.title: partial(_cut, cut, int(dataset["points"])) for cut in CUTS}


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Join the cuts.

    `loss`, `loss_relative` (to the best explicit solution), `slope` = d loss / d ln t, `norm`,
    `cosine` of pairs, over (cut, branch, point), NaN where a branch has ended; `t` over
    (cut, point); `crossing`, the first-order transitions, and `slope_jump` there (`slope_jumps`),
    over (cut, transition).
    """
    return xr.concat(list(parts.values()), dim="cut", join="outer").assign_coords(cut=list(parts))


def _cut(cut: Cut, n: int) -> xr.Dataset:
    """Follow one cut."""
    found = follow_cut(cut, n)
    n_branches, _, n_features = found.norm.shape
    i, j = np.triu_indices(n_features, 1)
    return xr.Dataset(
        {
            "loss": (("branch", "point"), found.loss),
            "loss_relative": (("branch", "point"), found.loss_relative),
            "slope": (("branch", "point"), found.slope),
            "norm": (("branch", "point", "feature"), found.norm),
            "cosine": (("branch", "point", "pair"), found.cosine),
            "t": (("point",), found.t),
            "crossing": (("transition",), found.transitions),
            "slope_jump": (("transition",), slope_jumps(found)),
        },
        {
            "branch": np.arange(n_branches),
            "point": np.arange(n),
            "feature": np.arange(n_features),
            "pair": [f"{a + 1}-{b + 1}" for a, b in zip(i, j, strict=True)],
            "transition": np.arange(len(found.transitions)),
        },
    )


def slope_jumps(found: CutBranches) -> np.ndarray:
    """Return by how much the slope of the least loss changes at each transition.

    It is the change from one point to the next, as a share of the largest slope along the cut.
    """
    slope, before = _least_slope(found.loss, found.slope), _before(found.t, found.transitions)
    return np.abs(slope[before + 1] - slope[before]) / np.max(np.abs(slope))


def _least_slope(loss: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the slope `[K]` of the branch of least loss, of both `[branches, K]`."""
    best = np.argmin(np.where(np.isnan(loss), np.inf, loss), axis=0)
    return slope[best, np.arange(len(best))]


def _before(t: np.ndarray, crossings: Any) -> np.ndarray:
    """Return the last point before each crossing."""
    return np.searchsorted(t, crossings, side="right") - 1


def claim(dataset: xr.Dataset) -> str:
    """Say along how many cuts the phase change is of first order, and how sharp it is."""
    n = int(np.isfinite(dataset["crossing"].values).any(axis=-1).sum())
    of = counted(dataset.sizes["cut"], "cut")
    if not n:
        return f"Along none of {of} through the phase diagrams minima cross: the optimum only bends"
    which = f"all {of}" if n == dataset.sizes["cut"] else f"{n} of {of}"
    sharp = dataset["slope_jump"].values
    return (
        f"Along {which} minima cross and the optimum jumps: the slope of its loss changes at once, "
        f"by {np.nanmin(sharp):.0%} to {np.nanmax(sharp):.0%} of its largest value"
    )


def finding(dataset: xr.Dataset) -> str:
    """Say where along each cut minima cross, and how much the slope changes there."""
    parts = []
    for title in dataset["cut"].values:
        cut = dataset.sel(cut=title)
        jumps = zip(cut["crossing"].values, cut["slope_jump"].values, strict=True)
        found = [f"{at:.3f} ({jump:.0%})" for at, jump in jumps if np.isfinite(at)]
        parts.append(f"{title}: {listed(found) if found else 'none'}")
    return f"Crossings, with the change of the slope: {'; '.join(parts)}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say how branches were followed, and what lines mean."""
    return [
        f"{int(dataset['points'])} points a cut, each minimum of the expected loss followed by "
        "continuation, no sampling",
        "thick: the least loss; thin: metastable minima, drawn until they disappear; black: jumps "
        "of the slope, in shares of its largest value; kinks in the second row away from the grey "
        "lines are those of the explicit solutions",
        "norms of features 1, 2, 3 and cosines of pairs 12, 13, 23: full, dashed, dotted; the last "
        "feature is the extra one",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw slope, loss, norms and angles of every cut, one column each."""
    mosaic = [[f"{row} {k + 1}" for k in range(len(CUTS))] for row in ROWS]
    figure, panel = panels(axes, mosaic, figsize=(14.5, 9.4))
    for k, cut in enumerate(CUTS, start=1):
        _draw_cut({row: panel[f"{row} {k}"] for row in ROWS}, cut, dataset.sel(cut=cut.title))
    for row, name in ROWS.items():
        panel[f"{row} 1"].set_ylabel(name)
    return figure


def _draw_cut(column: dict[str, Any], cut: Cut, data: xr.Dataset) -> None:
    """Draw one column: every branch in each row, and where branches cross."""
    loss = data["loss"].values[: len(cut.starts)]
    least = np.min(np.where(np.isnan(loss), np.inf, loss), axis=0)
    for k, start in enumerate(cut.starts):
        stable = loss[k] <= least * (1 + SAME)
        for row, ax in column.items():
            _draw_branch(ax, data["t"].values, data[row].values[k], stable, COLORS[start.name])
        column["loss_relative"].plot([], [], color=COLORS[start.name], lw=2.2, label=start.name)
    crossings = [float(c) for c in data["crossing"].values if np.isfinite(c)]
    for ax in column.values():
        for where in crossings:
            ax.axvline(where, color=style.GREY, lw=0.8, zorder=0)
        ax.set(xscale="log", xlim=cut.ends)
        ax.set_xticks(TICKS[cut.along], [])
        ax.xaxis.set_minor_locator(NullLocator())
    _finish(column, cut, crossings)
    _mark_jumps(column["slope"], data)
    low = min(float(np.nanmin(data["loss_relative"].values)), 0.99)
    column["loss_relative"].set_ylim(low - 0.1 * (1.03 - low), 1.03 + 0.3 * (1.03 - low))


def _draw_branch(
    ax: Any, t: np.ndarray, values: np.ndarray, stable: np.ndarray, color: str
) -> None:
    """Draw one branch, `values [K]` or `[K, lines]`: thick where it is the lowest."""
    if values.ndim == 1:
        ax.plot(t, values, "--", color=color, lw=0.9)
        ax.plot(t, np.where(stable, values, np.nan), color=color, lw=2.2)
        return
    for line, of_line in zip(("-", "--", ":"), values.T, strict=False):
        ax.plot(t, of_line, line, color=color, lw=0.6, alpha=0.5)
        ax.plot(t, np.where(stable, of_line, np.nan), line, color=color, lw=1.8)


def _mark_jumps(ax: Any, data: xr.Dataset) -> None:
    """Draw by how much the slope of the least loss changes where minima cross."""
    slope, t = _least_slope(data["loss"].values, data["slope"].values), data["t"].values
    for where, jump in zip(data["crossing"].values, data["slope_jump"].values, strict=True):
        if not np.isfinite(where):
            continue
        ends = slope[_before(t, where) :][:2]
        ax.plot([where, where], ends, "-o", color="black", lw=2.6, ms=4.5, zorder=5)
        left = np.log(where / t[0]) > 0.7 * np.log(t[-1] / t[0])  # there is no room on the right
        look: dict[str, Any] = {"ha": "right" if left else "left", "va": "center"}
        look |= {"textcoords": "offset points", "fontweight": "bold"}
        ax.annotate(f"{jump:.0%}", (where, np.mean(ends)), (-7 if left else 7, 0), **look)


def _finish(column: dict[str, Any], cut: Cut, crossings: list[float]) -> None:
    """Give a column its title, legend and limits."""
    listed = ", ".join(f"{where:.3f}" for where in crossings)
    verdict = f"first order at {listed}" if crossings else "continuous"
    column["slope"].set_title(f"{cut.title}\n{verdict}")
    column["loss_relative"].axhline(1, color=style.GREY, lw=0.8, zorder=0)
    column["loss_relative"].legend(fontsize=7, loc="best")
    column["norm"].set_ylim(-0.05, 1.2)
    column["cosine"].set_ylim(-1.1, 1.1)
    column["cosine"].set_xticks(TICKS[cut.along], [f"{t:g}" for t in TICKS[cut.along]])
    column["cosine"].set_xlabel(NAMES[cut.along])
