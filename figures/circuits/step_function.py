"""Figure 3: two ReLUs make a step that removes small errors of an on-indicator, exactly.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 3):
α' = ReLU(2α - 1/2) - ReLU(2α - 3/2) is 0 below α = 1/4 and 1 above 3/4.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import panels
from toymodels.circuits.small_circuits import ROTATION_NEURONS, rotation_circuit

LOWEST, HIGHEST, POINTS = -0.1, 1.1, 241
ROUNDING = 1e-6
NEURONS = ("a₀′ = ReLU(2α − ½)", "a₁′ = ReLU(2α − 1½)")

# What the analysis' own variables are.
WORDS = {
    "activation": "neurons of the circuit after one layer",
    "step": "indicator after one layer, a₀ − a₁",
    "end_of_0": "α up to which the step is 0",
    "start_of_1": "α from which the step is 1",
}


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Send α through one layer of the circuit: `activation` (alpha, neuron), `step` (alpha).

    `end_of_0`, `start_of_1`: up to and from which α the step is 0 and 1.
    """
    alpha = np.linspace(LOWEST, HIGHEST, POINTS)
    states = np.zeros((POINTS, ROTATION_NEURONS), np.float32)
    states[:, 0] = alpha  # a₁ = 0, so that α = a₀
    after = np.asarray(jax.vmap(rotation_circuit(0.0))(jnp.asarray(states)))
    step = after[:, 0] - after[:, 1]
    return dataset.assign(
        activation=(("alpha", "neuron"), after[:, :2]),
        step=("alpha", step),
        end_of_0=alpha[step < ROUNDING].max(),
        start_of_1=alpha[step > 1 - ROUNDING].min(),
    ).assign_coords(alpha=alpha, neuron=[0, 1])


def claim(dataset: xr.Dataset) -> str:
    """Say where errors of an indicator vanish."""
    low, high = (float(dataset[name]) for name in ("end_of_0", "start_of_1"))
    return f"Two ReLUs send on-indicators below {low:.2f} to 0 and those above {high:.2f} to 1"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say how it was computed."""
    return [
        "computed by the small circuit itself: α = a₀ − a₁ before and after one layer",
        "shaded: where all errors are removed; nothing is sampled",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw both neurons and the step; dashed: α itself, which is what a layer without it keeps."""
    figure, panel = panels(axes, [["step"]], figsize=(6.2, 4.4))
    ax, alpha = panel["step"], dataset["alpha"].values
    ends = ((alpha[0], dataset["end_of_0"], 0), (dataset["start_of_1"], alpha[-1], 1))
    for low, high, kept in ends:
        ax.axvspan(float(low), float(high), color=style.PALE, alpha=0.6, lw=0, zorder=0)
        ax.annotate(
            f"becomes {kept}",
            (float(low + high) / 2, 0.03),
            xycoords=("data", "axes fraction"),
            ha="center",
            fontsize=8,
            color=style.NOTE,
        )
    ax.plot(alpha, alpha, "--", color=style.NULL, lw=1.2, label="α, no step")
    for i, name in enumerate(NEURONS):
        color = style.series(i)["color"]
        ax.plot(alpha, dataset["activation"][:, i], color=color, lw=1.4, label=name)
    ax.plot(alpha, dataset["step"], color=style.INK, lw=2.6, label="α′ = a₀′ − a₁′")
    ax.margins(x=0)
    ax.set_ylim(bottom=-0.2)
    ax.set(xticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set(xlabel="on-indicator α before the layer", ylabel="after the layer")
    ax.legend(loc="upper left")
    return figure
