"""All pairwise ANDs with few neurons: trained networks beside the sparse construction.

Newgas 2025 (arXiv 2507.09816) trains one layer for all m (m-1) / 2 ANDs and finds a dense circuit
where Hänni, Mendel, Vaintrob & Chan 2024 (arXiv 2408.05451) construct a sparse one. Whether
training finds anything shows beside neurons of random weights with a fitted read-out, and beside
the least error that any n neurons may have (`and_read_outs.least_error`).
"""

from functools import partial
from typing import Any

import jax
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.circuits import universal_and_trained_panels as paint
from figures.circuits.universal_and_baselines import (
    BINARY,
    ERRORS,
    GAUSSIAN,
    LINEAR,
    OWN,
    baselines,
    errors_of,
    examples,
    joined,
    name_of,
    neurons_of,
)
from figures.circuits.universal_and_settings import axes_of, crossing, of_loss
from figures.circuits.universal_and_structure import normal, structure_of
from figures.kit.panels import legend_of, panels
from figures.kit.settings import require_at_least
from figures.kit.words import listed, rounded
from sweeps.stats import best_over_seeds, mean_over_seeds
from toymodels.circuits.assignment import members
from toymodels.circuits.constructions.and_read_outs import ands_of, least_error
from toymodels.circuits.constructions.universal_and import universal_and
from toymodels.errors import InputError

ENDS = ("", "_low", "_high")
MEASURED = {
    "error": "mean squared error, ANDs that are on and ANDs that are off weighing the same",
    "error_on": "mean squared error of ANDs that are on",
    "error_off": "mean squared error of ANDs that are off",
    "read_right": "share of ANDs that a threshold of 1/2 reads right in all examples",
    "features_heard": "share of features that a neuron hears, (Σ w²)² / (m Σ w⁴), mean of neurons",
    "outputs_served": "share of ANDs that a neuron serves, counted alike",
    "two_values": "share of the variance of a neuron's weights that two values explain",
}
WORDS = {
    "least_error": "a balanced error that no network of as many neurons comes below",
    "normal_features_heard": "share of features that a neuron of normal weights hears",
    "normal_two_values": "share of the variance of as many normal numbers that two values explain",
    "ratio": "error of other neurons over that of trained ones, geometric mean over seeds",
    "ratio_low": "lower end of its 95 % interval",
    "ratio_high": "upper end of its 95 % interval",
    "chosen": "S / n of the construction, or the threshold of random neurons, that errs least",
    "W": "weights of the best trained network where both axes cross",
    "wires": "those of the construction, of the density that errs least by its own read-out",
    "n_seeds": "seeds that did not diverge",
    "n_falling": "seeds whose loss still falls",
}
for _name, _words in MEASURED.items():
    WORDS |= {_name: f"{_words}: mean over seeds", f"{_name}_low": "lower end of its 95 % interval"}
    WORDS |= {f"{_name}_high": "upper end of its 95 % interval"}
for _name in ERRORS:
    WORDS |= {f"baseline_{_name}": f"{MEASURED[_name]}, of other neurons: mean over seeds"}
    WORDS |= {f"baseline_{_name}_low": "lower end of its 95 % interval"}
    WORDS |= {f"baseline_{_name}_high": "upper end of its 95 % interval"}


def check(plan: Any) -> None:
    """Refuse sizes that do not fit together.

    Raises:
        InputError: other outputs than there are pairs, fewer than two active features or all, or
            no examples.
    """
    require_at_least("most", plan.settings["most"], 10)
    for density in plan.settings["densities"]:
        if not 0 < density <= 1:
            raise InputError(f"densities holds {density}: give shares S / n above 0, up to 1.")
    for point in plan.config.grid.points():
        shared = plan.config.variants[0] | point
        m, n = shared["n_features"], shared["n_outputs"]
        n_active = point.get("features.n_active", shared["features"]["n_active"])
        if n != m * (m - 1) // 2:
            raise InputError(
                f"n_outputs = {n}: {m} features have {m * (m - 1) // 2} pairs; give both."
            )
        if not 2 <= n_active < m:
            raise InputError(f"n_active = {n_active} of {m} features: use 2 to {m - 1}.")


def parts(dataset: xr.Dataset) -> dict[str, Any]:
    """Return what computes the baselines of each width and number of active features."""
    cells = zip(dataset["n_hidden"].values, dataset["n_active"].values, strict=True)
    pairs = dict.fromkeys((int(n), int(s)) for n, s in cells)
    return {name_of(n, s): partial(baselines, dataset, n, s) for n, s in pairs}


def analyse(dataset: xr.Dataset, found: dict[str, xr.Dataset]) -> xr.Dataset:
    """Measure every trained network on all examples, or many, beside the baselines.

    Of each `MEASURED` the mean over seeds and its interval, (setting); `baseline_…` (setting,
    family); `ratio` (setting, family), their errors in units of the trained ones.
    """
    dataset = dataset.transpose("setting", "seed", ...)
    every = dataset.assign(_measured(dataset))
    others = joined(found, dataset)
    held = ("n_hidden", "n_active", "class_balance", "exponent", "densities")
    kept = {k: v for k, v in dataset.coords.items() if v.ndim == 0 or k in held}
    result, none_lost = xr.Dataset(coords=kept), xr.zeros_like(others["error"]).astype(int)
    others["diverged"] = none_lost
    for name in MEASURED:
        result = result.assign(_summary(every, every[name], name))
    for name in ERRORS:
        result = result.assign(_summary(others, others[name], f"baseline_{name}"))
    both = others.assign(diverged=dataset["diverged"].broadcast_like(none_lost))
    theirs, ours = (of["error"].where(of["error"] > 0) for of in (others, every))
    ratio = xr.apply_ufunc(np.log, theirs / ours)
    of_logs = _summary(both, ratio, "ratio")
    result = result.assign({name: np.exp(value) for name, value in of_logs.items()})
    result["chosen"] = others["chosen"]
    result["n_seeds"] = (dataset["diverged"] == 0).sum("seed")
    result["n_falling"] = (dataset["still_falling"] == 1).sum("seed")
    m = dataset.sizes["feature"]
    cells = zip(dataset["n_active"].values, dataset["n_hidden"].values, strict=True)
    result["least_error"] = ("setting", [least_error(m, int(s), int(n)) for s, n in cells])
    result["normal_features_heard"], result["normal_two_values"] = normal(m)
    return _with_pictures(result, dataset)


def _summary(dataset: xr.Dataset, values: xr.DataArray, name: str) -> dict[str, xr.DataArray]:
    """Return mean and interval over seeds by name."""
    mean = mean_over_seeds(dataset, values)
    of = zip(ENDS, ("average", "low", "high"), strict=True)
    return {name + end: mean[part].astype(np.float32) for end, part in of}


def _measured(dataset: xr.Dataset) -> dict[str, Any]:
    """Return what is measured of each network, `(setting, seed)`."""
    shape = (dataset.sizes["setting"], dataset.sizes["seed"])
    found = {name: np.full(shape, np.nan) for name in MEASURED}
    for k in range(shape[0]):
        cell = dataset.isel(setting=k)
        features = examples(dataset, int(cell["n_active"]), 0)
        truth = ands_of(features)
        for i in np.flatnonzero(cell["diverged"].values == 0):
            one = cell.isel(seed=i, hidden=slice(int(cell["n_hidden"])))
            W, V = one["W"].values, one["V"].transpose("output", "hidden").values
            h = np.maximum(W @ features + one["c"].values[:, None], 0)
            answers = V @ h + one["b"].values[:, None]
            for name, value in (errors_of(answers, truth) | structure_of(W, V)).items():
                found[name][k, i] = value
    return {name: (("setting", "seed"), values) for name, values in found.items()}


def _with_pictures(result: xr.Dataset, dataset: xr.Dataset) -> xr.Dataset:
    """Add the weights where both axes cross: of the best trained network, and constructed ones."""
    k = crossing(result)
    n, m = int(result["n_hidden"][k]), dataset.sizes["feature"]
    best = best_over_seeds(dataset)["W"].isel(setting=k, hidden=slice(n))
    result["W"] = (("hidden", "feature"), best.transpose("hidden", "feature").values)
    density = float(result["chosen"].sel(family=OWN)[k])
    gate = universal_and(jax.random.key(0), m, n, neurons_of(density, n))
    result["wires"] = (("hidden", "feature"), members(gate.wires, n).toarray().T)
    return result


def claim(dataset: xr.Dataset) -> str:
    """Say how training does beside the construction, random neurons and the bound."""
    known = of_loss(dataset)
    known = known.isel(setting=np.flatnonzero(known["n_seeds"].values > 0))
    if not known.sizes["setting"]:
        return "Every run diverged"
    by_width, by_active = axes_of(known)
    wide = by_width.isel(setting=[0, -1] if by_width.sizes["setting"] > 1 else [0])
    least_on, most_on = (by_active.isel(setting=[k]) for k in (0, -1))
    m = dataset.sizes["feature"]
    return (
        f"{_series(_ends(known['n_hidden']), ' to ')} trained neurons for the {m * (m - 1) // 2} "
        f"ANDs of {m} inputs, {_series(_ends(known['n_active']), ' to ')} of them on, err "
        f"{_range(known, [OWN])} times as much as the sparse construction, but "
        f"{_range(known, [GAUSSIAN, BINARY])} times as much as random neurons with a fitted "
        f"read-out; {_over(least_on)} with {int(least_on['n_active'][0])} on, and with "
        f"{int(most_on['n_active'][0])} on {_range(most_on, [LINEAR])} times as much as the inputs "
        f"themselves; two values explain {_series(wide['two_values'], ' and ', '.0%')} of the "
        f"weights of {_series(wide['n_hidden'], ' and ')} neurons (of normal numbers "
        f"{float(dataset['normal_two_values']):.0%})"
    )


def _over(cell: xr.Dataset) -> str:
    """Say an error in units of what is possible at least."""
    n, least = int(cell["n_hidden"][0]), float(cell["least_error"][0])
    if not least > 0:
        return f"{n} neurons err {rounded(cell['error'][0])} where none is possible"
    return (
        f"{n} neurons err {rounded(cell['error'][0] / least, 3)} times the least that is possible"
    )


def _range(cells: xr.Dataset, families: list[str]) -> str:
    """Say the smallest and the largest error in units of the best of some families."""
    of = cells.sel(family=families)
    best = of.isel(family=of["baseline_error"].argmin("family"))
    value, low, high = (1 / best[f"ratio{end}"].values for end in ("", "_high", "_low"))
    if not np.isfinite(value).any():
        return "an unknown number of"
    at = dict.fromkeys([int(np.nanargmin(value)), int(np.nanargmax(value))])
    return " to ".join(_with_interval(value[k], low[k], high[k]) for k in at)


def _ends(values: xr.DataArray) -> list[int]:
    """Return the smallest and the largest of whole numbers, one of equal ones."""
    return list(dict.fromkeys([int(values.min()), int(values.max())]))


def _with_interval(value: float, low: float, high: float) -> str:
    interval = f" ({rounded(low, 3)}–{rounded(high, 3)})" if np.isfinite([low, high]).all() else ""
    return rounded(value, 3) + interval


def _series(values: Any, between: str, form: str = ".0f") -> str:
    return between.join(f"{float(v):{form}}" for v in np.asarray(values))


def caption(dataset: xr.Dataset) -> list[str]:
    """Say how errors are counted, what is chosen, and what is ours."""
    tried = listed(f"{value:g}" for value in np.ravel(dataset["densities"]))
    parts = [
        "exactly s inputs are 1, the others 0; balanced error: ANDs that are on and those that are "
        "off weigh half each",
        f"errors are over all sets of s inputs, or {int(dataset['most']):,} random ones if there "
        "are more; intervals: 95 % over seeds",
        f"construction: each input wired to S of n neurons, S/n of {tried} which errs least",
        "fitted: the linear read-out of least balanced error; thresholds of random neurons are "
        "chosen likewise, in the first network",
        "dashed: what no read-out of rank n + 1 comes below, derived here",
        "ANDs right: by a threshold of ½ in every example",
        "two values: share of the variance of a neuron's weights that two values explain; a neuron "
        "hears (Σw²)² / (m Σw⁴) of the inputs and serves as many of the ANDs",
        "sizes, inputs and losses are ours; of the paper's set-up we know the abstract",
    ]
    if dataset["n_falling"].any():
        falling = dataset.isel(setting=np.flatnonzero(dataset["n_falling"].values > 0))
        widths = listed(np.unique(falling["n_hidden"]))
        parts.append(
            f"{int(falling['n_falling'].sum())} of {int(dataset['n_seeds'].sum())} runs still "
            f"improve, by over 0.5% in a tenth of their steps, those of {widths} neurons"
        )
    return parts + (["a setting lost all its seeds"] if not dataset["n_seeds"].all() else [])


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw weights, errors and structure: in columns by width, and by how many inputs are on."""
    mosaic = [["trained", "by width", "by active"], ["wires", "least width", "least active"]]
    mosaic += [["losses", "structure width", "structure active"]]
    figure, panel = panels(axes, mosaic, figsize=(13, 9.5), width_ratios=[0.8, 1, 1])
    by_width, by_active = axes_of(dataset)
    at = dataset.isel(setting=crossing(dataset))
    paint.draw_weights(panel["trained"], dataset["W"].values, "weights into neurons, trained")
    density = f"S/n = {float(at['chosen'].sel(family=OWN)):g}"
    paint.draw_weights(panel["wires"], dataset["wires"].values, f"of the construction, {density}")
    paint.draw_losses(panel["losses"], dataset, at)
    for column, axis, cells, label, title in (
        ("width", "n_hidden", by_width, "neurons n", f"{int(by_width['n_active'][0])} inputs on"),
        (
            "active",
            "n_active",
            by_active,
            "inputs on, s",
            f"{int(by_active['n_hidden'][0])} neurons",
        ),
    ):
        paint.draw_errors(panel[f"by {column}"], cells, axis)
        paint.draw_over_least(panel[f"least {column}"], cells, axis)
        paint.draw_structure(panel[f"structure {column}"], cells, axis, dataset)
        for row in ("by", "least", "structure"):
            panel[f"{row} {column}"].set_xlabel(label)
        panel[f"by {column}"].set_title(title)
    legend_of(panel["by active"], paint.looks(), loc="upper left", bbox_to_anchor=(1.01, 1))
    shares = paint.looks_of_structure()
    legend_of(panel["structure active"], shares, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure
