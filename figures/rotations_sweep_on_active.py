"""Figure 10 of "Rotations in Superposition": the error of on-indicators in use.

Linsefors & Bushnaq 2025. It should be zero: the step of every small circuit removes noise below
its threshold. It is, until an indicator falls below it.
Drawn by `figures.rotations_sweep`.
"""

from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from figures import rotations_sweep

MEASURE = rotations_sweep.Measure(
    name="mse_on_active",
    title="Active circuits: their indicators are exact until noise passes the step's threshold",
    label="mean (α̂ − 1)²",
    null="an indicator that is off",
    expected="0 in every layer",
)


def compute(**how: Any) -> xr.Dataset:
    """Simulate the networks and take means over seeds; `how` as in `run_preset`."""
    return rotations_sweep.compute(MEASURE, **how)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw layers by numbers of active circuits."""
    return rotations_sweep.draw(MEASURE, dataset, ax)
