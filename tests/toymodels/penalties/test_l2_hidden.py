"""The L2 penalty on hidden activations: its value, and that no rotation changes it."""

import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.models import ReluAutoencoder
from toymodels.penalties.l1_hidden import L1Hidden
from toymodels.penalties.l2_hidden import L2Hidden

W, X = np.array([[1.0, -2.0], [0.5, 0.0]]), np.array([[1.0, 0.0], [1.0, 2.0]])
TURN = np.array([[0.6, -0.8], [0.8, 0.6]])


def penalty(of, W):
    model = ReluAutoencoder(W=jnp.asarray(W, jnp.float32), b=jnp.zeros(2))
    return float(of.create(0.25)(model, jnp.asarray(X, jnp.float32)))


def test_it_is_the_mean_over_examples_of_the_sum_of_squares():
    expected = 0.25 * ((W @ X) ** 2).sum(axis=0).mean()
    assert penalty(L2Hidden, W) == pytest.approx(expected, rel=1e-6)


def test_a_rotation_changes_l1_and_not_l2():
    assert penalty(L2Hidden, TURN @ W) == pytest.approx(penalty(L2Hidden, W), rel=1e-6)
    assert penalty(L1Hidden, TURN @ W) != pytest.approx(penalty(L1Hidden, W), rel=0.01)


def test_a_negative_weight_is_refused():
    with pytest.raises(InputError, match=r"penalties\.l2_hidden = -1"):
        L2Hidden.create(-1)
