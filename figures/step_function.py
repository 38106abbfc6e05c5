"""Figure 3: two ReLUs make a step that removes small errors of an on-indicator, exactly.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 3):
α' = ReLU(2α - 1/2) - ReLU(2α - 3/2) is 0 below α = 1/4 and 1 above 3/4.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures import style
from figures.recipe import refuse_overrides, write_caption
from toymodels.circuits.small_circuits import rotation_circuit

LOWEST, HIGHEST = -0.1, 1.1
POINTS = 241
DEAD = (0.25, 0.75)  # where the step begins and ends, at gain 2

TITLE = "Two ReLUs make a step: small errors of the on-indicator α vanish"
CAPTION = (
    "Computed by the small circuit itself: α = a₀ − a₁ before and after one layer. Shaded: where "
    "all errors are removed. Nothing is sampled."
)
NEURONS = ("a₀′ = ReLU(2α − ½)", "a₁′ = ReLU(2α − 1½)")


def compute(*, fast: bool = False, overrides: Sequence[str] = (), **_: Any) -> xr.Dataset:
    """Send α through one layer of the circuit: `activation` (alpha, neuron), `step` (alpha).

    Raises:
        InputError: an override, for there is nothing to change.
    """
    refuse_overrides("step-function", overrides)
    alpha = np.linspace(LOWEST, HIGHEST, POINTS)
    circuit = rotation_circuit(0.0)
    states = np.zeros((POINTS, 4), np.float32)
    states[:, 0] = alpha  # a₁ = 0, so that α = a₀
    after = np.asarray(jax.vmap(circuit)(jnp.asarray(states)))
    return xr.Dataset(
        {
            "activation": (("alpha", "neuron"), after[:, :2]),
            "step": (("alpha",), after[:, 0] - after[:, 1]),
        },
        {"alpha": alpha, "neuron": [0, 1]},
        attrs={"title": TITLE, "caption": CAPTION + (" FAST version: the same." if fast else "")},
    )


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw both neurons and the step; dashed: α itself, which is what a layer without it keeps."""
    if ax is None:
        _, ax = plt.subplots(figsize=(6.2, 4.4))
    alpha = dataset["alpha"].values
    for low, high, kept in ((LOWEST, DEAD[0], 0), (DEAD[1], HIGHEST, 1)):
        ax.axvspan(low, high, color="#F1F1EE", lw=0, zorder=0)
        ax.text(
            (low + high) / 2, -0.13, f"becomes {kept}", ha="center", fontsize=8, color="#777777"
        )
    ax.plot(alpha, alpha, "--", color=style.GREY, lw=1.2, label="α, no step")
    for i, name in enumerate(NEURONS):
        color = style.series(i)["color"]
        ax.plot(alpha, dataset["activation"][:, i], color=color, lw=1.4, label=name)
    ax.plot(alpha, dataset["step"], color=style.INK, lw=2.6, label="α′ = a₀′ − a₁′")
    ax.set(xlim=(LOWEST, HIGHEST), ylim=(-0.2, 1.75), xticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set(xlabel="on-indicator α before the layer", ylabel="after the layer")
    ax.legend(loc="upper left")
    write_caption(ax.figure, dataset)
    return ax.figure
