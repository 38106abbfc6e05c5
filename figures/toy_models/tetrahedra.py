"""When tetrahedra form (Elhage et al. 2022, "The Geometry of Superposition", F17).

The paper's list of polytopes has tetrahedra, of dimensionality 3/4; people who repeat the
experiment rarely find one. Where features are many and dimensions scarce, the polytope that takes
away most loss for each dimension is the best one, which the exact loss decides by density
(`toymodels.exact.packing`). What training finds is counted for several numbers of competing
features, lengths of training and optimisers.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import draw_interval, panels
from figures.kit.settings import require_at_least
from figures.kit.words import counted, listed, within
from figures.toy_models.geometry_graphs import ALONE, NAMES, UNNAMED, color_of, find_polytopes
from sweeps.stats import share_over_seeds
from toymodels.exact.packing import packing
from toymodels.theory.shapes import polygon, simplex

TETRAHEDRON = "tetrahedron"
IDEALS = (*map(simplex, range(1, 6)), polygon(5))
MOSAIC = [["exact", "many"], ["shapes", "training"]]
LOWEST, HIGHEST = 0.3, 1.0  # densities of the exact curves

# What the analysis' own variables are.
WORDS = {
    "removed": "loss that a polytope takes away for each dimension, over that of a dropped feature",
    "has_tetrahedron": "1 where a model has a tetrahedron",
    "share": "share of seeds with a tetrahedron",
    "low": "lower end of its 95 % interval",
    "high": "upper end of its 95 % interval",
    "n_seeds": "seeds that did not diverge",
    "share_of_features": "share of represented features in each kind of group, over all seeds",
}


def check(plan: Any) -> None:
    """Refuse models that have no room for a tetrahedron.

    Raises:
        InputError: a number out of range.
    """
    require_at_least("points", plan.settings["points"], 2)
    for variant in plan.config.variants:
        require_at_least("n_hidden", variant["n_hidden"], 3)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Count models with tetrahedra, and compute what each polytope takes away.

    `removed` (polytope, density), exact; `share`, `low`, `high` (setting, p_active) of seeds with
    at least one tetrahedron; `share_of_features` (setting, p_active, kind).
    """
    dataset = dataset.transpose("setting", "p_active", "seed", ...)
    density = np.linspace(LOWEST, HIGHEST, int(dataset["points"]))
    found = dataset.assign_coords(
        density=density, polytope=[shape.name for shape in IDEALS], kind=list(NAMES)
    )
    removed = np.array([packing(shape, density).removed for shape in IDEALS])
    found["removed"] = (("polytope", "density"), removed)
    counts, of_features = zip(*(_counts(dataset, k) for k in dataset["setting"]), strict=True)
    over = ("setting", "p_active")
    found["has_tetrahedron"] = ((*over, "seed"), np.array(counts).astype(np.int8))
    share = share_over_seeds(found, found["has_tetrahedron"] > 0)
    for name, of in (("share", "share"), ("low", "low"), ("high", "high"), ("n_seeds", "n")):
        found[name] = share[of]
    found["share_of_features"] = ((*over, "kind"), np.array(of_features))
    return found[list(WORDS)]  # the models stay with their sweep


def _counts(dataset: xr.Dataset, setting: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Return which models have a tetrahedron `[P, S]`, and shares of features by kind `[P, K]`."""
    cell = dataset.sel(setting=setting)
    n = int(_of(cell, "n_features"))
    W = cell["W"].values[..., :n]  # a smaller model stands in the corner of the largest
    _, kind, groups = find_polytopes(W, cell["diverged"].values != 0)
    per_kind = np.stack([(kind == k).sum((1, 2)) for k in range(len(NAMES))], 1)
    total = np.maximum(per_kind.sum(1, keepdims=True), 1)
    return groups[..., NAMES.index(TETRAHEDRON)] > 0, per_kind / total


def _of(cell: xr.Dataset, name: str) -> Any:
    """Return a setting of a cell."""
    return cell[name].item() if name in cell.coords else None


def window(dataset: xr.Dataset) -> tuple[float, float] | None:
    """Return the densities between which the tetrahedron takes away most, or None.

    Where it trades places between two densities of the curves, the lines between them cross.
    """
    density, removed = dataset["density"].values, dataset["removed"].values
    own = list(dataset["polytope"].values).index(TETRAHEDRON)
    ahead = removed[own] - np.delete(removed, own, 0).max(0)
    best = np.flatnonzero(ahead > 0)
    if not best.size:
        return None
    ends = []
    for inside, outside in ((best[0], best[0] - 1), (best[-1], best[-1] + 1)):
        end = density[inside]
        if 0 <= outside < density.size:
            part = ahead[inside] / (ahead[inside] - ahead[outside])
            end += part * (density[outside] - end)
        ends.append(float(end))
    return ends[0], ends[1]


def words_of(dataset: xr.Dataset, k: int, whole: bool = False) -> str:
    """Say in what setting k differs from the first; of the first, or where asked, all of it."""
    first, cell = dataset.isel(setting=0), dataset.isel(setting=k)
    changed = [
        said.format(_of(cell, name))
        for name, said in (
            ("n_features", "{} features"),
            ("steps", "{} steps"),
            ("optimizer", "{}"),
            ("learning_rate", "rate {:g}"),
            ("weight_decay", "decay {:g}"),
        )
        if _of(cell, name) is not None
        and (_of(cell, name) if k == 0 else _of(cell, name) != _of(first, name))
    ]
    if k == 0 and changed and not whole:
        return changed[0]
    return ", ".join(changed) or f"setting {k + 1}"


def claim(dataset: xr.Dataset) -> str:
    """Say where tetrahedra are best by the exact loss, and where training finds them."""
    between = window(dataset)
    text = "By the exact loss tetrahedra pack best nowhere"
    if between:
        low, high = (f"{value:.2f}" for value in between)
        text = f"By the exact loss tetrahedra pack best at density {low}–{high}"
    share = dataset["share"].values
    if np.isnan(share).all():
        return f"{text}; every run diverged"
    m = int(dataset["n_hidden"])
    if not np.nanmax(share):
        return f"{text}; no model in {m} dimensions has one"
    parts = [_most(dataset, k, i == 0) for i, k in enumerate(_by_features(dataset))]
    return f"{text}; in {m} dimensions training forms one in at most {listed(parts)}"


def finding(dataset: xr.Dataset) -> str:
    """Give the largest share of seeds with a tetrahedron in every setting, with its interval."""
    parts = []
    for k in range(dataset.sizes["setting"]):
        cell = dataset.isel(setting=k)
        if cell["share"].notnull().any():
            best = cell.isel(p_active=int(cell["share"].argmax("p_active")))
            share = within(*(best[name] for name in ("share", "low", "high")))
            at = f"density {float(best['p_active']):g}"
            parts.append(f"{words_of(dataset, k, whole=True)}: {share} at {at}")
    return f"Largest share of seeds with a tetrahedron: {'; '.join(parts)}" if parts else ""


def _most(dataset: xr.Dataset, k: int, first: bool) -> str:
    """Say how many models of a setting have one where most do."""
    cell = dataset.isel(setting=k)
    share, n = cell["share"].values, int(_of(cell, "n_features"))
    if np.isnan(share).all():
        return f"none of those with {n}, which all diverged"
    at = int(np.nanargmax(share))
    words = f"of models with {n} features" if first else f"with {n}"
    where = f"density {float(dataset['p_active'][at]):g}"
    return f"{share[at]:.0%} {words}" + (f" ({where})" if share[at] else "")


def _by_features(dataset: xr.Dataset) -> list[int]:
    """Return the settings that differ from the first by the number of features alone, sorted."""
    n = [int(_of(dataset.isel(setting=k), "n_features")) for k in range(dataset.sizes["setting"])]
    others = ("steps", "optimizer", "learning_rate", "weight_decay")
    first = dataset.isel(setting=0)
    alike = [
        k
        for k in range(len(n))
        if all(_of(dataset.isel(setting=k), x) == _of(first, x) for x in others)
    ]
    return sorted(alike, key=lambda k: n[k])


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the curves are, and what the paper does not."""
    alike = _by_features(dataset)
    first = words_of(dataset, 0)
    return [
        "exact: loss that a polytope of one length and one bias takes away for each dimension, "
        "best length and bias at each density; groups in orthogonal subspaces add up",
        f"bars: 95 % Wilson intervals over {counted(int(dataset['n_seeds'].max()), 'seed')}",
        f"{counted(len(alike), 'number')} of competing features; training varied at {first}",
        "the paper states neither how many features and dimensions its tetrahedra had nor how it "
        "trained",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw exact packing, shares by competing features and by training, and what is found."""
    figure, panel = panels(axes, MOSAIC, figsize=(11.2, 7.4))
    _draw_exact(panel["exact"], dataset)
    alike = _by_features(dataset)
    _draw_shares(panel["many"], dataset, alike)
    panel["many"].set_title("models with a tetrahedron, by features that compete")
    rest = [0] + [k for k in range(dataset.sizes["setting"]) if k not in alike]
    _draw_shares(panel["training"], dataset, rest, by_training=True)
    panel["training"].set_title("… and by training")
    _draw_kinds(panel["shapes"], dataset)
    return figure


def _shade(ax: Axes, dataset: xr.Dataset) -> None:
    between = window(dataset)
    if between:
        ax.axvspan(*between, color=style.PALE, zorder=0, lw=0)


def _draw_exact(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw what each polytope takes away beyond the tetrahedron."""
    density = dataset["density"].values
    ideal = dataset["removed"].sel(polytope=TETRAHEDRON).values
    _shade(ax, dataset)
    ax.axhline(0, color=color_of(TETRAHEDRON), lw=2.2)
    for name in map(str, dataset["polytope"].values):
        over = 100 * (dataset["removed"].sel(polytope=name).values - ideal)
        look = {"lw": 2.2 if name == TETRAHEDRON else 1.5, "color": color_of(name)}
        ax.plot(density, over, label=name, ls="--" if name == ALONE else "-", **look)
    ax.set(ylim=(-2.2, 4.2), xlim=(float(dataset["p_active"].min()) - 0.05, HIGHEST))
    ax.set_title("exact: which polytope takes away most loss")
    ax.set_ylabel("loss removed per dimension, less that of\ntetrahedra (% of a dropped feature)")
    ax.set_xlabel("density p = 1 − S (grey: tetrahedra are best)")
    ax.legend(ncols=2, loc="upper right")


def _draw_shares(
    ax: Axes, dataset: xr.Dataset, settings: list[int], by_training: bool = False
) -> None:
    """Draw shares of seeds with a tetrahedron, against density."""
    _shade(ax, dataset)
    p = dataset["p_active"].values
    width = 0.011 * (p.max() - p.min())
    for i, k in enumerate(settings):
        cell = dataset.isel(setting=k)
        at = p + width * (i - (len(settings) - 1) / 2)
        values = (cell[name].values for name in ("share", "low", "high"))
        words = words_of(dataset, k, whole=by_training)
        draw_interval(ax, at, *values, label=words, **style.series(i))
    ax.set(ylim=(-0.03, 1.03), ylabel="share of seeds", xlabel="density p = 1 − S")
    ax.legend(loc="upper left", fontsize=7.5)


def _draw_kinds(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw what represented features are in, where most compete."""
    k = _by_features(dataset)[-1]
    share = dataset["share_of_features"].isel(setting=k)
    p, bottom = dataset["p_active"].values, np.zeros(dataset.sizes["p_active"])
    order = ["digon", "triangle", TETRAHEDRON, "5-cell", ALONE, UNNAMED]
    rest = [str(name) for name in share["kind"].values if name not in order]
    heights = {name: share.sel(kind=name).values for name in order}
    heights[UNNAMED] = heights[UNNAMED] + share.sel(kind=rest).sum("kind").values
    step = float(np.diff(p).min()) if p.size > 1 else 0.05
    fills = {ALONE: style.DROPPED, UNNAMED: "#F3F3F1"}
    for name, height in heights.items():
        label = "other groups" if name == UNNAMED else name
        color = fills.get(name, color_of(name))
        ax.bar(p, height, 0.85 * step, bottom, color=color, label=label, ec="#9A9A9A", lw=0.4)
        bottom = bottom + height
    ax.set(ylim=(0, 1), ylabel="share of represented features", xlabel="density p = 1 − S")
    ax.set_title(f"what features are in, {words_of(dataset, k)} compete")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7.5)
