"""The panels of `circuits_trained`: errors above, capacity and structure below."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.tested import student
from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from sweeps.stats import median_over_seeds

# Errors are drawn from here on.
SMALLEST = 1e-5


def name_of_start(init: str, readout: str, steps: int) -> str:
    """Return what a start is called."""
    if steps == 1:
        return "the construction"
    if init == "construction":
        return "trained from the construction"
    return "trained from random weights" + (" with their read-out" if readout == "trained" else "")


def starts(dataset: xr.Dataset) -> list[str]:
    """Return what the starts are called, in their order."""
    parts = (dataset[key].values for key in ("init", "readout", "steps"))
    return [name_of_start(*of) for of in zip(*parts, strict=True)]


def draw_panels(dataset: xr.Dataset, axes: Any) -> Figure:
    """Draw all panels."""
    first = [f"z = {int(z)}" for z in dataset["n_active"].values]
    second = ["by layer", "tests", "capacity", "response"][: max(4, len(first))]
    width = max(len(first), len(second))
    rows = [[*first, *["."] * (width - len(first))], [*second, *["."] * (width - len(second))]]
    figure, panel = panels(axes, rows, figsize=(4.3 * width, 8.6))
    for name, z in zip(first, dataset["n_active"].values, strict=True):
        _draw_errors(panel[name], dataset.sel(n_active=z), int(z))
    panel[first[0]].set_ylabel("mean |x̂ − x|² of active circuits, last layer")
    looks = {name: style.series(i) | {"lw": 1.4} for i, name in enumerate(starts(dataset))}
    looks["reading 0"] = {"color": style.NULL, "lw": 0.9, "ls": ":"}
    legend_of(panel[first[-1]], looks, fontsize=8, loc="center right")
    _draw_layers(panel["by layer"], dataset)
    _draw_tests(panel["tests"], dataset)
    _draw_capacity(panel["capacity"], dataset)
    _draw_response(panel["response"], dataset)
    return figure


def _draw_errors(ax: Axes, mine: xr.Dataset, z: int) -> None:
    found = median_over_seeds(mine, "error")
    T = mine["n_circuits"].values
    for i in range(mine.sizes["start"]):
        of = found.isel(start=i)
        drawn = [np.maximum(of[name].values, SMALLEST) for name in ("median", "low", "high")]
        draw_interval(ax, T, *drawn, **style.series(i))
    copies = float(mine["width"]) / 4
    ax.axvline(copies, color=style.NULL, lw=0.9, ls="--")
    ax.text(copies * 1.03, SMALLEST * 1.4, "a copy each", color=style.NOTE, fontsize=8)
    _error_axis(ax)
    ax.set_xscale("log")
    ax.set_xticks(T, [str(int(t)) for t in T])
    ax.minorticks_off()
    ax.set_xlabel("circuits T")
    ax.set_title(f"{z} active")


def _error_axis(ax: Axes) -> None:
    ax.set_yscale("log")
    ax.set_ylim(SMALLEST, 10)
    ax.axhline(1, color=style.NULL, lw=0.9, ls=":")


def _draw_layers(ax: Axes, dataset: xr.Dataset) -> None:
    at = dataset.isel(n_circuits=0, n_active=0)
    found = median_over_seeds(at, "error_by_layer")
    layers = dataset["layer"].values
    for i in range(dataset.sizes["start"]):
        of = found.isel(start=i)
        drawn = [np.maximum(of[name].values, SMALLEST) for name in ("median", "low", "high")]
        draw_interval(ax, layers, *drawn, **style.series(i))
    _error_axis(ax)
    ax.set_xticks(layers)
    ax.set_xlabel("layer, read as the construction is")
    ax.set_ylabel("mean |x̂ − x|²")
    ax.set_title(f"By layer: T = {int(at['n_circuits'])}, z = {int(at['n_active'])}")


def _draw_tests(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw the error of networks trained on z, in tests of other numbers of active circuits."""
    at = dataset.isel(n_circuits=0)
    tested = dataset["tested_z"].values
    for i in range(dataset.sizes["start"]):
        for k, z in enumerate(dataset["n_active"].values[[0, -1]]):
            error = at["error_elsewhere"].sel(n_active=z).isel(start=i).median("seed")
            look = style.series(i) | {"ls": ("-", "--")[k], "mfc": (None, "white")[k], "lw": 1.3}
            ax.plot(tested, np.maximum(error.values, SMALLEST), **look)
    _error_axis(ax)
    ax.set_xticks(tested)
    ax.set_xlabel("circuits active in the test")
    first, last = (int(z) for z in dataset["n_active"].values[[0, -1]])
    ax.set_title(f"Trained on z = {first} (filled), {last} (open): T = {int(at['n_circuits'])}")


def _draw_capacity(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how many circuits are held by width: by the error alone, and told apart besides."""
    widths = dataset["by_width"].values
    shown = {"capacity": ("-", None), "capacity_told_apart": ("--", "white")}
    for i in range(dataset.sizes["way"]):
        trained, init = bool(dataset["way_trained"].values[i]), str(dataset["way_init"].values[i])
        number = 0 if not trained else 1 if init == "construction" else 3
        for name, (ls, fill) in shown.items():
            values = dataset[name].isel(way=i).values
            ok = (values > 0).any(axis=1)
            if not ok.any():
                continue
            middle, low, high = np.array([student(of) for of in values[ok]]).T
            look = style.series(number) | {"ls": ls, "mfc": fill}
            draw_interval(ax, widths[ok], middle, low, high, **look)
    ax.plot(widths, widths / 4, color=style.NULL, lw=0.9, ls="--")
    ax.text(
        widths[-1],
        widths[-1] / 4 * 0.86,
        "a copy each",
        color=style.NOTE,
        fontsize=8,
        ha="right",
        va="top",
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(widths, [str(int(w)) for w in widths])
    ax.minorticks_off()
    ax.set_xlabel("width D")
    ax.set_ylabel("circuits held")
    z = int(dataset["n_active_of_capacity"])
    ax.set_title(f"Capacity, z = {z}: error < 0.1 (filled); told apart (open)")


def _draw_response(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw what the indicator of a lone circuit answers: the step, or a straight line."""
    at = dataset.isel(n_circuits=0, n_active=0)
    strength = dataset["strength"].values
    for i in range(dataset.sizes["start"]):
        of = at["response"].isel(start=i)
        own = float(at["own_share"].isel(start=i, layer=-1).mean("seed"))
        label = f"{own:.0%} on its own copies"
        look: dict[str, Any] = style.series(i) | {"ms": 3}
        ax.plot(strength, of.mean("seed").values, label=label, **look)
    ax.plot(strength, strength, color=style.NULL, lw=0.9, ls=":")
    ax.set_xlabel("strength of a lone circuit's input")
    ax.set_ylabel("its indicator, read out")
    null = float(dataset["null_share"])
    ax.legend(fontsize=8, title=f"last layer's activation (chance {null:.0%})", title_fontsize=8)
    ax.set_title(f"The step: T = {int(at['n_circuits'])}, z = {int(at['n_active'])}")
