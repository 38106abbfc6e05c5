"""The geometry of one weight matrix: norms, superposition, dimensionality, shapes and their names.

What stands here is defined in `toymodels.measures`: `geometry`, `balanced` for untied models, and
`polytopes`.
"""

from toymodels.measures.balanced import balanced_encoder, balanced_neurons
from toymodels.measures.geometry import (
    dimensions_per_feature,
    feature_dimensionality,
    feature_norms,
    n_dedicated,
    n_represented,
    represented,
    superposition,
)
from toymodels.measures.polytopes import Component, components, joined_name, name_arrangement

__all__ = [
    "Component",
    "balanced_encoder",
    "balanced_neurons",
    "components",
    "dimensions_per_feature",
    "feature_dimensionality",
    "feature_norms",
    "joined_name",
    "n_dedicated",
    "n_represented",
    "name_arrangement",
    "represented",
    "superposition",
]
