"""Errors by layer of one value that circuits hold, the on-indicator or the vector: Figures 5 and 6.

Four panels: mean square (above) and worst case (below), of inactive and active circuits. Dashed:
the published theory, which knows no neurons that switch on wrongly; grey: reading zero instead.
"""

from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from sweeps.circuits_config import NEURONS, CircuitsConfig

from figures import style
from figures.circuit_runs import config_of, run_post
from figures.recipe import write_caption
from toymodels.circuits import theory
from toymodels.circuits.simulation import copies_of

GROUPS = ("inactive", "active")
MEASURES = {"mse": 1e-3, "worst": 1e-1}  # the axes are linear below, to show an exact zero
BETWEEN = 0.06  # of a layer, between the marks of neighbouring z


class Value(NamedTuple):
    """One of the two values of a rotation circuit."""

    name: str  # in the dataset
    symbol: str  # of its error
    title: str


INDICATOR = Value("on", "|δα|", "On-indicators in superposition")
VECTOR = Value("x", "|δx|", "Rotating vectors in superposition")


def compute(value: Value, **how: Any) -> xr.Dataset:
    """Simulate, and put the theory beside it; `how` as in `run_preset`.

    For each of `mse_…_inactive`, `worst_…_inactive` and so on, over (seed, n_active, layer), the
    mean over seeds and its interval `_mean`, `_low`, `_high`; `theory_inactive`, `theory_active`
    (n_active, layer) of the mean square; `bound_inactive`, `bound_active` (n_active) of the worst
    case in layer 1; shares of circuits on the wrong side of ½, `dropped` and `spurious`.
    """
    names = [f"{measure}_{value.name}_{group}" for measure in MEASURES for group in GROUPS]
    dataset = run_post(*names, "dropped", "spurious", **how)
    config = config_of(dataset)
    title = f"{value.title}: {config.n_circuits} circuits in {config.width} neurons"
    return dataset.assign(_theory(value, config, dataset)).assign_attrs(title=title)


def _theory(value: Value, config: CircuitsConfig, dataset: xr.Dataset) -> dict[str, Any]:
    """Return what the published theory says, and bounds of layer 1 that nothing can pass."""
    z, layer = dataset["n_active"].values, dataset["layer"].values
    T, S, b = config.n_circuits, config.redundancy, config.bias
    t = theory.overlap_constant(T, copies_of(config.width, NEURONS), S)
    inactive = theory.mse_inactive(t, z)[:, None] * (layer > 0)
    active = theory.mse_active(layer, t, T, z[:, None], theory.rotation_strength(b)) * (layer > 0)
    worst = [theory.first_layer_worst(int(n), S, b) for n in z]
    on = value == INDICATOR
    return {
        "theory_inactive": (("n_active", "layer"), inactive),
        "theory_active": (("n_active", "layer"), 0 * active if on else active),
        "bound_inactive": (("n_active",), [w.on_inactive if on else w.x_inactive for w in worst]),
        "bound_active": (("n_active",), [0.0 if on else w.x_active for w in worst]),
    }


def draw(value: Value, dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw mean squares above and worst cases below; `ax` may be four axes in that order."""
    if ax is None:
        figure, axes = plt.subplots(2, 2, figsize=(9.6, 6.6), sharex=True, sharey="row")
    else:
        axes = np.reshape(ax, (2, 2))
        figure = axes[0, 0].figure
    for column, group in enumerate(GROUPS):
        for row, (measure, linear) in enumerate(MEASURES.items()):
            panel, name = axes[row, column], f"{measure}_{value.name}_{group}"
            _draw_measured(panel, dataset, name)
            _draw_reference(panel, dataset, measure, group)
            names = [f"{measure}_{value.name}_{other}_mean" for other in GROUPS]
            _scale(panel, linear, max(float(dataset[mean].max()) for mean in names))
        axes[0, column].set_title(_finding(value, dataset, group))
        axes[1, column].set_xlabel("layer  (0: the input)")
        axes[1, column].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_ylabel(f"mean of {value.symbol}²")
    axes[1, 0].set_ylabel(f"largest {value.symbol} of all circuits and examples")
    _draw_legend(axes[0, 0], dataset)
    write_caption(figure, dataset)
    return figure


def _draw_measured(ax: Axes, dataset: xr.Dataset, name: str) -> None:
    layer = dataset["layer"].values
    for i, z in enumerate(dataset["n_active"].values):
        mean, low, high = (
            dataset[f"{name}_{part}"].sel(n_active=z).values for part in ("mean", "low", "high")
        )
        half = np.nan_to_num(np.stack([mean - np.maximum(low, 0), high - mean]))
        shift = BETWEEN * (i - (dataset.sizes["n_active"] - 1) / 2)
        ax.errorbar(layer + shift, mean, half, **style.series(i), lw=1.6, capsize=2.5, zorder=3)


def _draw_reference(ax: Axes, dataset: xr.Dataset, measure: str, group: str) -> None:
    for i, z in enumerate(dataset["n_active"].values):
        here, color = dataset.sel(n_active=z), style.series(i)["color"]
        if measure == "mse":
            expected = here[f"theory_{group}"]
            ax.plot(expected["layer"][1:], expected[1:], "--", color=color, lw=1.2, zorder=2)
        else:
            bound = float(here[f"bound_{group}"])
            ax.plot([0.65, 1.35], [bound, bound], ":", color=color, lw=2.2, zorder=4)
    if group == "active":
        ax.axhline(1, color=style.GREY, lw=1.2, zorder=1)
        place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        ax.annotate("reading 0", (0, 1), (3, 2), fontsize=7.5, color="#777777", **place)


def _scale(ax: Axes, linear: float, largest: float) -> None:
    """Make the axis logarithmic from `linear` up."""
    ax.set_yscale("symlog", linthresh=linear, linscale=0.35)
    ax.set_ylim(-0.12 * linear, 1.8 * max(largest, 1.0))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.grid(axis="y", color="#EDEDED", lw=0.6)


def _finding(value: Value, dataset: xr.Dataset, group: str) -> str:
    """Say in a panel's title what it shows, from its numbers."""
    last = int(dataset["layer"][-1])
    if value == VECTOR and group == "active":
        mean = dataset["mse_x_active_mean"]
        good = ((mean < 1).cumprod("layer").sum("layer") - 1).values
        return f"active circuits\nbetter than reading 0 for {_listed(good)} layers"
    if value == VECTOR:
        ratio = (dataset["mse_x_inactive_mean"] / dataset["theory_inactive"]).sel(layer=last)
        times = _listed(f"{float(r):.0f}" for r in ratio)
        return f"inactive circuits\n{times} times the theory in layer {last}"
    name = {"active": "dropped", "inactive": "spurious"}[group]
    said = {"active": "dropped, α̂ < ½,", "inactive": "wrongly on, α̂ > ½,"}[group]
    share = [f"{float(v):.0%}" for v in dataset[f"{name}_mean"].sel(layer=last)]
    return f"{group} circuits\n{_listed(share)} {said} in layer {last}"


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))


def _draw_legend(ax: Axes, dataset: xr.Dataset) -> None:
    handles = [
        Line2D([], [], **style.series(i), lw=1.6, label=f"z = {z} active")
        for i, z in enumerate(dataset["n_active"].values)
    ]
    handles += [
        Line2D([], [], color=style.INK, ls="--", lw=1.2, label="published theory"),
        Line2D([], [], color=style.INK, ls=":", lw=2.2, label="largest possible, layer 1"),
    ]
    ax.legend(handles=handles, loc="upper left")
