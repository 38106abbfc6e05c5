"""F11 and F12: the fate of an extra feature as a phase transition, two features in one dimension.

Elhage et al. 2022, "Superposition as a Phase Change". Trained on
samples, as in the paper; drawn by `figures.phase_diagram_sampled`.
"""

from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from figures import phase_diagram_sampled
from toymodels.theory.problems import problem_of

PROBLEM = problem_of(2, 1)


def compute(**how: Any) -> xr.Dataset:
    """Train the grid and label the best seed of each cell; `how` as in `run_preset`."""
    return phase_diagram_sampled.compute(PROBLEM, **how)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw theory beside training."""
    return phase_diagram_sampled.draw(PROBLEM, dataset, ax)
