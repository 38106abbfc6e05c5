"""F33, F34: neurons of a privileged basis, as stacks of the features that they read.

Elhage et al. 2022, "Superposition in a privileged basis". For each density the best of all seeds
by the ranking loss: W above, one column for each neuron, and below it the neuron's stack, one
rectangle for each weight. A weight counts from `THRESHOLD` on.

Between two regimes codes tie: at density 0.12, of 1,000 seeds, the best with one feature alone and
six in four neurons, with two alone and five in three, and with eight in five are within 0.3 % of
each other. Which of them is drawn depends on the seeds.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit.panels import panels
from figures.kit.words import counted, rounded
from figures.toy_models import neuron_stacks_panels as paint
from sweeps.stats import best_over_seeds, share_over_seeds
from toymodels.errors import InputError
from toymodels.measures.coding import THRESHOLD, coding, stack_order

AS_GOOD = 0.01  # a seed reaches the best if its loss is at most this share above it
PAPER_SEEDS = 1000  # per density, of which the paper shows the best

# What the analysis' own variables are.
WORDS = {
    "best_seed": "seed of the least ranking loss, -1 where all diverged",
    "order": "neurons in the order of the stacks",
    "n_read": "features whose weight in a neuron is above 0.25 in size",
    "group_of_neuron": "which group of linked neurons and features a neuron is in, -1 for none",
    "group_of_feature": "which group of linked neurons and features a feature is in, -1 for none",
}


def check(plan: Any) -> None:
    """Refuse more panels than can be read.

    Raises:
        InputError: more densities than panels have room for.
    """
    (axis,) = (d for d in plan.config.grid.dimensions if d.name == "p_active")
    n = len(axis.axes[0].values)
    if n > paint.MOST:
        raise InputError(
            f"grid.p_active has {n} densities: neuron-stacks has room for {paint.MOST}."
        )


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Keep the best seed of each density, say how its neurons code, and how many seeds reach it.

    `n_read` and `order` (p_active, hidden); `group_of_neuron`, `group_of_feature`;
    `share_of_seeds`, `low_of_seeds`, `high_of_seeds`: of the `n_of_seeds` other seeds, how many
    are within 1 % of the best loss, with its Wilson interval.
    """
    dataset = dataset.transpose("p_active", "seed", ...)
    best = best_over_seeds(dataset)
    as_good = dataset["loss_ranking"] <= (1 + AS_GOOD) * best["loss_ranking"]
    share = share_over_seeds(dataset, as_good, without=best["best_seed"])
    for name in ("share", "low", "high", "n"):
        best[f"{name}_of_seeds"] = share[name]
    n, m, f = (best.sizes[dim] for dim in ("p_active", "hidden", "feature"))
    order = np.tile(np.arange(m), (n, 1))
    read = np.zeros((n, m), int)
    neurons, features = np.full((n, m), -1), np.full((n, f), -1)
    for i, seed in enumerate(best["best_seed"].values):
        if seed < 0:
            continue
        W = best["W"].values[i]
        found = coding(W)
        order[i], read[i] = stack_order(W), np.count_nonzero(found.code, axis=1)
        for k, group in enumerate(found.groups):
            neurons[i, list(group.neurons)] = k
            features[i, list(group.features)] = k
    best["order"], best["n_read"] = (("p_active", "hidden"), order), (("p_active", "hidden"), read)
    best["group_of_neuron"] = (("p_active", "hidden"), neurons)
    best["group_of_feature"] = (("p_active", "feature"), features)
    return best


def claim(dataset: xr.Dataset) -> str:
    """Say how many neurons read one feature alone, and how many features are read."""
    alone = (dataset["n_read"] == 1).sum("hidden").values
    read = (dataset["group_of_feature"] >= 0).sum("feature").values
    trained = dataset["best_seed"].values >= 0
    if not trained.any():
        return "Every run at every density diverged"
    n, m = dataset.sizes["feature"], dataset.sizes["hidden"]
    mono, poly = (
        "–".join(str(k) if ok else "(diverged)" for k, ok in zip(of, trained, strict=True))
        for of in (alone, read)
    )
    p = dataset["p_active"].values
    where = f"from density {p[0]:g} to {p[-1]:g}" if p.size > 1 else f"at density {p[0]:g}"
    return (
        f"{mono} of {counted(m, 'neuron')} read one feature alone {where}, and {poly} of "
        f"{counted(n, 'feature')} are read"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say how neurons are judged and ordered, and of how many seeds the best is drawn."""
    n = int(dataset["n_of_seeds"].max()) + 1
    parts = [
        f"best of {n:,} seed{'s' * (n > 1)} for each density"
        + ("" if n == PAPER_SEEDS else f" (the paper: of 1,000, grid.seed.range={PAPER_SEEDS})"),
        f"a neuron reads a feature whose weight is above {THRESHOLD:g} in size; "
        "“3 in 2”: three features in two neurons that share them",
        "stacks have a scale for each density; losses are means over features",
        "order by a rule (the paper's is by hand): neurons of one feature first, then those of "
        "several, each by the first feature that they read",
    ]
    if n > 2:
        parts.append(
            f"seeds: of the others, how many are within {AS_GOOD:.0%} of the best loss, with the "
            "95 % Wilson interval"
        )
    return parts


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw how to read a stack, then W and the stacks of each density."""
    n = dataset.sizes["p_active"]
    above, below = ([f"{what} {i}" for i in range(n)] for what in ("W", "stacks"))
    figure, panel = panels(
        axes,
        [["one neuron", *above], ["its stack", *below]],
        figsize=(1.55 * n + 2.9, 6.6),
        width_ratios=[0.95] + [1] * n,
        height_ratios=[1, 1.15],
    )
    for i in range(n):
        cell = dataset.isel(p_active=i)
        panel[above[i]].set_title(f"1 − S = {float(cell['p_active']):g}")
        panel[below[i]].set_xlabel(_said(cell), fontsize=8)
        if int(cell["best_seed"]) < 0:
            paint.draw_nothing(panel[above[i]], panel[below[i]])
            continue
        paint.draw_weights(panel[above[i]], cell)
        paint.draw_stacks(panel[below[i]], cell)
    panel[above[0]].set_ylabel("features, most important on top")
    paint.draw_reading(panel["one neuron"], panel["its stack"], dataset)
    paint.add_keys(figure, panel, above, below)
    return figure


def _said(cell: xr.Dataset) -> str:
    """Say how features are grouped, the loss, and how many seeds reach it."""
    if int(cell["best_seed"]) < 0:
        return "all runs diverged"
    text = f"{groups(cell)}\nloss {rounded(cell['loss'] / cell.sizes['feature'], 3)}"
    n = int(cell["n_of_seeds"])
    if not n:
        return text
    share, low, high = (float(cell[f"{k}_of_seeds"]) for k in ("share", "low", "high"))
    if n == 1:
        return f"{text}\n{'as good' if share else 'not as good'} with\nthe other seed"
    return f"{text}\n{share:.0%} of seeds\n({low:.0%}–{high:.0%})"


def groups(cell: xr.Dataset) -> str:
    """Say how many features have a neuron alone, and how many share how many neurons."""
    neurons, features = cell["group_of_neuron"].values, cell["group_of_feature"].values
    pairs = [
        (int((features == k).sum()), int((neurons == k).sum())) for k in range(neurons.max() + 1)
    ]
    alone = pairs.count((1, 1))
    parts = [f"{alone} alone"] if alone else []
    parts += [f"{f} in {m}" for f, m in sorted(p for p in pairs if p != (1, 1))]
    return ", ".join(parts) or "none read"
