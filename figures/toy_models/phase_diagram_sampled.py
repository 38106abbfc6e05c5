"""F11–F14 as in the paper: theory beside training on samples, with theory's boundary.

Elhage et al. 2022, "Superposition as a Phase Change". The trained map shows, cell by cell, the
best of all seeds by the ranking loss: the extra feature's norm and superposition, which no
rotation or flip of W can change. `figures.exact.phase_diagram` draws the optimum of the same maps.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit import phases
from figures.kit.panels import panels
from sweeps.results import flags
from sweeps.stats import best_over_seeds, share_over_seeds
from toymodels.theory import problems

# What the analysis' own variables are.
WORDS = {
    "label": "phase of the extra feature, best trained model",
    "best_seed": "seed of the least ranking loss, -1 where all diverged",
    "agreement_outside_band": "share of cells away from theory's boundaries that end in its phase",
}


def check(plan: Any) -> None:
    """Refuse a grid that is no map.

    Raises:
        InputError: an axis of a single value, or of values that are not above 0.
    """
    phases.require_map(plan.config)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return maps over (relative_importance, p_active) of the best seeds.

    `norm`, `superposition`, `label`: of the extra feature; `superposition_of_others`: of the
    others. `label_theory`, `loss_theory`: of the best explicit solution. `norm_mean`,
    `superposition_mean`: averaged over seeds. `share`, `low`, `high`: how many of the `n` other
    seeds carry the best one's label, with its Wilson interval.
    """
    dataset, problem = phases.as_map(dataset), phases.problem_of(dataset)
    best, finite = best_over_seeds(dataset), dataset.where(dataset["diverged"] == 0)
    extra, of_all = best.isel(feature=-1), finite.isel(feature=-1)
    maps = xr.Dataset({k: extra[k] for k in ("norm", "superposition")})
    for name in ("norm", "superposition"):
        maps[f"{name}_mean"] = of_all[name].mean("seed")
    maps["superposition_of_others"] = phases.superposition_of_others(best)
    labels = _labels(problem, dataset)
    label = _labels(problem, best)
    label = label.where(best["best_seed"] >= 0, -1).astype(label.dtype)  # -1: all seeds diverged
    maps["label"] = label.assign_attrs(flags(problem.phases))
    maps = phases.with_theory(maps.assign_coords(n_hidden=problem.n_hidden))
    maps["loss"], maps["best_seed"] = best["loss"], best["best_seed"]
    share = share_over_seeds(dataset, labels == maps["label"], without=best["best_seed"])
    maps = maps.assign({name: share[name] for name in ("share", "low", "high", "n", "n_diverged")})
    agreement = problems.agreement(problem, *phases.cells(maps), maps["label"].values)
    maps["agreement_outside_band"] = ((), agreement)
    return maps


def _labels(problem: problems.Problem, models: xr.Dataset) -> xr.DataArray:
    """Name the phase of each model."""
    norm, superposition = (models[k].transpose(..., "feature") for k in ("norm", "superposition"))
    label = problems.label_model(problem, norm.values, superposition.values)
    return norm.isel(feature=0, drop=True).copy(data=label).drop_attrs()


def claim(dataset: xr.Dataset) -> str:
    """Say in how many cells training finds theory's phase."""
    n, m = int(dataset["n_features"]), int(dataset["n_hidden"])
    share = float(dataset["agreement_outside_band"])
    who = f"{n} features in {m} dimension{'s' * (m > 1)}"
    if np.isnan(share):
        return f"{who}: every cell lies on a boundary of theory"
    return (
        f"{who}: away from theory's boundaries, training ends in theory's phase in {share:.1%} of "
        "the cells"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is far from a boundary, and how often other seeds agree with the best."""
    parts = [f"cells within {problems.BAND:.0%} of a boundary are not counted"]
    share = dataset["share"].mean()
    if not share.isnull():
        parts.append(f"of the other seeds {float(share):.0%} end in the best one's phase")
    return parts


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw theory and training side by side."""
    names = ["theory", "trained", "legend"]
    figure, panel = panels(axes, [names], figsize=(10.6, 5.2), width_ratios=[1, 1, 0.32])
    phases.draw_theory(panel["theory"], dataset)
    phases.draw_phase_map(panel["trained"], dataset, phases.map_color(dataset))
    n = int(dataset["n"].max()) + 1
    panel["trained"].set_title(f"trained: the best of {n} seeds" if n > 1 else "trained: one seed")
    panel["trained"].set_ylabel("")
    phases.draw_explicit_boundary(panel["trained"], dataset)
    phases.draw_phase_legend(panel["legend"], phases.problem_of(dataset))
    return figure
