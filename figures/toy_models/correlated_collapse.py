"""F26: three correlated pairs in two dimensions collapse one by one as they get denser.

Elhage et al. 2022, "Correlated and Anticorrelated Features". A pair has collapsed where its two
columns are one direction: the model keeps their sum, the first principal component of the pair.
Seeds are ranked by the loss without samples (`toymodels.exact.sets`), and so are arrangements: the
least loss among seeds with k collapsed pairs and with k + 1 cross at a density, our boundary.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.panels import panels
from figures.kit.words import NUMBERS, counted, listed
from figures.toy_models.correlated_sets import (
    COLLAPSED,
    cosines,
    draw_sets,
    exact_losses,
    require_sets,
    within,
)
from sweeps.stats import best_over_seeds, share_over_seeds
from toymodels.errors import InputError
from toymodels.theory.linear import linear_loss_in_sets

# The paper's captions: (from, to) -> collapsed pairs; between 0.2 and 0.25 it says nothing.
PAPER = {(0.0, 0.05): "0", (0.05, 0.15): "1", (0.15, 0.2): "2", (0.25, 0.5): "3"}
PAPER |= {(0.5, 1.0): "PCA-like"}
SAME = 0.01  # a seed has reached the best one's loss within this share

# What the analysis' own variables are.
WORDS = {
    "best_seed": "seed of the least loss, -1 where all diverged",
    "loss_exact": "expected loss of the best seed, without samples",
    "loss_pca": "expected loss of the best linear model, PCA",
    "n_collapsed": "pairs of the best seed whose features share a direction, -1 where all diverged",
    "share_of_count": "share of seeds with so many collapsed pairs",
    "least_loss_of_count": "least expected loss of a seed with so many collapsed pairs",
    "boundary": "density at which one more collapsed pair becomes better",
    "share_of_seeds": "share of the other seeds whose loss is as low",
    "low_of_seeds": "lower end of its 95 % interval",
    "high_of_seeds": "upper end of its 95 % interval",
    "n_of_seeds": "other seeds that did not diverge",
}


def check(plan: Any) -> None:
    """Refuse sets that are no pairs.

    Raises:
        InputError: another number of features than two for each set.
    """
    for variant in plan.config.variants:
        require_sets(variant["n_features"], variant["features"]["n_sets"], 2)
    for p in plan.settings["panels"]:
        if not 0 < p <= 1:
            raise InputError(f"panels holds {p}: give densities above 0, up to 1.")
    for d in plan.config.grid.dimensions:
        if d.name == "p_active" and min(d.axes[0].values) <= 0:
            raise InputError("p_active = 0.0: give densities above 0.")


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each density, and count collapsed pairs in all of them.

    Over p_active `n_collapsed`, `loss_exact`, `loss_pca`; over (p_active, count) `share_of_count`
    and `least_loss_of_count`; over `boundary_of` = k the `boundary` between k and k + 1.
    """
    dataset = dataset.transpose("p_active", "seed", "hidden", "feature", ...).sortby("p_active")
    n_sets, ok = int(dataset["n_sets"]), dataset["diverged"] == 0
    exact = exact_losses(dataset, n_sets).where(ok)
    mates = within(cosines(dataset["W"].values), n_sets)
    n_collapsed = exact.copy(data=(mates > COLLAPSED).sum(-1))
    best = best_over_seeds(dataset.assign(loss_exact=exact, n_collapsed=n_collapsed), by=exact)
    best["n_collapsed"] = best["n_collapsed"].where(best["best_seed"] >= 0, -1).astype(int)
    n, m = dataset.sizes["feature"], dataset.sizes["hidden"]
    pca = [linear_loss_in_sets(n, m, n_sets, p) for p in dataset["p_active"].values]
    best["loss_pca"] = ("p_active", pca)
    reached = exact <= best["loss_exact"] * (1 + SAME)
    share = share_over_seeds(dataset, reached, without=best["best_seed"])
    best = best.assign({f"{name}_of_seeds": share[name] for name in ("share", "low", "high", "n")})
    count = xr.DataArray(np.arange(n_sets + 1), dims="count")
    has = (n_collapsed == count) & ok
    best["share_of_count"] = has.sum("seed") / ok.sum("seed").where(lambda n: n > 0)
    best["least_loss_of_count"] = exact.where(has).min("seed")
    best = best.assign_coords(count=count.values, boundary_of=np.arange(n_sets))
    best["boundary"] = ("boundary_of", boundaries(best))
    return best


def boundaries(best: xr.Dataset) -> NDArray:
    """Return the density at which k + 1 collapsed pairs become better than k, for each k.

    Where both are there on either side, the crossing of their losses; else the geometric middle of
    the two densities; NaN where the best seed's count does not pass from k to more.
    """
    p, held = best["p_active"].values, best["n_collapsed"].values
    loss = best["least_loss_of_count"].transpose("p_active", "count").values
    found = np.full(best.sizes["boundary_of"], np.nan)
    for k in range(len(found)):
        passed = np.flatnonzero((held[:-1] <= k) & (held[:-1] >= 0) & (held[1:] > k))
        if not passed.size:
            continue
        i = passed[-1]
        gain = np.log(loss[i : i + 2, k] / loss[i : i + 2, k + 1])  # below 0, then above
        known = np.isfinite(gain).all() and gain[0] < 0 < gain[1]
        share = -gain[0] / (gain[1] - gain[0]) if known else 0.5
        found[k] = p[i] ** (1 - share) * p[i + 1] ** share
    return found


def claim(dataset: xr.Dataset) -> str:
    """Say how many pairs are collapsed at which densities."""
    held, p = dataset["n_collapsed"].values, dataset["p_active"].values
    n, m = int(dataset["n_sets"]), int(dataset["n_hidden"])
    who = f"Of {counted(n, 'correlated pair')} in {counted(m, 'dimension')}"
    if (held < 0).all():
        return f"{who} nothing can be said: every run diverged"
    parts = []
    for first, last in _runs(held):
        at = f"{p[first]:g}" if first == last else f"{p[first]:g}–{p[last]:g}"
        verb = " are collapsed" if held[first] > 1 else " is collapsed"
        said = NUMBERS[held[first]].replace("no", "none") if held[first] < 10 else str(held[first])
        parts += [f"{said}{verb} at density {at}" if not parts else f"{said} at {at}"]
    last = int(np.flatnonzero(held >= 0)[-1])
    ratio = float(dataset["loss_exact"][last] / dataset["loss_pca"][last])
    text = f"{who}, {listed(parts)}"
    if _is_paper(dataset) and (held == n).any():
        text += f" (all of them from about {_theirs():g} on, says the paper)"
    return f"{text}; at {p[last]:g} the loss is {ratio:.3g} of PCA's"


def _theirs() -> float:
    """Return the density from which the paper has all pairs collapsed."""
    return next(low for (low, _), text in PAPER.items() if text == "3")


def _runs(held: NDArray) -> list[tuple[int, int]]:
    """Return first and last index of neighbours that are alike, without what diverged."""
    cuts = np.flatnonzero(np.diff(held)) + 1
    found = zip([0, *cuts], [*(cuts - 1), len(held) - 1], strict=True)
    return [(int(a), int(b)) for a, b in found if held[a] >= 0]


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is compared, and where the paper and we differ."""
    parts = [
        f"collapsed: cosine of a pair above {COLLAPSED:g}; ring and dot are its two features",
        "seeds are ranked by the expected loss without samples; circles: share of seeds by count",
    ]
    at = dataset["boundary"].values
    known = ~np.isnan(at)
    if known.any():
        k = dataset["boundary_of"].values
        said = listed(
            f"{a} to {a + 1} at {x:.2g}" for a, x in zip(k[known], at[known], strict=True)
        )
        parts.append(
            f"our boundaries, where the least losses cross (else halfway between densities): {said}"
        )
    if _is_paper(dataset) and known[-1]:
        theirs, ours = _theirs(), at[-1]
        parts.append(
            f"the paper has all three collapsed from about {theirs:g} on, we from {ours:.2g}"
        )
    return parts


def _is_paper(dataset: xr.Dataset) -> bool:
    sizes = (int(dataset[k]) for k in ("n_features", "n_sets", "n_hidden"))
    return tuple(sizes) == (6, 3, 2)


def shown(dataset: xr.Dataset) -> list[float]:
    """Return the densities that have a panel: the nearest ones to those asked for."""
    p = dataset["p_active"].values
    near = [float(p[np.abs(np.log(p / at)).argmin()]) for at in dataset["panels"].values]
    return sorted(set(near))


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw the best models at some densities; below counts, regimes and the loss over PCA's."""
    at = shown(dataset)
    names = [f"density {p:g}" for p in at]
    k = len(names)
    mosaic = [names, ["count"] * k, ["regimes"] * k, ["loss"] * k]
    size = (2.2 * max(k, 3) + 0.8, 8.2)
    figure, panel = panels(axes, mosaic, figsize=size, height_ratios=[2.1, 1.5, 0.75, 1.1])
    for name, p in zip(names, at, strict=True):
        cell = dataset.sel(p_active=p)
        W = cell["W"].transpose("hidden", "feature").values
        draw_sets(panel[name], W, int(dataset["n_sets"]), 1.25)
        panel[name].set_title(name)
        panel[name].set_xlabel(_counts(cell), fontsize=7.5)
    _draw_counts(panel["count"], dataset)
    _draw_regimes(panel["regimes"], dataset)
    _draw_loss(panel["loss"], dataset)
    return figure


def _counts(cell: xr.Dataset) -> str:
    if int(cell["best_seed"]) < 0:
        return "all runs diverged"
    text = f"{int(cell['n_collapsed'])} collapsed, loss {float(cell['loss_exact']):.3g}"
    n = int(cell["n_of_seeds"])
    if not n:
        return text
    share, low, high = (float(cell[f"{k}_of_seeds"]) for k in ("share", "low", "high"))
    return f"{text}\n{share:.0%} of {n} others ({low:.0%}–{high:.0%})"


def _axis(ax: Axes, dataset: xr.Dataset) -> None:
    """Give the panels one axis of density."""
    p = dataset["p_active"].values
    ax.set(xscale="log", xlim=(p.min() / 1.1, p.max() * 1.1))
    ticks = [t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if p.min() <= t <= p.max()]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()


def _draw_counts(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw the best seed's count as steps, and how many seeds have which."""
    p, held = dataset["p_active"].values, dataset["n_collapsed"].values
    share = dataset["share_of_count"].transpose("p_active", "count").values
    for k in dataset["count"].values:
        ax.scatter(p, np.full(p.shape, k), s=90 * np.nan_to_num(share[:, k]), c=style.LIGHT_BLUE)
    steps = np.where(held < 0, np.nan, held)
    ax.plot(p, steps, color=style.INK, lw=1.6, drawstyle="steps-mid", zorder=3)
    ax.plot(p, steps, ".", color=style.INK, ms=5, zorder=4)
    _axis(ax, dataset)
    ax.set(ylim=(-0.4, dataset["count"].values[-1] + 0.4), yticks=dataset["count"].values)
    ax.set_ylabel("collapsed pairs")
    ax.tick_params(labelbottom=False)
    look: dict[str, Any] = {"fontsize": 8, "color": style.NOTE, "transform": ax.transAxes}
    ax.text(0.01, 0.95, "line: best seed; circles: share of seeds", va="top", **look)


def _draw_regimes(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw which counts rule at which densities: ours, and the paper's."""
    _axis(ax, dataset)
    low, high = ax.get_xlim()
    ours = {}
    held, p, edge = (dataset[k].values for k in ("n_collapsed", "p_active", "boundary"))
    runs = _runs(held)
    for i, (first, last) in enumerate(runs):
        a = low if i == 0 else _edge(edge, held[runs[i - 1][0]], p[runs[i - 1][1]], p[first])
        b = high if i + 1 == len(runs) else _edge(edge, held[first], p[last], p[runs[i + 1][0]])
        ours[a, b] = str(held[first])
    rows = {"ours": ours} | ({"paper": PAPER} if _is_paper(dataset) else {})
    for y, regimes in zip((1, 0), rows.values(), strict=False):
        for (begins, ends), text in regimes.items():
            a, b = max(begins, low), min(ends, high)
            if a >= b:
                continue
            color = style.AREAS[int(text) if text.isdigit() else 4]
            ax.barh(y, b - a, left=a, height=0.8, color=color, ec="white", lw=1)
            said = f"{text} collapsed" if text.isdigit() and b > 1.35 * a else text
            ax.text(np.sqrt(a * b), y, said, ha="center", va="center", fontsize=8, color=style.INK)
    for x in edge[np.isfinite(edge)]:
        ax.text(x, 1.45, f"{x:.2g}", ha="center", va="bottom", fontsize=7.5, clip_on=False)
    ax.set(ylim=(-0.5, 1.5), yticks=[1, 0][: len(rows)], yticklabels=list(rows))
    ax.spines[:].set_visible(False)
    ax.tick_params(left=False, labelbottom=False)


def _edge(edge: NDArray, k: int, before: float, after: float) -> float:
    """Return the boundary after count k if it lies between two densities, else their middle."""
    if k < len(edge) and before <= edge[k] <= after:
        return float(edge[k])
    return float(np.sqrt(before * after))


def _draw_loss(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw the exact loss over that of PCA."""
    ratio = dataset["loss_exact"] / dataset["loss_pca"]
    ax.axhline(1, color=style.NULL, lw=1, ls="--")
    ax.plot(dataset["p_active"], ratio, color=style.BLUE, marker="o", ms=3.5)
    _axis(ax, dataset)
    ax.set(ylim=(0, 1.1), xlabel="density of a pair, 1 − S", ylabel="loss / PCA's")
    ax.text(0.01, 0.97, "PCA", transform=ax.transAxes, fontsize=8, color=style.NULL, va="top")
