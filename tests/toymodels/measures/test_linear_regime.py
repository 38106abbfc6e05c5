"""How often all hidden units are on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from toymodels.measures.linear_regime import LinearRegime
from toymodels.models.hidden_relu import BiasedHiddenReluAutoencoder


def all_on(c, W=np.diag([1.0, 1.0, -1.0])):
    run = make_run(3, 3, p_active=[0.4, 0.5, 1.0])
    model = BiasedHiddenReluAutoencoder(W=jnp.asarray(W), b=jnp.zeros(3), c=jnp.asarray(c))
    return float(LinearRegime(n_examples=40_000)(run, model, jax.random.key(0))["all_on"].values)


def test_all_units_are_on_as_often_as_what_they_hear_together():
    assert all_on([0.0, 0.0, 1.0]) == pytest.approx(0.4 * 0.5, abs=0.01)
    assert all_on([0.0, 0.1, 0.25]) == pytest.approx(0.4 * 0.25, abs=0.01)
    assert all_on([0.1, 0.1, 1.0]) == 1
    assert np.isnan(all_on([np.nan, 1.0, 1.0]))
