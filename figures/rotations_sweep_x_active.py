"""Figure 8 of "Rotations in Superposition": the error of rotating vectors that are in use.

Linsefors & Bushnaq 2025. The published estimate holds at small T (d/D)² and fails by orders of
magnitude once unused neurons switch on: from layer 3 on, first where many circuits share few
neurons.
Drawn by `figures.rotations_sweep`.
"""

from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from figures import rotations_sweep

MEASURE = rotations_sweep.Measure(
    name="mse_x_active",
    title="Active circuits: the error of x follows the estimate until unused neurons switch on",
    label="mean |x̂ − x|²",
    null="as bad as reading out 0",
    expected="(l−1) T t² [z + β(z−1)] + l t (z−1)(1+β),\nt = d/D − 1/(ST),  β = 2(1+b)²",
)


def compute(**how: Any) -> xr.Dataset:
    """Simulate the networks and take means over seeds; `how` as in `run_preset`."""
    return rotations_sweep.compute(MEASURE, **how)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw layers by numbers of active circuits."""
    return rotations_sweep.draw(MEASURE, dataset, ax)
