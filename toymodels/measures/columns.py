"""The measure "geometry": norms, superposition and dimensionality of the columns of W."""

from typing import Any

import jax

from toymodels.errors import InputError
from toymodels.fields import Field
from toymodels.measures import geometry


def measure_geometry(run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
    """Measure `W [M, F]` by `toymodels.geometry`.

    Raises:
        InputError: the model has no matrix `W`.
    """
    if not has_columns(model):
        raise InputError(
            f'measures = ["geometry"] needs a matrix W, which {type(model).__name__} has not: '
            "leave it out."
        )
    W = model.W
    return {
        "norm": Field(geometry.feature_norms(W), ("feature",), "length of a feature's column of W"),
        "superposition": Field(
            geometry.superposition(W), ("feature",), "sum over j != i of (W_i/|W_i| . W_j)^2"
        ),
        "feature_dimensionality": Field(
            geometry.feature_dimensionality(W),
            ("feature",),
            "|W_i|^2 / sum_j (W_i/|W_i| . W_j)^2",
        ),
        "dimensions_per_feature": Field(
            geometry.dimensions_per_feature(W), (), "n_hidden / |W|_F^2"
        ),
    }


def has_columns(model: Any) -> bool:
    """Tell whether a model has a matrix `W` (`ndim` 2)."""
    return getattr(getattr(model, "W", None), "ndim", 0) == 2
