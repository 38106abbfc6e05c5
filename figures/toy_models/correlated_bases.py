"""F25: two sets of ten correlated features in ten dimensions, each with a basis of its own.

Elhage et al. 2022, "Correlated and Anticorrelated Features". Within a set WᵀW is the identity: its
features, which are active together, are orthogonal. Across sets, which interfere only when both are
active, it is not. The null is independent features of the same density: for them the sets are names
alone, and cosines are what they are between any two.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import gamma

from figures.kit import style
from figures.kit.draw import draw_gram
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.words import counted, listed
from figures.toy_models.correlated_sets import across, cosines, exact_losses, require_sets, within
from sweeps.stats import best_over_seeds, mean_over_seeds
from toymodels.errors import InputError

CORRELATED, NULL = "correlated", "independent"
ORTHOGONAL = 0.1  # a set is a basis of its own if no |cosine| within it is above
LOOKS = {
    CORRELATED: {"color": style.BLUE, "ls": "-"},
    NULL: {"color": style.NULL, "ls": "--"},
}
# name -> mark, words.
MEANS = {"within_mean": ("o", "within a set"), "across_mean": ("s", "across sets")}
LARGEST = {"within_max": ("o", "within a set"), "across_max": ("s", "across sets")}

# What the analysis' own variables are.
WORDS = {
    "best_seed": "seed of the least loss, -1 where all diverged",
    "n_seeds": "seeds that did not diverge",
}
for _name, _words in (
    ("within_mean", "mean |cosine| of two features of a set"),
    ("across_mean", "mean |cosine| of two features of different sets"),
    ("within_max", "largest |cosine| of two features of a set"),
    ("across_max", "largest |cosine| of two features of different sets"),
):
    WORDS |= {_name: f"{_words}, best seed", f"{_name}_average": f"{_words}, mean over seeds"}
    WORDS |= {f"{_name}_low": "lower end of its 95 % interval"}
    WORDS |= {f"{_name}_high": "upper end of its 95 % interval"}


def check(plan: Any) -> None:
    """Refuse sets that are not equally large, or differ between worlds.

    Raises:
        InputError: such sets.
    """
    axes = {axis.name: axis.values for d in plan.config.grid.dimensions for axis in d.axes}
    if len(set(axes.get("n_sets", ()))) != 1 or "kind" not in axes:
        raise InputError("zip.world needs kind, and one n_sets for all worlds.")
    for variant in plan.config.variants:
        require_sets(variant["n_features"], axes["n_sets"][0])


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each cell, with |cosines| within sets and across.

    Over (world, p_active) `within_mean`, `within_max`, `across_mean`, `across_max`: the best
    seed's; `…_average`, `…_low`, `…_high` over all.
    """
    dataset = dataset.transpose("world", "p_active", "seed", "hidden", "feature", ...)
    n_sets = _sets(dataset)
    C = np.abs(cosines(dataset["W"].values))
    cells = dataset["loss"]
    for name, part in (("within", within(C, n_sets)), ("across", across(C, n_sets))):
        mean, largest = (cells.copy(data=f(part)) for f in (_mean, _largest))
        dataset = dataset.assign({f"{name}_mean": mean, f"{name}_max": largest})
    rank = dataset["loss_ranking"].compute().copy()  # it is written to
    for i in np.flatnonzero(dataset["kind"].values == CORRELATED):
        rank[i] = exact_losses(dataset.isel(world=i), n_sets)
    best = best_over_seeds(dataset, by=rank)
    for name in (*MEANS, *LARGEST):
        found = mean_over_seeds(dataset, name)
        for part in ("average", "low", "high"):
            best[f"{name}_{part}"] = found[part]
        best["n_seeds"] = found["n"]
    return best


def _sets(dataset: xr.Dataset) -> int:
    return int(dataset["n_sets"].values.flat[0])


def _world(dataset: xr.Dataset, kind: str, default: int = 0) -> xr.Dataset:
    """Return the first world of a kind, or the default one where there is none."""
    found = np.flatnonzero(dataset["kind"].values == kind)
    return dataset.isel(world=int(found[0]) if found.size else default)


def _mean(values: NDArray) -> NDArray:
    return values.mean(-1) if values.shape[-1] else np.full(values.shape[:-1], np.nan)


def _largest(values: NDArray) -> NDArray:
    return values.max(-1) if values.shape[-1] else np.full(values.shape[:-1], np.nan)


def claim(dataset: xr.Dataset) -> str:
    """Say the largest |cosine| within sets and across, and that of independent features."""
    n, m, sets = int(dataset["n_features"]), dataset.sizes["hidden"], _sets(dataset)
    of, kind = _world(dataset, CORRELATED), str(_world(dataset, CORRELATED)["kind"].values)
    who = f"{counted(sets, f'{kind} set').capitalize()} of {n // sets} features in {m} dimensions"
    known = np.isfinite(of["within_max"].values)
    if not known.any():
        return f"{who}: every run diverged"
    holds = (of["within_max"].values < ORTHOGONAL) & known
    breaks = known & ~holds
    parts = []
    if holds.any():
        mean, p = _range(of, "within_mean", holds), _range(of, "p_active", holds)
        largest = _range(of, "across_max", holds)
        parts += [f"mean |cos| within a set is {mean} at density {p}, the largest across {largest}"]
    if breaks.any():
        p = listed(f"{x:g}" for x in of["p_active"].values[breaks])
        largest = _range(of, "within_max", breaks)
        parts += [f"at density {p} a set is no orthogonal basis (largest |cos| {largest})"]
    null = _world(dataset, NULL)
    if kind != NULL and str(null["kind"].values) == NULL and null["within_max"].notnull().any():
        parts += [f"independent features reach {_range(null, 'within_max')} anywhere"]
    return f"{who}: {'; '.join(parts)}"


def _range(of: xr.Dataset, name: str, some: Any = True) -> str:
    """Say least and largest of the values at some densities, of the best seeds."""
    values = of[name].values[np.isfinite(of[name].values) & some]
    low, high = (f"{round(float(f(values)), 3):g}" for f in (np.min, np.max))
    return low if low == high else f"{low}–{high}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is chosen, what is drawn, and how curves and marks differ."""
    return [
        "the paper does not state the density: it is varied here",
        f"maps: the best seed at density {_shown(dataset):g}; lines lie between the sets",
        "dots: mean over seeds with its 95 % interval; |cos| is that of two columns of W",
        "null: independent features of the same density, whose sets are names alone",
    ]


def _shown(dataset: xr.Dataset) -> float:
    """Return the density that is drawn, one in the middle."""
    p = dataset["p_active"].values
    return float(p[len(p) // 2])


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw WᵀW, a block within and one across; the null's; and cosines by density."""
    maps, curves = ["all", "within", "across", "null"], ["largest", "mean"]
    rows = [[[maps]], [[curves]]]
    figure, panel = panels(axes, rows, figsize=(11.2, 6.4), height_ratios=[1, 1.15])
    at = dataset.sel(p_active=_shown(dataset))
    n_sets = _sets(dataset)
    size, m = dataset.sizes["feature"] // n_sets, dataset.sizes["hidden"]
    first = _world(at, CORRELATED, 0)
    W, b = first["W"].transpose("hidden", "feature").values, first["b"].values
    image, _ = draw_gram(panel["all"], W, b)
    panel["all"].set_title(f"{first['kind'].item()}: WᵀW, and b")
    _draw_block(panel["within"], W[:, :size].T @ W[:, :size], "one set")
    _draw_block(panel["across"], W[:, :size].T @ W[:, size : 2 * size], "one set with another")
    last = _world(at, NULL, -1)
    draw_gram(panel["null"], last["W"].transpose("hidden", "feature").values, last["b"].values)
    panel["null"].set_title(f"null: {last['kind'].item()}")
    for name in ("all", "null"):
        for k in range(1, n_sets):
            panel[name].plot([0, n_sets * size], [k * size] * 2, color=style.INK, lw=0.8)
            panel[name].plot([k * size] * 2, [0, n_sets * size], color=style.INK, lw=0.8)
    upper = [panel[name] for name in maps]
    figure.colorbar(image, ax=upper, shrink=0.7, aspect=18, ticks=[-1, 0, 1], label="WᵀW, b")
    _draw_cosines(panel["largest"], dataset, LARGEST, "largest |cos| of two features")
    _draw_cosines(panel["mean"], dataset, MEANS, "mean |cos| of two features")
    _draw_random(panel["mean"], m)
    looks = {f"{kind}, {words}": look for kind, words, look in _looks(dataset)}
    legend_of(panel["mean"], looks, loc="upper left", ncols=2)
    return figure


def _looks(dataset: xr.Dataset) -> list[tuple[str, str, dict[str, Any]]]:
    """Return kind, words and look of each curve."""
    return [
        (str(kind), words, LOOKS[str(kind)] | {"marker": mark, "ms": 5})
        for kind in dataset["kind"].values
        for mark, words in LARGEST.values()
    ]


def _draw_random(ax: Axes, m: int) -> None:
    """Draw the mean |cosine| of two random directions in m dimensions."""
    value = gamma(m / 2) / (np.sqrt(np.pi) * gamma((m + 1) / 2))
    ax.axhline(value, color=style.NULL, lw=1, ls=":")
    ax.set_ylim(top=max(ax.get_ylim()[1], 1.3 * value))  # room for the line and the legend
    text = "two random directions"
    ax.text(0.99, value + 0.01, text, ha="right", transform=ax.get_yaxis_transform(), fontsize=8)


def _draw_block(ax: Axes, block: NDArray, title: str) -> None:
    ax.imshow(block, cmap=style.SIGNED, vmin=-1, vmax=1)
    ax.set(xticks=[], yticks=[], title=title)
    ax.spines[:].set_visible(False)


def _draw_cosines(ax: Axes, dataset: xr.Dataset, what: dict[str, Any], label: str) -> None:
    """Draw means over seeds with their intervals, by density."""
    top = 0.0
    for i, kind in enumerate(dataset["kind"].values):
        of = dataset.isel(world=i)
        for name, (mark, _) in what.items():
            mean, low, high = (of[f"{name}_{k}"].values for k in ("average", "low", "high"))
            look: dict[str, Any] = LOOKS[str(kind)] | {"marker": mark, "ms": 5}
            ends = np.clip(low, 0, 1), np.clip(high, 0, 1)
            draw_interval(ax, dataset["p_active"], mean, *ends, **look)
            top = max(top, float(np.nan_to_num(mean).max()))
    ax.set(xscale="log", xlabel="density of a set, 1 − S", ylabel=label)
    ax.set_ylim(-0.03 * max(top, 0.1), 1.05 if top > 0.5 else max(1.5 * top, 0.1))
    p = dataset["p_active"].values
    ax.set_xticks(p, [f"{x:g}" for x in p])
    ax.minorticks_off()
