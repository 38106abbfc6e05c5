"""The trained phase diagrams: theory beside training on samples, same axes, with the boundary.

Elhage et al. 2022, "Superposition as a Phase Change". The trained map shows, cell by cell, the
best of all seeds by the ranking loss: the extra feature's norm and superposition, which no
rotation or flip of W can change. `figures.phase_diagram` draws the same maps solved exactly.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.draw import draw_phase_legend, draw_phase_map, phase_color
from figures.phase_diagram import (
    agreement,
    draw_explicit_boundary,
    draw_theory,
    flags,
    label,
    label_by_theory,
    preset_of,
)
from figures.recipe import run_preset, write_caption
from sweeps.stats import best_over_seeds, share_over_seeds
from toymodels.theory.problems import BAND, Problem


def compute(problem: Problem, **how: Any) -> xr.Dataset:
    """Train the grid, keep the best seed of each cell and label it; `how` as in `run_preset`."""
    return analyse(problem, run_preset(f"{preset_of(problem)}-sampled", **how))


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
    extra = best.isel(feature=-1)
    finite = dataset.where(dataset["diverged"] == 0).isel(feature=-1)
    maps = {
        "norm": extra["norm"],
        "superposition": extra["superposition"],
        "label": best_labels,
        "label_theory": label_by_theory(problem, best),
        "loss": best["loss"],
        "loss_ranking": best["loss_ranking"],
        "norm_mean": finite["norm"].mean("seed"),
        "superposition_mean": finite["superposition"].mean("seed"),
        **{name: share[name] for name in ("share", "low", "high", "n", "n_diverged")},
    }
    result = xr.Dataset(maps, attrs=dataset.attrs).transpose("relative_importance", "p_active")
    for name in ("label", "label_theory"):
        result[name].attrs |= flags(problem.phases)
    result.attrs["agreement_outside_band"] = agreement(problem, result)
    return result


def draw(problem: Problem, maps: xr.Dataset, ax: Any = None) -> Figure:
    """Draw theory and training side by side; `ax` may be two axes and one for the legend."""
    if ax is None:
        figure, axes = plt.subplots(1, 3, figsize=(10.6, 4.5), width_ratios=[1, 1, 0.3])
    else:
        axes = np.ravel(ax)
        figure = axes[0].figure
    draw_theory(axes[0], problem, maps)
    draw_phase_map(axes[1], maps, phase_color(maps["norm"], maps["superposition"]))
    share = maps.attrs["agreement_outside_band"]
    axes[1].set_title(
        f"trained: best of {int(maps['n'].max())} seeds\n"
        f"{share:.1%} of cells >{BAND:.0%} off the boundary carry theory's label",
        fontsize=9,
    )
    draw_explicit_boundary(axes[1], problem, maps)
    axes[1].set_ylabel("")
    draw_phase_legend(axes[2])
    write_caption(figure, maps)
    return figure
