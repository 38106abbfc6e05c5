"""F16, F17: dimensions per feature stick where features form regular polytopes.

Elhage et al. 2022, "The Geometry of Superposition": D* = m / ‖W‖_F² and the dimensionality D_i of
every feature against 1 / (1 - S), and the graphs of features that interact.

The paper states neither densities nor how it trained. These models take 4,000 steps of 256 examples
under a control variate (`toymodels.estimators.control_variate`). `recipe=notebook` trains as the
authors' notebook does, 10,000 steps of 1,024, at five times the cost; "plain" is AdamW at 0.003
with a cosine, 6,000 steps of 1,024 plain examples. D* at n = 400, m = 30, least and most of seeds:

    density   0.7       0.6       0.5       0.4       0.25      0.2       0.1       0.02
    here      .934-.959 .818-.843 .560-.578 .508      .450-.475 .356-.363 .215-.220 .070
    plain     .969-.971 .829-.853 .579-.598 .508-.522 .469      .364-.367 .216      .069
    notebook  .964-.966 .831-.845 .572-.575 .509      .447-.448 .363-.365 .227      .068

Polytopes of the same runs (t triangles, d digons, p pentagons, a square antiprisms), by seed:

    density   0.6                  0.5            0.4     0.25                 0.2
    here      5t3d, 3t3d, 8t       1t24d,27d,26d  29d     22d, 26d2p, 22d2p    3p1a, 1a, 2a
    plain     6t1d, 6t3d           25d, 23d       27-29d  24d3p, 24d3p         4p3a, 4p
    notebook  7t3d, 5t6d           26d            29d     14d6p1a, 11d3p       3p1a, 2p2a

From 0.55 to 0.75 no schedule of these is at its end: D* falls on with training, here to .905 at 0.7
and .794 at 0.6 after 8,000 steps. `tests/claims/toy_models/test_geometry.py` measures this again.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from figures.kit import style
from figures.kit.panels import draw_interval, panels
from figures.kit.words import counted, listed
from figures.toy_models.geometry_graphs import (
    ALONE,
    NAMES,
    NEAR,
    SHAPES,
    color_of,
    draw_graph,
    find_polytopes,
)
from sweeps.stats import best_over_seeds, mean_over_seeds
from toymodels.measures.polytopes import UNNAMED as NO_NAME

STICKS = 0.25  # D* sticks where |d ln D* / d ln p| is below this …
LONG = 3  # … over at least so many densities
MARKED = ("tetrahedron", "triangle", "digon", "pentagon", "square antiprism")  # the paper's lines
APART = 0.042  # of labels at the right
SPREAD = 0.4  # of D_i around its density, to either side, in distances to the next

# What the analysis' own variables are.
WORDS = {
    "dimensions_average": "mean of D* over seeds",
    "dimensions_low": "lower end of its 95 % interval",
    "dimensions_high": "upper end of its 95 % interval",
    "dimensionality_sum": "sum of D_i over features",
    "best_seed": "seed of the least ranking loss, -1 where all diverged",
    "sticks": "number of the plateau of D* that a density belongs to, 0 for none",
    "component": "number of the group of features that a feature interacts with, -1 for none",
    "shape": "what the group is, an index of `polytope`; -1 where not represented",
    "n_polytopes": "groups of each kind",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Average D* over seeds, find where it sticks, and name the shapes that features form."""
    dataset = dataset.transpose("p_active", "seed", ...).sortby("p_active", ascending=False)
    found = dataset.assign_coords(polytope=list(NAMES))
    mean = mean_over_seeds(dataset, "dimensions_per_feature")
    for part, of in (("average", "average"), ("low", "low"), ("high", "high")):
        found[f"dimensions_{part}"] = mean[of]
    found["dimensionality_sum"] = dataset["feature_dimensionality"].sum("feature", skipna=False)
    found["best_seed"] = best_over_seeds(dataset)["best_seed"].astype(int)
    number = np.zeros(dataset.sizes["p_active"], int)
    for k, (first, last) in enumerate(plateaus(dataset["p_active"].values, mean["average"].values)):
        number[first : last + 1] = k + 1
    found["sticks"] = ("p_active", number)
    W = dataset["W"].transpose("p_active", "seed", "hidden", "feature").values
    parts = find_polytopes(W, dataset["diverged"].values != 0)
    axes = ("p_active", "seed")
    found["component"], found["shape"] = (
        ((*axes, "feature"), parts[0]),
        ((*axes, "feature"), parts[1]),
    )
    found["n_polytopes"] = ((*axes, "polytope"), parts[2])
    return found


def plateaus(p: np.ndarray, dimensions: np.ndarray) -> list[tuple[int, int]]:
    """Return first and last index of the runs of densities over which D* sticks.

    Args:
        p: densities, falling.
        dimensions: D* at each; NaN ends a run.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.abs(np.diff(np.log(dimensions)) / np.diff(np.log(p)))
    flat = np.concatenate([[False], slope < STICKS, [False]])
    starts, ends = np.flatnonzero(~flat[:-1] & flat[1:]), np.flatnonzero(flat[:-1] & ~flat[1:])
    runs = zip(starts.tolist(), ends.tolist(), strict=True)
    return [(first, last) for first, last in runs if last - first + 1 >= LONG]


def claim(dataset: xr.Dataset) -> str:
    """Say where D* sticks, which polytopes were found and what the D_i sum to."""
    sums = dataset["dimensionality_sum"].values
    sums, m = sums[np.isfinite(sums)], int(dataset["n_hidden"])
    if not sums.size:
        return "Every run diverged"
    stuck = [
        f"{_value(dataset, k):.2f} ({_range(dataset, k)})" for k in range(1, _last(dataset) + 1)
    ]
    text = (
        f"Dimensions per feature stick at {listed(stuck)}"
        if stuck
        else ("Dimensions per feature stick at no value")
    )
    total = dataset["n_polytopes"].sum(["p_active", "seed"])
    total = total.sel(polytope=[name for name in NAMES if name not in (ALONE, NO_NAME)])
    kinds = sorted(
        (
            (int(n), str(name))
            for name, n in zip(total["polytope"].values, total.values, strict=True)
        ),
        reverse=True,
    )
    shapes = [f"{n:,} {name}{'s' * (n > 1)}" for n, name in kinds if n]
    none = {name for n, name in kinds if not n}
    shapes += [f"no {name}" for name in MARKED if name in none and shapes]
    text += f"; {counted(sums.size, 'model')} hold{'s' * (sums.size == 1)} "
    text += listed(shapes) if shapes else "no regular polytope"
    low, high = (f"{value:.2f}" for value in (sums.min(), sums.max()))
    span = low if low == high else f"{low} to {high}"
    return f"{text}; the Dᵢ of a model sum to {span}, with m = {m}"


def _last(dataset: xr.Dataset) -> int:
    return int(dataset["sticks"].max())


def _value(dataset: xr.Dataset, k: int) -> float:
    return float(dataset["dimensions_average"].values[dataset["sticks"].values == k].mean())


def _range(dataset: xr.Dataset, k: int) -> str:
    p = dataset["p_active"].values[dataset["sticks"].values == k]
    return f"density {p.min():.3g} to {p.max():.3g}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say by what rules, and what the paper leaves open."""
    parts = [
        f"D* sticks where |d ln D*/d ln p| < {STICKS:g} over {LONG} densities or more",
        "the paper states neither its densities nor how it trained (recipe=notebook trains as the "
        "authors' notebook does)",
        f"graphs: the seed of least loss, groups named where cosines and Dᵢ (to {NEAR:g}) are the "
        "ideal's",
    ]
    several = dataset.sizes["seed"] > 2
    return parts + (["bars: 95 % interval of the mean over seeds"] if several else [])


def shown(dataset: xr.Dataset) -> list[int]:
    """Return the indices of the densities whose graphs are drawn: those nearest to `graphs`."""
    p = np.log(dataset["p_active"].values)
    wanted = np.log(np.maximum(np.atleast_1d(dataset["graphs"].values), 1e-12))
    return sorted({int(np.argmin(np.abs(p - one))) for one in wanted})


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw D* and every D_i against 1 / (1 - S), and the graphs of some densities."""
    which = shown(dataset)
    graphs = [f"graph {i}" for i in range(len(which))]
    size = (max(9.0, 2.35 * len(graphs) + 0.4), 8.0)
    rows = [["dimensions"] * len(graphs), graphs]
    figure, panel = panels(axes, rows, figsize=size, height_ratios=[1, 0.62])
    _draw_dimensions(panel["dimensions"], dataset)
    for name, i in zip(graphs, which, strict=True):
        cell = dataset.isel(p_active=i)
        panel[name].set_title(f"1 − S = {float(cell['p_active']):.3g}")
        seed = int(cell["best_seed"])
        draw_graph(panel[name], None if seed < 0 else cell.sel(seed=seed))
    return figure


def _draw_dimensions(ax: Axes, dataset: xr.Dataset) -> None:
    x = 1 / dataset["p_active"].values
    _draw_features(ax, x, dataset["feature_dimensionality"].values)
    ends = [dataset[f"dimensions_{part}"].values for part in ("average", "low", "high")]
    draw_interval(ax, x, *ends, color=style.INK, marker="o", ms=3, zorder=4, label="D* = m/‖W‖²")
    for k in range(1, _last(dataset) + 1):
        here = x[dataset["sticks"].values == k]
        value = _value(dataset, k)
        ax.plot([here.min(), here.max()], [value] * 2, color=style.RED, lw=7, alpha=0.25, zorder=3)
        middle = float(np.sqrt(here.min() * here.max()))
        say: dict[str, Any] = {"color": style.RED, "fontsize": 9, "ha": "center", "va": "bottom"}
        ax.text(middle, value + 0.025, f"sticks at {value:.2f}", **say)
    m, n = int(dataset["n_hidden"]), dataset.sizes["feature"]
    ax.plot(
        [x.min() / 1.06, x.min() * 1.35], [m / n] * 2, color=style.RED, ls="--", lw=1.2, zorder=3
    )
    note: dict[str, Any] = {"color": style.NOTE, "fontsize": 8, "va": "bottom"}
    ax.text(x.min() * 1.05, m / n + 0.09, f"m/n = {m / n:.3g}", **note)
    _draw_ideals(ax)
    ax.set(xscale="log", xlim=(x.min() / 1.08, x.max() * 1.08), ylim=(-0.03, 1.1))
    ax.set(xlabel="1 / (1 − S)", ylabel="dimensions per feature D*, dimensionality Dᵢ")
    ax.legend(loc="upper right")


def _draw_features(ax: Axes, x: np.ndarray, D: np.ndarray) -> None:
    """Draw every D_i `[P, S, F]`, beside its density by a rule that has no chance in it."""
    steps = np.abs(np.diff(np.log(x))) if len(x) > 1 else np.array([0.1])
    near = np.minimum(np.append(steps, np.inf), np.append(np.inf, steps))[: len(x)]
    golden = np.modf(np.arange(D[0].size) * (np.sqrt(5) - 1) / 2)[0] - 0.5
    at = x[:, None] * np.exp(2 * SPREAD * near[:, None] * golden[None, :])
    look: dict[str, Any] = {"s": 2.2, "color": style.BLUE, "alpha": 0.25, "lw": 0}
    ax.scatter(at.ravel(), D.reshape(len(x), -1).ravel(), rasterized=True, label="Dᵢ", **look)


def _draw_ideals(ax: Axes) -> None:
    """Draw a line for each ideal of the paper, named at the right."""
    right = blended_transform_factory(ax.transAxes, ax.transData)
    lines = [(SHAPES[name].dimensionality, name, _fraction(SHAPES[name])) for name in MARKED]
    last = 2.0
    for value, name, fraction in sorted([*lines, (0.0, "not learned", "0")], reverse=True):
        color = color_of(name) if name in SHAPES else style.NOTE
        ax.axhline(value, color=color, lw=0.9, ls=":", zorder=1)
        last = min(value, last - APART)
        say: dict[str, Any] = {"color": color, "fontsize": 8, "va": "center", "transform": right}
        ax.text(1.008, last, f"{fraction} {name}", **say)


def _fraction(shape: Any) -> str:
    """Return D_i of a shape as a fraction in lowest terms."""
    divisor = int(np.gcd(shape.n_dimensions, shape.n_corners))
    return f"{shape.n_dimensions // divisor}/{shape.n_corners // divisor}"
