"""Networks of rotation circuits that are trained: what training finds, from where it starts.

The construction of Linsefors & Bushnaq 2025 ("Rotations in Superposition") beside networks trained
on its task: from the construction with its read-out, from random weights between its embedding and
its read-out, and from random weights with a read-out of their own. Errors by circuits, layers and
circuits active at once; how many circuits fit by width; and whether trained networks keep the
construction's copies, its dead zone and its inhibition. All of it is our own.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.circuits.circuits_trained_panels import draw_panels, name_of_start, starts
from figures.circuits.tested import (
    as_trained,
    false_ones,
    numbers_tested,
    require_tested,
    student,
)
from figures.kit.words import rounded
from sweeps.stats import median_over_seeds

# An error below this, for |x| = 1, counts a number of circuits as held.
HELD = 0.1
# At most so many inactive circuits that read as on, for each active one.
TAKEN_FOR_ON = 0.1

# What counts as no error where capacities are interpolated, in units of the bound.
SMALLEST = 1e-2

LAST = {"layer": -1}

WORDS = {
    "error": "mean |x - true x|^2 of active circuits in the last layer, tested as trained",
    "error_inactive": "mean |x|^2 of inactive circuits in the last layer, tested as trained",
    "false_on": "inactive circuits that read as on, for each active one, tested as trained",
    "error_by_layer": "mean |x - true x|^2 of active circuits, tested as trained",
    "error_elsewhere": "the error in the last layer by circuits active in training and in the test",
    "capacity": "circuits up to which the error of active ones is below 0.1",
    "capacity_told_apart": "circuits up to which few inactive ones read as on besides",
    "tested_z": "circuits active in the test",
    "null_share": "share of neurons that are a circuit's own copies",
    "most_tested": "largest number of circuits tested",
    "n_active_of_capacity": "circuits active where capacities are measured",
    "inhibition_kept": "weights between unlinked neurons along the construction's, 1 where kept",
}


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Return errors by start, T and z, capacities by width, and measures of structure."""
    found = xr.Dataset(attrs=dataset.attrs)
    found["diverged"] = dataset["diverged"]
    found = found.assign_coords(layer=1 + np.arange(dataset.sizes["layer"]))
    found["error_by_layer"] = as_trained(dataset, "mse_x_active_tested")
    found["error"] = found["error_by_layer"].isel(LAST)
    found["error_inactive"] = as_trained(dataset, "mse_x_inactive_tested").isel(LAST)
    spurious = as_trained(dataset, "spurious_tested").isel(LAST)
    found["false_on"] = false_ones(dataset, spurious)
    found["error_elsewhere"] = dataset["mse_x_active_tested"].isel(LAST)
    for name in ("response", "own_share", "neurons_of_circuit"):
        found[name] = dataset[name]
    strengths = dataset["strength_tested"]
    strengths = strengths.isel(dict.fromkeys(strengths.dims[:-1], 0)).values
    found["strength"] = "strength", strengths
    found["tested_z"] = "tested_active", numbers_tested(dataset)
    found["inhibition_kept"] = _inhibition_kept(dataset)
    found["null_share"] = dataset["redundancy"] * 4 / dataset["width"]
    found = found.assign_coords({k: dataset[k] for k in ("init", "readout", "steps")})
    found = found.merge(capacities(parts["circuits-capacity"]), compat="override")
    return found.map(
        lambda a: a.astype(np.float32) if a.dtype == np.float64 else a, keep_attrs=True
    )


def _inhibition_kept(dataset: xr.Dataset) -> xr.DataArray:
    """Return how much of the construction's inhibition is left.

    The slope of trained weights on the construction's, over pairs of neurons that no circuit links
    and that the construction inhibits: 1 for itself, 0 where inhibition is gone.
    """
    built = dataset.isel(start=_built(dataset))
    cells = ("n_circuits", "n_active", "seed")
    weights = dataset["W"].transpose(*cells, "start", "link_layer", "neuron", "from_neuron").values
    own = built["W"].transpose(*cells, "link_layer", "neuron", "from_neuron").values
    copies = built["copies"].transpose(*cells, "bias_layer", "circuit", "copy").values
    kept = np.full(weights.shape[:4], np.nan)
    for at in np.ndindex(*weights.shape[:3]):
        n_circuits = int(dataset["n_circuits"].values[at[0]])
        held = copies[at][:, :n_circuits].astype(int)
        inhibited = (own[at] < 0) & ~linked(held, own.shape[-1])
        there = own[at][inhibited]
        for k in range(weights.shape[3]):
            kept[(*at, k)] = np.sum(weights[at][k][inhibited] * there) / np.sum(there**2)
    return xr.DataArray(kept, dims=(*cells, "start"))


def linked(copies: np.ndarray, width: int, d: int = 4) -> np.ndarray:
    """Return which neurons some circuit links, bool `[L-1, D, D]`, of copies `[L, T, S]`."""
    found = np.zeros((len(copies) - 1, width // d, width // d), bool)
    for layer, (source, target) in enumerate(pairwise(copies)):
        found[layer][target[:, :, None], source[:, None, :]] = True
    return np.tile(found, (1, d, d))


def _built(dataset: xr.Dataset) -> int:
    """Return which start is the construction itself."""
    return int(np.argmin(dataset["steps"].values))


def capacities(cells: xr.Dataset) -> xr.Dataset:
    """Return the largest T that is held, by way, width and seed, and the exponent of its growth."""
    error = cells["mse_x_active_tested"].isel(layer=-1, tested_active=0)
    false_on = false_ones(cells, cells["spurious_tested"].isel(layer=-1, tested_active=0))
    trained = cells["steps"].values > 1
    ways = [f"{init}, {t}" for init, t in zip(cells["init"].values, trained, strict=True)]
    names = list(dict.fromkeys(ways))
    widths = np.unique(cells["width"])
    shape = (len(names), len(widths), cells.sizes["seed"])
    found = {name: np.full(shape, np.nan) for name in ("capacity", "capacity_told_apart")}
    most = np.zeros(shape[:2])
    for i, way in enumerate(names):
        for j, width in enumerate(widths):
            mine = np.flatnonzero((np.array(ways) == way) & (cells["width"].values == width))
            mine = mine[np.argsort(cells["n_circuits"].values[mine])]
            T = cells["n_circuits"].values[mine].astype(float)
            most[i, j] = T.max()
            for s in range(shape[2]):
                of_x = error.isel(network=mine, seed=s).values / HELD
                apart = np.maximum(of_x, false_on.isel(network=mine, seed=s).values / TAKEN_FOR_ON)
                found["capacity"][i, j, s] = largest_held(T, of_x)
                found["capacity_told_apart"][i, j, s] = largest_held(T, apart)
    dims = ("way", "by_width", "seed_of_capacity")
    result = xr.Dataset({name: (dims, values) for name, values in found.items()})
    result["n_active_of_capacity"] = cells["n_active"].reset_coords(drop=True)
    result["most_tested"] = ("way", "by_width"), most
    built = [bool(cells["steps"].values[ways.index(way)] > 1) for way in names]
    inits = [way.split(",")[0] for way in names]
    coords = {"by_width": widths, "way_init": ("way", inits), "way_trained": ("way", built)}
    return result.assign_coords(coords)


def largest_held(T: np.ndarray, ratio: np.ndarray) -> float:
    """Return the T at which an error passes its bound, `ratio` 1, on straight lines in logarithms.

    The largest T where it never does; 0 where it is above from the smallest T on.
    """
    above = np.flatnonzero(~(ratio <= 1))
    if not above.size:
        return float(T[-1])
    i = int(above[0])
    if i == 0 or not np.isfinite(ratio[i]):
        return float(T[i - 1]) if i else 0.0
    ends = np.log(np.maximum(ratio[i - 1 : i + 1], SMALLEST))
    return float(np.exp(np.interp(0.0, ends, np.log(T[i - 1 : i + 1]))))


def growth(dataset: xr.Dataset, way: int) -> tuple[float, float, float]:
    """Return the exponent a of T ∝ D^a, its mean over seeds and 95 % interval; NaN without any."""
    capacity = dataset["capacity"].isel(way=way).values  # [D, seeds]
    slopes = np.full(capacity.shape[1], np.nan)
    for seed, of_seed in enumerate(capacity.T):
        ok = of_seed > 0
        if ok.sum() > 1:
            logs = np.log(dataset["by_width"].values[ok]), np.log(of_seed[ok])
            slopes[seed] = np.polyfit(*logs, 1)[0]
    return student(slopes)


def claim(dataset: xr.Dataset) -> str:
    """Compare errors of the construction and of trained networks, and how many they hold."""
    T, z = int(dataset["n_circuits"][-1]), int(dataset["n_active"][0])
    middle = median_over_seeds(dataset.sel(n_circuits=T, n_active=z), "error")
    errors = [f"{name} {_spread(middle.isel(start=i))}" for i, name in enumerate(starts(dataset))]
    widths, held = dataset["by_width"].values, []
    for i, name in enumerate(ways(dataset)):
        of_way = dataset["capacity"].isel(way=i)
        whole = np.floor(of_way.values)  # [D, seeds]
        few, many = (_within(student(whole[k]), 0) for k in (0, -1))
        held.append(f"{name} {few} to {many}")
    layer, active = int(dataset["layer"][-1]), int(dataset["n_active_of_capacity"])
    return (
        f"Error of x in layer {layer}, T = {T}, {z} active: {'; '.join(errors)}. Circuits held, "
        f"D = {widths[0]} to {widths[-1]}, {active} active: {'; '.join(held)}"
    )


def finding(dataset: xr.Dataset) -> str:
    """Say how capacities grow, what is told apart, and what is left of the construction."""
    grown = []
    for i, name in enumerate(ways(dataset)):
        apart = np.floor(dataset["capacity_told_apart"].isel(way=i, by_width=-1).values)
        exponent = growth(dataset, i)
        grows = f"T ∝ D^{_within(exponent, 2)}" if np.isfinite(exponent[0]) else "no growth"
        grown.append(f"{name} {grows}, told apart {_within(student(apart), 0)}")
    return (
        f"Capacity by width, and circuits told apart at the largest: {'; '.join(grown)}. "
        f"{_structure(dataset)}"
    )


def _spread(of: xr.Dataset) -> str:
    low, middle, high = (rounded(of[name]) for name in ("low", "median", "high"))
    return f"{middle} ({low}–{high})"


def _within(interval: tuple[float, float, float], digits: int) -> str:
    """Write a mean with its interval, where there is one."""
    mean, low, high = (f"{number:.{digits}f}" for number in interval)
    return f"{mean} ({low}–{high})" if np.isfinite(interval[1]) and low != high else mean


def ways(dataset: xr.Dataset) -> list[str]:
    """Return what the ways are called by which capacities were reached."""
    pairs = zip(dataset["way_init"].values, dataset["way_trained"].values, strict=True)
    return [name_of_start(str(init), "trained", 1 + int(trained)) for init, trained in pairs]


def _structure(dataset: xr.Dataset) -> str:
    """Say what a lone circuit's indicator answers in the dead zone, and on which neurons it is."""
    at = dataset.isel(n_circuits=0, n_active=0)
    weak = int(np.abs(at["strength"].values - 0.25).argmin())
    parts = []
    for i, name in enumerate(starts(dataset)):
        mine = at.isel(start=i).mean("seed")
        answer = rounded(mine["response"].isel(strength=weak))
        own, kept = (float(v) for v in (mine["own_share"].isel(layer=-1), mine["inhibition_kept"]))
        parts.append(f"{name}: it answers {answer}, {own:.0%} on its own copies, {kept:.0%} kept")
    T, null = int(at["n_circuits"]), float(dataset["null_share"])
    return (
        f"A lone circuit at strength {float(at['strength'][weak]):.2g}, where the step answers 0 "
        f"(T = {T}); the share of its activation on its own copies (chance {null:.0%}); and the "
        f"construction's inhibition that is kept. {'. '.join(parts)}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what counts as held, and how the parts were measured."""
    return [
        f"capacity: the largest T with an error of active circuits below {HELD:g}, between tested "
        f"T on straight lines in logarithms; told apart: with at most {TAKEN_FOR_ON:g} inactive "
        "circuits above ½ for each active one besides",
        "bars: 95 % intervals, of capacities Student's over seeds",
        "inner layers are read as the construction is",
        f"capacities at z = {int(dataset['n_active_of_capacity'])}",
    ]


def check(plan: Any) -> None:
    """Refuse numbers of active circuits that are not tested."""
    require_tested(plan)


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw errors by T for each z, by layer, and in tests; capacities by width; structure."""
    return draw_panels(dataset, axes)
