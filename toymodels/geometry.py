"""The geometry of one weight matrix: norms, superposition, dimensionality, shapes and their names.

What stands here is defined in `toymodels.measures`: `geometry`, `balanced` for untied models, and
`polytopes`.

W is always read as [hidden, features]. A matrix with more rows than columns is a wide hidden layer,
which is legal, or lies the other way round: no function can tell, so none here warns or refuses.
`toymodels.interop.read` and `toymodels inspect` ask where it is doubtful.
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
