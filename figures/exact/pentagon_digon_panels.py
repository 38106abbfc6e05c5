"""What the figure of pentagon and digons reads off its dataset, and its panels.

Everything has its place from the data: a label stands at the line or point that it names.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from figures.kit import style
from toymodels.exact.pentagon_digon import BRANCHES, DIGONS, PENTAGON, F

PAPER_DENSITY, PAPER = 0.05, 0.4  # "about 2.5 times less dense" where the others have this density
PER_FEATURE = 1e5 / F  # the paper's mean over features, in units of 1e-5
NAMES = ("pentagon", "two digons, feature 5 dropped")
COLORS = (style.RED, style.BLUE, style.GREY)
PAPER_COLOR = style.SERIES[3][0]
TICKS = (0.1, 0.2, 0.4, 1.0, 2.0, 4.0)
COLOR_NORM = LogNorm(TICKS[0], TICKS[-1])
OVERLAID = 13  # solutions
NOTE: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8}
BOLD: dict[str, Any] = NOTE | {"fontsize": 8.5, "fontweight": "bold"}


def lowest(dataset: xr.Dataset) -> NDArray[np.bool_]:
    """Return where each branch is the lower one, over (branch, relative_density)."""
    loss = np.nan_to_num(dataset["loss"].values, nan=np.inf)
    return (loss == loss.min(0)) & np.isfinite(loss)


def at_density(dataset: xr.Dataset, name: str) -> float:
    """Return a number at the density of the others that the branches are followed at."""
    return float(dataset[name].sel(baseline=float(dataset["density"]), method="nearest"))


def length_at_crossing(dataset: xr.Dataset) -> float:
    """Return ‖W_5‖ of the pentagon where the branches cross."""
    norm = np.linalg.norm(dataset["W"].values[PENTAGON, :, :, -1], axis=-1)
    return interpolated(dataset, norm)


def interpolated(dataset: xr.Dataset, values: NDArray) -> float:
    """Return values over `relative_density` at the crossing."""
    log_t = np.log(dataset["relative_density"].values)
    return float(np.interp(np.log(at_density(dataset, "crossing")), log_t, values))


def has_paper(dataset: xr.Dataset) -> bool:
    """Tell whether the paper's number is one of what was run."""
    return float(dataset["density"]) == PAPER_DENSITY


def paper_density(dataset: xr.Dataset) -> float:
    """Return the density of the others for which the crossing is where the paper puts it."""
    found = dataset.dropna("baseline", subset=["crossing"])
    if not has_paper(dataset) or not found.sizes["baseline"]:
        return np.nan
    log_p, log_t = np.log(found["baseline"].values), np.log(found["crossing"].values)
    at = np.interp(np.log(PAPER), log_t, log_p, left=np.nan, right=np.nan)
    return float(np.exp(at))


def canonical(W: NDArray, branch: int) -> NDArray:
    """Rotate `W [2, F]`: feature 5 points up in a pentagon, feature 1 to the upper right else."""
    which, angle = (F - 1, np.pi / 2) if branch == PENTAGON else (0, np.pi / 4)
    turn = angle - np.arctan2(W[1, which], W[0, which])
    cos, sin = np.cos(turn), np.sin(turn)
    return np.array([[cos, -sin], [sin, cos]]) @ W


def draw_solutions(ax: Axes, dataset: xr.Dataset, branch: int) -> None:
    """Lay the solutions of a branch over each other, where it is the lower one."""
    density = dataset["relative_density"].values
    where = np.flatnonzero(lowest(dataset)[branch])
    where = where[np.linspace(0, len(where) - 1, min(OVERLAID, len(where))).astype(int)]
    for k in where:
        W = canonical(dataset["W"].values[branch, k], branch)
        color = style.SUPERPOSITION(COLOR_NORM(density[k]))
        for x, y in W.T:
            ax.plot([0, x], [0, y], color=color, lw=1.0, alpha=0.5, zorder=1)
        ax.scatter(*W[:, :-1], color=color, s=26, zorder=3)
        ax.scatter(*W[:, -1:], color=color, s=120, marker="*", zorder=4, ec="none")
    ax.set_facecolor(style.CREAM)
    ax.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    titles = ("pentagons, where they\nare lower", "two digons, where they\nare lower")
    ax.set_title(titles[branch])
    label = "★ feature 5" + ("\n‖W₅‖ = 0" if branch == DIGONS else "")
    ax.text(0.03, 0.03, label, transform=ax.transAxes, fontsize=8, color=style.INK)


def draw_scale(axes: list[Axes]) -> None:
    """Draw which colour is which relative density."""
    mappable = ScalarMappable(COLOR_NORM, style.SUPERPOSITION)
    look: dict[str, Any] = {"ticks": TICKS, "format": "%g", "location": "bottom", "aspect": 30}
    bar = axes[0].figure.colorbar(mappable, ax=axes, label="relative density of feature 5", **look)
    bar.ax.minorticks_off()


def draw_thresholds(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw where the branches cross and where the pentagon ends, by the density of the others."""
    p, crossing, end = (dataset[k].values for k in ("baseline", "crossing", "pentagon_end"))
    here, at = float(dataset["density"]), at_density(dataset, "crossing")
    ax.plot(p, crossing, color=style.INK, lw=2.2)
    ax.plot(p, end, "--", color=COLORS[PENTAGON], lw=1.1)
    ax.plot(here, at, "o", color=style.INK, ms=6)
    text = f"density {here:g}:\n{at:.3f} ({1 / at:.2f}× sparser)"
    ax.annotate(text, (here, at), (-8, 3), ha="right", **BOLD)
    low = float(np.nanmin([*end, *crossing])) * 0.8
    ax.set(xscale="log", yscale="log", ylim=(low, 1))
    first, last = np.nan_to_num([crossing[0], end[-1]], nan=1.0)
    look: dict[str, Any] = {"fontsize": 9, "va": "center"}
    ax.text(p[0], first**0.25, "pentagon is lower", color=COLORS[PENTAGON], **look)
    look |= {"ha": "right", "color": COLORS[DIGONS]}
    ax.text(p[-1], low ** (2 / 3) * last ** (1 / 3), "digons are lower", **look)
    ends = np.flatnonzero(~np.isnan(end))
    if ends.size:
        look = NOTE | {"color": COLORS[PENTAGON], "ha": "right", "va": "center"}
        ax.annotate("pentagon ends", (p[ends[0]], end[ends[0]]), (-6, 0), **look)
    theirs = paper_density(dataset)
    if not np.isnan(theirs):
        _draw_paper_crossing(ax, theirs)
    ax.set(xlabel="density of the four others", ylabel="relative density of feature 5")
    _plain_ticks(ax, "xy")
    ax.set_title("where they cross, by the density of the others")


def _draw_paper_crossing(ax: Axes, theirs: float) -> None:
    """Draw the paper's number, and for which density of the others it would be right."""
    ax.axhline(PAPER, color=PAPER_COLOR, lw=1.1, ls=":")
    ax.plot(theirs, PAPER, "o", mfc="white", mec=PAPER_COLOR, mew=1.4, ms=6)
    text = f"the paper's ≈ {1 / PAPER:g}× is the\ncrossing for density {theirs:.3f}"
    ax.annotate(text, (theirs, PAPER), (-8, 5), ha="right", color=PAPER_COLOR, **NOTE)


def draw_losses(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw both losses over the relative density, and where random starts end."""
    for kind in (len(BRANCHES), DIGONS, PENTAGON):
        t, start = np.nonzero(dataset["random_branch"].values == kind)
        loss = PER_FEATURE * dataset["random_loss"].values[t, start]
        name = "dots: random starts (grey: other minima)" if kind == len(BRANCHES) else None
        marks = {"s": 22, "ec": "white", "lw": 0.4, "alpha": 0.5 if name else 0.9}
        at = dataset["random_at"].values[t]
        ax.scatter(at, loss, color=COLORS[kind], zorder=4, label=name, **marks)
    for branch in (PENTAGON, DIGONS):
        loss = PER_FEATURE * dataset["loss"].values[branch]
        _draw_branch(ax, dataset, branch, loss, NAMES[branch])
    t = at_density(dataset, "crossing")
    loss = PER_FEATURE * interpolated(dataset, dataset["loss"].values[DIGONS])
    ax.plot(t, loss, "o", color=style.INK, ms=6, zorder=5)
    line = {"arrowstyle": "-", "color": style.INK, "lw": 0.8}
    text = f"the losses cross at {t:.3f}\n({1 / t:.2f}× sparser)"
    ax.annotate(text, (t, loss), (90, -42), arrowprops=line, **BOLD)
    ax.set(xscale="log", yscale="log", xlim=_limits(dataset))
    if has_paper(dataset):
        ax.axvline(PAPER, color=PAPER_COLOR, lw=1.1, ls=":", zorder=0)
        text = f"paper: ≈ {1 / PAPER:g}×\nsparser"
        low = ax.get_ylim()[0]
        ax.annotate(text, (PAPER, low), (4, 4), color=PAPER_COLOR, va="bottom", **NOTE)
    ax.set_xticks(TICKS, [])
    _plain_ticks(ax, "y")
    ax.set_ylabel("expected loss, mean over features, × 10⁵")
    ax.set_title("expected loss of both minima")
    ax.legend(loc="upper left", fontsize=8)


def _draw_branch(
    ax: Axes, dataset: xr.Dataset, branch: int, values: NDArray, name: str | None = None
) -> None:
    """Draw a branch dashed, and full where it is the lower one."""
    density, best = dataset["relative_density"].values, lowest(dataset)[branch]
    ax.plot(density, values, "--", color=COLORS[branch], lw=1.1, zorder=3)
    full = np.where(best, values, np.nan)
    ax.plot(density, full, color=COLORS[branch], lw=2.4, zorder=3, label=name)


def _limits(dataset: xr.Dataset) -> tuple[float, float]:
    """Return the limits of relative density that both panels on the right have."""
    density = dataset["relative_density"].values
    return 0.93 * float(density[0]), 1.07 * float(density[-1])


def draw_norms(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw the length of feature 5 along both branches, and its jump."""
    norm = np.linalg.norm(dataset["W"].values[..., -1], axis=-1)  # [branch, relative_density]
    for branch in (PENTAGON, DIGONS):
        _draw_branch(ax, dataset, branch, norm[branch])
    t, top = at_density(dataset, "crossing"), length_at_crossing(dataset)
    ax.annotate("", (t, 0), (t, top), arrowprops={"arrowstyle": "->", "color": style.INK})
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    ax.annotate(f"jumps {top:.2f} → 0", (t, top / 2), (5, 0), va="center", bbox=white, **BOLD)
    end, first = at_density(dataset, "pentagon_end"), norm[PENTAGON][~np.isnan(norm[PENTAGON])][0]
    if not np.isnan(end):
        look: dict[str, Any] = NOTE | {"color": COLORS[PENTAGON], "ha": "center", "va": "top"}
        ax.annotate(f"pentagon\nends, {end:.3f}", (end, first), (0, -6), **look)
    if has_paper(dataset):
        ax.axvline(PAPER, color=PAPER_COLOR, lw=1.1, ls=":", zorder=0)
    alive = dataset["relative_density"].values[~np.isnan(norm[DIGONS])]
    text = "a nudge undoes the\ndigons from here"
    ax.annotate(text, (alive[-1], 0), (0, 6), color=COLORS[DIGONS], va="bottom", **NOTE)
    ax.set(xscale="log", xlim=_limits(dataset), ylabel="length ‖W₅‖")
    ax.set_ylim(-0.06 * np.nanmax(norm), 1.1 * np.nanmax(norm))
    ax.set_xlabel("relative density of feature 5  (1: like the others; left: sparser)")
    ax.set_xticks(TICKS, [f"{t:g}" for t in TICKS])
    ax.minorticks_off()


def _plain_ticks(ax: Axes, which: str) -> None:
    """Label logarithmic axes with plain numbers at 1, 2 and 5."""
    for axis in (ax.xaxis if name == "x" else ax.yaxis for name in which):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
    ax.minorticks_off()
