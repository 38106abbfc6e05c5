"""The measure "geometry": norms, superposition and dimensionality of a model's features."""

from typing import Any

import jax

from toymodels.errors import InputError
from toymodels.fields import Field
from toymodels.measures import geometry
from toymodels.models.base import columns

# What W stands for in the words below; the same for all models, which may share a result.
OF = ", W balanced where the model is untied"


def measure_geometry(run: Any, model: Any, key: jax.Array) -> dict[str, Field]:
    """Measure a model's columns `[M, F]` by `toymodels.geometry`.

    They are `W` of a tied model, and of an untied one what no exchange of scale between encoder
    and decoder changes (`toymodels.measures.balanced`).

    Raises:
        InputError: the model has no matrix `W`.
    """
    W = columns(model)
    if getattr(W, "ndim", 0) != 2:
        raise InputError(
            f'measures = ["geometry"] needs a matrix W, which {type(model).__name__} has not: '
            "leave it out."
        )
    return {
        "norm": Field(
            geometry.feature_norms(W), ("feature",), "length of a feature's column of W" + OF
        ),
        "superposition": Field(
            geometry.superposition(W), ("feature",), "sum over j != i of (W_i/|W_i| . W_j)^2" + OF
        ),
        "feature_dimensionality": Field(
            geometry.feature_dimensionality(W),
            ("feature",),
            "|W_i|^2 / sum_j (W_i/|W_i| . W_j)^2" + OF,
        ),
        "dimensions_per_feature": Field(
            geometry.dimensions_per_feature(W), (), "n_hidden / |W|_F^2" + OF
        ),
    }


def has_columns(model: Any) -> bool:
    """Tell whether a model has a matrix of columns (`ndim` 2)."""
    return getattr(columns(model), "ndim", 0) == 2
