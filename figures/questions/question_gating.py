"""Attention that switches circuits on, and gates that rule the others out.

A head writes its attention weights as evidence of circuits; the step of the small circuit takes
what is below 1/4 for nothing. A gate knows T_eff of the T circuits of which none but these are
called. Were the others not in the network, the load would be x T_eff / T, with x = T (d/D)². A
neuron serves circuits of both kinds, so a gate on neurons cannot act on a circuit alone: it is
compared with the network of the kept circuits on the same neurons and the same examples, and with
one of T_eff circuits built anew. Gates and attention are ours; the question is of the discussion
under Linsefors & Bushnaq 2025, "Rotations in Superposition".
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.circuits.errors import geometric_means
from figures.kit import verdict as judge
from figures.kit.panels import panels
from figures.kit.settings import require_above
from figures.kit.words import counted, listed, rounded
from figures.questions.question_gating_panels import draw_attention, draw_errors
from sweeps.stats import mean_over_seeds

ERROR = "mse_x_active"
SMALLEST = 1e-5  # errors below it make no ratio

# What the analysis' own variables are.
WORDS = {
    "ratio_mean": "error over that of the network of kept circuits alone, geometric mean",
    "by_blind_mean": "error of the gate by share over that of the blind one, geometric mean",
    "anew_mean": "error of an ungated network of T_eff circuits, geometric mean",
}

# The gate whose network has no others, and gates on neurons, by name and first layer.
WITHOUT, LATE, BLIND = ("weights", 2), ("weights", 3), ("blind", 2)
ON_NEURONS = (("exclusive", 2), ("by_share", 2))


def check(plan: Any) -> None:
    """Refuse a factor within which a gate could err only less than a network without the others.

    Raises:
        InputError: a factor of 1 or less.
    """
    require_above("factor", plan.settings["factor"], 1)


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Return errors of the last layer, their ratios, and shares of circuits that are on.

    Over (way, n_circuits, share_kept): geometric means over networks with intervals of
    `mse_x_active`, of its `ratio` to the network without ruled-out circuits (paired by network),
    and of that of the gate by share to the blind one, `by_blind`; `anew` over (n_circuits,
    share_kept). Over (context, temperature) means of `survived`, `spurious`, and of both alone.
    """
    last = dataset.isel(layer=-1)
    error = last[ERROR].where(last["diverged"] == 0)
    cells = xr.Dataset({ERROR: error, "diverged": last["diverged"] * 0})
    cells["ratio"] = error / _way(error, WITHOUT).where(lambda e: e > SMALLEST)
    cells["by_blind"] = _way(error, ON_NEURONS[1]) / _way(error, BLIND).where(
        lambda e: e > SMALLEST
    )
    found = geometric_means(cells, [ERROR, "ratio", "by_blind"])
    shared = [name for name in found if str(name).startswith("by_blind")]
    found = found.assign({name: found[name].isel(way=0, drop=True) for name in shared})
    found["anew_mean"] = _anew(found[f"{ERROR}_mean"])
    found = found.merge(_attention(parts["question-gating-attention"]))
    names = ("gate", "gate_from", "gate_strength", "n_layers", "factor", "share", "shown")
    keep = {name: dataset[name].reset_coords(drop=True) for name in names}
    return found.astype(np.float32).assign_coords(keep)


def _way(values: Any, which: tuple[str, int]) -> Any:
    """Return the values of a gate, NaN where it is not among the ways."""
    found = _index(values, which)
    if found is None:
        return values.isel(way=0, drop=True) * np.nan
    gone = [name for name in values.coords if values[name].dims == ("way",)]
    return values.isel(way=found).drop_vars(gone)


def _index(values: Any, which: tuple[str, int]) -> int | None:
    gate, first = which
    same = (values["gate"].values == gate) & (values["gate_from"].values == first)
    some = np.flatnonzero(np.broadcast_to(same, values.sizes["way"]))
    return int(some[0]) if some.size else None


def _anew(error: xr.DataArray) -> xr.DataArray:
    """Return the error of ungated networks of as many circuits as a gate keeps, NaN for none."""
    ungated, none = _way(error, ("none", 2)), np.nan
    by_number = {}
    if 1.0 in ungated["share_kept"].values:
        whole = ungated.sel(share_kept=1.0)
        by_number = dict(zip(whole["n_circuits"].values.tolist(), whole.values, strict=True))
    kept = kept_of(ungated)
    values = [by_number.get(n, none) for n in kept.values.ravel().tolist()]
    return kept.astype(float).copy(data=np.reshape(values, kept.shape))


def kept_of(cells: Any) -> xr.DataArray:
    """Return T_eff over (n_circuits, share_kept)."""
    return np.maximum(1, np.round(cells["n_circuits"] * cells["share_kept"])).astype(int)


def _attention(dataset: xr.Dataset) -> xr.Dataset:
    names = ("survived", "survived_alone", "spurious", "spurious_alone")
    last, found = dataset.isel(layer=-1), {}
    for name in names:
        summary = mean_over_seeds(last, name)
        found |= {f"{name}_mean": summary["average"]}
        if not name.endswith("alone"):
            found |= {f"{name}_{end}": summary[end] for end in ("low", "high")}
    cells = xr.Dataset(found).reset_coords(drop=True)
    each = {name: dataset[name].reset_coords(drop=True) for name in ("n_tokens", "n_calling")}
    sizes = {"attention_circuits": "n_circuits", "attention_layers": "n_layers"}
    return cells.assign_coords(each | {new: dataset[old].item() for new, old in sizes.items()})


def verdict(dataset: xr.Dataset) -> str:
    """Judge "errors are those without ruled-out circuits", by intervals of ratios to these.

    One gate on neurons has to hold in every cell with some ruled out and errors to compare: the
    better one of each cell would be chosen by the networks that judge it.
    """
    some = dataset.isel(share_kept=np.flatnonzero(dataset["share_kept"].values < 1))
    gates = [_way(some, which) for which in ON_NEURONS if _index(some, which) is not None]
    measured = [np.isfinite(gate["ratio_mean"].values) for gate in gates]
    answers = [_of_gate(gate, np.any(measured, axis=0)) for gate in gates]
    if judge.SUPPORTED in answers:
        return judge.SUPPORTED
    fails = answers and set(answers) == {judge.NOT_SUPPORTED}
    return judge.NOT_SUPPORTED if fails else judge.UNDECIDED


def _of_gate(gate: xr.Dataset, measured: NDArray[np.bool_]) -> str:
    """Judge one gate in the cells in which some gate was measured."""
    factor = float(gate["factor"])
    ends = (gate[f"ratio_{end}"].values[measured].tolist() for end in ("low", "high"))
    # Below the factor: compared as its negative.
    return judge.all_of([judge.compared(-b, -a, -factor) for a, b in zip(*ends, strict=True)])


def claim(dataset: xr.Dataset) -> str:
    """Compare gates with a network without the circuits they rule out, and count survivors."""
    cell, where = _chosen(dataset)
    said = f"With {where} a gate on neurons errs {_times(_best(cell), 'ratio')} times as much in"
    said += f" layer {int(dataset['n_layers'])} as a network without the others"
    said += f" ({_error(cell, WITHOUT)}; no gate {_error(cell, ('none', 2))}"
    said += f"; one built for the kept alone {_number(cell['anew_mean'])})"
    if _index(cell, BLIND) is not None and _index(cell, ON_NEURONS[1]) is not None:
        said += f" and, by share, {_times(cell, 'by_blind')} times as much as blind inhibition"
    if _index(cell, LATE) is not None:
        late = _times(_way(cell, LATE), "ratio")
        said += f"; with the others out of the weights only from layer 3 on it is {late} times"
    return f"{said}; {_survival(dataset)}"


def _best(cell: xr.Dataset) -> Any:
    """Return the better of the gates on neurons."""
    gates = [_way(cell, which) for which in ON_NEURONS if _index(cell, which) is not None]
    gates = gates or [_way(cell, ON_NEURONS[0])]
    return min(gates, key=lambda gate: np.nan_to_num(gate["ratio_mean"], nan=np.inf))


def _chosen(dataset: xr.Dataset) -> tuple[xr.Dataset, str]:
    """Return the cell of the claim, and say of how many circuits."""
    number = shown(dataset)[0]
    shares = dataset["share_kept"].values
    share = shares[np.abs(shares - float(dataset["share"])).argmin()]
    cell = dataset.sel(n_circuits=number, share_kept=share)
    return cell, f"{int(kept_of(cell))} of {number} circuits kept"


def shown(dataset: xr.Dataset) -> list[int]:
    """Return the numbers of circuits that have a panel: those asked for, or the last."""
    there = dataset["n_circuits"].values.tolist()
    asked = np.atleast_1d(dataset["shown"].values).tolist()
    return [n for n in asked if n in there] or there[-1:]


def _error(cell: xr.Dataset, which: tuple[str, int]) -> str:
    if _index(cell, which) is None:
        return "unknown"
    return _number(_way(cell, which)[f"{ERROR}_mean"])


def _times(cell: Any, name: str) -> str:
    """Write a ratio with its interval."""
    mean, low, high = (cell[f"{name}_{end}"] for end in ("mean", "low", "high"))
    if not np.isfinite(mean):
        return "an unknown number of"
    if not np.isfinite(low):
        return _number(mean, 3)
    return f"{_number(mean, 3)} ({_number(low, 3)} to {_number(high, 3)})"


def _number(value: Any, digits: int = 2) -> str:
    return rounded(value, digits) if np.isfinite(value) else "unknown"


def _survival(dataset: xr.Dataset) -> str:
    """Say at which temperatures called circuits survive, and how far that is from alone."""
    calls, until = [], []
    for i, n in enumerate(dataset["n_tokens"].values.tolist()):
        mine = dataset.isel(context=i)
        most = mine["temperature"].values[mine["survived_mean"].values > 0.5]
        calls.append(f"{int(mine['n_calling'])} of {n}")
        until.append(rounded(most.max()) if most.size else "none")
    off = np.abs(dataset["survived_mean"] - dataset["survived_alone_mean"]).max()
    return (
        f"{listed(calls)} tokens that call a circuit keep most on up to temperature "
        f"{listed(until)}, as alone (shares within {rounded(off)})"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is ours."""
    return [
        f"{counted(int(dataset['attention_circuits']), 'circuit')} in the panels of attention",
        "errors: geometric means over networks with 95 % intervals",
        "a gate on neurons: the one with the smaller mean of the same networks; the verdict asks "
        "one gate to hold wherever circuits are ruled out",
        "one circuit or head active at a time, none of those ruled out",
        f"gates by share, and the blind one, take up to {_strength(dataset)}",
        "circuits in a network of their own share neurons more evenly than those a gate keeps",
        "gates, logits (normal, callers' raised) and scaling of a state by its evidence are ours",
    ]


def _strength(dataset: xr.Dataset) -> str:
    by_share = dataset["gate_strength"].values[dataset["gate"].values == ON_NEURONS[1][0]]
    return rounded(by_share.max()) if by_share.size else "nothing"


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw survival and wrong circuits by temperature, and errors by circuits kept."""
    numbers = shown(dataset)
    names = [["survived", "spurious"], [f"T = {n}" for n in numbers]]
    if len(numbers) == 1:
        names = [["survived", f"T = {numbers[0]}"], ["spurious", f"T = {numbers[0]}"]]
    figure, panel = panels(axes, names, figsize=(13.5, 8.2))
    for name in ("survived", "spurious"):
        draw_attention(panel[name], dataset, name)
    for n in numbers:
        cells = dataset.sel(n_circuits=n)
        draw_errors(panel[f"T = {n}"], cells, kept_of(cells), n == numbers[-1])
    return figure
