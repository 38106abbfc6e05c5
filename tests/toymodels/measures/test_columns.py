"""The measure "geometry" is `toymodels.geometry` of W, and belongs to models that have one."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels import geometry, models
from toymodels.errors import InputError
from toymodels.measures.columns import has_columns, measure_geometry

KEY = jax.random.key(0)
measure = jax.jit(lambda model: measure_geometry(None, model, KEY))
dimensionality_of = jax.jit(geometry.feature_dimensionality)


def test_geometry_of_antipodal_pairs():
    """Two pairs in two dimensions: each feature has half a dimension and one full rival."""
    model = models.ReluAutoencoder(jnp.array([[1.0, -1, 0, 0], [0, 0, 2, -2]]), jnp.zeros(4))
    found = measure(model)
    assert {name: field.dims for name, field in found.items()} == {
        "norm": ("feature",),
        "superposition": ("feature",),
        "feature_dimensionality": ("feature",),
        "dimensions_per_feature": (),
    }
    np.testing.assert_allclose(found["norm"].values, [1, 1, 2, 2], rtol=1e-6)
    np.testing.assert_allclose(found["superposition"].values, [1, 1, 4, 4], rtol=1e-6)
    np.testing.assert_allclose(found["feature_dimensionality"].values, 0.5, rtol=1e-6)
    np.testing.assert_allclose(found["dimensions_per_feature"].values, 2 / 10, rtol=1e-6)


def test_many_models_at_once_are_each_measured_alone():
    models_ = jax.vmap(lambda key: models.ReluAutoencoder.init(key, 5, 2, 0.7))(
        jax.random.split(KEY, 4)
    )
    found = jax.jit(jax.vmap(measure))(models_)
    for i in range(4):
        dimensionality = dimensionality_of(models_.W[i])
        np.testing.assert_allclose(
            found["feature_dimensionality"].values[i], dimensionality, rtol=1e-5
        )


def test_a_model_without_a_matrix_is_refused_by_name():
    for W in (None, jnp.zeros(3), jnp.zeros((2, 3, 4))):
        model = SimpleNamespace(W=W)
        assert not has_columns(model)
        with pytest.raises(InputError, match='measures = \\["geometry"\\] needs a matrix W'):
            measure_geometry(None, model, KEY)
