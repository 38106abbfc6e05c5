"""How often hidden units are on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from toymodels.measures.activity import Activity
from toymodels.models.hidden_relu import HiddenReluAutoencoder


def test_a_unit_is_on_as_often_as_what_it_hears():
    run = make_run(3, 4, p_active=[0.1, 0.5, 1.0])
    W = np.array([[1, 0, 0], [0, 1, 0], [0, 0, -1], [1, 1, 0]], np.float32)
    model = HiddenReluAutoencoder(W=jnp.asarray(W), b=jnp.zeros(3))
    found = Activity(n_examples=40_000)(run, model, jax.random.key(0))
    expected = [0.1, 0.5, 0.0, 1 - 0.9 * 0.5]
    np.testing.assert_allclose(found["activity"].values, expected, atol=0.01)
    assert float(found["n_on"].values) == pytest.approx(sum(expected), abs=0.03)
