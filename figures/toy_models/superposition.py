"""F6–F9: WᵀW + b across sparsity (Elhage et al. 2022, "Basic results").

One column per panel: WᵀW and b above, the norms ‖W_i‖ below, coloured by how much a feature
shares its direction, Σ_{j≠i}(Ŵ_i·W_j)².
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.draw import draw_gram, draw_norms
from figures.kit.panels import panels
from figures.kit.words import counted
from sweeps.stats import best_over_seeds, mean_over_seeds
from toymodels.errors import InputError

REPRESENTED = 0.5  # a feature counts as represented from this norm on
DEDICATED = 0.1  # and as dedicated below this superposition
ENOUGH = 3  # seeds; the interval of two is as wide as 13 standard errors

# What the analysis' own variables are.
WORDS = {
    "best_seed": "seed of the least ranking loss, -1 where all diverged",
    "n_represented": "features with a norm above 0.5",
    "n_dedicated": "represented features that share their direction with no other",
    "n_represented_mean": "mean of n_represented over seeds",
    "n_represented_low": "lower end of its 95 % interval",
    "n_represented_high": "upper end of its 95 % interval",
    "n_dedicated_mean": "mean of n_dedicated over seeds",
    "n_dedicated_low": "lower end of its 95 % interval",
    "n_dedicated_high": "upper end of its 95 % interval",
    "n_seeds": "seeds that did not diverge",
}


def check(plan: Any) -> None:
    """Refuse linear models alone: the claim is about what others represent.

    Raises:
        InputError: no panel with another model.
    """
    if all(variant["model"] == "linear" for variant in plan.config.variants):
        raise InputError("model = 'linear' in every panel: give at least one other model.")


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each panel and count its features, with intervals over all seeds.

    `n_represented` and `n_dedicated` of the best seed; `…_mean`, `…_low`, `…_high` over all.
    """
    best = best_over_seeds(dataset)
    everywhere = dataset.copy()
    for data in (best, everywhere):
        held = data["norm"] > REPRESENTED
        data["n_represented"] = held.sum("feature").astype(float)
        alone = held & (data["superposition"] < DEDICATED)
        data["n_dedicated"] = alone.sum("feature").astype(float)
    for name in ("n_represented", "n_dedicated"):
        found = mean_over_seeds(everywhere, name)
        for part, of in (("mean", "average"), ("low", "low"), ("high", "high")):
            best[f"{name}_{part}"] = found[of]
    best["n_seeds"] = found["n"]
    return best


def claim(dataset: xr.Dataset) -> str:
    """Say how many features ReLU models represent: the densest, and the one with most."""
    along = _panel(dataset)
    some = (_models(dataset) != "linear") & (dataset["best_seed"].values >= 0)
    if not some.any():
        return "Every run of every ReLU model diverged"
    relu = dataset.isel({along: np.flatnonzero(some)})
    dense = relu.isel({along: int(relu["p_active"].values.argmax())})
    most = relu.isel({along: int(relu["n_represented"].values.argmax())})
    n, m = int(dataset["n_features"]), int(dataset["n_hidden"])
    count, largest = (int(cell["n_represented"]) for cell in (dense, most))
    text = f"{n} features in {m} dimension{'s' * (m > 1)}: {count} "
    text += f"{'is' if count == 1 else 'are'} represented at density {float(dense['p_active']):g}"
    if largest == count:
        return f"{text}, and no more at lower ones"
    return f"{text}, up to {largest} when sparse, at {float(most['p_active']):g}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the interval is, where there is one."""
    several = int(dataset["n_seeds"].max()) >= ENOUGH
    return ["±: half of the 95 % interval of the mean over seeds"] if several else []


def _panel(dataset: xr.Dataset) -> str:
    return str(dataset["loss"].dims[0])


def _models(dataset: xr.Dataset) -> np.ndarray:
    return np.broadcast_to(dataset["model"].values, dataset["loss"].shape)


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw one column per panel: WᵀW and b above, norms below."""
    along = _panel(dataset)
    n, m = dataset.sizes[along], dataset.sizes["hidden"]
    grams, norms = ([f"{what} {i}" for i in range(n)] for what in ("gram", "norms"))
    size = (1.62 * n + 1.0, 5.0)
    figure, panel = panels(axes, [grams, norms], figsize=size, height_ratios=[1, 1.25])
    for i, model in enumerate(_models(dataset)):
        cell = dataset.isel({along: i})
        draw_gram(panel[grams[i]], cell["W"].values, cell["b"].values)
        name = "linear" if model == "linear" else "ReLU" if model == "relu" else str(model)
        panel[grams[i]].set_title(f"{name}\n1 − S = {float(cell['p_active']):g}")
        draw_norms(panel[norms[i]], cell["norm"].values, cell["superposition"].values)
        panel[norms[i]].axhline(m, color=style.RED, lw=0.9, ls="--")
        panel[norms[i]].set_xlabel(_counts(cell), fontsize=8)
    panel[grams[0]].set_ylabel(f"WᵀW, and b as a column\n{dataset.sizes['feature']} features")
    panel[norms[0]].set_ylabel("‖Wᵢ‖, most important on top")
    place: dict[str, Any] = {"color": style.RED, "fontsize": 7, "ha": "right", "va": "top"}
    panel[norms[0]].text(1.33, m, f"m = {m}", **place)
    gram = panel[grams[0]].images[0]
    bar = figure.colorbar(
        gram, ax=[panel[g] for g in grams], shrink=0.75, aspect=14, ticks=[-1, 0, 1]
    )
    bar.set_label("entry of WᵀW, b")
    share = ScalarMappable(Normalize(0, 1), style.SUPERPOSITION)
    below = [panel[name] for name in norms]
    bar = figure.colorbar(share, ax=below, shrink=0.75, aspect=17, ticks=[0, 0.5, 1])
    bar.set_label("superposition  Σⱼ≠ᵢ (Ŵᵢ·Wⱼ)²")
    bar.ax.set_yticklabels(["0", "0.5", "≥ 1"])
    return figure


def _counts(cell: xr.Dataset) -> str:
    """Say how many features the drawn model represents, and the mean over seeds."""
    if int(cell["best_seed"]) < 0:
        return "all runs diverged"
    text = f"{int(cell['n_represented'])} represented,\n{int(cell['n_dedicated'])} dedicated"
    n, mean = int(cell["n_seeds"]), float(cell["n_represented_mean"])
    if n < 2:
        return text
    if n < ENOUGH:
        return f"{text}\nmean of {counted(n, 'seed')}: {mean:.1f}"
    half = float(cell["n_represented_high"] - cell["n_represented_low"]) / 2
    return f"{text}\nmean {mean:.1f} ± {half:.1f}"
