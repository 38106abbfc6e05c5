"""Are the phase changes jumps or bends? Cuts through the exact phase diagrams, branch by branch.

Elhage et al. 2022, "Superposition as a Phase Change", calls the change of phase discontinuous.
Each column follows the minima of the exact expected loss along one cut (`toymodels.exact.follow`).
Two branches that cross, each going on behind the crossing as a metastable minimum, are a
first-order transition: the slope of the least loss jumps there. Where one branch deforms, it does
not. No training, no noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from figures import style
from figures.recipe import refuse_overrides, write_caption
from toymodels import theory
from toymodels.exact import Branch, follow, slope

POINTS, FAST_POINTS = 241, 121
# A branch has ended where a scalar product of its columns changes by more between two points.
JUMP = 0.22
# A column shorter than this has no direction.
SHORT = 0.05
# Losses as near as this, relatively, are one branch reached from two sides.
SAME = 1e-4
# The slope d loss / d ln t jumps by more than this share of itself at a first-order transition.
SLOPE_JUMP = 0.05
MOST_CROSSINGS = 6


@dataclass(frozen=True)
class Start:
    """Where a branch begins; it is followed from there both ways."""

    name: str
    at: float  # on the cut
    W: tuple[tuple[float, ...], ...]  # [M, F]
    b: tuple[float, ...]  # [F]
    color: str


@dataclass(frozen=True)
class Cut:
    """One line through a phase diagram."""

    title: str
    along: str  # p_active | relative_importance
    ends: tuple[float, float]
    fixed: float  # the other one
    starts: tuple[Start, ...]


TEAL, ORANGE = "#009E73", "#E69F00"
CUTS = (
    Cut(
        "2→1, r = 0.5",
        "p_active",
        (0.2, 1.0),
        0.5,
        (
            Start("antipodal", 0.2, ((1, -1),), (0, 0), style.RED),
            Start("extra dropped", 0.99, ((1, 0),), (0, 0.5), style.INK),
        ),
    ),
    Cut(
        "2→1, r = 1",
        "p_active",
        (0.2, 1.0),
        1.0,
        (
            Start("equal norms", 0.2, ((1, -1),), (0, 0), style.RED),
            Start("unequal norms", 0.9, ((0.93, -0.4),), (0.22, 0.55), ORANGE),
        ),
    ),
    Cut(
        "2→1, density 0.65",
        "relative_importance",
        (0.4, 2.5),
        0.65,
        (
            Start("nearly equal norms", 1.0, ((0.8, -0.8),), (0.28, 0.28), style.RED),
            Start("extra dropped, then weak", 0.41, ((1, 0),), (0, 0.325), style.INK),
            Start("other dropped, then weak", 2.4, ((0, 1),), (0.325, 0), style.BLUE),
        ),
    ),
    Cut(
        "3→2, r = 1",
        "p_active",
        (0.2, 1.0),
        1.0,
        (
            Start("pair + one alone", 0.2, ((1, 0, 0), (0, 1, -1)), (0, 0, 0), style.RED),
            Start("triangle", 0.65, ((0.9, -0.45, -0.45), (0, 0.78, -0.78)), (0.3, 0.3, 0.3), TEAL),
            Start(
                "isosceles",
                1.0,
                ((0.66, -0.54, -0.54), (0, 0.71, -0.71)),
                (0.64, 0.39, 0.39),
                ORANGE,
            ),
        ),
    ),
    Cut(
        "3→2, density 0.3",
        "relative_importance",
        (0.4, 2.5),
        0.3,
        (
            Start("extra in the pair", 0.4, ((1, 0, 0), (0, 1, -1)), (0, 0, 0), style.RED),
            Start("others in the pair", 2.5, ((1, -1, 0), (0, 0, 1)), (0, 0, 0), style.LIGHT_BLUE),
        ),
    ),
)


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
    t = np.geomspace(*cut.ends, n)
    branches = [_branch(cut, start, t) for start in cut.starts]
    both = xr.concat(branches, dim="branch", join="outer")
    both = both.assign_coords(branch=np.arange(len(branches)))
    both["t"] = ("point", t)
    both["crossing"] = ("transition", _crossings(both))
    return both


def _grid(cut: Cut, t: NDArray) -> tuple[NDArray, NDArray]:
    """Return density and importance, `[K, 1, F]`, along a cut."""
    n_features = len(cut.starts[0].W[0])
    p, r = (t, cut.fixed) if cut.along == "p_active" else (cut.fixed, t)
    p_active = np.broadcast_to(np.reshape(p, (-1, 1, 1)), (len(t), 1, n_features))
    importance = np.ones((len(t), 1, n_features))
    importance[:, 0, -1] = r
    return p_active, importance


def _branch(cut: Cut, start: Start, t: NDArray) -> xr.Dataset:
    """Follow one branch from where it begins, both ways, until it ends."""
    first = int(np.argmin(np.abs(np.log(t / start.at))))
    ways = [_one_way(cut, start, t[first::-1]), _one_way(cut, start, t[first:])]
    return xr.concat([ways[0].isel(point=slice(None, 0, -1)), ways[1]], dim="point")


def _one_way(cut: Cut, start: Start, t: NDArray) -> xr.Dataset:
    """Follow one branch along `t`."""
    p_active, importance = _grid(cut, t)
    found = follow(start.W, start.b, p_active, importance)
    by_p, by_importance = slope(found, p_active, importance)
    along = by_p.sum(-1) if cut.along == "p_active" else by_importance[..., -1]
    lives = _lives(found)
    gram = np.einsum("kmi,kmj->kij", found.W[:, 0], found.W[:, 0])
    norm = np.sqrt(np.einsum("kii->ki", gram))
    held = np.minimum(norm[:, :, None], norm[:, None, :]) > SHORT
    cosine = np.where(held, gram / np.maximum(norm[:, :, None] * norm[:, None, :], SHORT), np.nan)
    i, j = np.triu_indices(norm.shape[1], 1)
    arrays = {
        "loss": (("point",), found.loss[:, 0]),
        "slope": (("point",), along[:, 0] * t),
        "norm": (("point", "feature"), norm),
        "cosine": (("point", "pair"), cosine[:, i, j]),
    }
    dataset = xr.Dataset(arrays).where(xr.DataArray(lives, dims="point"))
    dataset = dataset.assign_coords(feature=np.arange(norm.shape[1]), pair=_pairs(norm.shape[1]))
    dataset["loss_relative"] = dataset["loss"] / _explicit(cut, t)
    return dataset


def _pairs(n_features: int) -> list[str]:
    i, j = np.triu_indices(n_features, 1)
    return [f"{a + 1}-{b + 1}" for a, b in zip(i, j, strict=True)]


def _lives(found: Branch) -> NDArray[np.bool_]:
    """Tell at which points the branch is still the one it began as."""
    gram = np.einsum("kmi,kmj->kij", found.W[:, 0], found.W[:, 0])
    jumps = np.abs(np.diff(gram, axis=0)).max((1, 2)) > JUMP
    return np.concatenate([[True], ~np.cumsum(jumps).astype(bool)])


def _explicit(cut: Cut, t: NDArray) -> xr.DataArray:
    """Return the loss of the best explicit solution along a cut."""
    losses = theory.phase_losses_2_1 if len(cut.starts[0].W[0]) == 2 else theory.phase_losses_3_2
    p, r = (t, cut.fixed) if cut.along == "p_active" else (cut.fixed, t)
    least = np.min([np.broadcast_to(v, t.shape) for v in losses(p, r).values()], axis=0)
    return xr.DataArray(least, dims="point")


def _crossings(branches: xr.Dataset) -> NDArray[np.float64]:
    """Return where the lowest branch changes and the slope jumps: first-order transitions."""
    loss, gradient = branches["loss"].values, branches["slope"].values
    best = np.argmin(np.where(np.isnan(loss), np.inf, loss), axis=0)
    k = np.arange(len(best) - 1)
    one, other = best[:-1], best[1:]
    here = np.abs(gradient[other, k] - gradient[one, k])  # NaN where one of them has ended
    behind = np.abs(gradient[other, k + 1] - gradient[one, k + 1])
    between = np.abs(gradient[other, k + 1] - gradient[one, k])
    jump = np.where(np.isnan(here), np.where(np.isnan(behind), between, behind), here)
    first = (one != other) & (jump > SLOPE_JUMP * np.nanmax(np.abs(gradient)))
    t = np.log(branches["t"].values)
    found = []
    for i in np.flatnonzero(first)[:MOST_CROSSINGS]:
        apart = loss[best[i], i : i + 2] - loss[best[i + 1], i : i + 2]  # < 0, then > 0
        share = apart[0] / (apart[0] - apart[1]) if np.isfinite(apart).all() else 0.5
        found.append(np.exp(t[i] + share * (t[i + 1] - t[i])))
    return np.append(found, np.full(MOST_CROSSINGS - len(found), np.nan))


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
        here = data.isel(branch=k)
        stable = loss[k] <= least * (1 + SAME)
        for panel, name in ((column[0], "loss_relative"), (column[1], "slope")):
            values = here[name].values
            panel.plot(t, values, "--", color=start.color, lw=0.9)
            panel.plot(t, np.where(stable, values, np.nan), color=start.color, lw=2.2)
        column[0].plot([], [], color=start.color, lw=2.2, label=start.name)
        for panel, name in ((column[2], "norm"), (column[3], "cosine")):
            for i, line in enumerate(styles):
                if i < here.sizes["feature" if name == "norm" else "pair"]:
                    values = here[name].values[:, i]
                    panel.plot(t, values, line, color=start.color, lw=0.6, alpha=0.5)
                    kept = np.where(stable, values, np.nan)
                    panel.plot(t, kept, line, color=start.color, lw=1.8)
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
    name = "density 1 − S" if cut.along == "p_active" else "relative importance r"
    column[3].set(xscale="log", xlabel=name)
    column[3].set_xticks([0.2, 0.3, 0.5, 0.7, 1] if cut.along == "p_active" else [0.5, 1, 2])
    column[3].xaxis.set_major_formatter("{x:g}")
    column[3].xaxis.set_minor_locator(NullLocator())
