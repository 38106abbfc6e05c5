"""One hidden layer of neurons: its formula, its start, and that it trains in a sweep."""

import jax
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.models.mlp import BiasedOneHiddenLayer, OneHiddenLayer


@pytest.mark.parametrize("model", [OneHiddenLayer, BiasedOneHiddenLayer])
def test_it_answers_with_a_read_out_of_neurons(model):
    drawn = model.start(5, 3, n_outputs=7)(jax.random.key(1))
    if model is BiasedOneHiddenLayer:
        drawn = drawn.replace(c=np.array([0.5, -0.5, 1.0]), b=np.arange(7.0))
    x = np.asarray(jax.random.normal(jax.random.key(2), (5, 4)))
    c, b = (np.asarray(getattr(drawn, name, np.zeros(1))) for name in "cb")
    for i in range(4):
        expected = drawn.V @ np.maximum(drawn.W @ x[:, i] + c, 0) + b
        np.testing.assert_allclose(drawn(x[:, i]), expected, rtol=1e-5)
        np.testing.assert_allclose(drawn(x)[:, i], expected, rtol=1e-5)


def test_first_weights_are_normal_by_he():
    model = OneHiddenLayer.start(400, 200, init_gain=0.5)(jax.random.key(0))
    assert np.std(model.W) == pytest.approx(0.5 * (2 / 400) ** 0.5, rel=0.01)
    assert np.std(model.V) == pytest.approx(0.5 * (2 / 200) ** 0.5, rel=0.01)
    assert model.columns().shape == (200, 400)


def test_a_negative_gain_is_refused():
    with pytest.raises(InputError, match="init_gain = -1"):
        OneHiddenLayer.start(5, 3, init_gain=-1)
