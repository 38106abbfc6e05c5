"""Discrete angles and clean-ups: how often noise must be cleaned, and of what values.

A vector that may take m values only can be put on the nearest of them; a continuous one cannot. An
ideal clean-up between layers costs no neurons; circuits of six neurons clean two signs, m = 4, by
themselves in every layer, at the same width D and so with fewer copies of each neuron. Circuits
and clean-ups are ours; the question is of the discussion under Linsefors & Bushnaq 2025,
"Rotations in Superposition".
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.circuits.errors import spread_along
from figures.kit import verdict as judge
from figures.kit.panels import panels
from figures.kit.settings import require_above, require_at_least
from figures.kit.words import listed, rounded
from figures.questions.question_discrete_panels import draw_depth, draw_survived
from sweeps.stats import mean_over_seeds
from toymodels.circuits.discrete import SIGN_NEURONS
from toymodels.circuits.small_circuits import ROTATION_NEURONS

ERROR = "mse_x_active"
FIRST = 2  # layers before it are cleaner than those that follow: no slope is taken of them

# What the analysis' own variables are.
WORDS = {
    "error_mean": "mean of |x - true x|^2 over active circuits, mean over networks",
    "slope_mean": "growth of the error by layer, least squares, mean over networks",
    "last_mean": "error in the last layer, mean over networks",
    "survived_mean": "rotations before the error is large, mean over networks",
}

# Ways by (circuit, values, layers from one clean-up to the next, what is cleaned).
WAYS = ("small_circuit", "n_values", "clean_every", "cleaning")
CONTINUOUS = ("vector", 0, 0, "values")
INDICATORS = ("vector", 0, 1, "indicators")
CLEANED = ("vector", 4, 1, "values")
SIGNS = ("signs", 4, 0, "values")
HELD = {
    "four values cleaned in every layer": CLEANED,
    "in every second": ("vector", 4, 2, "values"),
    "eight values in every layer": ("vector", 8, 1, "values"),
    "such signs": SIGNS,
}


def check(plan: Any) -> None:
    """Refuse limits that no error keeps to.

    Raises:
        InputError: a growth below 0 that counts as none, or an error of 0 that counts as large.
    """
    require_at_least("flat", plan.settings["flat"], 0)
    require_above("large", plan.settings["large"], 0)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return the error by layer, its growth, and how many rotations it takes to be large.

    Over (way, n_circuits) means over networks with intervals: `error` (…, layer), `last`, `slope`
    and `survived`. Of a network that blew up the error is NaN, and `survived` counts until then.
    """
    dataset = spread_along(dataset, "way", WAYS)
    error = dataset[ERROR]
    kept = error.where(dataset["diverged"] == 0)
    large = ~(error <= float(dataset["large"]))  # NaN is large
    first = xr.where(large.any("layer"), large.argmax("layer"), error.sizes["layer"])
    cells = xr.Dataset(
        {
            "error": kept,
            "last": kept.isel(layer=-1),
            "slope": _slope(kept.isel(layer=slice(FIRST, None))),
        }
    )
    every = {"survived": (first - 1).astype(float)}
    found = {}
    for values, name in ((cells[n], n) for n in cells):
        found |= _summary(dataset, values, str(name))
    with_all = dataset.assign(diverged=dataset["diverged"] * 0)
    found |= _summary(with_all, every["survived"], "survived")
    names = (*WAYS, "n_layers", "n_active", "width", "large", "flat", "shown")
    keep = {name: dataset[name].reset_coords(drop=True) for name in names}
    return xr.Dataset(found).astype(np.float32).reset_coords(drop=True).assign_coords(keep)


def _summary(dataset: xr.Dataset, values: xr.DataArray, name: str) -> dict[str, xr.DataArray]:
    summary = mean_over_seeds(dataset, values)
    ends = {"mean": "average", "low": "low", "high": "high"}
    return {f"{name}_{end}": summary[of] for end, of in ends.items()}


def _slope(error: xr.DataArray) -> xr.DataArray:
    """Return the slope of a least-squares line over layers, NaN for fewer than two."""
    layer = error["layer"] - error["layer"].mean()
    spread = float((layer**2).sum())
    return (error * layer).sum("layer", skipna=False) / (spread or np.nan)


def way(dataset: xr.Dataset, which: tuple[str, int, int, str]) -> xr.Dataset | None:
    """Return one way's numbers, or None where it is not there."""
    same = [dataset[name].values == value for name, value in zip(WAYS, which, strict=True)]
    some = np.flatnonzero(np.all(same, axis=0))
    return dataset.isel(way=int(some[0])) if some.size else None


def verdict(dataset: xr.Dataset) -> str:
    """Judge "continuous errors add up, discrete ones that are cleaned do not", by growth.

    At every load at which continuous angles fail they must grow also with ideal indicators, and
    four values that are ideally cleaned in every layer must not, nor end as large.
    """
    flat, large, found = float(dataset["flat"]), float(dataset["large"]), []
    indicators, cleaned = way(dataset, INDICATORS), way(dataset, CLEANED)
    if indicators is None or cleaned is None:
        return judge.UNDECIDED
    for at in failing(dataset):
        grows, stays = indicators.isel(n_circuits=at), cleaned.isel(n_circuits=at)
        found += [
            judge.compared(float(grows["slope_low"]), float(grows["slope_high"]), flat),
            judge.compared(-float(stays["slope_high"]), -float(stays["slope_low"]), -flat),
            judge.compared(-float(stays["last_high"]), -float(stays["last_low"]), -large),
        ]
    return judge.all_of(found)


def failing(dataset: xr.Dataset) -> list[int]:
    """Return the positions of the numbers of circuits whose continuous error ends large."""
    continuous = way(dataset, CONTINUOUS)
    if continuous is None:
        return []
    low = continuous["last_low"].values
    return [int(i) for i in np.flatnonzero(low > float(dataset["large"]))]


def claim(dataset: xr.Dataset) -> str:
    """Compare errors at one load at which continuous angles fail, and say who holds up to where."""
    layer, fail = int(dataset["n_layers"]), failing(dataset)
    if not fail:
        return (
            f"At no number of circuits is the error of continuous angles beyond "
            f"{rounded(dataset['large'])} in layer {layer} by its interval: nothing to hold"
        )
    numbers = dataset["n_circuits"].values
    drawn = [i for i in fail if numbers[i] in shown(dataset)]
    at, width = (drawn or fail)[-1], int(dataset["width"])
    parts = [
        f"{_last(found.isel(n_circuits=at))} {name}"
        for name, which in (
            ("for any angle", CONTINUOUS),
            ("with indicators cleaned ideally", INDICATORS),
            ("with four values cleaned ideally in every layer", CLEANED),
            ("in circuits that clean their two signs themselves", SIGNS),
        )
        if (found := way(dataset, which)) is not None
    ]
    return (
        f"After {layer} rotations, {int(dataset['n_active'])} of {numbers[at]} circuits active "
        f"where {width // ROTATION_NEURONS} fit side by side, mean |x̂ - x|² is {listed(parts)}"
        f"{_limits(dataset)}"
    )


def _last(cell: xr.Dataset) -> str:
    mean, low, high = (float(cell[f"last_{end}"]) for end in ("mean", "low", "high"))
    if not np.isfinite(mean):
        return "unknown"
    return rounded(mean) + (f" ({rounded(low)} to {rounded(high)})" if np.isfinite(low) else "")


def _limits(dataset: xr.Dataset) -> str:
    """Say up to how many circuits, with all smaller numbers, what is cleaned stays flat."""
    said = []
    for name, which in HELD.items():
        found = way(dataset, which)
        if found is not None:
            found = found.sortby("n_circuits")
            is_flat = found["slope_high"].values < float(dataset["flat"])
            flat = found["n_circuits"].values[np.logical_and.accumulate(is_flat)]
            said.append(f"{name} {f'up to T = {flat[-1]}' if flat.size else 'at no T'}")
    most = rounded(dataset["flat"])
    fit = f" (of which {int(dataset['width']) // SIGN_NEURONS} fit side by side)"
    with_signs = fit if way(dataset, SIGNS) is not None else ""
    return f"; it grows by less than {most} a layer with {listed(said)}{with_signs}" if said else ""


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is ours."""
    return [
        "bars: 95 % intervals over networks",
        "a layer is measured before it is cleaned",
        "ideal clean-ups stand outside of the network: the next layer is written from clean values",
        "circuits of six neurons have fewer copies of each at the same D",
        "circuits and clean-ups are ours",
    ]


def shown(dataset: xr.Dataset) -> list[int]:
    """Return the numbers of circuits that have a panel: those asked for, or the ends."""
    there = dataset["n_circuits"].values.tolist()
    asked = np.atleast_1d(dataset["shown"].values).tolist()
    return [n for n in asked if n in there] or there[:1]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw errors by layer, and rotations survived by every way."""
    numbers = shown(dataset)
    names = [*(f"T = {n}" for n in numbers), "survived"]
    widths = [1.0] * len(numbers) + [1.25]
    figure, panel = panels(
        axes, [names], figsize=(3.9 * len(numbers) + 7.4, 5.2), width_ratios=widths
    )
    for n in numbers:
        draw_depth(panel[f"T = {n}"], dataset.sel(n_circuits=n))
    draw_survived(panel["survived"], dataset)
    return figure
