"""Compressed computation by the power of its error: a neuron each, or all neurons for all.

F features, N = F/2 neurons, y = V ReLU(W x), target ReLU(x), loss E |error|^q. Ferreira da Silva &
Heimersheim (arXiv 2607.04800) trained at q = 2, where half of the features have a neuron each and
the others none, and at q = 2.5 and 4, where all are served evenly. Here are the powers between:
models that are trained at each from scratch, and models that go on training while q moves up or
down, which would part if one answer gave way to the other at a jump. Where features come one at a
time the two answers trade places at q = 2 (`toymodels.theory.power_loss`).
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.circuits.loss_exponent_panels import PUBLISHED_WORLD, draw_panels, named, seen
from figures.circuits.loss_exponent_paths import WAYS, follow
from figures.kit.analysis import Parts
from figures.kit.crossing import first_above
from figures.kit.settings import require_at_least
from figures.kit.words import counted, rounded
from sweeps.stats import mean_over_seeds
from toymodels.errors import InputError

UPPER, LOWER = 0.75, 0.25  # spreads between which the change is measured

# What the analysis' own variables are.
WORDS = {
    "spread": "spread of active features' errors, standard deviation over mean",
    "mse": "squared error of an active feature, mean over features",
    "path_spread": "spread, of models that go on training while the power moves",
    "path_mse": "squared error, of models that go on training while the power moves",
    "threshold": "power at which the spread falls below the level",
    "threshold_mean": "its mean over seeds",
    "threshold_low": "lower end of its 95 % interval",
    "threshold_high": "upper end of its 95 % interval",
    "threshold_n": "seeds that have one",
    "gap": "threshold of rising powers less that of falling ones",
    "gap_mean": "its mean over seeds",
    "gap_low": "lower end of its 95 % interval",
    "gap_high": "upper end of its 95 % interval",
    "gap_n": "seeds that have one",
    "rise": "power at spread 1/4 less that at spread 3/4",
    "rise_mean": "its mean over seeds",
    "rise_low": "lower end of its 95 % interval",
    "rise_high": "upper end of its 95 % interval",
    "rise_n": "seeds that have one",
}


def check(plan: Any) -> None:
    """Refuse what has no threshold to find.

    Raises:
        InputError: fewer than two powers, no steps, or a level that the spread does not cross.
    """
    require_at_least("path_steps", min(plan.settings["path_steps"]), 1)
    if not LOWER < plan.settings["level"] < UPPER:
        raise InputError(
            f"level = {plan.settings['level']} must lie between {LOWER} and {UPPER}, such as 0.5."
        )
    powers = next(d.size for d in plan.config.grid.dimensions if d.name == "exponent")
    if powers < 2:
        raise InputError("exponent has one value: give two or more, such as [2, 2.1, 4].")


def parts(dataset: xr.Dataset) -> Parts:
    """Let models of the smaller worlds go on training, up and down the powers, fast and slowly."""
    rate, most = float(dataset["path_learning_rate"]), int(dataset["path_features"])
    small = np.flatnonzero(_each(dataset, "n_features") <= most).tolist()
    return {
        f"world {k}, {steps} steps": partial(follow, dataset.isel(world=k), steps, rate)
        for k in small or range(dataset.sizes["world"])
        for steps in dataset["path_steps"].values.tolist()
    }


def analyse(dataset: xr.Dataset, paths: dict[str, xr.Dataset]) -> xr.Dataset:
    """Return spreads and errors, and where the spread falls.

    `spread`, `mse` (world, exponent, seed); `path_spread`, `path_mse` (world, path_steps, way,
    exponent, seed), NaN in worlds whose models do not go on; `threshold` and `rise` (world, seed)
    of models from scratch, `gap` (world, path_steps, seed); each of these three with `_mean`,
    `_low` and `_high` over seeds, and `_n`, the seeds that have one.
    """
    dataset = dataset.transpose("world", "exponent", "seed", ...).sortby("exponent")
    level, steps = float(dataset["level"]), dataset["path_steps"].values
    found = xr.Dataset(
        {"spread": dataset["error_spread"], "mse": dataset["active_error_mean"]},
        {name: ("world", _each(dataset, name)) for name in PUBLISHED_WORLD},
    ).assign_coords(path_steps=steps)
    nothing = xr.full_like(next(iter(paths.values())), np.nan)
    names = [[f"world {k}, {n} steps" for n in steps] for k in range(dataset.sizes["world"])]
    rows = [xr.concat([paths.get(n, nothing) for n in row], "path_steps") for row in names]
    walked = xr.concat(rows, "world").assign_coords(path_steps=steps)
    found = found.merge(walked.transpose("world", "path_steps", "way", ...), join="exact")
    found["threshold"] = _fall(found["spread"], level)
    found["rise"] = _fall(found["spread"], LOWER) - _fall(found["spread"], UPPER)
    up, down = (_fall(found["path_spread"].sel(way=way, drop=True), level) for way in WAYS)
    found["gap"] = up - down
    for name in ("threshold", "rise", "gap"):
        of = found[name].reset_coords(drop=True)
        mean = mean_over_seeds(xr.Dataset({"of": of, "diverged": of.isnull().astype(int)}), "of")
        for end in ("mean", "low", "high"):
            found[f"{name}_{end}"] = mean["average" if end == "mean" else end]
        found[f"{name}_n"] = mean["n"]
    return found.astype(np.float32)


def _each(dataset: xr.Dataset, name: str) -> np.ndarray:
    """Return a number of each world, also where all share one."""
    return np.broadcast_to(dataset[name].values, dataset.sizes["world"])


def _fall(spread: xr.DataArray, level: float) -> xr.DataArray:
    """Return the power at which a spread first falls below a level.

    NaN where it never does, where it lies below from the start on, and where a model is lost.
    """
    powers = spread["exponent"].values

    def of_model(values: np.ndarray) -> float:
        if not (np.isfinite(values).all() and values[0] >= level):
            return np.nan
        return first_above(powers, -values, -level)

    return xr.apply_ufunc(of_model, spread, input_core_dims=[["exponent"]], vectorize=True)


def claim(dataset: xr.Dataset) -> str:
    """Say where the answer changes, whether it jumps, and how that moves with density."""
    first, level = dataset.isel(world=0), float(dataset["level"])
    low, high = (_power(dataset["exponent"].values[k]) for k in (0, -1))
    if not np.isfinite(first["threshold_mean"]):
        return (
            f"With {named(first)} the spread of active features' errors is not seen to fall below "
            f"{level:g} between q = {low} and {high}"
        )
    rise = ""
    if np.isfinite(first["rise_mean"]):
        rise = f", its spread going from {UPPER:g} to {LOWER:g} over {_interval(first, 'rise', 2)}"
    return (
        f"With {named(first)} a neuron each gives way to all for all at q = "
        f"{_interval(first, 'threshold', 4)}{rise}{_ways(dataset)}{_by_density(dataset)}"
    )


def _ways(dataset: xr.Dataset) -> str:
    """Say whether it jumps: rising and falling powers would then pass apart."""
    world = dataset.isel(world=seen(dataset))
    slowest = world.isel(path_steps=-1)
    if not np.isfinite(slowest["gap_mean"]):
        return "; whether it jumps is not seen"
    steps, p = int(slowest["path_steps"]), float(world["p_active"])
    gap = f"{_interval(slowest, 'gap', 2)} at density {p:g}, with {steps:,} steps at each"
    if float(slowest["gap_low"]) > 0:
        return f"; rising powers pass later than falling ones, by {gap}"
    if float(slowest["gap_high"]) < 0:
        return f"; rising powers pass earlier than falling ones, by {gap}"
    if not np.isfinite(slowest["gap_low"]):
        return f"; rising powers and falling ones differ by {gap}, from one seed alone"
    return f"; it does not jump: rising powers and falling ones pass alike, but for {gap}"


def _by_density(dataset: xr.Dataset) -> str:
    """Say how the threshold goes with the density."""
    p = dataset["p_active"].values
    ratio = (dataset["threshold_mean"].values - 2) / p
    told = np.isfinite(ratio)
    if np.unique(p[told]).size < 2:
        return ""
    low, high = (rounded(value) for value in (ratio[told].min(), ratio[told].max()))
    return (
        f"; at densities {p[told].min():g} to {p[told].max():g} q lies {low} to {high} times the "
        "density above 2"
    )


def _interval(cell: xr.Dataset, name: str, digits: int) -> str:
    """Write a mean with its interval, where several seeds give one."""
    mean, low, high = (float(cell[f"{name}_{end}"]) for end in ("mean", "low", "high"))
    text = f"{mean:.{digits}g}"
    if np.isfinite(low):
        text += f" [{low:.{digits}g}, {high:.{digits}g}]"
    n, of = int(cell[f"{name}_n"]), cell.sizes["seed"]
    return text if n == of else f"{text} ({n} of {of} seeds)"


def _power(value: Any) -> str:
    return f"{float(value):.4g}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is ours, and how the source trained."""
    n = dataset.sizes["seed"]
    return [
        "spread: standard deviation over mean of E[(y_i - x_i)² | x_i > 0] over features",
        "published: 100,000 steps of 8,192 examples",
        "new here: the powers between, both ways, other densities",
        f"dots: {counted(n, 'seed')}; bars: 95 % intervals",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw spread and error by power, both ways, and the threshold by density."""
    return draw_panels(dataset, axes)
