"""What the phase diagrams share: theory beside training, on the same axes, with the boundary.

Elhage et al. 2022, "Superposition as a Phase Change". The last ("extra") feature has importance
`relative_importance`, all others 1; every feature is active with probability `p_active`. The
trained map shows, cell by cell, the best of all seeds by the ranking loss: the extra feature's
norm and superposition, which no rotation or flip of W can change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import style
from figures.draw import draw_phase_legend, draw_phase_map, phase_color
from figures.recipe import run_preset, write_caption
from sweeps.stats import best_over_seeds, share_over_seeds
from toymodels import theory

BAND = 0.10  # cells this close to a boundary, relatively, are left out of the agreement
COLORS = {
    "not represented": "#D9D9D9",
    "dedicated": style.BLUE,
    "dedicated, another dropped": style.BLUE,
    "dedicated, others antipodal": style.LIGHT_BLUE,
    "antipodal": style.RED,
}


@dataclass(frozen=True)
class Problem:
    """F features in F - 1 dimensions: its preset and its closed-form theory."""

    preset: str
    phases: tuple[str, ...]
    label: Callable[..., Any]
    boundary: Callable[..., Any]
    vertical: bool  # whether relative importance 1 is a boundary below the triple point


TWO_IN_ONE = Problem(
    "phase-diagram-2-1",
    theory.PHASES_2_1,
    theory.phase_label_2_1,
    theory.boundary_2_1,
    vertical=False,
)
THREE_IN_TWO = Problem(
    "phase-diagram-3-2",
    theory.PHASES_3_2,
    theory.phase_label_3_2,
    theory.boundary_3_2,
    vertical=True,
)


def compute(problem: Problem, **how: Any) -> xr.Dataset:
    """Train the grid, keep the best seed of each cell and label it; `how` as in `run_preset`."""
    return analyse(problem, run_preset(problem.preset, **how))


def analyse(problem: Problem, dataset: xr.Dataset) -> xr.Dataset:
    """Return maps over exactly (relative_importance, p_active).

    `norm`, `superposition`, `label`: of the extra feature in the best seed. `label_theory`: of
    the best explicit solution. `norm_mean`, `superposition_mean`: invariants averaged over seeds.
    `share`, `low`, `high`: how many seeds carry the best one's label, with its Wilson interval.
    """
    best = best_over_seeds(dataset)
    labels = label(problem, dataset)
    best_labels = label(problem, best)
    share = share_over_seeds(dataset, labels == best_labels)
    r, p = best["relative_importance"], best["p_active"]
    found = np.asarray(problem.label(p.values[None, :], r.values[:, None]))
    by_theory = np.vectorize(problem.phases.index)(found).astype(np.int8)
    extra = best.isel(feature=-1)
    finite = dataset.where(dataset["diverged"] == 0).isel(feature=-1)
    maps = {
        "norm": extra["norm"],
        "superposition": extra["superposition"],
        "label": best_labels,
        "label_theory": (("relative_importance", "p_active"), by_theory),
        "loss": best["loss"],
        "loss_ranking": best["loss_ranking"],
        "norm_mean": finite["norm"].mean("seed"),
        "superposition_mean": finite["superposition"].mean("seed"),
        **{name: share[name] for name in ("share", "low", "high", "n", "n_diverged")},
    }
    result = xr.Dataset(maps, attrs=dataset.attrs).transpose("relative_importance", "p_active")
    flags = {
        "flag_values": np.arange(len(problem.phases), dtype=np.int8),
        "flag_meanings": " ".join(name.replace(" ", "_") for name in problem.phases),
    }
    for name in ("label", "label_theory"):
        result[name].attrs |= flags
    result.attrs["agreement_outside_band"] = agreement(problem, result)
    return result


def label(problem: Problem, models: xr.Dataset) -> xr.DataArray:
    """Name the phase of each model by norms and superposition, as an index into the phases."""
    extra, others = models.isel(feature=-1), models.isel(feature=slice(0, -1))
    held = extra["norm"] > 0.5
    shared = extra["superposition"] > 0.5
    all_held = (others["norm"] > 0.5).all("feature")
    if "dedicated" in problem.phases:
        alone: Any = problem.phases.index("dedicated")
    else:
        alone = xr.where(
            all_held,
            problem.phases.index("dedicated, others antipodal"),
            problem.phases.index("dedicated, another dropped"),
        )
    antipodal = problem.phases.index("antipodal")
    missing = problem.phases.index("not represented")
    return xr.where(held, xr.where(shared, antipodal, alone), missing).astype(np.int8)


def outside_band(problem: Problem, maps: xr.Dataset) -> xr.DataArray:
    """Tell which cells lie more than 10 % away from every boundary of the theory."""
    r, p = maps["relative_importance"], maps["p_active"]
    curve = xr.DataArray(problem.boundary(r.values), dims="relative_importance")
    far = abs(np.log(p / curve)) > np.log(1 + BAND)
    if problem.vertical:
        far = far & (abs(np.log(r)) > np.log(1 + BAND))
    else:
        far = far & ((abs(np.log(r)) > np.log(1 + BAND)) | (p < theory.TRIPLE_POINT[1]))
    return far.transpose("relative_importance", "p_active")


def agreement(problem: Problem, maps: xr.Dataset) -> float:
    """Return the share of cells outside the band whose trained label is the theory's."""
    same = maps["label"] == maps["label_theory"]
    return float(same.where(outside_band(problem, maps)).mean())


def draw(problem: Problem, maps: xr.Dataset, ax: Any = None) -> Figure:
    """Draw theory and training side by side; `ax` may be two axes and one for the legend."""
    if ax is None:
        figure, axes = plt.subplots(1, 3, figsize=(10.6, 4.5), width_ratios=[1, 1, 0.3])
    else:
        axes = np.ravel(ax)
        figure = axes[0].figure
    palette = np.array([to_rgb(COLORS[name]) for name in problem.phases])
    draw_phase_map(axes[0], maps, palette[maps["label_theory"].values])
    axes[0].set_title("theory: best explicit solution\nblack: its exact boundary", fontsize=9)
    names = {name: Patch(color=COLORS[name]) for name in problem.phases}
    axes[0].legend(
        names.values(), names, loc="lower left", title="extra feature is", frameon=True, fontsize=7
    )
    draw_phase_map(axes[1], maps, phase_color(maps["norm"], maps["superposition"]))
    share = maps.attrs["agreement_outside_band"]
    axes[1].set_title(
        f"trained: best of {int(maps['n'].max())} seeds\n"
        f"{share:.1%} of cells >{BAND:.0%} off the boundary carry theory's label",
        fontsize=9,
    )
    for panel in axes[:2]:
        _draw_boundaries(panel, problem, maps)
    axes[1].set_ylabel("")
    draw_phase_legend(axes[2])
    write_caption(figure, maps)
    return figure


def _draw_boundaries(ax: Axes, problem: Problem, maps: xr.Dataset) -> None:
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
