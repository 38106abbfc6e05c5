"""F13 and F14: the fate of an extra feature as a phase transition, three features in two.

Elhage et al. 2022, "Superposition as a Phase Change". Drawn by `figures.phase_diagram`.
"""

from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from figures import phase_diagram


def compute(**how: Any) -> xr.Dataset:
    """Train the grid and label the best seed of each cell; `how` as in `run_preset`."""
    return phase_diagram.compute(phase_diagram.THREE_IN_TWO, **how)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw theory beside training."""
    return phase_diagram.draw(phase_diagram.THREE_IN_TWO, dataset, ax)
