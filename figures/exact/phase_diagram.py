"""F11–F14 without sampling: theory beside the optimum, with the boundary of both.

Elhage et al. 2022, "Superposition as a Phase Change". Theory is the best of a few explicit
solutions; the optimum is the best end point of several starts in every cell
(`toymodels.exact.solve`), shown by the extra feature's norm and superposition, which no rotation
or flip of W can change. `figures.toy_models.phase_diagram_sampled` trains the same maps.
"""

from functools import partial
from typing import Any

import jax
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.kit import phases, style
from figures.kit.panels import panels
from sweeps.results import flags
from sweeps.work.tried import starts_of
from toymodels.exact.boundary import trace_boundary
from toymodels.geometry import feature_norms, superposition
from toymodels.theory import problems
from toymodels.theory.problems import Problem

AWAY = 2.0  # boundaries are compared where the importances differ by more than this factor
TRIANGLE = "triangle"

# What the analysis' own variables are.
WORDS = {
    "gain": "relative gain of the optimum over the best explicit solution",
    "gap": "relative gap to the best distinct minimum that was found",
    "agreement_outside_band": "share of cells away from theory's boundaries that have its phase",
    "boundary": "density at which the optimum leaves the sparse phase",
    "boundary_theory": "density at which theory leaves the sparse phase",
}


def check(plan: Any) -> None:
    """Refuse a grid that is no map.

    Raises:
        InputError: an axis of a single value, or of values that are not above 0.
    """
    phases.require_map(plan.config)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return maps over (relative_importance, p_active), and both boundaries.

    `norm`, `superposition`, `label`: of the extra feature at the optimum;
    `superposition_of_others`: of the others. `label_theory`, `loss_theory`: of the best explicit
    solution. `gain`: the optimum's relative gain over it. `gap`: the relative gap to the best
    distinct minimum that was found. `boundary`, `boundary_theory` (relative_importance): where the
    optimum, and theory, leave the sparse phase.
    """
    dataset, problem = phases.as_map(dataset), phases.problem_of(dataset)
    extra = dataset.isel(feature=-1)
    names = {"norm": "norm of the extra feature", "superposition": "superposition of it"}
    maps = xr.Dataset({k: extra[k].assign_attrs(long_name=v) for k, v in names.items()})
    maps["superposition_of_others"] = phases.superposition_of_others(dataset)
    label = problems.label_optimum(problem, dataset["norm"].values, dataset["superposition"].values)
    maps["label"] = (phases.GRID, label, flags(problem.optima) | {"long_name": "optimum"})
    maps = phases.with_theory(maps.assign_coords(n_hidden=problem.n_hidden))
    for name in ("loss", "n_agree", "n_tried"):
        maps[name] = dataset[name]
    maps["gain"] = 1 - maps["loss"] / maps["loss_theory"]
    maps["gap"] = dataset["runner_up_loss"] / dataset["loss"] - 1
    agreement = problems.agreement(problem, *phases.cells(maps), label)
    maps["agreement_outside_band"] = ((), agreement)
    r, p = (maps[name].values for name in phases.GRID)
    traced = trace_boundary(label, p, r, problem.n_features, partial(_label, problem))
    maps["boundary"] = ("relative_importance", traced)
    maps["boundary_theory"] = ("relative_importance", problem.boundary(r))
    return maps


def _label(problem: Problem, W: NDArray) -> NDArray:
    """Name optima `W [R, M, F]`."""
    invariants = (np.asarray(jax.vmap(of)(W)) for of in (feature_norms, superposition))
    return problems.label_optimum(problem, *invariants)


def claim(dataset: xr.Dataset) -> str:
    """Say where superposition ends, against theory, and how much less is lost."""
    n, m = int(dataset["n_features"]), int(dataset["n_hidden"])
    who = f"{n} features in {m} dimension{'s' * (m > 1)}"
    gain = f"the optimum loses up to {float(dataset['gain'].max()):.0%} less than theory's best"
    r = dataset["relative_importance"]
    ratio = (dataset["boundary"] / dataset["boundary_theory"] - 1).where(
        abs(np.log(r)) > np.log(AWAY)
    )
    if ratio.isnull().all():
        return f"{who}: {gain}"
    low, high = (float(of()) for of in (ratio.min, ratio.max))
    if low > 0:
        where = f"lasts up to densities {low:.0%} to {high:.0%} above theory's boundary"
    elif high < 0:
        where = f"ends at densities {-high:.0%} to {-low:.0%} below theory's boundary"
    else:
        where = f"ends between {-low:.0%} below and {high:.0%} above theory's boundary"
    return f"{who}: superposition {where}, and {gain}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say how far the optimum's phase is theory's, and where boundaries are compared."""
    share = float(dataset["agreement_outside_band"])
    parts = [] if np.isnan(share) else [f"of the cells more than {problems.BAND:.0%} away from "]
    parts = [text + f"theory's boundary {share:.1%} have its phase" for text in parts]
    return [*parts, f"boundaries are compared for importances below 1/{AWAY:g} and above {AWAY:g}"]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw theory, the optimum and how much less it loses, with the boundary of both."""
    names = ["theory", "optimum", "gain", "legend"]
    ratios = [1, 1, 1, 0.3]
    figure, panel = panels(axes, [names], figsize=(14.2, 4.7), width_ratios=ratios)
    phases.draw_theory(panel["theory"], dataset)
    phases.draw_phase_map(panel["optimum"], dataset, phases.map_color(dataset))
    starts = starts_of(dataset)
    panel["optimum"].set_title(
        "optimum: one start" if starts == "1 start" else f"optimum: the best of {starts}"
    )
    _draw_gain(panel["gain"], dataset)
    _draw_boundaries(panel["optimum"], dataset, "black")
    _draw_boundaries(panel["gain"], dataset, "white")
    for name in names[1:3]:
        panel[name].set_ylabel("")
    phases.draw_phase_legend(panel["legend"], phases.problem_of(dataset))
    return figure


def _draw_gain(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw the gain over theory; its scale stands beside the box, which stays as it is."""
    x, y = (phases.edges(dataset[name].values) for name in phases.GRID)
    gain = 100 * dataset["gain"].values.T
    look: dict[str, Any] = {"cmap": style.SUPERPOSITION, "vmin": 0, "rasterized": True}
    mesh = ax.pcolormesh(x, y, gain, **look)
    phases.label_axes(ax, dataset)
    ax.set_title("how much less the optimum loses than theory")
    bar = ax.inset_axes((1.03, 0, 0.045, 1))
    ax.figure.colorbar(mesh, cax=bar, label="% of the loss of the best explicit solution")


def _draw_boundaries(ax: Axes, dataset: xr.Dataset, color: str) -> None:
    """Draw theory's boundary dashed and the optimum's full, and where it is a triangle."""
    r = dataset["relative_importance"].values
    ax.plot(r, dataset["boundary_theory"].values, "--", color=color, lw=1.0, label="theory")
    ax.plot(r, dataset["boundary"].values, color=color, lw=1.5, label="optimum")
    phases.mark_triple_point(ax)
    _outline_triangle(ax, dataset, color)
    legend = ax.legend(loc="lower right", fontsize=7, labelcolor="white", title="boundary of")
    legend.get_title().set(color="white", fontsize=7)


def _outline_triangle(ax: Axes, dataset: xr.Dataset, color: str) -> None:
    """Draw around the cells whose optimum is a triangle, which theory does not consider."""
    optima = phases.problem_of(dataset).optima
    if TRIANGLE not in optima:
        return
    inside = np.equal(dataset["label"].values.T, optima.index(TRIANGLE)).astype(float)
    if np.sum(inside) < 2:
        return
    r, p = (dataset[name].values for name in phases.GRID)
    ax.contour(r, p, inside, [0.5], colors=color, linewidths=0.9, linestyles=":")
    row = int(np.argmax(inside.sum(axis=1)))  # where it is widest
    column = int(np.flatnonzero(inside[row])[-1])
    line = {"arrowstyle": "-", "color": color, "lw": 0.8}
    look: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7.5, "color": color}
    ax.annotate(TRIANGLE, (r[column], p[row]), (22, 17), arrowprops=line, **look)
