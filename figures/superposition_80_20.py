"""F9: the sparser the features, the more of them share directions (80 features in 20 dimensions).

Elhage et al. 2022, "Basic results". Drawn by `figures.superposition`.
"""

from typing import Any

import xarray as xr

from figures import superposition
from figures.superposition import draw as draw

PRESET = "superposition-80-20"


def compute(**how: Any) -> xr.Dataset:
    """Train the panels and keep the best seed of each; `how` as in `run_preset`."""
    return superposition.compute(PRESET, **how)
