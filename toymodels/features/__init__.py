"""What the world looks like: kinds of sparse features, one file each, and how one is drawn."""

from toymodels.features.base import (
    SMALLEST_SHARED_DRAW,
    Boolean,
    Distribution,
    Features,
    SignedUniform,
    Uniform,
)
from toymodels.features.independent import Independent
from toymodels.features.one_active import OneActive
from toymodels.features.several_active import SeveralActive
from toymodels.fields import along_first_axis
from toymodels.streams import draw_uniforms

ValueLaw = Distribution  # old name, kept for one version

__all__ = [
    "SMALLEST_SHARED_DRAW",
    "Boolean",
    "Distribution",
    "Features",
    "Independent",
    "OneActive",
    "SeveralActive",
    "SignedUniform",
    "Uniform",
    "along_first_axis",
    "draw_uniforms",
]
