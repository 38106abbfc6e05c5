"""Figure 7: neurons that no active circuit uses switch on from layer 2 on, and then ever more.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6). Dashed: the z S of N neurons
that active circuits use. Bars: a mean field of the others (`toymodels.circuits.switching`),
from the measured link density and inhibition; it has no free parameter.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sweeps.circuits_config import NEURONS, CircuitsConfig

from figures import style
from figures.circuit_runs import config_of, run_post
from figures.recipe import write_caption
from toymodels.circuits.simulation import copies_of
from toymodels.circuits.switching import Links, share_on, switching_points

BLOCKS = ("a₀ indicator", "a₁ indicator", "a₂ vector", "a₃ vector")
STYLES = ("-", "-", "-", (0, (4, 2)))  # a₂ and a₃ lie on one another
BETWEEN = 0.05  # of a layer


def compute(**how: Any) -> xr.Dataset:
    """Simulate, or take the run of `rotations-error` from `out`, and add the mean field.

    `fraction_on` (seed, n_active, layer, block), its mean over seeds and interval `_mean`, `_low`,
    `_high`; `used` (n_active) = z S / N; `mean_field` (n_active, layer, block), NaN beyond layer 3;
    `switching_point` (block), the α from which a neuron is on. `how` as in `run_preset`.
    """
    dataset = run_post("fraction_on", **how)
    config = config_of(dataset)
    n_copies = copies_of(config.width, NEURONS)
    dataset["used"] = dataset["n_active"] * config.redundancy / n_copies
    dataset["mean_field"] = (("n_active", "layer", "block"), _mean_field(config, dataset))
    dataset["switching_point"] = (("block",), switching_points(config.gain, config.bias))
    title = (
        "Neurons that no active circuit uses switch on: "
        f"{config.n_circuits} circuits in {config.width} neurons"
    )
    return dataset.assign_attrs(title=title, caption=f"On: above 10⁻⁴. {dataset.attrs['caption']}")


def _mean_field(config: CircuitsConfig, dataset: xr.Dataset) -> np.ndarray:
    links = Links(
        copies_of(config.width, NEURONS),
        config.redundancy,
        float(dataset["link_density"].mean()),
        float(dataset["inhibition_strength"].mean()),
    )
    z = dataset["n_active"].values.tolist()
    values = np.full((len(z), max(config.n_layers, 3) + 1, NEURONS), np.nan)
    values[:, 1:4] = [share_on(links, n, config.gain, config.bias) for n in z]
    return values[:, : config.n_layers + 1]


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw one panel per z; `ax` may be as many axes."""
    n = dataset.sizes["n_active"]
    if ax is None:
        figure, axes = plt.subplots(1, n, figsize=(3.6 * n + 0.6, 4.3), sharey=True, squeeze=False)
        axes = axes[0]
    else:
        axes = np.ravel(ax)
        figure = axes[0].figure
    for panel, z in zip(axes, dataset["n_active"].values.tolist(), strict=True):
        _draw_panel(panel, dataset.sel(n_active=z))
        panel.set_title(f"z = {z} active circuit{'s' * (z > 1)}")
        panel.set_xlabel("layer")
    top = 1.05 * float(dataset["fraction_on_high"].fillna(dataset["fraction_on_mean"]).max())
    for panel in axes:
        panel.set_ylim(0, top)
    axes[0].set_ylabel("share of the neurons of a block that are on")
    _draw_legend(axes[0], dataset)
    write_caption(figure, dataset)
    return figure


def _draw_panel(ax: Axes, here: xr.Dataset) -> None:
    layer = here["layer"].values[1:]
    for i, line in enumerate(STYLES):
        mean, low, high = (
            here[f"fraction_on_{part}"].values[1:, i] for part in ("mean", "low", "high")
        )
        half = np.nan_to_num(np.stack([mean - low, high - mean]))
        shift, color = BETWEEN * (i - 1.5), style.series(i)["color"]
        ax.errorbar(layer + shift, mean, half, **style.series(i), ls=line, lw=1.6, capsize=2.5)
        expected = here["mean_field"].values[1:, i]
        ax.plot(layer + shift, expected, "_", color=color, ms=15, mew=2.4, alpha=0.55)
    used = float(here["used"])
    ax.axhline(used, color=style.INK, ls="--", lw=1.0)
    ax.annotate(
        f"z S / N = {used:.1%}",
        (1, used),
        (-2, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=7.5,
        ha="right",
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _draw_legend(ax: Axes, dataset: xr.Dataset) -> None:
    points = dataset["switching_point"].values
    handles = [
        Line2D([], [], **style.series(i), ls=line, lw=1.6, label=f"{name}, on from α = {point:.2g}")
        for i, (name, line, point) in enumerate(zip(BLOCKS, STYLES, points, strict=True))
    ]
    plain: dict[str, Any] = {"color": style.INK}
    handles += [
        Line2D([], [], **plain, ls="--", lw=1.0, label="used by active circuits"),
        Line2D([], [], **plain, ls="", marker="_", ms=12, mew=2.4, alpha=0.55, label="mean field"),
    ]
    ax.legend(handles=handles, loc="upper left", fontsize=7.5)
