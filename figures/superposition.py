"""What the figures of WᵀW + b across sparsity share (Elhage et al. 2022, "Basic results").

One column per panel: WᵀW and b above, the norms ‖W_i‖ below, coloured by how much a feature
shares its direction, Σ_{j≠i}(Ŵ_i·W_j)².
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec

from figures import style
from figures.draw import draw_gram, draw_norms
from figures.recipe import run_of, run_preset, write_caption
from sweeps.stats import best_over_seeds, mean_over_seeds

REPRESENTED = 0.5  # a feature counts as represented from this norm on
DEDICATED = 0.1  # and as dedicated below this superposition


def compute(preset: str, **how: Any) -> xr.Dataset:
    """Train all seeds and keep the best of each panel; `how` as in `run_preset`."""
    return analyse(run_preset(preset, **how))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each panel and count its features, with intervals over all seeds."""
    best = best_over_seeds(dataset)
    everywhere = dataset.copy()
    for data in (best, everywhere):
        held = data["norm"] > REPRESENTED
        data["n_represented"] = held.sum("feature").astype(float)
        alone = held & (data["superposition"] < DEDICATED)
        data["n_dedicated"] = alone.sum("feature").astype(float)
    for name in ("n_represented", "n_dedicated"):
        found = mean_over_seeds(everywhere, name)
        for part in ("mean", "low", "high"):
            best[f"{name}_{part}"] = found[part]
    best["n_seeds"] = found["n"]
    best.attrs = dataset.attrs
    return best


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw one column per panel into a new figure, or into the place of one axes `ax`."""
    panel = dataset["loss"].dims[0]
    n = dataset.sizes[panel]
    if ax is None:
        figure = plt.figure(figsize=(1.62 * n + 1.0, 5.0))
        place = figure.add_gridspec(1, 1)[0]
    else:
        figure, place = ax.figure, ax.get_subplotspec()
        ax.remove()
    grid = GridSpecFromSubplotSpec(2, n, place, height_ratios=[1, 1.25])
    axes = np.array([[figure.add_subplot(grid[row, i]) for i in range(n)] for row in range(2)])
    for i in range(n):
        cell = dataset.isel({panel: i})
        draw_gram(axes[0, i], cell["W"].values, cell["b"].values)
        axes[0, i].set_title(_panel_title(cell, run_of(dataset)))
        draw_norms(axes[1, i], cell["norm"].values, cell["superposition"].values)
        axes[1, i].axhline(dataset.sizes["hidden"], color=style.RED, lw=0.9, ls="--")
        axes[1, i].set_xlabel(_counts(cell), fontsize=8)
    axes[0, 0].set_ylabel(f"WᵀW, and b as a column\n{dataset.sizes['feature']} features")
    axes[1, 0].set_ylabel("‖Wᵢ‖, most important on top")
    _legends(figure, axes, axes[0, 0].images[0], dataset.sizes["hidden"])
    write_caption(figure, dataset)
    return figure


def _legends(figure: Figure, axes: np.ndarray, gram: Any, n_hidden: int) -> None:
    bar = figure.colorbar(gram, ax=list(axes[0]), shrink=0.75, aspect=14, ticks=[-1, 0, 1])
    bar.set_label("entry of WᵀW, b")
    share = ScalarMappable(Normalize(0, 1), style.SUPERPOSITION)
    bar = figure.colorbar(share, ax=list(axes[1]), shrink=0.75, aspect=17, ticks=[0, 0.5, 1])
    bar.set_label("superposition  Σⱼ≠ᵢ (Ŵᵢ·Wⱼ)²")
    bar.ax.set_yticklabels(["0", "0.5", "≥ 1"])
    axes[1, 0].text(
        1.33, n_hidden, f"m = {n_hidden}", color=style.RED, fontsize=7, ha="right", va="top"
    )


def _panel_title(cell: xr.Dataset, run: dict[str, Any]) -> str:
    density = f"1 − S = {float(cell['p_active']):g}"
    model = str(cell["model"].values) if "model" in cell.coords else run["model"]
    return f"linear\n{density}" if model == "linear" else f"ReLU\n{density}"


def _counts(cell: xr.Dataset) -> str:
    """Say how many features the drawn model holds, and the mean over seeds with its interval."""
    n = int(cell["n_seeds"])
    text = f"{int(cell['n_represented'])} held, {int(cell['n_dedicated'])} alone"
    if n < 2:
        return text
    half = float(cell["n_represented_high"] - cell["n_represented_low"]) / 2
    return f"{text}\nmean held {float(cell['n_represented_mean']):.1f} ± {half:.1f}"
