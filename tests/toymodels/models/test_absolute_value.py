"""The absolute-value model: its formula, its freedom of scale, and that two neurons do one |x|;
with biases of the neurons it is another function, until they are 0."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.estimators import Sampled, Stratified, best_estimator
from toymodels.features import Independent, SignedUniform
from toymodels.measures.balanced import balanced_neurons
from toymodels.models.absolute_value import AbsoluteValueModel, BiasedAbsoluteValueModel
from toymodels.models.base import columns
from toymodels.tasks import Reconstruction
from toymodels.tasks.absolute_value import AbsoluteValue

X = np.linspace(-1, 1, 21, dtype=np.float32)[None]


def test_a_neuron_for_each_sign_computes_the_absolute_value():
    model = AbsoluteValueModel(
        W=jnp.array([[1.0], [-1.0]]), V=jnp.array([[1.0, 1.0]]), b=jnp.zeros(1)
    )
    np.testing.assert_allclose(model(jnp.asarray(X)), np.abs(X), atol=1e-7)


def test_rescaling_a_neuron_changes_nothing():
    model = AbsoluteValueModel.init(jax.random.key(0), 3, 4, 0.8)
    a = jnp.array([0.1, 1.0, 2.0, 30.0])
    other = model.replace(W=model.W * a[:, None], V=model.V / a[None])
    x = jax.random.normal(jax.random.key(1), (3, 9))
    np.testing.assert_allclose(model(x), other(x), rtol=1e-5)


def test_where_one_feature_is_active_it_is_one_map_for_either_sign():
    model = some_model(AbsoluteValueModel)
    maps, b = model.maps_of_one()
    for sign, G in zip((1, -1), maps, strict=True):
        x = sign * 0.7 * jnp.eye(3)  # a batch: feature j alone in example j
        wanted = jax.nn.relu(0.7 * G + b[:, None])
        np.testing.assert_allclose(model(x), wanted, rtol=1e-5, atol=1e-6)


def some_model(kind):
    model = kind.init(jax.random.key(0), 3, 4, 0.8)
    return model.replace(b=jnp.array([0.1, -0.2, 0.3]))


def test_biases_of_neurons_start_at_zero_and_shift_their_kinks():
    model, plain = (some_model(kind) for kind in (BiasedAbsoluteValueModel, AbsoluteValueModel))
    x = jax.random.normal(jax.random.key(1), (3, 9))
    np.testing.assert_array_equal(model(x), plain(x))
    c = jnp.array([0.5, -0.5, 0.0, 1.0])
    moved = model.replace(c=c)
    np.testing.assert_allclose(moved.encode(x), jax.nn.relu(model.W @ x + c[:, None]), rtol=1e-6)
    np.testing.assert_allclose(moved(x[:, 0]), moved(x)[:, 0], rtol=1e-5)
    np.testing.assert_array_equal(columns(moved), balanced_neurons(model.W, model.V))


def test_a_positive_decoder_starts_with_the_same_weights_but_for_signs():
    key = jax.random.key(2)
    plain, positive = (
        AbsoluteValueModel.start(3, 4, 0.5, decoder)(key) for decoder in ("normal", "positive")
    )
    np.testing.assert_array_equal(positive.V, np.abs(plain.V))
    np.testing.assert_array_equal(positive.W, plain.W)
    assert (np.asarray(plain.V) < 0).any()
    found = BiasedAbsoluteValueModel.start(3, 4, 0.5, "positive")(key)
    assert isinstance(found, BiasedAbsoluteValueModel)
    assert found.c.shape == (4,)
    with pytest.raises(InputError, match="init_decoder = 'uniform': give"):
        AbsoluteValueModel.start(3, 4, 0.5, "uniform")


def test_closed_forms_are_used_where_they_hold():
    """Not those of the untied autoencoder, and with biases of neurons there is none."""
    world = Independent.create(0.5, 3, SignedUniform())
    task = AbsoluteValue.create(world)
    assert isinstance(best_estimator(task, AbsoluteValueModel), Stratified)
    assert isinstance(best_estimator(task, BiasedAbsoluteValueModel), Sampled)
    for features in (world, Independent.create(0.5, 3)):
        other = Reconstruction.create(features)
        assert isinstance(best_estimator(other, AbsoluteValueModel), Sampled)
