"""F32: weights of hidden layers with and without ReLUs, and how many features a neuron reads.

Elhage et al. 2022, "Superposition in a privileged basis", with its remark on hidden biases. A
linear hidden layer may be rotated without changing the model, so chance decides what a neuron
reads: the null is the same W, randomly rotated. A ReLU privileges the neurons' basis; with a bias
of their own neurons may stay above 0 on all data, where a ReLU does nothing.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit.panels import panels
from figures.kit.words import counted, listed
from figures.toy_models import privileged_basis_panels as paint
from figures.toy_models.privileged_basis_panels import MODELS, SEEDS
from sweeps.stats import mean_over_seeds
from toymodels.errors import InputError

MIDDLE = 0.95  # the part of the rotations that a model is like by chance

# What the analysis' own variables are.
WORDS = {
    "mean_ratio": "mean participation ratio of a model's neurons",
    "mean_ratio_average": "mean_ratio, averaged over seeds",
    "mean_ratio_rotated": "mean participation ratio where W is randomly rotated",
    "like_rotated": "whether mean_ratio is in the middle 95 % of that of rotated W",
    "of_rotations": "mean_ratio of each model's rotations",
    "n_seeds": "seeds that did not diverge",
    "all_on_average": "all_on, averaged over seeds",
    "shown": "density whose weights are drawn",
}


def check(plan: Any) -> None:
    """Refuse models that the figure has no words for.

    Raises:
        InputError: another model.
    """
    for variant in plan.config.variants:
        if variant["model"] not in MODELS:
            raise InputError(
                f"model = {variant['model']!r}: privileged-basis compares {listed(MODELS)}."
            )


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Average over neurons and seeds, and compare with rotations.

    `mean_ratio` and `like_rotated` (model, p_active, seed); `…_average`, `…_low`, `…_high` of
    `mean_ratio` and `all_on` over seeds, with the 95 % interval; `mean_ratio_rotated`; `shown`.
    """
    found = dataset.transpose("model", "p_active", "seed", ...)
    found["mean_ratio"] = found["participation_ratio"].mean("hidden", skipna=False)
    rotated = found["participation_ratio_rotated"].mean("hidden", skipna=False)
    middle = [0.5 - MIDDLE / 2, 0.5 + MIDDLE / 2]
    ends = rotated.quantile(middle, "rotation", skipna=False).drop_vars("quantile")
    low, high = ends.isel(quantile=0), ends.isel(quantile=1)
    found["like_rotated"] = (found["mean_ratio"] >= low) & (found["mean_ratio"] <= high)
    found["of_rotations"] = rotated.mean("rotation")
    for name in ("mean_ratio", "all_on"):
        over = mean_over_seeds(found, name)
        for part in ("average", "low", "high"):
            found[f"{name}_{part}"] = over[part]
    found["mean_ratio_rotated"] = mean_over_seeds(found, "of_rotations")["average"]
    found["n_seeds"] = over["n"]
    found["shown"] = found["p_active"][_shown(found)]
    return found


def _shown(found: xr.Dataset) -> int:
    """Choose the density where neurons with a ReLU read the fewest features, else the densest."""
    names = list(found["model"].values)
    if "hidden_relu" in names:
        average = found["mean_ratio_average"].values[names.index("hidden_relu")]
        if not np.isnan(average).all():
            return int(np.nanargmin(average))
    return int(found["p_active"].values.argmax())


def claim(dataset: xr.Dataset) -> str:
    """Say how many features a neuron of each model reads, and how many by chance."""
    at = dataset.sel(p_active=float(dataset["shown"]))
    parts = []
    for name in at["model"].values:
        cell = at.sel(model=name)
        ratio, chance = float(cell["mean_ratio_average"]), float(cell["mean_ratio_rotated"])
        if np.isnan(ratio):
            parts.append(f"– (diverged) {MODELS[name].words}")
            continue
        what = "" if parts else " features"
        text = f"{ratio:.2f}{what} {MODELS[name].words} ({chance:.2f} when rotated)"
        if MODELS[name].has_bias:
            share = float(cell["all_on_average"])
            text += f", where all neurons are above 0 on {share:.0%} of the data"
        parts.append(text)
    shown = f"At density {float(dataset['shown']):g}, the one shown,"
    return f"{shown} a neuron reads {listed(parts)}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is counted, what the paper leaves open, and how models compare with rotations."""
    n, m = dataset.sizes["feature"], dataset.sizes["hidden"]
    parts = [
        f"the paper does not state n and m: here n = {n} and m = {m}; density varied on the right",
        "features read: participation ratio (Σw²)²/Σw⁴ of a neuron's weights w",
        f"grey, dashed: the same W, {dataset.sizes['rotation']:,} random rotations of each model",
        f"weights: the {counted(min(SEEDS, dataset.sizes['seed']), 'best seed')} at the density "
        "where neurons with a ReLU read the fewest features",
    ]
    for name in dataset["model"].values:
        if not MODELS[name].has_relu:
            parts += _against_chance(dataset.sel(model=name), MODELS[name].words)
    if int(dataset["n_seeds"].max()) > 2:
        parts.append("bars: 95 % interval of the mean over seeds")
    return parts


def _against_chance(of_model: xr.Dataset, words: str) -> list[str]:
    """Say how many models are like their rotations, and where they read more features."""
    cell = of_model.sel(p_active=float(of_model["shown"]))
    n = int(cell["n_seeds"])
    if not n:
        return []
    like = f"{int(cell['like_rotated'].sum())} of {n} model{'s' * (n > 1)}"
    parts = [f"{words}, {like} in the middle {MIDDLE:.0%} of their own rotations"]
    more = (of_model["mean_ratio_low"] > of_model["mean_ratio_rotated"]).values
    if more.any() and str(of_model["optimizer"].values).startswith("adam"):
        where = listed(f"{p:g}" for p in of_model["p_active"].values[more])
        parts.append(
            f"above chance at {where}: Adam scales each weight's step by itself, and so keeps no "
            "rotation"
        )
    return parts


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw weights above; below features read by each neuron, by density, and linear regimes."""
    names = [str(name) for name in dataset["model"].values]
    maps = [f"{name} {k + 1}" for name in names for k in range(SEEDS)]
    figure, panel = panels(
        axes,
        [[[maps]], [[["neurons", "density", "linear"]]]],
        figsize=(11.4, 7.2),
        height_ratios=[1, 1.15],
    )
    at = dataset.sel(p_active=float(dataset["shown"]))
    for name in names:
        paint.draw_models([panel[f"{name} {k + 1}"] for k in range(SEEDS)], at.sel(model=name))
    panel[maps[0]].set_ylabel("features, most important on top")
    panel[maps[0]].set_xlabel("neurons")
    paint.add_bar(figure, [panel[name] for name in maps])
    paint.draw_neurons(panel["neurons"], at)
    paint.draw_by_density(panel["density"], dataset)
    paint.draw_linear_regime(panel["linear"], dataset)
    return figure
