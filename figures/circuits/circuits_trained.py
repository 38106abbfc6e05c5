"""Networks of rotation circuits that are trained: what training finds, from where it starts.

The construction of Linsefors & Bushnaq 2025 ("Rotations in Superposition") beside networks trained
on its task: from the construction with its read-out, from random weights between its embedding and
its read-out, and from random weights with a read-out of their own. Errors by circuits, layers and
circuits active at once; how many circuits fit by width; and whether trained networks keep the
construction's copies, its dead zone and its inhibition. All of it is our own.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.circuits.circuits_trained_panels import draw_panels, name_of_start
from figures.kit.words import rounded
from sweeps.stats import median_over_seeds

# An error below this, for |x| = 1, counts a number of circuits as held.
HELD = 0.1
# At most so many inactive circuits that read as on, for each active one.
TAKEN_FOR_ON = 0.1

LAST = {"layer": -1}

WORDS = {
    "error": "mean |x - true x|^2 of active circuits in the last layer, tested as trained",
    "error_inactive": "mean |x|^2 of inactive circuits in the last layer, tested as trained",
    "false_on": "inactive circuits that read as on, for each active one, tested as trained",
    "error_by_layer": "mean |x - true x|^2 of active circuits, tested as trained",
    "error_elsewhere": "the error in the last layer by circuits active in training and in the test",
    "capacity": "circuits up to which the error of active ones is below 0.1",
    "capacity_told_apart": "circuits up to which few inactive ones read as on besides",
    "inhibition_kept": "weights between unlinked neurons along the construction's, 1 where kept",
}


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Return errors by start, T and z, capacities by width, and measures of structure."""
    tested = _first(dataset, "n_active_tested").tolist()
    z = [tested.index(int(n)) for n in dataset["n_active"].values]
    same = xr.DataArray(z, dims="n_active", coords={"n_active": dataset["n_active"]})

    def as_trained(name: str) -> xr.DataArray:
        return dataset[f"{name}_tested"].isel(tested_active=same)

    found = xr.Dataset(attrs=dataset.attrs)
    found["diverged"] = dataset["diverged"]
    found = found.assign_coords(layer=1 + np.arange(dataset.sizes["layer"]))
    found["error_by_layer"] = as_trained("mse_x_active")
    found["error"] = found["error_by_layer"].isel(LAST)
    found["error_inactive"] = as_trained("mse_x_inactive").isel(LAST)
    inactive = (dataset["n_circuits"] - dataset["n_active"]) / dataset["n_active"]
    found["false_on"] = as_trained("spurious").isel(LAST) * inactive
    found["error_elsewhere"] = dataset["mse_x_active_tested"].isel(LAST)
    for name in ("response", "own_share", "neurons_of_circuit"):
        found[name] = dataset[name]
    found["strength"] = "strength", _first(dataset, "strength_tested")
    found["tested_z"] = "tested_active", tested
    found["inhibition_kept"] = _inhibition_kept(dataset)
    found["null_share"] = dataset["redundancy"] * 4 / dataset["width"]
    found = found.assign_coords({k: dataset[k] for k in ("init", "readout", "steps")})
    found = found.merge(capacities(parts["circuits-capacity"]), compat="override")
    return found.map(
        lambda a: a.astype(np.float32) if a.dtype == np.float64 else a, keep_attrs=True
    )


def _first(dataset: xr.Dataset, name: str) -> np.ndarray:
    """Return what a measure was tested at, which is the same in all cells: of the first."""
    return dataset[name].isel(dict.fromkeys(dataset[name].dims[:-1], 0)).values


def _inhibition_kept(dataset: xr.Dataset) -> xr.DataArray:
    """Return how much of the construction's weights between unlinked neurons is left.

    The slope of trained weights on the construction's, over pairs of neurons that no circuit links
    and that the construction inhibits: 1 for itself, 0 for weights that know nothing of it.
    """
    built = dataset["W"].isel(start=_built(dataset))
    negative = (built < 0) & (built > built.min(("neuron", "from_neuron")) * 0.999)
    pairs = (dataset["W"] * built).where(negative).sum(("neuron", "from_neuron", "link_layer"))
    return pairs / (built**2).where(negative).sum(("neuron", "from_neuron", "link_layer"))


def _built(dataset: xr.Dataset) -> int:
    """Return which start is the construction itself."""
    return int(np.argmin(dataset["steps"].values))


def capacities(cells: xr.Dataset) -> xr.Dataset:
    """Return the largest T that is held, by way, width and seed, and the exponent of its growth."""
    error = cells["mse_x_active_tested"].isel(layer=-1, tested_active=0)
    inactive = (cells["n_circuits"] - cells["n_active"]) / cells["n_active"]
    false_on = cells["spurious_tested"].isel(layer=-1, tested_active=0) * inactive
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
    ends = np.log(np.maximum(ratio[i - 1 : i + 1], 1e-12))
    return float(np.exp(np.interp(0.0, ends, np.log(T[i - 1 : i + 1]))))


def growth(dataset: xr.Dataset, way: int, name: str = "capacity") -> tuple[float, float, float]:
    """Return the exponent a of T ∝ D^a: median over seeds, least and most; NaN without any."""
    capacity = dataset[name].isel(way=way).values  # [D, seeds]
    slopes = []
    for of_seed in capacity.T:
        ok = of_seed > 0
        if ok.sum() > 1:
            logs = np.log(dataset["by_width"].values[ok]), np.log(of_seed[ok])
            slopes.append(np.polyfit(*logs, 1)[0])
    if not slopes:
        return np.nan, np.nan, np.nan
    return float(np.median(slopes)), float(np.min(slopes)), float(np.max(slopes))


def claim(dataset: xr.Dataset) -> str:
    """Compare the construction and trained networks: error, capacity by width, structure."""
    T, z = int(dataset["n_circuits"][-1]), int(dataset["n_active"][0])
    at = dataset.sel(n_circuits=T, n_active=z)
    middle = median_over_seeds(at, "error")
    said = []
    for i in range(dataset.sizes["start"]):
        words = name_of_start(*(dataset[k].values[i] for k in ("init", "readout", "steps")))
        low, mid, high = (float(middle[n].isel(start=i)) for n in ("low", "median", "high"))
        said.append(f"{rounded(mid)} ({rounded(low)}–{rounded(high)}) {words}")
    widths = dataset["by_width"].values
    held = []
    for i in range(dataset.sizes["way"]):
        T_of = np.median(dataset["capacity"].isel(way=i).values, axis=1)
        a, low, high = growth(dataset, i)
        steps = 1 + int(dataset["way_trained"].values[i])
        start = name_of_start(str(dataset["way_init"].values[i]), "trained", steps)
        ends = f"{T_of[0]:.0f} to {T_of[-1]:.0f} {start}"
        grows = f" (T ∝ D^{a:.1f}, {low:.1f} to {high:.1f})" if np.isfinite(a) else ""
        held.append(ends + grows)
    kept = _structure(dataset)
    layer = int(dataset["layer"][-1])
    return (
        f"With T = {T} and {z} active the error in layer {layer} is {', '.join(said)}; from "
        f"D = {widths[0]} to {widths[-1]} networks hold {'; '.join(held)}; {kept}"
    )


def _structure(dataset: xr.Dataset) -> str:
    """Say what a lone circuit's indicator does at the edge of the dead zone, and where it is."""
    T, z = int(dataset["n_circuits"][0]), int(dataset["n_active"][0])
    at = dataset.sel(n_circuits=T, n_active=z)
    quarter = at["response"].isel(strength=int(np.abs(at["strength"].values - 0.25).argmin()))
    parts = []
    for i in range(dataset.sizes["start"]):
        words = name_of_start(*(dataset[k].values[i] for k in ("init", "readout", "steps")))
        numbers = (quarter, at["own_share"].isel(layer=-1), at["inhibition_kept"])
        answer, own, kept = (float(v.isel(start=i).mean("seed")) for v in numbers)
        parts.append(f"{rounded(answer)}, {own:.0%} and {kept:.0%} {words}")
    null = float(dataset["null_share"])
    return (
        f"a lone circuit at strength {float(quarter['strength']):.2g} answers, is on its own "
        f"copies (chance {null:.0%}) and keeps of the inhibition: {'; '.join(parts)} (T = {T})"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what counts as held, and how the parts were measured."""
    return [
        f"capacity: the largest T with an error of active circuits below {HELD:g}, between tested "
        f"T on straight lines in logarithms; told apart: with at most {TAKEN_FOR_ON:g} inactive "
        "circuits above ½ for each active one besides",
        "inner layers are read as the construction is",
        f"capacities at z = {int(dataset['n_active_of_capacity'])}",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw errors by T for each z, by layer, and in tests; capacities by width; structure."""
    return draw_panels(dataset, axes)
