"""What the world looks like: kinds of sparse features, one file each, and how one is drawn."""

from toymodels.features.base import (
    SMALLEST_SHARED_DRAW,
    Distribution,
    Features,
    SignedUniform,
    Uniform,
    along_first_axis,
    draw_uniforms,
)
from toymodels.features.independent import Independent
from toymodels.features.one_active import OneActive

ValueLaw = Distribution  # old name, kept for one version

__all__ = [
    "SMALLEST_SHARED_DRAW",
    "Distribution",
    "Features",
    "Independent",
    "OneActive",
    "SignedUniform",
    "Uniform",
    "along_first_axis",
    "draw_uniforms",
]
