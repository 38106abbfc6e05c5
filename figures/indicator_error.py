"""Figure 6: on-indicators are exact for a layer or two, then more and more switch wrongly.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6). Drawn by
`figures.circuit_errors`.
"""

from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from figures import circuit_errors
from figures.circuit_errors import INDICATOR


def compute(**how: Any) -> xr.Dataset:
    """Simulate and add the theory; `how` as in `figures.circuit_errors.compute`."""
    return circuit_errors.compute(INDICATOR, **how)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw mean squares above and worst cases below; `ax` may be four axes."""
    return circuit_errors.draw(INDICATOR, dataset, ax)
