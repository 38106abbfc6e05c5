"""F1: as features get sparser, two dimensions hold two, four, then five of them.

Elhage et al. 2022, introduction. The model drawn is the best of all seeds by the ranking loss;
the caption under each panel says how many of the other seeds reached as many features.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.draw import draw_columns
from figures.kit.panels import panels
from figures.kit.words import listed
from sweeps.stats import best_over_seeds, share_over_seeds

REPRESENTED = 0.5  # a feature counts as represented from this norm on

# What the analysis' own variables are.
WORDS = {
    "best_seed": "seed of the least ranking loss, -1 where all diverged",
    "n_represented": "features with a norm above 0.5",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each density, and count what it represents.

    `n_represented` (p_active); `share_of_seeds`, `low_of_seeds`, `high_of_seeds`: of the
    `n_of_seeds` other seeds, how many represent as many features, with its Wilson interval.
    """
    best = best_over_seeds(dataset)
    held = (dataset["norm"] > REPRESENTED).sum("feature")
    best["n_represented"] = (best["norm"] > REPRESENTED).sum("feature")
    share = share_over_seeds(dataset, held == best["n_represented"], without=best["best_seed"])
    for name in ("share", "low", "high", "n"):
        best[f"{name}_of_seeds"] = share[name]
    return best


def claim(dataset: xr.Dataset) -> str:
    """Say how many features are represented at each density."""
    n, m = int(dataset["n_features"]), int(dataset["n_hidden"])
    of = f"{n} feature{'s' * (n > 1)}"
    sparse = [_sparsity(p) for p in dataset["p_active"].values]
    held = zip(dataset["n_represented"].values, dataset["best_seed"].values, strict=True)
    counts = listed(n if seed >= 0 else "– (diverged)" for n, seed in held)
    return f"Of {of}, {m} dimension{'s' * (m > 1)} represent {counts} at {listed(sparse)} sparsity"


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw one panel for each density."""
    densities = dataset["p_active"].values
    n_features = dataset.sizes["feature"]
    names = [f"{p:g}" for p in densities]
    figure, panel = panels(axes, [names], figsize=(2.75 * len(names) + 0.9, 3.3))
    weights = dataset["importance_of_feature"].values.reshape(-1, n_features)[0]
    shade = (weights - weights.min()) / max(float(np.ptp(weights)), 1e-12)
    for name, p in zip(names, densities, strict=True):
        cell = dataset.sel(p_active=p)
        draw_columns(panel[name], cell["W"].values, style.IMPORTANCE(0.05 + 0.9 * shade))
        panel[name].set_title(f"{_sparsity(p)} sparse")
        panel[name].set_xlabel(_counts(cell, n_features), fontsize=8)
    mappable = ScalarMappable(Normalize(weights.min(), weights.max()), style.IMPORTANCE)
    figure.colorbar(mappable, ax=list(panel.values()), label="importance", shrink=0.7, aspect=18)
    return figure


def _sparsity(p_active: float) -> str:
    return f"{100 * (1 - p_active):.3g}%"


def _counts(cell: xr.Dataset, n_features: int) -> str:
    if int(cell["best_seed"]) < 0:
        return "all runs diverged"
    text = (
        f"{int(cell['n_represented'])} of {n_features} represented\nloss {float(cell['loss']):.4f}"
    )
    n = int(cell["n_of_seeds"])
    if not n:
        return text
    share, low, high = (float(cell[f"{k}_of_seeds"]) for k in ("share", "low", "high"))
    if n == 1:
        return f"{text}\n{'as many' if share else 'not as many'} with the other seed"
    return f"{text}\nas many in {share:.0%} of {n} other seeds\n({low:.0%}–{high:.0%})"
