"""Figure 5: an average vector is worth reading for three or four layers; theory says for more.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6). Drawn by
`figures.errors_by_layer`.
"""

from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from figures import errors_by_layer
from figures.errors_by_layer import VECTOR


def compute(**how: Any) -> xr.Dataset:
    """Simulate and add the theory; `how` as in `figures.errors_by_layer.compute`."""
    return errors_by_layer.compute(VECTOR, **how)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw mean squares above and worst cases below; `ax` may be four axes."""
    return errors_by_layer.draw(VECTOR, dataset, ax)
