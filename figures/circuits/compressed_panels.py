"""The panels of compressed computation, and what its networks are called."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from figures.kit import style
from figures.kit.panels import draw_interval, legend_of
from figures.kit.words import raised
from sweeps.stats import mean_over_seeds

KINDS = {
    "none": "no mixing",
    "gaussian": "asymmetric mixing",
    "symmetric": "symmetric mixing",
    "embedding": "mixing of an embedding",
}
SCORE = "L / p, mean over features"


def solution_words(dataset: xr.Dataset, k: int) -> str:
    """Name solution k by what it was trained on."""
    kind, q = str(dataset["solution_mixing"][k].item()), float(dataset["solution_exponent"][k])
    return KINDS.get(kind, kind) + ("" if q == 2 else f", L{raised(q)}")


def interval(dataset: xr.Dataset, name: str, lost: str = "diverged") -> xr.Dataset:
    """Return the mean over seeds and its interval, without runs that diverged."""
    cells = dataset[[name]].assign(diverged=dataset[lost])
    return mean_over_seeds(cells, name, dim="seed")


def _points(ax: Axes, x: Any, found: xr.Dataset, **look: Any) -> None:
    values = (found[part].values for part in ("average", "low", "high"))
    draw_interval(ax, x, *values, **look)


def _naive(ax: Axes, dataset: xr.Dataset, label: str = "") -> None:
    look = {"color": style.INK, "ls": "--", "lw": 1.3, "zorder": 1}
    ax.axhline(float(dataset["naive"]), label=label or None, **look)


def draw_density(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw scores by density: of networks trained there, and of the sparsest and densest."""
    _naive(ax, dataset, "one neuron each (exact)")
    density = dataset["density"].values
    for i, kind in enumerate(map(str, dataset["of"].values)):
        mine = dataset.sel(of=kind)
        found = interval(mine, "density_score", "density_diverged")
        look = style.series((0, 3)[i % 2])
        _points(ax, density, found, label=f"trained there, {KINDS.get(kind, kind)}", **look)
    first = dataset.isel(of=0)
    for at, dashes in ((0, ":"), (-1, "-.")) if density.size > 1 else ():
        kept = first["density_diverged"].isel(density=at, drop=True) == 0
        moved = dataset["density_elsewhere"].isel(trained_at=at).where(kept).mean("seed")
        words = f"trained at {density[at]:g}, {KINDS.get(str(first['of'].item()), '')}"
        ax.plot(density, moved.values, dashes, color=style.INK, label=words, lw=1.3, zorder=5)
    ax.set(xscale="log", xlabel="density p of evaluation", ylabel=SCORE)
    top = 2.2 * float(dataset["naive"])
    ax.set_ylim(0, top)
    ax.set_title("by density")
    ax.legend(loc="upper center", fontsize=7)


def draw_mixing(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw scores by the size of the mixing, with what is exact."""
    _naive(ax, dataset)
    scale, most = dataset["scale"].values, 0.0
    clean = interval(dataset, "score").isel(solution=0)
    _points(ax, [0], clean.expand_dims("x"), label=KINDS["none"], **style.series(0))
    for i, kind in enumerate(map(str, dataset["kind"].values)):
        mine, look = dataset.sel(kind=kind), style.series(i + 1)
        found = interval(mine, "mixing_score", "mixing_diverged")
        _points(ax, scale, found, label=KINDS.get(kind, kind), **look)
        for name, dashes in (("least", ":"), ("linear", "-.")):
            ax.plot(scale, mine[f"mixing_{name}"].values, color=look["color"], lw=1.2, ls=dashes)
        most = max(most, float(np.nan_to_num(found["average"]).max()))
    unlearned = dataset["mixing_naive"].isel(kind=0).values
    ax.plot(scale, unlearned, color=style.INK, lw=1.3, ls=(0, (5, 3)))
    naive = float(dataset["naive"])
    ax.set(ylim=(0.5 * naive, max(2.2 * naive, 1.6 * most)))
    ax.set(xlabel="σ, standard deviation of what is mixed", ylabel=SCORE)
    ax.set_title("by the size of the mixing")
    handles, labels = ax.get_legend_handles_labels()
    for words, color, dashes in (
        ("one neuron each; rising: with mixing", style.INK, "--"),
        ("best linear map (exact)", style.NOTE, "-."),
        ("no network is below (exact)", style.NOTE, ":"),
    ):
        handles.append(Line2D([], [], color=color, ls=dashes, lw=1.2))
        labels.append(words)
    ax.legend(handles, labels, loc="upper left", fontsize=7, frameon=True, edgecolor="none")


def draw_transplant(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw scores of each solution: on its own task, where nothing is mixed, and trained on."""
    _naive(ax, dataset)
    n = dataset.sizes["solution"]
    stages = (
        ("score", "o", "on the task of its training"),
        ("score_clean", "s", "the same weights, nothing mixed"),
        ("score_continued", "^", "trained on, nothing mixed"),
    )
    for i, (name, mark, _) in enumerate(stages):
        found = interval(dataset, name)
        for k in range(n):
            look = {"color": color_of(k), "marker": mark, "ms": 6, "ls": "none"}
            at = found.isel(solution=[k])
            _points(ax, [k + 0.2 * (i - 1)], at, **look)
    words = [solution_words(dataset, k).replace(" of an ", "\nof an\n") for k in range(n)]
    words = [word.replace(" mixing", "\nmixing").replace(", ", ",\n") for word in words]
    ax.set_xticks(range(n), words, fontsize=7.5)
    ax.set(ylabel=SCORE, ylim=(0, None))
    ax.set_title("the same weights where nothing is mixed")
    grey: dict[str, Any] = {"color": style.NOTE, "ls": "none", "ms": 6}
    legend_of(ax, {words: grey | {"marker": mark} for _, mark, words in stages}, loc="lower left")


def draw_features(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw each feature's own error, sorted; lines are means over seeds."""
    n = dataset.sizes["feature"]
    errors = dataset["own_error"].isel(noise=0).where(dataset["diverged"] == 0)
    for k in range(dataset.sizes["solution"]):
        mine = np.sort(errors.isel(solution=k).values, axis=-1)
        kept = mine[np.isfinite(mine).all(axis=-1)]
        mean = kept.mean(axis=0) if len(kept) else np.full(n, np.nan)
        ax.plot(np.arange(1, n + 1), mean, color=color_of(k), label=solution_words(dataset, k))
        exact = float(dataset["together"][k])
        words = "exact, all features alike" if np.isfinite(exact) else None
        ax.axhline(exact, color=color_of(k), ls="--", lw=1, label=words)
    below = float(dataset["computed_below"])
    ax.axhline(below, color=style.NULL, ls=":", lw=1.2)
    ax.text(1, below, " bound: computed below", va="bottom", fontsize=7, color=style.NOTE)
    ax.set(xlabel="features, best first", ylabel="own error / that of the answer 0", xlim=(1, n))
    ax.set_ylim(0, 1.15)
    ax.set_title("which features are computed, alone")
    ax.legend(loc="upper left", fontsize=7)


def draw_noise(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how many features are computed while the others hold noise."""
    n, noise = dataset.sizes["feature"], dataset["noise"].values
    for k in range(dataset.sizes["solution"]):
        found = interval(dataset.isel(solution=k), "computed")
        _points(ax, noise, found, label=solution_words(dataset, k), **style.series(k))
    each = {"color": style.INK, "ls": "--", "lw": 1.3}
    ax.axhline(int(dataset["n_hidden"]), label="one neuron each (exact)", **each)
    words = "all noise together as long as one feature"
    ax.axvline(matched_noise(n), color=style.GREY, lw=1.2, zorder=0, label=words)
    ax.set(xlabel="ε, size of noise on every other feature", ylabel="features computed")
    ax.set_ylim(-0.03 * n, 1.08 * n)
    ax.set_title(f"noise test: of {n} features on {int(dataset['n_hidden'])} neurons")
    ax.legend(loc="upper right", fontsize=8)


def color_of(k: int) -> str:
    """Return the colour of solution k in every panel."""
    return style.SERIES[k % len(style.SERIES)][0]


def matched_noise(n_features: int) -> float:
    """Return the noise that all others hold together when it is as long as an active feature."""
    return max(n_features - 1, 1) ** -0.5
