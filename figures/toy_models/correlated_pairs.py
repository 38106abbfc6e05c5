"""F22–F24: pairs of features that are active together, or never together, in two dimensions.

Elhage et al. 2022, "Correlated and Anticorrelated Features". One row for each world, one panel for
each density, the best of all seeds. Mates of correlated pairs are orthogonal, mates that exclude
each other antipodal, and three correlated pairs make a hexagon with mates side by side. The null is
independent features: the figure gives them the same colours, but no pair of them is special.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.panels import panels
from figures.kit.words import NUMBERS, listed
from figures.toy_models.correlated_sets import (
    COLLAPSED,
    REPRESENTED,
    across,
    cosines,
    draw_sets,
    exact_losses,
    require_sets,
    within,
)
from sweeps.stats import best_over_seeds, share_over_seeds
from toymodels.errors import InputError

ORTHOGONAL = 0.15  # of |cos| between mates
SIDE, NULL = "side by side", "independent"
HEXAGON = 6
SAME = 0.01  # a seed has reached the best one's loss within this share,
ZERO = 1e-6  # or, where that is practically 0, within this share of losing everything

# What the analysis' own variables are.
WORDS = {
    "best_seed": "seed of the least loss, -1 where all diverged",
    "loss_ranked": "loss that seeds are ranked by: without samples where it is known so",
    "mate_cosine": "cosine between the two features of a pair",
    "across_low": "least cosine between features of different pairs",
    "across_high": "largest cosine between features of different pairs",
    "null_share": "share of seeds of independent features whose pairs, by name only, lie so",
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
    axes = {axis.name: axis.values for d in plan.config.grid.dimensions for axis in d.axes}
    for name in ("n_features", "n_sets", "kind"):
        if name not in axes:
            raise InputError(f"zip.world has no {name}: give one for each world.")
    for n_features, n_sets in zip(axes["n_features"], axes["n_sets"], strict=True):
        require_sets(n_features, n_sets, 2)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each cell, with the cosines within its pairs and across.

    Over (world, p_active): `mate_cosine` also over (pair), NaN beyond a world's pairs; `across_low`
    and `across_high`; of the `n_of_seeds` other seeds `share_of_seeds` are as low, with its Wilson
    interval.
    """
    dataset = dataset.transpose("world", "p_active", "seed", "hidden", "feature", ...)
    rank = xr.concat(
        [_ranked(dataset.isel(world=i)) for i in range(dataset.sizes["world"])], "world"
    ).assign_coords(dataset["loss"].coords)
    dataset = dataset.assign(loss_ranked=rank)
    best = best_over_seeds(dataset, by=rank)
    nothing = dataset["p_active"] / 3 * dataset["n_features"]
    reached = rank <= np.maximum(best["loss_ranked"] * (1 + SAME), ZERO * nothing)
    share = share_over_seeds(dataset, reached, without=best["best_seed"])
    best = best.assign({f"{name}_of_seeds": share[name] for name in ("share", "low", "high", "n")})
    best = best.merge(_angles(best))
    best["null_share"] = best["loss"].copy(data=_null_shares(dataset, best)).drop_attrs()
    return best


def _ranked(world: xr.Dataset) -> xr.DataArray:
    """Return the best loss there is of one world's models."""
    if str(world["kind"].values) != "correlated":
        return world["loss_ranking"].drop_attrs()
    return exact_losses(world, int(world["n_sets"])).where(world["diverged"] == 0)


def _angles(best: xr.Dataset) -> xr.Dataset:
    """Return the cosines within pairs and across of every cell."""
    shape = best["loss"].shape
    mates = np.full((*shape, int(best["n_sets"].max())), np.nan)
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    for i in range(shape[0]):
        n_sets = int(best["n_sets"][i])
        C = cosines(_columns(best.isel(world=i)))
        mates[i, :, :n_sets] = within(C, n_sets)
        others = across(C, n_sets)
        if others.size:
            low[i] = np.nan_to_num(others, nan=np.inf).min(-1)
            high[i] = np.nan_to_num(others, nan=-np.inf).max(-1)
    cells = ("world", "p_active")
    of = {"mate_cosine": ((*cells, "pair"), mates)}
    return xr.Dataset(of | {"across_low": (cells, low), "across_high": (cells, high)})


def _null_shares(dataset: xr.Dataset, best: xr.Dataset) -> NDArray:
    """Return the share of seeds of independent features whose pairs, by name only, lie as the best.

    Over (world, p_active), by the null of as many features; NaN where there is none.
    """
    found, kinds = np.full(best["loss"].shape, np.nan), dataset["kind"].values
    of_seeds = {
        int(dataset["n_features"][i]): within(
            cosines(_columns(dataset.isel(world=i))), int(dataset["n_sets"][i])
        )
        for i in np.flatnonzero(kinds == NULL)
    }
    for i, j in np.ndindex(found.shape):
        null = of_seeds.get(int(best["n_features"][i]))
        if null is not None and kinds[i] != NULL:
            wanted = arrangement(best["mate_cosine"].values[i, j])
            found[i, j] = np.mean([arrangement(c) == wanted for c in null[j]])
    return found


def _columns(world: xr.Dataset) -> NDArray:
    """Return W of one world without what is beyond its features."""
    W = world["W"].transpose(..., "hidden", "feature").values
    return W[..., : int(world["n_features"])]


def arrangement(mates: NDArray) -> str:
    """Say how the mates of all pairs lie, from their cosines."""
    named = [_kind(c) for c in mates[~np.isnan(mates)]]
    if not named:
        return "not there (diverged or dropped)"
    if len(set(named)) == 1:
        return named[0]
    n = named.count("collapsed")
    return f"{n} of {len(named)} collapsed" if n else "mixed"


def _kind(cosine: float) -> str:
    if cosine > COLLAPSED:
        return "collapsed"
    if cosine < -COLLAPSED:
        return "antipodal"
    return "orthogonal" if abs(cosine) < ORTHOGONAL else SIDE if cosine > 0 else "apart"


def claim(dataset: xr.Dataset) -> str:
    """Say for each world how mates lie at which densities."""
    kinds = dataset["kind"].values
    some = [i for i, kind in enumerate(kinds) if kind != NULL] or range(len(kinds))
    parts = [(_called(dataset, i), _along(dataset, i)) for i in some]
    who, how = parts[0]
    return "; ".join(
        [f"Members of {who} are {how}", *(f"of {who} {how}" for who, how in parts[1:])]
    )


def _called(dataset: xr.Dataset, world: int) -> str:
    kind, n = str(dataset["kind"].values[world]), int(dataset["n_sets"][world])
    return f"{NUMBERS[n] if n < len(NUMBERS) else n} {kind} pair{'s' * (n > 1)}"


def _along(dataset: xr.Dataset, world: int) -> str:
    """Say how mates lie, with densities that are alike taken together."""
    mates, p = dataset["mate_cosine"].values[world], dataset["p_active"].values
    said, parts, first = [arrangement(c) for c in mates], [], 0
    for last in range(len(said)):
        if last + 1 < len(said) and said[last + 1] == said[first]:
            continue
        at = f"{p[first]:g}" if first == last else f"{p[first]:g}–{p[last]:g}"
        which = f" ({_degrees(np.nanmean(mates[first]))})" if said[first] == SIDE else ""
        parts.append(f"{said[first]}{which} at {'' if parts else 'density '}{at}")
        first = last + 1
    return listed(parts)


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is chosen where the paper is silent, and what the null does."""
    parts = [
        "the paper does not state densities: these are ours",
        "density is that of a set; one feature of an anticorrelated pair has half of it",
        f"share: seeds within {SAME:.0%} of the best one's loss, with its 95 % interval",
        "ring and dot: the two features of a pair, inside each other where they have collapsed",
    ]
    shares = dataset["null_share"].values
    known = [i for i in range(len(shares)) if np.isfinite(shares[i]).any()]
    if known:
        said = (f"{_called(dataset, i)} in {np.nanmean(shares[i]):.0%}" for i in known)
        parts.append(
            "null: independent features, paired by name only; of their seeds, pairs lie as the "
            f"best ones of {listed(said)}"
        )
    for i in np.flatnonzero(dataset["kind"].values == NULL):
        parts += _hexagons(dataset.isel(world=i))
    return parts


def _hexagons(world: xr.Dataset) -> list[str]:
    """Say where six independent features are a regular hexagon, which the paper does not see."""
    p, W = world["p_active"].values, _columns(world)
    regular = [f"{x:g}" for x, columns in zip(p, W, strict=True) if _is_regular(columns)]
    if int(world["n_features"]) != HEXAGON or not regular:
        return []
    return [
        "the paper remarks that independent features do not make the hexagon of correlated pairs; "
        f"their best seed makes a regular one, of equal gaps, at {listed(regular)}"
    ]


def _is_regular(W: NDArray) -> bool:
    """Tell whether all columns are long and at equal angles, within 3°."""
    n = W.shape[1]
    if not np.all(np.linalg.norm(W, axis=0) > REPRESENTED):  # also where W is NaN
        return False
    angle = np.sort(np.degrees(np.arctan2(W[1], W[0])))
    return bool(np.abs(np.diff([*angle, angle[0] + 360]) - 360 / n).max() < 3)


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw a row for each world, a panel for each density."""
    densities, n = dataset["p_active"].values, dataset.sizes["world"]
    names = [[f"{i} at {p:g}" for p in densities] for i in range(n)]
    size = (2.0 * len(densities) + 0.8, 2.3 * n + 0.8)
    figure, panel = panels(axes, names, figsize=size)
    limit = 1.2 * max(1.0, float(np.nan_to_num(dataset["norm"].max(), nan=1.0)))
    for i, row in enumerate(names):
        null = str(dataset["kind"].values[i]) == NULL
        for name, p in zip(row, densities, strict=True):
            cell = dataset.isel(world=i).sel(p_active=p)
            draw_sets(panel[name], np.nan_to_num(_columns(cell)), int(cell["n_sets"]), limit)
            if null:
                panel[name].set_facecolor(style.PALE)
            panel[name].set_xlabel(_counts(cell), fontsize=7.5)
            if i == 0:
                panel[name].set_title(f"density {p:g}")
        _label_row(panel[row[0]], dataset, i, null)
    return figure


def _label_row(ax: Axes, dataset: xr.Dataset, world: int, null: bool) -> None:
    n, g = (int(dataset[name][world]) for name in ("n_features", "n_sets"))
    kind = str(dataset["kind"].values[world])
    text = f"null: {n} {kind}" if null else f"{g} × 2 {kind}"
    ax.set_ylabel(text, fontsize=9.5, fontweight="normal" if null else "bold")


def _counts(cell: xr.Dataset) -> str:
    """Say the angles of mates and across, and how many other seeds are as good."""
    mates = cell["mate_cosine"].values
    mates = mates[~np.isnan(mates)]
    if int(cell["best_seed"]) < 0 or not mates.size:
        return "all runs diverged"
    angles = dict.fromkeys(map(_degrees, np.sort(mates)[::-1]))
    text = f"mates {', '.join(angles)}"
    if np.isfinite(cell["across_low"]):
        near, far = (_degrees(cell[f"across_{k}"].item()) for k in ("high", "low"))
        text += f"; others {near.rstrip('°')}–{far}" if near != far else f"; others {far}"
    n = int(cell["n_of_seeds"])
    if not n:
        return text
    share, low, high = (float(cell[f"{k}_of_seeds"]) for k in ("share", "low", "high"))
    return f"{text}\n{share:.0%} of {n} others ({low:.0%}–{high:.0%})"


def _degrees(cosine: float) -> str:
    return f"{np.degrees(np.arccos(np.clip(cosine, -1, 1))):.0f}°"
