"""The phases of an extra feature, three in two, solved exactly: F11–F14 without noise.

Elhage et al. 2022, "Superposition as a Phase Change". Drawn by `figures.phase_diagram`; the same
diagram trained on samples is `figures.phase_diagram_3_2_sampled`.
"""

from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from figures import phase_diagram
from toymodels.theory.problems import problem_of

PROBLEM = problem_of(3, 2)


def compute(**how: Any) -> xr.Dataset:
    """Solve the grid and trace the boundaries; `how` as in `run_preset`."""
    return phase_diagram.compute(PROBLEM, **how)


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw theory, optimum and their difference."""
    return phase_diagram.draw(PROBLEM, dataset, ax)
