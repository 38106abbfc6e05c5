"""F20, F21: five features in two dimensions, one of them sparser or denser than the others.

Elhage et al. 2022, "Non-uniform sparsity: perturbing a single feature". Two minima of the exact
expected loss are followed as the density of feature 5 varies: the pentagon, which bends, and two
antipodal pairs (digons) with feature 5 dropped. Where the losses cross, the best arrangement
changes at once: a first-order change, with W_5 jumping to 0.

The paper puts the change where feature 5 is about 2.5 times sparser than the others. At its
density of the others, 0.05, the losses cross at 3.72 times. Random starts and trained models find
both minima on either side, so a search that fails is not the reason; the crossing moves with the
density of the others, and is at 2.5 times where they have 0.092.

The pentagon ends in a fold. The digons never end quite: a bias of 0.0003 on the four features
heals a nudge of 0.0001 at any density. A nudge of 0.001 heals up to a relative density of about 2.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import style
from figures.recipe import refuse_overrides, write_caption
from toymodels.exact import pentagon_digon as science
from toymodels.exact.pentagon_digon import BRANCHES, DIGONS, PENTAGON, SHAKE, F, Floats

TITLE = "One of five features made sparser: the pentagon jumps to two digons"
BASELINE = 0.05  # density of the four others
PAPER = 0.4  # relative density of the paper's "about 2.5 times less dense"
LOWEST, HIGHEST = 0.1, 4.0  # relative densities
POINTS, FAST_POINTS = 48, 22  # on either side of 1
BASELINES = (0.015, 0.022, 0.033, 0.05, 0.07, 0.085, 0.1, 0.125, 0.15, 0.18, 0.21)
FAST_BASELINES = (0.015, 0.05, 0.085, 0.1, 0.18)
RANDOM = (0.1, 0.13, 0.17, 0.22, 0.27, 0.33, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0)
FAST_RANDOM = (0.22, 0.27, 0.4, 1.0)
STARTS, FAST_STARTS = 128, 64

PER_FEATURE = 1e5 / F  # the paper's mean over features, in units of 1e-5
COLORS = {PENTAGON: style.RED, DIGONS: style.BLUE}
PAPER_COLOR = "#8C6BB1"
COLOR_NORM = LogNorm(LOWEST, HIGHEST)
TICKS = (0.1, 0.2, 0.4, 1.0, 2.0, 4.0)
OVERLAID = 13  # solutions


def compute(*, fast: bool = False, overrides: Sequence[str] = (), **_: Any) -> xr.Dataset:
    """Follow both branches, find where they cross, and descend from random starts.

    `loss`, `W`, `b` over (branch, relative_density), NaN where a branch has ended, the others
    having density 0.05; over the `baseline` density of the others `crossing` and `pentagon_end`,
    relative densities, and over (baseline, branch) `slope` = d loss / d ln density at the
    crossing; `random_loss` and `random_branch` (-1: neither) over (random_density, start).
    Losses are sums over features.

    Raises:
        InputError: an override, for there is nothing to change.
    """
    refuse_overrides("pentagon-digon", overrides)
    n = FAST_POINTS if fast else POINTS
    down, up = np.geomspace(1, LOWEST, n), np.geomspace(1, HIGHEST, n)
    baselines = np.array(FAST_BASELINES if fast else BASELINES)
    at, n_starts = (FAST_RANDOM, FAST_STARTS) if fast else (RANDOM, STARTS)
    followed = science.branches(BASELINE, down, up)
    found = science.thresholds(baselines, down)
    ends = [science.random_ends(BASELINE, t, n_starts, followed) for t in at]
    along, random = ("branch", "relative_density"), ("random_density", "start")
    arrays = {
        "loss": (along, followed.loss),
        "W": ((*along, "hidden", "feature"), followed.W),
        "b": ((*along, "feature"), followed.b),
        "crossing": ("baseline", found.crossing),
        "slope": (("baseline", "branch"), found.slope),
        "pentagon_end": ("baseline", found.pentagon_end),
        "random_loss": (random, np.stack([end.loss for end in ends])),
        "random_branch": (random, np.stack([end.branch for end in ends])),
    }
    coordinates = {"branch": list(BRANCHES), "relative_density": followed.relative_density}
    coordinates |= {"baseline": baselines, "random_density": np.array(at)}
    dataset = xr.Dataset(arrays, coordinates)
    dataset.attrs = {"title": TITLE, "caption": _caption(dataset, fast)}
    return dataset


def _caption(dataset: xr.Dataset, fast: bool) -> str:
    random = dataset["random_branch"]
    share = (random == PENTAGON).mean("start")
    shares = ", ".join(
        f"{float(share.sel(random_density=t)):.0%} at {t:g}" for t in (0.22, 0.27, PAPER, 1.0)
    )
    text = (
        f"Exact expected loss, nothing is trained or sampled; y = ReLU(WᵀW x + b), importance 1, "
        f"density {BASELINE:g} of the four others where nothing else is said. Full lines: the "
        "lower minimum; dashed: metastable, drawn as far as it is found again after a nudge of "
        f"{SHAKE:g}. Dots: end points of {random.sizes['start']} random starts by Newton's method; "
        f"they find the pentagon ({shares}) and the digons on either side, and nothing lower."
    )
    return text + (" FAST version: fewer points, starts and densities." if fast else "")


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw solutions, thresholds, losses and ‖W_5‖; `ax` may be five axes in that order."""
    if ax is None:
        figure = plt.figure(figsize=(12.6, 7.4), layout="constrained")
        left, right = figure.add_gridspec(1, 2, width_ratios=[1, 1.15], wspace=0.06)
        solutions = left.subgridspec(2, 3, width_ratios=[1, 1, 0.06], height_ratios=[1, 1])
        curves = right.subgridspec(2, 1, height_ratios=[1.9, 1])
        squares, pentagons, bar = (figure.add_subplot(solutions[0, k]) for k in range(3))
        thresholds = figure.add_subplot(solutions[1, :])
        losses = figure.add_subplot(curves[0])
        norms = figure.add_subplot(curves[1], sharex=losses)
        losses.tick_params(labelbottom=False)
    else:
        squares, pentagons, thresholds, losses, norms = np.ravel(ax)
        figure, bar = losses.figure, None
    _draw_solutions(squares, dataset, DIGONS, "two digons (a square)\nfeature 5 is dropped")
    _draw_solutions(pentagons, dataset, PENTAGON, "pentagon\na denser feature 5 makes room")
    parts = None if bar else [squares, pentagons]
    mappable = ScalarMappable(COLOR_NORM, style.SUPERPOSITION)
    figure.colorbar(
        mappable, cax=bar, ax=parts, label="relative density of feature 5", ticks=TICKS, format="%g"
    ).ax.minorticks_off()
    _draw_thresholds(thresholds, dataset)
    _draw_losses(losses, dataset)
    _draw_norms(norms, dataset)
    write_caption(figure, dataset)
    return figure


def lowest(dataset: xr.Dataset) -> NDArray[np.bool_]:
    """Return where each branch is the lower one, over (branch, relative_density)."""
    loss = np.nan_to_num(dataset["loss"].values, nan=np.inf)
    return (loss == loss.min(0)) & np.isfinite(loss)


def at_baseline(dataset: xr.Dataset, name: str) -> float:
    """Return a number at the density of the paper."""
    return float(dataset[name].sel(baseline=BASELINE))


def paper_baseline(dataset: xr.Dataset) -> float:
    """Return the density of the others for which the crossing is where the paper puts it."""
    log_p, log_t = np.log(dataset["baseline"].values), np.log(dataset["crossing"].values)
    return float(np.exp(np.interp(np.log(PAPER), log_t, log_p)))


def canonical(W: Floats, branch: int) -> Floats:
    """Rotate `W [2, F]`: feature 5 points up in a pentagon, feature 1 to the upper right else."""
    which, angle = (F - 1, np.pi / 2) if branch == PENTAGON else (0, np.pi / 4)
    turn = angle - np.arctan2(W[1, which], W[0, which])
    cos, sin = np.cos(turn), np.sin(turn)
    return np.array([[cos, -sin], [sin, cos]]) @ W


def _draw_solutions(ax: Axes, dataset: xr.Dataset, branch: int, title: str) -> None:
    """Lay the solutions of a branch over each other, where it is the lower one."""
    density = dataset["relative_density"].values
    where = np.flatnonzero(lowest(dataset)[branch])
    where = where[np.linspace(0, len(where) - 1, min(OVERLAID, len(where))).astype(int)]
    for k in where:
        W = canonical(dataset["W"].values[branch, k], branch)
        color = style.SUPERPOSITION(COLOR_NORM(density[k]))
        lines = np.stack([np.zeros_like(W), W], axis=-1)  # [2, F, 2]
        for x, y in zip(*lines, strict=True):
            ax.plot(x, y, color=color, lw=1.0, alpha=0.5, zorder=1)
        ax.scatter(*W[:, :-1], color=color, s=26, zorder=3)
        ax.scatter(*W[:, -1:], color=color, s=120, marker="*", zorder=4, ec=style.INK, lw=0.5)
    ax.set_facecolor(style.CREAM)
    ax.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    label = "★ feature 5\n‖W₅‖ = 0" if branch == DIGONS else "★ feature 5"
    ax.text(0.03, 0.03, label, transform=ax.transAxes, fontsize=8, color=style.INK)


def _draw_thresholds(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw where the branches cross and where the pentagon ends, by the density of the others."""
    p = dataset["baseline"].values
    at, ours = dataset["crossing"].values, at_baseline(dataset, "crossing")
    ax.plot(p, at, color=style.INK, lw=2.2)
    ax.plot(p, dataset["pentagon_end"].values, "--", color=COLORS[PENTAGON], lw=1.1)
    ax.axhline(PAPER, color=PAPER_COLOR, lw=1.1, ls=":")
    theirs = paper_baseline(dataset)
    ax.plot(BASELINE, ours, "o", color=style.INK, ms=6)
    ax.plot(theirs, PAPER, "o", mfc="white", mec=PAPER_COLOR, mew=1.4, ms=6)
    ax.annotate(
        f"density {BASELINE:g}:\n{ours:.3f} ({1 / ours:.2f}× sparser)",
        *((BASELINE, ours), (-8, 3)),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        fontweight="bold",
    )
    ax.annotate(
        f"the paper's ≈ 2.5× is the\ncrossing for density {theirs:.3f}",
        *((theirs, PAPER), (-8, 5)),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=PAPER_COLOR,
    )
    ax.text(0.0165, 0.72, "pentagon is lower", color=COLORS[PENTAGON], fontsize=9)
    ax.text(0.125, 0.125, "digons are lower", color=COLORS[DIGONS], fontsize=9, ha="center")
    ax.annotate(
        "pentagon\nends",
        *((p[-2], dataset["pentagon_end"].values[-2]), (4, -4)),
        textcoords="offset points",
        va="top",
        fontsize=8,
        color=COLORS[PENTAGON],
    )
    ax.set(xscale="log", yscale="log", xlim=(0.015, 0.25), ylim=(0.1, 1))
    ax.set(xlabel="density of the four others", ylabel="relative density of feature 5")
    ax.set_xticks([0.02, 0.05, 0.1, 0.2], ["0.02", "0.05", "0.1", "0.2"])
    ax.set_yticks([0.1, 0.2, 0.4, 1], ["0.1", "0.2", "0.4", "1"])
    ax.minorticks_off()
    ax.set_title("where they cross depends on the density of the others")


def _draw_losses(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw both losses over the relative density, and where random starts end."""
    for kind, color in ((-1, style.GREY), (DIGONS, COLORS[DIGONS]), (PENTAGON, COLORS[PENTAGON])):
        is_kind = dataset["random_branch"].values == kind
        t, start = np.nonzero(is_kind)
        loss = dataset["random_loss"].values[t, start]
        name = "dots: random starts (grey: other minima)" if kind < 0 else None
        t = dataset["random_density"].values[t]
        marks = {"s": 22, "ec": "white", "lw": 0.4, "alpha": 0.5 if kind < 0 else 0.9}
        ax.scatter(t, PER_FEATURE * loss, color=color, zorder=4, label=name, **marks)
    for branch, name in ((PENTAGON, "pentagon"), (DIGONS, "two digons, feature 5 dropped")):
        _draw_branch(ax, dataset, branch, PER_FEATURE * dataset["loss"].values[branch], name)
    t, paper = at_baseline(dataset, "crossing"), f"paper: ≈ {1 / PAPER:g}×\nsparser"
    loss = PER_FEATURE * float(crossing_loss(dataset))
    ax.plot(t, loss, "o", color=style.INK, ms=6, zorder=5)
    ax.annotate(
        f"the losses cross at {t:.3f}\n({1 / t:.2f}× sparser)",
        *((t, loss), (0.105, 165)),
        fontsize=8.5,
        fontweight="bold",
        arrowprops={"arrowstyle": "-", "color": style.INK, "lw": 0.8},
    )
    ax.axvline(PAPER, ymax=0.85, color=PAPER_COLOR, lw=1.1, ls=":", zorder=0)
    ax.text(PAPER * 1.04, 62, paper, color=PAPER_COLOR, fontsize=8, va="bottom")
    ax.set(xscale="log", yscale="log", xlim=(LOWEST * 0.95, HIGHEST * 1.05), ylim=(58, 1000))
    ax.set_yticks([60, 100, 200, 400, 800], ["60", "100", "200", "400", "800"])
    ax.minorticks_off()
    ax.set_ylabel("expected loss, mean over features, × 10⁵")
    ax.set_title("two minima cross at an angle: a first-order change")
    ax.legend(loc="upper left", fontsize=8)


def crossing_loss(dataset: xr.Dataset) -> float:
    """Return the loss at the crossing, a sum over features."""
    along = np.log(dataset["relative_density"].values)
    at = np.log(at_baseline(dataset, "crossing"))
    return float(np.exp(np.interp(at, along, np.log(dataset["loss"].values[DIGONS]))))


def _draw_branch(
    ax: Axes, dataset: xr.Dataset, branch: int, values: Floats, name: str | None = None
) -> None:
    density, best = dataset["relative_density"].values, lowest(dataset)[branch]
    ax.plot(density, values, "--", color=COLORS[branch], lw=1.1, zorder=3)
    ax.plot(
        density, np.where(best, values, np.nan), color=COLORS[branch], lw=2.4, zorder=3, label=name
    )


def _draw_norms(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw the length of feature 5 along both branches, and its jump."""
    norm = np.linalg.norm(dataset["W"].values[..., -1], axis=-1)  # [branch, relative_density]
    for branch in (PENTAGON, DIGONS):
        _draw_branch(ax, dataset, branch, norm[branch])
    t = at_baseline(dataset, "crossing")
    density = dataset["relative_density"].values
    top = float(np.interp(np.log(t), np.log(density), norm[PENTAGON]))
    ax.annotate("", (t, 0.03), (t, top), arrowprops={"arrowstyle": "->", "color": style.INK})
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    name = f"jumps {top:.2f} → 0"
    ax.text(t * 1.05, 0.5, name, fontsize=8.5, fontweight="bold", va="center", bbox=white)
    end = at_baseline(dataset, "pentagon_end")
    ax.text(end, 0.6, f"pentagon\nends, {end:.3f}", fontsize=8, color=COLORS[PENTAGON], ha="center")
    ax.axvline(PAPER, color=PAPER_COLOR, lw=1.1, ls=":", zorder=0)
    last = density[~np.isnan(norm[DIGONS])][-1]
    ax.text(
        *(last, 0.08, "a nudge undoes the\ndigons from here"),
        fontsize=8,
        color=COLORS[DIGONS],
    )
    ax.set(xscale="log", ylim=(-0.08, 1.3), ylabel="length ‖W₅‖")
    ax.set_xlabel("relative density of feature 5  (1: like the others; left: sparser)")
    ax.set_xticks(TICKS, [f"{t:g}" for t in TICKS])
    ax.minorticks_off()
