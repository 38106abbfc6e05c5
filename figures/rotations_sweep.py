"""Figures 8 to 11 of "Rotations in Superposition": errors of 41 networks, by layer and load.

Linsefors & Bushnaq 2025. Panels: layer (rows) by number of active circuits z (columns); points:
networks of width D with T circuits over T (d/D)², d = 4; dashed: the published estimate of each
width. All four figures read one run of the preset `rotations-sweep`.
"""

from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from sweeps.circuits_config import NEURONS

from figures import style
from figures.circuit_errors import published, run_axes
from figures.recipe import write_caption
from sweeps.stats import mean_over_seeds

PRESET = "rotations-sweep"
AXES = ("network", "n_active", "seed")
EXACT = 1e-9  # errors below it are rounding
SMALLEST = 1e-4  # below it the axis of errors is linear, down to an exact 0


@dataclass(frozen=True)
class Measure:
    """One error, and what its figure says of it."""

    name: str  # in the dataset
    title: str
    label: str
    null: str  # what an error of 1 means
    expected: str  # the published estimate, in words


def compute(measure: Measure, **how: Any) -> xr.Dataset:
    """Simulate all networks, or find them done, and take means; `how` as in `run_preset`.

    Raises:
        InputError: as `run_preset`, and for other axes than those of the panels.
    """
    return analyse(measure, run_axes(PRESET, AXES, **how))


def analyse(measure: Measure, dataset: xr.Dataset) -> xr.Dataset:
    """Return means over seeds and the estimate, over (network, n_active, layer) from layer 1.

    `mean`, `low`, `high`: of the error, with its 95 % interval; `theory`; `load`: T (d/D)².
    """
    found = mean_over_seeds(dataset, measure.name).isel(layer=slice(1, None))
    found = found.transpose("network", "n_active", "layer", ...)
    n_blocks = dataset["width"] / NEURONS
    expected = published(measure.name, dataset)
    found["theory"] = expected.transpose("network", "n_active", "layer")
    found["load"] = dataset["n_circuits"] / n_blocks**2
    found["more_than_blocks"] = dataset["n_circuits"] > n_blocks
    found.attrs = dataset.attrs | {"title": measure.title, "measure": measure.name}
    return found


def draw(measure: Measure, dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw all panels; `ax`: one axes for the legend, then layers × numbers of active circuits."""
    n_rows, n_columns = dataset.sizes["layer"], dataset.sizes["n_active"]
    if ax is None:
        figure = plt.figure(figsize=(2.55 * n_columns + 0.8, 2.1 * n_rows + 1.6))
        grid = figure.add_gridspec(n_rows + 1, n_columns, height_ratios=[0.42] + n_rows * [1])
        place = figure.add_subplot(grid[0, :])
        axes = np.empty((n_rows, n_columns), object)
        for at in np.ndindex(axes.shape):
            first = axes[0, 0]
            panel = figure.add_subplot(grid[at[0] + 1, at[1]], sharex=first, sharey=first)
            panel.tick_params(labelleft=at[1] == 0, labelbottom=at[0] == n_rows - 1)
            axes[at] = panel
    else:
        place, *rest = np.ravel(ax)
        figure, axes = place.figure, np.reshape(rest, (n_rows, n_columns))
    for (row, column), panel in np.ndenumerate(axes):
        _draw_panel(panel, dataset.isel(layer=row, n_active=column))
        if row == 0:
            panel.set_title(f"z = {int(dataset['n_active'][column])} active at once")
        if column == 0:
            panel.set_ylabel(f"layer {int(dataset['layer'][row])}\n{measure.label}")
        if row == n_rows - 1:
            panel.set_xlabel("T (d/D)²")
    _scale(axes[0, 0], dataset)
    _draw_legend(place, measure, dataset)
    write_caption(figure, dataset)
    return figure


def _draw_panel(ax: Axes, cells: xr.Dataset) -> None:
    """Draw one layer and z: every width's networks in one colour, with its estimate."""
    ax.axhline(1, color=style.GREY, lw=1, ls=":", zorder=0)
    shades, width = _colors(cells), cells["width"].values
    colors = np.array([shades[each] for each in width.tolist()])
    load, mean, expected = (cells[name].values for name in ("load", "mean", "theory"))
    of_width = [np.flatnonzero(width == each) for each in shades]
    rising = [mine[np.argsort(load[mine])] for mine in of_width]
    dashes = [np.stack([load[mine], expected[mine]], axis=1) for mine in rising]
    estimates = LineCollection(dashes, colors=list(shades.values()), ls="--", lw=1.1, zorder=1)
    ax.add_collection(estimates, autolim=False)
    ax.vlines(load, cells["low"], cells["high"], colors=list(colors), lw=0.9, zorder=2)
    many = cells["more_than_blocks"].values
    for chosen, marker in ((many, "o"), (~many, "^")):
        ax.scatter(load[chosen], mean[chosen], c=colors[chosen], s=17, marker=marker, zorder=3)
    if not expected.any() and float(cells["mean"].max()) < EXACT:
        ax.text(0.03, 0.15, "0 up to rounding", transform=ax.transAxes, fontsize=8, color=style.INK)
    ax.grid(axis="y", color="#EBEBEB", lw=0.6)


def _scale(ax: Axes, dataset: xr.Dataset) -> None:
    """Set both axes; that of errors is logarithmic, down to a 0 where some error is exactly 0."""
    ax.set_xlim(0, 1.05 * float(dataset["load"].max()))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter("{x:g}")
    least, most = float(dataset["mean"].min()), 1.5 * float(dataset["mean"].max())
    if least > SMALLEST:
        ax.set_yscale("log")
        ax.set_ylim(0.5 * least, 2 * max(most, 1))
    else:
        ax.set_yscale("symlog", linthresh=SMALLEST, linscale=0.4)
        ax.set_yticks([0, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10])
        ax.set_ylim(-0.35 * SMALLEST, 2 * max(most, 1))
    ax.minorticks_off()


def _colors(cells: xr.Dataset) -> dict[int, Any]:
    """Return a colour for each width, dark for narrow networks."""
    widths = np.unique(cells["width"])
    shades = style.IMPORTANCE(np.linspace(0, 0.9, len(widths)))
    return dict(zip(widths.tolist(), shades, strict=True))


def _draw_legend(ax: Axes, measure: Measure, dataset: xr.Dataset) -> None:
    ax.axis("off")
    shades: list[Any] = [
        Line2D([], [], color=color, lw=3, label=f"D = {width}")
        for width, color in _colors(dataset).items()
    ]
    ink: dict[str, Any] = {"color": style.INK}
    rest: list[Any] = [
        Line2D([], [], marker="o", ls="none", **ink, label="measured, T > D/d"),
        Line2D([], [], marker="^", ls="none", **ink, label="measured, T ≤ D/d"),
        Line2D([], [], ls="--", **ink, label=f"published estimate, {measure.expected}"),
        Line2D([], [], color=style.GREY, ls=":", lw=1.6, label=f"1: {measure.null}"),
    ]
    ax.add_artist(ax.legend(handles=shades, loc="center left", ncols=3))
    ax.legend(handles=rest, loc="center right", ncols=2)
