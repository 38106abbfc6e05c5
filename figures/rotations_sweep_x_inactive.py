"""Figure 9 of "Rotations in Superposition": the vector noise of circuits that are not in use.

Linsefors & Bushnaq 2025. It should stay at z t in every layer.
Drawn by `figures.rotations_sweep`.
"""

from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from figures import rotations_sweep

MEASURE = rotations_sweep.Measure(
    name="mse_x_inactive",
    title="Inactive circuits: the noise of x stays at z t until unused neurons switch on",
    label="mean |x̂|²",
    null="as strong as an active vector",
    expected="z t,  t = d/D − 1/(ST)",
)


def compute(**how: Any) -> xr.Dataset:
    """Simulate the networks and take means over seeds; `how` as in `run_preset`."""
    return rotations_sweep.compute(MEASURE, **how)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw layers by numbers of active circuits."""
    return rotations_sweep.draw(MEASURE, dataset, ax)
