"""F29–F31: models in superposition are vulnerable; training on attacks removes superposition.

Elhage et al. 2022, "Adversarial Robustness". The models are those of the figure `geometry`. Their
vulnerability is what the worst attack adds to the loss, over the same for M features with a
dimension each (`toymodels.measures.adversarial`). Beside it models trained on attacked inputs
(`toymodels.estimators.adversarial`).

Part of the correlation is built in: a model without superposition is the identity on the features
that it keeps, and its output moves as far as the input does, whatever the attack. The null keeps
the lengths of all columns, and so the features per dimension, and draws their directions.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit.analysis import Parts
from figures.kit.crossing import first_above
from figures.kit.panels import panels
from figures.kit.words import listed, rounded
from figures.toy_models import adversarial_panels as paint
from figures.toy_models.adversarial_attacks import (
    ASCENT,
    ATTACKS,
    attacks,
    correlations,
)
from figures.toy_models.adversarial_panels import PAPER_ATTACK, PAPER_RATIO
from sweeps.stats import mean_over_seeds

TRAINING = "adversarial-training"  # the sweep beside
REPRESENTED = 0.5  # a feature counts as represented from this norm on
DEDICATED = 0.1  # and as dedicated below this superposition
REACHED = 0.9  # D* of the first rule for the training; the second: at most m features
IN_STEP = 0.9  # both correlations of what goes in step
MOSAIC = [["vulnerability", "features", "scatter"], ["found", "training", "held"]]

# What the analysis' own variables are.
WORDS = {
    "features_per_dimension": "1 / D* = ‖W‖² / m",
    "vulnerability": "loss that an attack adds, over that of m features with a dimension each",
    "found": "what the analytic attack adds, over what the strongest adds",
    "pearson": "correlation of vulnerability and features per dimension, mean over seeds",
    "pearson_low": "lower end of its 95 % interval",
    "pearson_high": "upper end of its 95 % interval",
    "spearman": "their rank correlation, mean over seeds",
    "spearman_low": "lower end of its 95 % interval",
    "spearman_high": "upper end of its 95 % interval",
    "trained_dimensions": "D* of models trained on attacked inputs",
    "trained_represented": "features of theirs with a norm above 0.5",
    "trained_dedicated": "those that share their direction with no other",
    "trained_diverged": "whether a model trained on attacked inputs diverged",
    "reached_at": "length of attacks in training from which D* exceeds 0.9, in inputs",
    "removed_at": "the same for at most m represented features",
}


def parts(dataset: xr.Dataset) -> Parts:
    """Return what attacks the sweep's models again."""
    return {"attacks": partial(attacks, dataset)}


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Join the attacks, correlate them with features per dimension, and read off the training.

    `vulnerability` (attack_kind, p_active, seed), the first kind on the sweep's own examples;
    `features_per_dimension`, `found`, `diverged` (p_active, seed); `pearson`, `spearman`
    (attack_kind) with `_low` and `_high`; `trained_…` over (world, attack, trained_seed);
    `reached_at`, `removed_at` (world, trained_seed): where D* > 0.9, where at most m features are.
    """
    result = parts["attacks"].copy()
    own = dataset[["vulnerability", "diverged"]].transpose("p_active", "seed", ...)
    kept = own["diverged"] == 0
    result["vulnerability"][0] = own["vulnerability"].where(kept).values
    dimensions = dataset["dimensions_per_feature"].where(
        kept & (dataset["norm"].max("feature") > 0)
    )
    result["features_per_dimension"] = 1 / dimensions.transpose("p_active", "seed")
    result["diverged"] = own["diverged"]
    result = result.merge(correlations(result))
    settings = ("n_features", "n_hidden", "budget_adversarial", "n_examples_adversarial")
    result = result.assign_coords({name: dataset[name].item() for name in settings})
    return result.merge(_training(parts[TRAINING]))


def _training(of: xr.Dataset) -> xr.Dataset:
    """Return D* and what is represented by the length of attacks, and where the rules are met."""
    dims = ("world", "attack", "trained_seed")
    of = of.rename(seed="trained_seed")
    held = of["norm"] > REPRESENTED
    found = {
        "dimensions": of["dimensions_per_feature"],
        "represented": held.sum("feature").astype(float),
        "dedicated": (held & (of["superposition"] < DEDICATED)).sum("feature").astype(float),
    }
    kept = of["diverged"] == 0
    arrays: dict[str, Any] = {
        f"trained_{name}": (dims, values.where(kept).transpose(*dims).values)
        for name, values in found.items()
    }
    arrays["trained_diverged"] = (dims, of["diverged"].transpose(*dims).values)
    lengths, D, n = (
        of["attack"].values,
        arrays["trained_dimensions"][1],
        arrays["trained_represented"][1],
    )
    sizes = _of_worlds(of["n_hidden"], len(D))
    rules = {"reached_at": (D, np.full(len(D), REACHED)), "removed_at": (-n, -sizes - 0.5)}
    for name, (values, levels) in rules.items():
        at = [
            [first_above(lengths, values[w, :, s], levels[w]) for s in range(values.shape[2])]
            for w in range(len(values))
        ]
        arrays[name] = (("world", "trained_seed"), np.array(at))
    coords = {f"trained_{k}": ("world", _of_worlds(of[k], len(D))) for k in paint.WORLD}
    coords |= {"attack": lengths, "trained_seed": of["trained_seed"].values}
    return xr.Dataset(arrays, coords)


def _of_worlds(values: xr.DataArray, n: int) -> np.ndarray:
    """Return a number of each world, also where all have the same."""
    return np.broadcast_to(values.values, (n,))


def claim(dataset: xr.Dataset) -> str:
    """Say how far vulnerability rises, what it goes with, and where training removes it."""
    return f"{_rise(dataset)}; {_removal(dataset)}"


def _rise(dataset: xr.Dataset) -> str:
    of = mean_over_seeds(dataset.isel(attack_kind=0), "vulnerability")["average"].dropna("p_active")
    if not of.size:
        lost = bool((dataset["diverged"] != 0).all())
        return "Every run diverged" if lost else "No attack adds to the loss"
    least, most = (of.isel(p_active=int(f(of.values))) for f in (np.argmin, np.argmax))
    first = dataset.isel(attack_kind=0)
    r, rho = float(first["pearson"]), float(first["spearman"])
    verb = "in step with" if r > IN_STEP and rho > IN_STEP else "not in step with"
    null = float(dataset["pearson"].isel(attack_kind=len(ATTACKS) - 1))
    against = f"; random directions {null:.2f}" if np.isfinite(null) else ""
    with_features = f", {verb} features per dimension (Pearson {r:.3f}{against})"
    other = f", {float(least):.1f} times at {float(least['p_active']):g}" if of.size > 1 else ""
    return (
        f"Attacks hurt {rounded(most)} times as much as without superposition at density "
        f"{float(most['p_active']):g}{other}" + (with_features if np.isfinite(r) else "")
    )


def _removal(dataset: xr.Dataset) -> str:
    if bool((dataset["trained_diverged"].isel(world=0) != 0).all()):
        return "every model trained on attacks diverged"
    reached, removed = (place(dataset, name, 0) for name in ("reached_at", "removed_at"))
    if np.isnan(reached) and np.isnan(removed):
        return f"training on attacks up to {float(dataset['attack'].max()):.0%} removes none of it"
    others = [place(dataset, "removed_at", k) for k in range(1, dataset.sizes["world"])]
    elsewhere = f"; in other settings {listed(map(_at, others))}" if others else ""
    return (
        f"training on attacks leaves at most m features in m dimensions {_at(removed)} (the paper: "
        f"{PAPER_ATTACK:.0%}){elsewhere}"
    )


def _at(length: float) -> str:
    return "at no length tried" if np.isnan(length) else f"at {length:.0%} of an input"


def place(dataset: xr.Dataset, name: str, world: int) -> float:
    """Return the mean over seeds of where a rule is met, NaN where some seed never meets it."""
    at = dataset[name].isel(world=world)
    lost = dataset["trained_diverged"].isel(world=world).min("attack")
    if bool((at.isnull() & (lost == 0)).any()):
        return np.nan
    return float(at.where(lost == 0).mean())


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the baseline is, what the paper does not state, and what other choices give."""
    known = [text for text in (_correlated(dataset, i) for i in range(1, len(ATTACKS))) if text]
    others = [_world(dataset, i) for i in range(1, dataset.sizes["world"])]
    ratio = dataset["found"]
    parts = [
        f"attack: {float(dataset['budget_adversarial']):g} mean lengths of an input along (WᵀW)ᵢ, "
        f"the worst i for each of {int(dataset['n_examples_adversarial']):,} examples; without "
        "superposition: m features with a dimension each, the others answered by their mean, at "
        "the same density (the paper states neither this baseline nor sizes and densities)",
        f"the paper's vulnerability rises “> {PAPER_RATIO:g}×” over a range that it does not state",
    ]
    if known:
        parts.append(f"other choices, Pearson (Spearman): {listed(known)}")
    if bool(ratio.notnull().any()):
        parts.append(
            f"the analytic attack adds {float(ratio.min()):.0%} to {float(ratio.max()):.0%} of "
            f"what {ASCENT} steps of gradient ascent from it add"
        )
    parts += [
        "the correlation is partly built in: without superposition an output moves as far as its "
        "input",
        "training: clean target, attack along a random (WᵀW)ᵢ, no gradient through it; full lines: "
        f"represented (norm > {REPRESENTED:g}), dashed: superposition < {DEDICATED:g} as well",
        "D* passes 1 where the columns that are kept shrink",
    ]
    if others:
        parts.append(f"other worlds, D* above {REACHED:g}: {listed(others)}")
    several = dataset.sizes["seed"] >= paint.ENOUGH
    return [*parts, "bars: 95 % intervals over seeds" if several else "too few seeds for intervals"]


def _correlated(dataset: xr.Dataset, i: int) -> str:
    r, rho = (float(dataset[name][i]) for name in ("pearson", "spearman"))
    return f"{paint.NAMES[ATTACKS[i]]} {r:.2f} ({rho:.2f})" if np.isfinite(r) else ""


def _world(dataset: xr.Dataset, i: int) -> str:
    return f"{_at(place(dataset, 'reached_at', i))} for {paint.world(dataset, i)}"


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw vulnerability and features per dimension, and what training on attacks does."""
    figure, panel = panels(axes, MOSAIC, figsize=(13.2, 7.6))
    paint.draw_vulnerability(panel["vulnerability"], dataset)
    paint.draw_features(panel["features"], dataset)
    paint.draw_scatter(panel["scatter"], dataset)
    paint.draw_found(panel["found"], dataset)
    reached, removed = (place(dataset, name, 0) for name in ("reached_at", "removed_at"))
    paint.draw_training(panel["training"], dataset, reached, REACHED)
    paint.draw_held(panel["held"], dataset, removed)
    return figure
