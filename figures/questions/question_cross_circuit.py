"""Whether only the number of connections counts where circuits start, stop and feed each other.

In the post each circuit leads to itself alone. Under it the next step is discussed: computation
between circuits, where the error should grow as if T were the number E of connections. Measured
here for one step with one active circuit, on graphs of k connections at each circuit, against that
and against what the connections' overlaps say (`linked_rotations.expected_error`). Networks are
built from lists of connections (`toymodels.circuits.constructions.linked`); the post has none.
"""

from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.circuits.errors import copies, each_network, spread_along
from figures.kit.crossing import first_above
from figures.kit.settings import require_at_least
from figures.kit.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED, all_of
from figures.kit.words import listed, rounded
from figures.questions import question_cross_circuit_panels as panels
from sweeps.stats import mean_over_seeds
from toymodels.circuits.constructions.linked_rotations import expected_error
from toymodels.errors import InputError

ERROR = "mse_x_active"
FIRST, LAST = 2, 3  # layers: after one step, and after two
KEPT = (ERROR, "mse_x_alone", "dropped", "spurious", "active", "link_density", "diverged")

# Graphs in which every circuit has k connections, and those (in, out) of the circuit in use.
DEGREES = {"feeding": (1, 1), "elsewhere": (0, 0), "merging": (1, 0), "starting": (1, 1)}

# What the analysis' own variables are.
WORDS = {
    "law": "error of layer 2 by the overlaps of all connections",
    "replaced": "error of layer 2 by the published estimate with T replaced by E",
    "ratio": "growth of the error with the connections, over that of E t^2",
    "ratio_law": "what the overlaps of all connections say of that ratio",
    "capacity": "circuits up to which the error stays below the limit",
    "expected_density": "1 - exp(-E S^2/N^2), of the connections that start",
}


def check(plan: Any) -> None:
    """Refuse networks without a second step from circuit to circuit, and limits of nothing.

    Raises:
        InputError: fewer than three layers, or limits that no error, or no growth, is between.
    """
    require_at_least("limit", plan.settings["limit"], 1e-9)
    least, most = plan.settings["least"], plan.settings["most"]
    if not least < most:
        raise InputError(f"least = {least} and most = {most}: give least below most.")
    for variant in plan.config.variants:
        require_at_least("n_layers", variant["n_layers"], LAST)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Compare the growth of errors with the connections to both laws, and count circuits.

    Over (case, network): `law`, `replaced`, `expected_density`; of (graph_name, network, seed):
    `ratio` and its mean and interval, `ratio_law`; of (case, seed): `capacity` and the same.
    """
    dataset = spread_along(dataset, "case", ("graph", "in_degree", "n_active"))
    dataset = spread_along(dataset, "network", ("n_circuits", "width"))
    dataset = dataset.transpose("case", "network", "seed", "layer", ...)
    found = dataset[list(KEPT)].sel(layer=[FIRST, LAST])
    error = each_network(dataset, ERROR).sel(layer=FIRST)
    found = _with_mean(found, "error", error)
    found = found.drop_vars("error").assign(_laws(dataset))
    return _with_capacity(_with_ratio(found, error), dataset)


def _with_mean(found: xr.Dataset, name: str, values: xr.DataArray) -> xr.Dataset:
    """Add values over seeds, and `NAME_mean`, `_low` and `_high`."""
    known = xr.Dataset({"diverged": xr.zeros_like(values).where(values.notnull(), 1)})
    mean = mean_over_seeds(known, values)
    words = WORDS.get(name, "error of x of active circuits in layer 2")
    parts = {"mean": "average", "low": "low", "high": "high"}
    new = {f"{name}_{part}": mean[of].assign_attrs(long_name=words) for part, of in parts.items()}
    return found.assign({name: values.assign_attrs(long_name=words), **new})


def _laws(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return what both laws say of layer 2, and the density of links, (case, network)."""
    first = dataset.sel(layer=FIRST)
    t = overlap(dataset)
    E = first["connections"].mean("seed")
    k = dataset["in_degree"]
    more = [
        xr.DataArray([DEGREES.get(str(g), (0, 0))[i] for g in dataset["graph"].values], dims="case")
        for i in (0, 1)
    ]
    E, t, into, out = xr.broadcast(E, t, 1 + more[0] * (k - 1), 1 + more[1] * (k - 1))
    alone = dataset["graph"].isin(["feeding", "elsewhere"])
    starting = xr.where(alone, dataset["n_circuits"], E)
    q = -np.expm1(-starting * (dataset["redundancy"] / copies(dataset)) ** 2)
    return {
        "law": E.copy(data=expected_error(FIRST, t, E, into, out)),
        "replaced": E.copy(data=expected_error(FIRST, t, E)),
        "expected_density": q.transpose("case", "network"),
    }


def overlap(dataset: xr.Dataset) -> xr.DataArray:
    """Return t, the mean square overlap of two circuits as measured, (case, network)."""
    shared = dataset["overlap_probability"].sel(layer=FIRST).mean("seed")
    return shared / dataset["redundancy"] ** 2


def _with_ratio(found: xr.Dataset, error: xr.DataArray) -> xr.Dataset:
    """Fit lines to errors over k, in units of the line that E t² gives; one for each network."""
    graphs, ratio, law = ("feeding", "elsewhere"), [], []
    for graph in graphs:
        mine = np.flatnonzero((found["graph"].values == graph) & (found["n_active"].values == 1))
        k = found["in_degree"].values[mine].astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = (k - k.mean()) / ((k - k.mean()) ** 2).sum() if mine.size else k
            slopes = [
                xr.dot(of.isel(case=mine), xr.DataArray(weight, dims="case"), dim="case")
                for of in (error, found["law"], found["replaced"])
            ]
            measured, by_overlaps, unit = slopes
            ratio.append(measured / unit.where(unit > 0))
            law.append(by_overlaps / unit.where(unit > 0))
    name = xr.DataArray(list(graphs), dims="graph_name")
    found = found.assign_coords(graph_name=name)
    found = _with_mean(found, "ratio", cast(xr.DataArray, xr.concat(ratio, "graph_name")))
    return found.assign(ratio_law=xr.concat(law, "graph_name"))


def _with_capacity(found: xr.Dataset, dataset: xr.Dataset) -> xr.Dataset:
    """Find where the error of layer 3 passes the limit, among networks of the smallest width."""
    narrow = dataset.isel(network=narrowest(dataset))
    error = each_network(narrow, ERROR).sel(layer=LAST)
    T, limit = np.log(narrow["n_circuits"].values), np.log(float(dataset["limit"]))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(error.values)  # [case, network, seed]
    passed = np.array([[first_above(T, row, limit) for row in of.T] for of in values])
    passed[passed == T.min()] = np.nan  # somewhere below
    passed[np.isnan(passed).any(axis=1)] = np.nan  # a mean of the others would be too high
    return _with_mean(found, "capacity", error.isel(network=0, drop=True).copy(data=np.exp(passed)))


def narrowest(dataset: xr.Dataset) -> np.ndarray:
    """Return the places of the networks of the smallest width."""
    return np.flatnonzero(dataset["width"].values == dataset["width"].values.min())


def shown(dataset: xr.Dataset) -> int:
    """Return the place of the narrow network that is nearest to T = 2 D / d."""
    places = narrowest(dataset)
    ratio = (dataset["n_circuits"] / copies(dataset)).values[places]
    return int(places[np.abs(ratio - 2).argmin()])


def verdict(dataset: xr.Dataset) -> str:
    """Judge whether errors grow as E t² does, in every network, with k connections a circuit."""
    ratio = dataset.sel(graph_name="feeding")
    least, most = float(dataset["least"]), float(dataset["most"])
    each = []
    for low, high in zip(ratio["ratio_low"].values, ratio["ratio_high"].values, strict=True):
        if least < low and high < most:
            each.append(SUPPORTED)
        else:
            each.append(NOT_SUPPORTED if low > most or high < least else UNDECIDED)
    return all_of(each)


def claim(dataset: xr.Dataset) -> str:
    """Say how fast errors grow with connections, where, and what they cost in circuits."""
    at = dataset.isel(network=shown(dataset))
    where = f"T = {int(at['n_circuits'])}, D = {int(at['width'])}"
    feeding, elsewhere = (at.sel(graph_name=g) for g in ("feeding", "elsewhere"))
    if not np.isfinite(feeding["ratio_mean"]):
        return f"Nothing can be said of errors by connections at {where}: no line fits them"
    other = f", with as many elsewhere {_with_interval(elsewhere)} times"
    other = other if np.isfinite(elsewhere["ratio_mean"]) else ""
    return (
        f"{_ANSWERS[verdict(dataset)]}: with k in and out of every circuit errors grow "
        f"{_with_interval(feeding)} times as fast as E t² ({where}; {_others(dataset)}){other}; "
        f"by the law of overlaps, in which connections at the circuit in use cost t each and not "
        f"t², it would be {rounded(feeding['ratio_law'], 3)}{_cost(dataset)}"
    )


_ANSWERS = {
    SUPPORTED: "The number E of connections decides",
    NOT_SUPPORTED: "Not only the number E of connections counts",
    UNDECIDED: "Whether only the number E of connections counts is open",
}


def _with_interval(at: xr.Dataset) -> str:
    mean, low, high = (float(at[f"ratio_{part}"]) for part in ("mean", "low", "high"))
    interval = f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else ""
    return f"{mean:.2f}{interval}"


def _others(dataset: xr.Dataset) -> str:
    """Say the ratio at the ends of T d / D."""
    load = (dataset["n_circuits"] / copies(dataset)).values
    ratio = dataset["ratio_mean"].sel(graph_name="feeding").values
    ends = dict.fromkeys([int(load.argmin()), int(load.argmax())])
    return listed(
        f"{rounded(ratio[i], 3)} at T d / D = {load[i]:.2g}" for i in ends if np.isfinite(ratio[i])
    )


def _cost(dataset: xr.Dataset) -> str:
    """Say how many circuits fit with the fewest and the most connections."""
    feeding = dataset.isel(case=np.flatnonzero(dataset["graph"].values == "feeding"))
    feeding = feeding.isel(case=np.isfinite(feeding["capacity_mean"].values))
    if feeding.sizes["case"] < 2:
        return ""
    k = feeding["in_degree"].values
    few, many = feeding.isel(case=int(k.argmin())), feeding.isel(case=int(k.argmax()))
    return (
        f"; k = {int(many['in_degree'])} in place of {int(few['in_degree'])} leaves room for "
        f"{float(many['capacity_mean']):.0f} circuits in place of "
        f"{float(few['capacity_mean']):.0f} after two steps"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the graphs are, and that all of it is ours."""
    seeds = "bars: 95 % intervals over networks" if dataset.sizes["seed"] > 1 else "one network"
    first = dataset.sel(layer=FIRST)
    density = (first["link_density"].mean("seed") / dataset["expected_density"]).values
    return [
        "constructions, graphs and the law of overlaps are ours, the thread says E t² alone; t: "
        "mean square overlap of two circuits, as measured",
        f"{seeds}; one circuit active, layer 2 after one step, unless it says otherwise",
        "in and out: of k connections out of a circuit one starts its target, the others only "
        "bring it a vector, which it swallows; or all start it, and k are active then",
        "elsewhere: circuits in use have one connection each, the other half has all the rest; "
        "k in, 1 out: k circuits lead to the same one",
        f"room: an error below {float(dataset['limit']):g}",
        f"share of linked neurons over 1 − exp(−E S²/N²), E those that start: "
        f"{density.min():.2f} to {density.max():.2f}",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw errors by connections, their growth by size, capacity, and gates."""
    return panels.draw(dataset, shown(dataset), narrowest(dataset), axes)
