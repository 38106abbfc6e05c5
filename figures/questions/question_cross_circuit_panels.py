"""Panels of `question-cross-circuit`: errors by connections, their growth, capacity, and gates."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.errors import copies
from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels

MOSAIC = [["error", "ratio"], ["capacity", [["vectors", "switches"]]]]
LOOKS = {
    "feeding": ("every circuit has k in and out", style.series(5)),
    "starting": (
        "the same, and all of them start",
        style.series(3) | {"ms": 9, "mfc": "none", "mew": 1.3},
    ),
    "elsewhere": ("as many, but at other circuits", style.series(0)),
    "merging": ("k in, 1 out (E = T)", style.series(2)),
}
LINE: dict[str, Any] = {"ls": (0, (4, 2)), "lw": 1.3, "color": style.INK}
NETWORK: dict[str, Any] = {"ls": "none", "marker": "o", "ms": 4, "color": style.series(0)["color"]}
ALONE: dict[str, Any] = {"ls": "none", "marker": "D", "ms": 7, "mfc": "none", "color": style.INK}
OFF: dict[str, Any] = ALONE | {"color": style.RED}
# Rows of the last panel: graph, how many are active, and what that is.
GATES = (
    ("own", 1, "each keeps to itself"),
    ("both", 1, "AND, one of two active"),
    ("both", 2, "AND, both active"),
    ("either", 1, "OR, one of two active"),
    ("either", 2, "OR, both active"),
    ("starting", 1, "each starts {k}"),
)
SMALLEST = 1e-6  # what counts as 0 on a logarithmic axis


def draw(dataset: xr.Dataset, shown: int, narrow: Any, axes: Any) -> Figure:
    """Draw all panels."""
    figure, panel = panels(axes, MOSAIC, figsize=(11.4, 7.6))
    _draw_errors(panel["error"], dataset.isel(network=shown))
    _draw_ratio(panel["ratio"], dataset)
    _draw_capacity(panel["capacity"], dataset, int(dataset["width"].values[narrow[0]]))
    _draw_gates(panel["vectors"], panel["switches"], dataset.isel(network=shown))
    return figure


def of_graph(dataset: xr.Dataset, graph: str) -> xr.Dataset:
    """Return the cases of a graph with one active circuit, by k."""
    some = (dataset["graph"].values == graph) & (dataset["n_active"].values == 1)
    return dataset.isel(case=np.flatnonzero(some)).sortby("in_degree")


def _draw_errors(ax: Axes, at: xr.Dataset) -> None:
    """Draw errors by k, what E t² says, and what the overlaps say."""
    for graph, (label, look) in LOOKS.items():
        mine = of_graph(at, graph)
        if not mine.sizes["case"]:
            continue
        k = mine["in_degree"].values
        values = (mine[f"error_{part}"].values for part in ("mean", "low", "high"))
        draw_interval(ax, k, *values, label=label, **look | {"ls": "none"})
        if graph != "starting":
            ax.plot(k, mine["law"], color=look["color"], lw=1.2)
    mine = of_graph(at, "feeding")
    plain = of_graph(at, "own")
    how: dict[str, Any] = {"ls": "none", "marker": "x", "ms": 9, "color": style.NOTE}
    ax.plot(plain["in_degree"], plain["error_mean"], **how, label="each keeps to itself (the post)")
    ax.plot(mine["in_degree"], mine["replaced"], **LINE, label="published, T replaced by E: E t²")
    ax.plot([], [], color=style.NOTE, lw=1.2, label="overlaps of all connections")
    ax.set(xlabel="k, connections at each circuit", ylabel="mean |x̂ − x|² after one step")
    ax.set_title(f"errors by connections, T = {int(at['n_circuits'])}, D = {int(at['width'])}")
    _from_zero(ax)
    ax.legend(loc="upper left")


def _draw_ratio(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how fast errors grow with k, in units of E t², by circuits for each copy."""
    load = (dataset["n_circuits"] / copies(dataset)).values
    order = np.argsort(load)
    ax.axhspan(float(dataset["least"]), float(dataset["most"]), color=style.PALE, zorder=0, lw=0)
    ax.axhline(1, **LINE, zorder=1)
    how = {"transform": ax.get_yaxis_transform(), "color": style.NOTE, "fontsize": 8}
    ax.text(0.01, float(dataset["least"]), "dashed: as if T were E", va="top", **how)
    widths = np.unique(dataset["width"].values)
    for graph in dataset["graph_name"].values.tolist():
        mine, (_, look) = dataset.sel(graph_name=graph), LOOKS[graph]
        ax.plot(load[order], mine["ratio_law"].values[order], color=look["color"], lw=1.2)
        for i, width in enumerate(widths):
            some = np.flatnonzero(dataset["width"].values == width)
            values = (mine[f"ratio_{part}"].values[some] for part in ("mean", "low", "high"))
            fill = {"mfc": "white"} if i else {}
            draw_interval(ax, load[some], *values, **look | fill | {"ls": "none"})
    for i, width in enumerate(widths):
        fill = {"mfc": "white"} if i else {}
        dot: dict[str, Any] = {"marker": "o", "ls": "none", "color": style.NOTE} | fill
        ax.plot([], [], label=f"D = {width}", **dot)
    ax.set_xscale("log", base=2)
    ticks = {f"{value:.2g}": value for value in load}
    ax.set_xticks(list(ticks.values()), list(ticks))
    ax.minorticks_off()
    ax.set_xlabel("T d / D, circuits for each copy of a small neuron")
    _from_zero(ax)
    ax.set_ylabel("growth of the error with k,\nover the growth of E t²")
    ax.set_title("how fast errors grow, by the size of the network")
    ax.legend(loc="upper right")


def _draw_capacity(ax: Axes, dataset: xr.Dataset, width: int) -> None:
    """Draw the largest T that works, by k."""
    for graph in ("feeding", "elsewhere", "merging"):
        mine, (label, look) = of_graph(dataset, graph), LOOKS[graph]
        values = (mine[f"capacity_{part}"].values for part in ("mean", "low", "high"))
        draw_interval(ax, mine["in_degree"].values, *values, label=label, **look)
    mine = of_graph(dataset, "feeding")
    k, most = mine["in_degree"].values, mine["capacity_mean"].values
    if k.size and np.isfinite(most[0]):
        fine = np.linspace(k[0], k[-1], 50)
        ax.plot(fine, most[0] * k[0] / fine, **LINE, label="as if only E = k T counted")
    ax.set_xlabel("k, connections at each circuit")
    _from_zero(ax)
    ax.set_ylabel(f"circuits T with an error below {float(dataset['limit']):g}")
    ax.set_title(f"room for circuits after two steps, D = {width}")
    ax.legend(loc="best")


def _from_zero(ax: Axes) -> None:
    """Let the vertical axis begin at 0, where anything is drawn above it."""
    if ax.get_ylim()[1] > 0:
        ax.set_ylim(bottom=0)


def _draw_gates(ax: Axes, switches: Axes, at: xr.Dataset) -> None:
    """Draw errors of gates: of the vector, and circuits that are wrongly on or off."""
    first, names = at.sel(layer=2), []
    for graph, z, name in GATES:
        some = (first["graph"].values == graph) & (first["n_active"].values == z)
        if not some.any():
            continue
        mine, y = first.isel(case=int(np.flatnonzero(some)[-1])), len(names)
        names.append(name.format(k=int(mine["in_degree"])))
        off = mine["n_circuits"] - mine["active"]
        _dots(ax, mine["mse_x_active"], y, **NETWORK)
        _dots(ax, mine["mse_x_alone"], y, **ALONE)
        _dots(switches, mine["spurious"] * off, y, **NETWORK)
        _dots(switches, mine["dropped"] * mine["active"], y, **OFF)
    for panel in (ax, switches):
        panel.set_xscale("log")
        panel.set_xlim(SMALLEST / 3, 2000)
        panel.set_xticks([SMALLEST, 1e-4, 1e-2, 1, 100], ["0", "10⁻⁴", "0.01", "1", "100"])
        panel.minorticks_off()
        panel.set_ylim(max(len(names), 1) - 0.5, -0.5)
        panel.grid(axis="y", color=style.PALE)
    ax.set_yticks(range(len(names)), names)
    switches.set_yticks(range(len(names)), [])
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.19), "ncols": 1}
    legend_of(ax, {"large network": NETWORK, "small circuits alone": ALONE}, **below)
    legend_of(switches, {"wrongly on": NETWORK, "wrongly off": OFF}, **below)
    ax.set_xlabel("mean |x̂ − x|²")
    ax.set_title("gates of circuits: vectors")
    switches.set_xlabel("circuits in an example")
    switches.set_title("… and switches")


def _dots(ax: Axes, found: xr.DataArray, y: float, **look: Any) -> None:
    """Draw every network's value in a row; what is below the axis counts as 0."""
    values = found.values[np.isfinite(found.values)]
    ax.plot(np.maximum(values, SMALLEST), np.full(values.size, y), **look)
