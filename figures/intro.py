"""F1: as features get sparser, two dimensions hold two, four, then five of them.

Elhage et al. 2022, introduction. The model drawn is the best of all seeds by the ranking loss;
the caption under each panel says how many of the seeds reached as many features.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from figures import style
from figures.draw import draw_columns
from figures.recipe import run_preset, write_caption
from sweeps.stats import best_over_seeds, share_over_seeds

PRESET = "intro"


def compute(**how: Any) -> xr.Dataset:
    """Train all seeds and keep the best of each density; `how` as in `run_preset`."""
    return analyse(run_preset(PRESET, **how))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Add what the figure shows: features held by the best seed, and the share that agree."""
    best = best_over_seeds(dataset)
    held = (dataset["norm"] > 0.5).sum("feature")
    best["n_represented"] = (best["norm"] > 0.5).sum("feature")
    share = share_over_seeds(dataset, held == best["n_represented"])
    for name in ("share", "low", "high", "n"):
        best[f"{name}_of_seeds"] = share[name]
    best.attrs = dataset.attrs
    return best


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw the panels, one per density; `ax` may be a sequence of as many axes."""
    n = dataset.sizes["p_active"]
    if ax is None:
        figure, axes = plt.subplots(1, n, figsize=(2.3 * n, 3.1), squeeze=False)
    else:
        axes = np.atleast_2d(ax)
        figure = axes[0, 0].figure
    n_features = dataset.sizes["feature"]
    weights = dataset["importance_of_feature"].values.reshape(-1, n_features)[0]
    shade = (weights - weights.min()) / max(float(np.ptp(weights)), 1e-12)
    colors = style.IMPORTANCE(0.05 + 0.9 * shade)
    for panel, p in zip(axes[0], dataset["p_active"].values, strict=True):
        cell = dataset.sel(p_active=p)
        draw_columns(panel, cell["W"].values, colors)
        panel.set_title(f"{1 - p:.0%} sparse")
        panel.set_xlabel(
            f"{int(cell['n_represented'])} of {n_features} features, loss {float(cell['loss']):.4f}"
            f"\nreached by {float(cell['share_of_seeds']):.0%} of {int(cell['n_of_seeds'])} seeds "
            f"({float(cell['low_of_seeds']):.0%}–{float(cell['high_of_seeds']):.0%})",
            fontsize=8,
        )
    mappable = ScalarMappable(Normalize(weights.min(), weights.max()), style.IMPORTANCE)
    figure.colorbar(mappable, ax=list(axes[0]), label="importance", shrink=0.7, aspect=18)
    write_caption(figure, dataset)
    return figure
