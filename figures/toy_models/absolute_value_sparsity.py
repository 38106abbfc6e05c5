"""F37, F38: absolute values by sparsity, from neurons for single features to neurons for many.

Elhage et al. 2022, "Computation in Superposition". One stack of |W₁| for each neuron, rescaled to a
largest weight of 1. The paper shades neurons by eye; here it is a rule: the share of the largest
weight among a neuron's weights, monosemantic above 0.8.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy import stats

from figures.kit.panels import panels
from figures.kit.words import counted, listed, rounded
from figures.toy_models import absolute_value_sparsity_panels as paint
from figures.toy_models.absolute_value_sparsity_panels import MONOSEMANTIC
from sweeps.stats import best_over_seeds, mean_over_seeds
from toymodels.errors import InputError

COMPUTED = 0.25  # share of a dropped feature's loss; one of its two signs alone leaves a half

# What is counted of each model, and the mean of it over seeds.
COUNTS = {
    "monosemantic": "share of neurons whose largest weight has more than 0.8 of all their weights",
    "shuffled": "the same of the weights in other places",
    "computed": "features whose loss is below a quarter of a dropped feature's",
    "rank_correlation": "rank correlation, over neurons, of how unimportant their largest feature "
    "is and how small the share of its weight",
}
# What the analysis' own variables are.
WORDS = {
    "best_seed": "seed of the least ranking loss, -1 where all diverged",
    "share_of_largest": "share of each neuron's largest weight in the best model",
    "largest_feature": "feature of that weight",
    "loss_over_pairs": "loss of the best model, as a share of that of two neurons for each of the "
    "most important features, all others dropped",
    "n_seeds": "seeds that did not diverge",
    "n_falling": "seeds whose loss still falls",
}
for _name, _words in COUNTS.items():
    WORDS |= {_name: f"{_words}: mean over seeds", f"{_name}_low": "lower end of its 95 % interval"}
    WORDS |= {f"{_name}_high": "upper end of its 95 % interval"}


def check(plan: Any) -> None:
    """Refuse settings that are not possible.

    Raises:
        InputError: no neuron, or a number of close-ups other than two.
    """
    if plan.settings["neurons"] < 1 or len(plan.settings["close_ups"]) != 2:
        raise InputError(
            f"close_ups = {plan.settings['close_ups']}, neurons = {plan.settings['neurons']}: give "
            "two densities and at least one neuron."
        )


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each density, and count neurons and features over all seeds."""
    best = best_over_seeds(dataset)
    best["best_seed"] = best["best_seed"].astype(int)
    best["share_of_largest"], best["largest_feature"] = _largest(best)
    every = dataset.assign(_counts(dataset))
    for name in COUNTS:
        found = mean_over_seeds(every, name)
        best[name], best[f"{name}_low"], best[f"{name}_high"] = (
            found[k] for k in ("average", "low", "high")
        )
    half = dataset.sizes["hidden"] // 2
    rest = _dropped(best).isel(feature=slice(half, None)).sum("feature")
    best["loss_over_pairs"] = best["loss"] / rest.where(rest > 0)
    best["n_seeds"] = (dataset["diverged"] == 0).sum("seed")
    best["n_falling"] = (dataset["still_falling"] == 1).sum("seed")
    return best


def _largest(dataset: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the share of each neuron's largest weight, and whose weight it is."""
    size = abs(dataset["W"])
    share = size.max("feature") / size.sum("feature").where(lambda total: total > 0)
    return share, size.fillna(0).argmax("feature")


def _counts(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return what is counted of each model."""
    share, feature = _largest(dataset)
    W = dataset["W"].transpose(..., "hidden", "feature")
    flat = W.values.reshape(*W.shape[:-2], -1)
    other = W.copy(data=np.random.default_rng(0).permuted(flat, axis=-1).reshape(W.shape))
    return {
        "monosemantic": (share > MONOSEMANTIC).mean("hidden"),
        "shuffled": (_largest(dataset.assign(W=other))[0] > MONOSEMANTIC).mean("hidden"),
        "computed": (dataset["loss_per_feature"] < COMPUTED * _dropped(dataset)).sum("feature"),
        "rank_correlation": xr.apply_ufunc(
            _rank_correlation, feature, 1 - share, input_core_dims=[["hidden"]] * 2, vectorize=True
        ),
    }


def _dropped(dataset: xr.Dataset) -> xr.DataArray:
    """Return the loss of each feature for which the best constant answer is given."""
    p = dataset["p_active"]
    return dataset["importance_of_feature"] * (p / 3 - p**2 / 4)


def _rank_correlation(feature: np.ndarray, mixed: np.ndarray) -> float:
    """Return Spearman's correlation; NaN where either is the same for all neurons."""
    if np.ptp(feature) == 0 or not np.ptp(mixed) > 0:
        return np.nan
    return float(stats.spearmanr(feature, mixed)[0])  # pyright: ignore


def claim(dataset: xr.Dataset) -> str:
    """Say how many neurons are monosemantic, dense and sparse, and what is computed."""
    known = dataset.isel(density=np.flatnonzero(dataset["n_seeds"].values > 0))
    if not known.sizes["density"]:
        return "Every run diverged"
    n, m = known.sizes["feature"], known.sizes["hidden"]
    p, mono = known["p_active"].values, known["monosemantic"].values
    dense, sparse = int(np.argmax(p)), int(np.argmin(p))
    text = f"Of {counted(m, 'neuron')} {mono[dense]:.0%} are monosemantic at density {p[dense]:g}"
    text += f" and {mono[sparse]:.0%} at {p[sparse]:g}; " if sparse != dense else "; "
    computed = known["computed"].values
    most = int(np.argmax(computed))
    how = f"{rounded(computed[most])} of {n} features are computed at density {p[most]:g}"
    than = "more" if computed[most] > m / 2 else "no more"
    return f"{text}{how}, {than} than the {m / 2:g} that pairs of neurons allow"


def caption(dataset: xr.Dataset) -> list[str]:
    """State the rules, and which runs are not done."""
    falling, n = int(dataset["n_falling"].sum()), int(dataset["n_seeds"].sum())
    parts = [
        f"monosemantic: the largest weight is more than {MONOSEMANTIC:g} of a neuron's weights; "
        "the darker behind a stack, the smaller that share; neurons from left by the importance of "
        "their largest feature; drawn: |W₁| of the best seed, each neuron's largest weight 1",
        f"computed: a loss below {COMPUTED:.0%} of a dropped feature's, I (p/3 − p²/4)",
        "loss: as a share of that of two neurons for each of the most important features",
        *_worse(dataset),
        "bars: 95 % intervals over seeds; grey: the same weights in other places, and no relation",
        "the paper states neither start nor optimiser: first weights W₂ positive, learning rate by "
        "density " + listed(f"{rate:g}" for rate in dataset["learning_rate"].values),
    ]
    return parts + (
        [f"{falling} of {n} runs still improve, by over 0.5% in a tenth of their steps"]
        if falling
        else []
    )


def _worse(dataset: xr.Dataset) -> list[str]:
    """Say where training ended above the loss of two neurons for each feature."""
    above = dataset["p_active"].values[dataset["loss_over_pairs"].values > 1.01]
    where = listed(f"{p:g}" for p in above) if above.size else ""
    return [f"where it is above 1, at density {where}, there are better models"] if where else []


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw a panel of stacks for each density, two close-ups, and what was counted."""
    n = dataset.sizes["density"]
    names = [f"stacks {i}" for i in range(n)]
    padded = names + ["."] * (n % 2)
    rows = [padded[i : i + 2] for i in range(0, len(padded), 2)]
    left = [*rows, ["close-up 0", "close-up 1"]]
    right = [["monosemantic"], ["computed"], ["rank_correlation"]]
    how = {"figsize": (13, 2.0 * len(left) + 0.4), "width_ratios": [3.1, 1]}
    figure, panel = panels(axes, [[left, right]], **how)
    for i, name in enumerate(names):
        paint.draw_density(panel[name], dataset.isel(density=i))
    for i, wanted in enumerate(dataset["close_ups"].values):
        nearest = int(np.argmin(np.abs(np.log(dataset["p_active"].values / wanted))))
        cell, most = dataset.isel(density=nearest), int(dataset["neurons"])
        paint.draw_close_up(panel[f"close-up {i}"], cell, most)
    paint.draw_scale(figure, [panel[name] for name in names])
    for name in ("monosemantic", "computed", "rank_correlation"):
        paint.draw_count(panel[name], dataset, name)
    return figure
