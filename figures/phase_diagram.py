"""The phase diagrams, solved exactly: theory beside the true optimum, with both boundaries.

Elhage et al. 2022, "Superposition as a Phase Change". The last ("extra") feature has importance
`relative_importance`, all others 1; every feature is active with probability `p_active`. Theory
is the best of a few explicit solutions; the optimum is solved for in every cell, without samples
(`toymodels.exact.solve`), and shown by the extra feature's norm and superposition, which no
rotation or flip of W can change. `figures.phase_diagram_sampled` trains the same maps.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from figures import style
from figures.draw import draw_phase_legend, draw_phase_map, edges, phase_color
from figures.recipe import run_preset, write_caption
from toymodels import theory
from toymodels.exact.boundary import trace_boundary
from toymodels.geometry import feature_norms, superposition
from toymodels.theory import problems
from toymodels.theory.problems import Problem

GRID = ("relative_importance", "p_active")
COLORS = {
    "not represented": "#D9D9D9",
    "dedicated": style.BLUE,
    "dedicated, another dropped": style.BLUE,
    "dedicated, others antipodal": style.LIGHT_BLUE,
    "antipodal": style.RED,
}


def compute(problem: Problem, **how: Any) -> xr.Dataset:
    """Solve the grid, label the optimum of each cell and trace its boundary; as `run_preset`."""
    return analyse(problem, run_preset(preset_of(problem), **how))


def preset_of(problem: Problem) -> str:
    """Return the name of the preset that solves a problem's map."""
    return f"phase-diagram-{problem.n_features}-{problem.n_hidden}"


def analyse(problem: Problem, dataset: xr.Dataset) -> xr.Dataset:
    """Return maps over exactly (relative_importance, p_active), and both boundaries.

    `norm`, `superposition`, `label`: of the extra feature at the optimum. `label_theory`,
    `loss_theory`: of the best explicit solution. `gain`: the optimum's relative gain over it.
    `gap`: the relative gap to the best distinct minimum that was found. `n_agree` of `n_starts`
    starts ended in the optimum.
    """
    extra = dataset.isel(feature=-1)
    explicit = loss_of_theory(problem, dataset)
    maps = {
        "norm": extra["norm"],
        "superposition": extra["superposition"],
        "label": label_solved(problem, dataset),
        "label_theory": label_by_theory(problem, dataset),
        "loss": dataset["loss"],
        "loss_theory": explicit,
        "gain": 1 - dataset["loss"] / explicit,
        "gap": dataset["runner_up_loss"] / dataset["loss"] - 1,
        "n_agree": dataset["n_agree"],
    }
    result = xr.Dataset(maps, attrs=dataset.attrs).transpose("relative_importance", "p_active")
    result["label"].attrs |= flags(problem.optima)
    result["label_theory"].attrs |= flags(problem.phases)
    result.attrs["agreement_outside_band"] = agreement(problem, result)
    r, p = (result[name].values for name in GRID)
    traced = trace_boundary(result["label"].values, p, r, problem.n_features, _label_of(problem))
    result["boundary"] = ("relative_importance", traced)
    theory_s = problem.boundary(r)
    result["boundary_theory"] = ("relative_importance", theory_s)
    return result


def _label_of(problem: Problem) -> Callable[[NDArray], NDArray]:
    """Return the function that names optima `W [R, M, F]`."""

    def label(W: NDArray) -> NDArray:
        invariants = (jax.vmap(of)(W) for of in (feature_norms, superposition))
        return problems.label_optimum(problem, *map(np.asarray, invariants))

    return label


def draw(problem: Problem, maps: xr.Dataset, ax: Any = None) -> Figure:
    """Draw theory, the optimum and their difference; `ax` may be three axes and the legend's."""
    if ax is None:
        figure, axes = plt.subplots(1, 4, figsize=(14, 4.4), width_ratios=[1, 1, 1.16, 0.27])
    else:
        axes = np.ravel(ax)
        figure = axes[0].figure
    draw_theory(axes[0], problem, maps)
    draw_phase_map(axes[1], maps, phase_color(maps["norm"], maps["superposition"]))
    axes[1].set_title("true optimum, solved exactly", fontsize=9)
    gain = axes[2].pcolormesh(
        *(edges(maps[name].values) for name in ("relative_importance", "p_active")),
        100 * maps["gain"].values.T,
        cmap="cividis",
        vmin=0,
        rasterized=True,
    )
    axes[2].set(xscale="log", yscale="log", xlabel=axes[1].get_xlabel(), box_aspect=1)
    axes[2].set_title("how much lower its loss is than theory's", fontsize=9)
    figure.colorbar(gain, ax=axes[2], label="% of the best explicit solution's loss", shrink=0.85)
    for panel, color in ((axes[1], "black"), (axes[2], "white")):
        _draw_both_boundaries(panel, problem, maps, color)
        panel.set_ylabel("")
    draw_phase_legend(axes[3])
    write_caption(figure, maps)
    return figure


def _draw_both_boundaries(ax: Axes, problem: Problem, maps: xr.Dataset, color: str) -> None:
    """Draw theory's boundary dashed and the true one full, with how far they lie apart."""
    r, true, theory_s = (
        maps[k].values for k in ("relative_importance", "boundary", "boundary_theory")
    )
    ax.plot(r, theory_s, "--", color="black", lw=1.0, label="theory")
    ax.plot(r, true, color=color, lw=1.5, label="true optimum")
    r0, p0 = theory.TRIPLE_POINT
    ax.plot([r0], [p0], "o", color="white", mec="black", ms=5, zorder=4)
    away = (np.abs(np.log(r)) > np.log(2)) & np.isfinite(true)
    if color == "white" and away.any():
        ratio = (true / theory_s)[away] - 1
        text = (
            f"the true boundary lies {ratio.min():.0%} to {ratio.max():.0%}\n"
            "denser than theory's (r < ½ and r > 2)"
        )
        ax.text(0.03, 0.03, text, transform=ax.transAxes, fontsize=7, color="white")
    _outline_triangle(ax, problem, maps)
    ax.legend(loc="lower right", fontsize=7, labelcolor="white")


def _outline_triangle(ax: Axes, problem: Problem, maps: xr.Dataset) -> None:
    """Draw around the cells whose optimum is a triangle, which theory does not consider."""
    triangle = len(problem.phases)  # the first label that is no phase
    inside: Any = np.equal(triangle, maps["label"].values.T).astype(float)
    if np.sum(inside) > 1:
        r, p = maps["relative_importance"].values, maps["p_active"].values
        ax.contour(r, p, inside, [0.5], colors="#F0E442", linewidths=1.2)
        row = int(np.argmax(inside.sum(axis=1)))  # where it is widest
        column = int(np.flatnonzero(inside[row])[-1])
        ax.annotate(
            "triangle",
            (r[column], p[row]),
            (22, 17),
            textcoords="offset points",
            arrowprops={"arrowstyle": "-", "color": "#F0E442", "lw": 0.8},
            fontsize=7.5,
            color="#F0E442",
        )


def flags(names: Sequence[str]) -> dict[str, Any]:
    """Return the attributes that say which label means what."""
    return {
        "flag_values": np.arange(len(names), dtype=np.int8),
        "flag_meanings": " ".join(name.replace(" ", "_") for name in names),
    }


def label_by_theory(problem: Problem, cells: xr.Dataset) -> xr.DataArray:
    """Return the label of the best explicit solution of each cell."""
    return xr.DataArray(problems.explicit_label(problem, *_cells(cells)), dims=GRID)


def loss_of_theory(problem: Problem, cells: xr.Dataset) -> xr.DataArray:
    """Return the loss of the best explicit solution of each cell."""
    return xr.DataArray(problems.explicit_loss(problem, *_cells(cells)), dims=GRID)


def label(problem: Problem, models: xr.Dataset) -> xr.DataArray:
    """Name the phase of each model by norms and superposition, as an index into the phases."""
    return _labels(problems.label_model, problem, models)


def label_solved(problem: Problem, models: xr.Dataset) -> xr.DataArray:
    """Name the phase of each optimum; a triangle, which no explicit solution is, comes last."""
    return _labels(problems.label_optimum, problem, models)


def _labels(name: Callable[..., NDArray], problem: Problem, models: xr.Dataset) -> xr.DataArray:
    """Apply a naming function of `theory.problems` over all models."""
    invariants = models["norm"], models["superposition"]
    features = [["feature"], ["feature"]]
    return xr.apply_ufunc(
        partial(name, problem), *invariants, input_core_dims=features, keep_attrs=False
    )


def agreement(problem: Problem, maps: xr.Dataset) -> float:
    """Return the share of cells outside the band whose trained label is the theory's."""
    return problems.agreement(problem, *_cells(maps), maps["label"].transpose(*GRID).values)


def _cells(maps: xr.Dataset) -> tuple[NDArray, NDArray]:
    """Return the densities `[1, P]` and the relative importances `[R, 1]` of a map."""
    return maps["p_active"].values[None, :], maps["relative_importance"].values[:, None]


def draw_theory(ax: Axes, problem: Problem, maps: xr.Dataset) -> None:
    """Draw the best explicit solution of each cell in flat colours, with its exact boundary."""
    palette = np.array([to_rgb(COLORS[name]) for name in problem.phases])
    draw_phase_map(ax, maps, palette[maps["label_theory"].values])
    ax.set_title("theory: best explicit solution\nblack: its exact boundary", fontsize=9)
    names = {name: Patch(color=COLORS[name]) for name in problem.phases}
    ax.legend(
        names.values(), names, loc="lower left", title="extra feature is", frameon=True, fontsize=7
    )
    draw_explicit_boundary(ax, problem, maps)


def draw_explicit_boundary(ax: Axes, problem: Problem, maps: xr.Dataset) -> None:
    """Draw where the best explicit solution changes, and the triple point."""
    ends = maps["relative_importance"].values
    r = np.geomspace(float(ends[0]), float(ends[-1]), 400)
    low = float(maps["p_active"].min())
    ax.plot(r, problem.boundary(r), color="black", lw=1.3, zorder=3)
    r0, p0 = theory.TRIPLE_POINT
    end = (low, p0) if problem.vertical else (p0, 1.0)
    ax.plot([r0, r0], end, color="black", lw=1.3, zorder=3)
    if problem.vertical:
        ax.plot([r0, r0], (p0, 1.0), color="black", lw=1.3, zorder=3)
    ax.plot([r0], [p0], "o", color="white", mec="black", ms=5, zorder=4)
    ax.annotate("triple point (1, 4/7)", (r0, p0), (6, 5), textcoords="offset points", fontsize=7)
