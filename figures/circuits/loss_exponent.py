"""Compressed computation by the power of its error: a neuron each, or all neurons for all.

F features, N = F/2 neurons, y = V ReLU(W x), target ReLU(x), loss E |error|^q. Ferreira da Silva &
Heimersheim (arXiv 2607.04800) trained at q = 2, where half of the features have a neuron each and
the others none, and at q = 2.5 and 4, where all are served evenly. Here are the powers between:
models that are trained at each from scratch, and models that go on training while q rises or
falls, which would part if one answer gave way to the other at a jump. Beside them stand full-size
runs (`loss_exponent_full`). Where features come one at a time the answers trade places at q = 2
(`toymodels.theory.power_loss`).
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.circuits.loss_exponent_full import full_size
from figures.circuits.loss_exponent_panels import draw_panels
from figures.circuits.loss_exponent_paths import WAYS, follow
from figures.kit.analysis import Parts
from figures.kit.crossing import first_above
from figures.kit.settings import require_at_least
from figures.kit.words import counted, listed, rounded
from sweeps.stats import mean_over_seeds
from toymodels.errors import InputError

UPPER, LOWER = 0.75, 0.25  # spreads between which the change is measured
ENDS = {"mean": "its mean over seeds", "low": "lower end of its 95 % interval"}
ENDS |= {"high": "upper end of its 95 % interval", "n": "seeds that have one"}

# What the analysis' own variables are.
MEASURED = {
    "threshold": "power at which the spread falls below the level",
    "rise": "power at spread 1/4 less that at spread 3/4",
    "gap": "threshold of rising powers less that of falling ones",
    "full_threshold": "the threshold of full-size models from scratch",
    "full_rise": "the same less that at spread 3/4, of spread 1/4",
    "full_gap": "threshold of rising powers less that of falling ones, full-size models",
}
WORDS = {
    "spread": "spread of active features' errors, standard deviation over mean",
    "mse": "squared error of an active feature, mean over features",
    "path_spread": "spread, of models that go on training while the power moves",
    "path_mse": "squared error, of models that go on training while the power moves",
    "full_spread": "spread, of full-size models",
    "full_mse": "squared error, of full-size models",
} | MEASURED
WORDS |= {f"{name}_{end}": words for name in MEASURED for end, words in ENDS.items()}


def check(plan: Any) -> None:
    """Refuse what has no threshold to find.

    Raises:
        InputError: a single power, no steps, or a level that the change does not pass.
    """
    require_at_least("path_steps", min(plan.settings["path_steps"]), 1)
    if not LOWER < plan.settings["level"] < UPPER:
        raise InputError(
            f"level = {plan.settings['level']} must lie between {LOWER} and {UPPER}, such as 0.5."
        )
    if next(d.size for d in plan.config.grid.dimensions if d.name == "exponent") < 2:
        raise InputError("exponent has one value: give two or more, such as [2, 2.1, 4].")


def parts(dataset: xr.Dataset) -> Parts:
    """Let the models of each density go on training, up and down the powers, fast and slowly."""
    rate = float(dataset["path_learning_rate"])
    return {
        f"density {p}, {steps} steps": partial(follow, dataset.sel(p_active=p), steps, rate)
        for p in dataset["p_active"].values
        for steps in dataset["path_steps"].values.tolist()
    }


def analyse(dataset: xr.Dataset, paths: dict[str, xr.Dataset]) -> xr.Dataset:
    """Return spreads and errors, and where the spread falls.

    `spread`, `mse` (p_active, exponent, seed); `path_spread`, `path_mse` (p_active, path_steps,
    way, exponent, seed); `threshold` and `rise` (p_active, seed) of models from scratch, `gap`
    (p_active, path_steps, seed); the same of full-size models, `full_…`; of each the `_mean`,
    `_low` and `_high` over seeds, and `_n`, the seeds that have one.
    """
    dataset = dataset.transpose("p_active", "exponent", "seed", ...).sortby("exponent")
    level, n = float(dataset["level"]), dataset.sizes["path_steps"]
    found = dataset[["error_spread", "active_error_mean"]].reset_coords(drop=True)
    found = found.rename(error_spread="spread", active_error_mean="mse")
    each = list(paths.values())
    rows = [xr.concat(each[i : i + n], dataset["path_steps"]) for i in range(0, len(each), n)]
    found = found.merge(xr.concat(rows, dataset["p_active"]).reset_coords(drop=True), join="exact")
    found = found.merge(full_size())
    _add_falls(found, found["spread"], found["path_spread"], level)
    full = found["full_spread"].rename(full_exponent="exponent", full_seed="seed")
    ways = full.rename(full_way="way")
    _add_falls(found, ways.sel(way="scratch", drop=True), ways, level, "full_")
    return found.astype(dict.fromkeys(found.data_vars, np.float32))


def _add_falls(
    found: xr.Dataset, spread: xr.DataArray, walked: xr.DataArray, level: float, prefix: str = ""
) -> None:
    """Add where spreads fall: from scratch, how gradually, and how far apart on both ways."""
    up, down = (_fall(walked.sel(way=way, drop=True), level) for way in WAYS)
    falls = {
        "threshold": _fall(spread, level),
        "rise": _fall(spread, LOWER) - _fall(spread, UPPER),
        "gap": up - down,
    }
    for name, values in falls.items():
        of = values.reset_coords(drop=True)
        mean = mean_over_seeds(xr.Dataset({"of": of, "diverged": of.isnull().astype(int)}), "of")
        found[f"{prefix}{name}"] = of.rename(seed="full_seed") if prefix else of
        for end in ENDS:
            found[f"{prefix}{name}_{end}"] = mean["average" if end == "mean" else end]


def _fall(spread: xr.DataArray, level: float) -> xr.DataArray:
    """Return the power at which a spread first falls below a level.

    NaN where it never does, where it lies below from the start on, and where a model is lost;
    powers that no model of a way has are passed over.
    """
    others = [dim for dim in spread.dims if dim != "exponent"]
    spread = spread.isel(exponent=np.flatnonzero(spread.notnull().any(others)))
    powers = spread["exponent"].values

    def of_model(values: np.ndarray) -> float:
        if not values.size or not (np.isfinite(values).all() and values[0] >= level):
            return np.nan
        return first_above(powers, -values, -level)

    return xr.apply_ufunc(of_model, spread, input_core_dims=[["exponent"]], vectorize=True)


def claim(dataset: xr.Dataset) -> str:
    """Say where the answer changes, whether it jumps, and how that moves with density."""
    n, m = int(dataset["full_n_features"]), int(dataset["full_n_hidden"])
    return (
        f"From a neuron each for {m} of {n} features to {m} neurons shared by all: at density "
        f"{float(dataset['full_p_active']):g} the change is at q = "
        f"{_interval(dataset, 'full_threshold', 4)}, {_kind(dataset, 'full_')}, as the spread "
        f"falls from {UPPER:g} to {LOWER:g} over {_interval(dataset, 'full_rise', 3)} and rising "
        f"and falling powers part by {_interval(dataset, 'full_gap', 4)}; with "
        f"{int(dataset['n_features'])} features {_by_density(dataset)}{_ways(dataset)}"
    )


def _kind(cell: xr.Dataset, prefix: str = "") -> str:
    """Say whether the change jumps: two ways would then part by more than the change is wide.

    Runs that never came back have no gap: those that are left cannot decide.
    """
    stuck = _stuck(cell, prefix)
    if stuck.any():
        n, of = int(stuck.sum()), stuck.size
        return f"undecided whether at a jump (some runs never came back: {n} of {of})"
    gap, rise = (
        [float(cell[f"{prefix}{name}_{end}"]) for end in ("low", "high")]
        for name in ("gap", "rise")
    )
    if gap[1] < rise[0]:
        return "gradually"
    return "at a jump" if gap[0] > max(rise[1], 0) else "undecided whether at a jump"


def _stuck(dataset: xr.Dataset, prefix: str = "") -> xr.DataArray:
    """Tell which runs have no gap though their ways part: one of them never changes, or neither."""
    spread = dataset["full_spread" if prefix else "path_spread"]
    renamed = {"full_exponent": "exponent", "full_way": "way", "full_seed": "seed"}
    spread = spread.rename({old: new for old, new in renamed.items() if prefix})
    up, down = (spread.sel(way=way, drop=True) for way in WAYS)
    level = float(dataset["level"])
    part = (up.notnull() & down.notnull() & ((up >= level) != (down >= level))).any("exponent")
    gap = dataset[f"{prefix}gap"].rename({"full_seed": "seed"} if prefix else {})
    return gap.isnull() & part


def _by_density(dataset: xr.Dataset) -> str:
    """Say how the threshold goes with the density."""
    p = dataset["p_active"].values
    ratio = (dataset["threshold_mean"].values - 2) / p
    told = np.isfinite(ratio)
    if not told.any():
        low, high = dataset["exponent"].values[[0, -1]]
        return (
            f"the spread is not seen to fall below {float(dataset['level']):g} between q = {low:g} "
            f"and {high:g}"
        )
    least, most = (rounded(value) for value in (ratio[told].min(), ratio[told].max()))
    times = least if least == most else f"({least} to {most})"
    at = "density" if told.sum() == 1 else "densities"
    ends = f"{p[told].min():g}" + (f" to {p[told].max():g}" if told.sum() > 1 else "")
    return f"it is at q = 2 + {times} p at {at} {ends}"


def _ways(dataset: xr.Dataset) -> str:
    """Say whether it jumps there, and where rising and falling powers part most."""
    slowest = dataset.isel(path_steps=int(dataset["path_steps"].argmax("path_steps")))
    seen = np.isfinite(slowest["gap_mean"]) | _stuck(slowest).any("seed")
    told = slowest.isel(p_active=np.flatnonzero(seen))
    if not told.sizes["p_active"]:
        return ", and whether it jumps there is not seen"
    kinds = [_kind(told.isel(p_active=k)) for k in range(told.sizes["p_active"])]
    said = f"{kinds[0]} at each" if len(set(kinds)) == 1 else _listed_kinds(told, kinds)
    gaps = told["gap_mean"].dropna("p_active")
    if not gaps.size:
        return f", {said}"
    told, gaps = told.sel(p_active=gaps["p_active"]), gaps.values
    ends = (told.isel(p_active=int(k)) for k in dict.fromkeys((gaps.argmin(), gaps.argmax())))
    parts = [f"{_interval(c, 'gap', 3)} (density {float(c['p_active']):g})" for c in ends]
    return (
        f", {said}, and the power of rising less that of falling is {' to '.join(parts)}, with "
        f"{int(slowest['path_steps']):,} steps at each"
    )


def _listed_kinds(told: xr.Dataset, kinds: list[str]) -> str:
    p = told["p_active"].values
    found = {kind: [f"{v:g}" for v, k in zip(p, kinds, strict=True) if k == kind] for kind in kinds}
    return ", ".join(f"{kind} at {listed(values)}" for kind, values in found.items())


def _interval(cell: xr.Dataset, name: str, digits: int) -> str:
    """Write a mean with its interval, if several seeds give one, and how many do if not all."""
    mean, low, high = (float(cell[f"{name}_{end}"]) for end in ("mean", "low", "high"))
    text = f"{mean:.{digits}f}"
    if np.isfinite(low):
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    n, of = int(cell[f"{name}_n"]), cell[name].sizes["full_seed" if "full" in name else "seed"]
    return text if n == of else f"{text} ({n} of {of} seeds)"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is ours, and where the full-size runs are from."""
    names = ("full_steps", "full_batch_size", "full_path_steps")
    steps = {name: f"{int(dataset[name]):,}" for name in names}
    return [
        "spread: standard deviation over mean of E[(y_i − x_i)² | x_i > 0] over features",
        f"full size: kept runs of {dataset['full_date'].item()}, {steps['full_steps']} steps of "
        f"{steps['full_batch_size']} examples as in the source, then {steps['full_path_steps']} or "
        "more at each power that rises or falls",
        "new here: the powers between, both ways, other densities",
        "differences below 0 are not on the logarithmic axis",
        f"dots: {counted(dataset.sizes['seed'], 'seed')}; bars: 95 % intervals",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw spread and error by power, both ways, and the threshold by density."""
    return draw_panels(dataset, axes)
