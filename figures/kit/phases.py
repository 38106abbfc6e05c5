"""Phase maps: what becomes of the extra feature, by its importance and by the density of all.

The extra feature is the last one, of importance `relative_importance`; all others have importance
1, and every feature is active with probability `p_active`. Theory is the best of a few explicit
solutions (`toymodels.theory.problems`). Elhage et al. 2022, "Superposition as a Phase Change".
"""

from typing import Any

import matplotlib.patheffects as effects
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from figures.kit import style
from sweeps.results import flags
from toymodels import theory
from toymodels.errors import InputError
from toymodels.theory import problems
from toymodels.theory.problems import Problem

GRID = ("relative_importance", "p_active")
COLORS = {
    "not represented": style.DROPPED,
    "dedicated": style.BLUE,
    "dedicated, another dropped": style.BLUE,
    "dedicated, others antipodal": style.LIGHT_BLUE,
    "antipodal": style.RED,
}


def require_map(config: Any) -> None:
    """Refuse a grid that is no map, before it is run.

    Args:
        config: of the sweep, with both axes.

    Raises:
        InputError: an axis of a single value, or of one that a logarithmic axis cannot show.
    """
    for axis in (axis for d in config.grid.dimensions for axis in d.axes if axis.name in GRID):
        if len(axis.values) < 2 or min(axis.values) <= 0:
            raise InputError(
                f"{axis.path} = {list(axis.values)}: a map needs at least two values above 0 along "
                f"each axis, such as {axis.name} = {{ log = [0.1, 1.0, 10] }}."
            )


def as_map(dataset: xr.Dataset) -> xr.Dataset:
    """Return a sweep's dataset with both axes in front, rising."""
    return dataset.sortby(list(GRID)).transpose(*GRID, ...)


def problem_of(dataset: xr.Dataset) -> Problem:
    """Return the problem that a dataset is of, by its own sizes.

    Raises:
        InputError: sizes without closed forms.
    """
    return problems.problem_of(int(dataset["n_features"]), int(dataset["n_hidden"]))


def cells(maps: xr.Dataset) -> tuple[NDArray, NDArray]:
    """Return the densities `[1, P]` and the relative importances `[R, 1]` of a map."""
    return maps["p_active"].values[None, :], maps["relative_importance"].values[:, None]


def with_theory(maps: xr.Dataset) -> xr.Dataset:
    """Return maps with `label_theory` and `loss_theory`, of the best explicit solution."""
    problem = problem_of(maps)
    names = flags(problem.phases) | {"long_name": "best explicit solution"}
    words = {"long_name": "loss of the best explicit solution"}
    return maps.assign(
        label_theory=(GRID, problems.explicit_label(problem, *cells(maps)), names),
        loss_theory=(GRID, problems.explicit_loss(problem, *cells(maps)), words),
    )


def superposition_of_others(models: xr.Dataset) -> xr.DataArray:
    """Return how strongly the other features share directions among themselves, 0 to 1 or more.

    The largest Σⱼ (Ŵᵢ·Wⱼ)² over the others i, j ≠ i; a short column counts by its square.
    """
    others = models["W"].isel(feature=slice(0, -1)).transpose(..., "hidden", "feature")
    W = others.values
    squares = np.einsum("...mi,...mj->...ij", W, W) ** 2
    size = np.sqrt(np.einsum("...ii->...i", squares))
    apart = squares * ~np.eye(W.shape[-1], dtype=bool)
    share = apart.sum(-1) / np.maximum(size, 1)
    words = {"long_name": "largest superposition of the other features among themselves"}
    return others.isel(hidden=0, feature=0, drop=True).copy(data=share.max(-1)).assign_attrs(words)


def phase_color(
    norm: ArrayLike, superposition: ArrayLike, of_others: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Map the extra feature's fate to RGB `[…, 3]`: grey, blue, light blue, vermilion.

    Args:
        norm: 0 grey, ≥ 1 full colour.
        superposition: 0 blue, ≥ 1 vermilion.
        of_others: `superposition_of_others`, 0 blue, ≥ 1 light blue.
    """
    given = (norm, superposition, of_others)
    strength, share, pair = (np.clip(np.asarray(v, float), 0, 1)[..., None] for v in given)
    blue, light, red, grey = (
        np.array(to_rgb(c)) for c in (style.BLUE, style.LIGHT_BLUE, style.RED, style.DROPPED)
    )
    dedicated = (1 - pair) * blue + pair * light
    return (1 - strength) * grey + strength * ((1 - share) * dedicated + share * red)


def map_color(maps: xr.Dataset) -> NDArray[np.float64]:
    """Return the colours `[R, P, 3]` of the models of a map."""
    return phase_color(*(maps[k] for k in ("norm", "superposition", "superposition_of_others")))


def draw_phase_map(ax: Axes, maps: xr.Dataset, rgb: ArrayLike) -> QuadMesh:
    """Draw colours `[R, P, 3]` over relative importance (x) and density (y), both logarithmic."""
    x, y = (edges(maps[name].values) for name in GRID)
    mesh = ax.pcolormesh(x, y, np.swapaxes(np.asarray(rgb), 0, 1), rasterized=True)
    label_axes(ax, maps)
    return mesh


def label_axes(ax: Axes, maps: xr.Dataset) -> None:
    """Scale and label a map's axes; its box is a square."""
    x, y = (maps[name].values for name in GRID)
    ax.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    ax.set_xlabel("relative importance of the extra feature")
    ax.set_ylabel("density  1 − S   (dense at the top)")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_box_aspect(1)


def edges(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cell edges halfway between rising centres in the logarithm, the outer ones there."""
    middle = np.sqrt(centres[1:] * centres[:-1])
    return np.concatenate([centres[:1], middle, centres[-1:]])


def draw_theory(ax: Axes, maps: xr.Dataset) -> None:
    """Draw the best explicit solution of each cell in flat colours, with its exact boundary."""
    problem = problem_of(maps)
    palette = np.array([to_rgb(COLORS[name]) for name in problem.phases])
    draw_phase_map(ax, maps, palette[maps["label_theory"].values])
    ax.set_title("theory: the best explicit solution")
    names = {name: Patch(color=COLORS[name]) for name in problem.phases}
    look: dict[str, Any] = {"frameon": True, "fontsize": 7, "title_fontsize": 7.5}
    ax.legend(names.values(), names, loc="lower left", title="extra feature is", **look)
    draw_explicit_boundary(ax, maps)


def draw_explicit_boundary(ax: Axes, maps: xr.Dataset) -> None:
    """Draw where the best explicit solution changes, and the triple point."""
    problem = problem_of(maps)
    ends, low = maps["relative_importance"].values, float(maps["p_active"].min())
    r = np.geomspace(float(ends[0]), float(ends[-1]), 400)
    ax.plot(r, problem.boundary(r), color="black", lw=1.3, zorder=3)
    r0, p0 = theory.TRIPLE_POINT
    ax.plot([r0, r0], (low if problem.vertical else p0, 1.0), color="black", lw=1.3, zorder=3)
    mark_triple_point(ax)
    halo = [effects.withStroke(linewidth=2, foreground=style.HALO)]
    look: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7, "path_effects": halo}
    ax.annotate("triple point (1, 4/7)", (r0, p0), (6, 5), **look)


def mark_triple_point(ax: Axes) -> None:
    """Mark where all phases of theory meet."""
    r0, p0 = theory.TRIPLE_POINT
    ax.plot([r0], [p0], "o", color="white", mec="black", ms=5, zorder=4)


def draw_phase_legend(ax: Axes, problem: Problem) -> None:
    """Draw the colour map of norm and superposition; a second one where others may share."""
    ax.axis("off")
    titles = ["extra feature"]
    if problem.n_features > 2:
        titles = ["extra feature,\nothers antipodal", "extra feature,\nothers apart"]
    share, norm = np.meshgrid(np.linspace(0, 1, 60), np.linspace(0, 1, 60))
    for i, title in enumerate(titles):
        of_others = len(titles) - 1 - i
        middle = 0.5 if len(titles) == 1 else 0.24 + 0.5 * of_others
        square = ax.inset_axes((0.15, middle - 0.13, 0.85, 0.26))
        rgb = phase_color(norm, share, of_others)
        square.imshow(rgb, origin="lower", extent=(0, 1, 0, 1), aspect=1)
        square.set(xticks=[0, 1], yticks=[0, 1], xticklabels=["0", "≥ 1"], yticklabels=["0", "≥ 1"])
        square.set_title(title, fontsize=8)
        square.set_ylabel("norm ‖Wᵢ‖", fontsize=7.5, labelpad=-6)
        square.tick_params(labelsize=7)
        if i == len(titles) - 1:
            square.set_xlabel("superposition\nΣⱼ≠ᵢ (Ŵᵢ·Wⱼ)²", fontsize=7.5)
