"""What models share: how they start, hidden layers of any model, and maps that are of their own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from flax import struct

from toymodels import models
from toymodels.errors import InputError
from toymodels.estimators import Quadrature, Sampled, Stratified, best_estimator
from toymodels.fields import array
from toymodels.models.base import has_map

KEY = jax.random.key(0)


def test_xavier_scale_is_that_of_one_model():
    assert models.xavier_scale(20, 5) == pytest.approx((2 / 25) ** 0.5)
    drawn = jax.nn.initializers.glorot_normal()(KEY, (400, 600))
    assert float(drawn.std()) == pytest.approx(models.xavier_scale(400, 600), rel=0.02)


def test_a_start_by_name_is_the_start_by_number():
    by_name = models.ReluAutoencoder.start(5, 2)
    by_number = models.ReluAutoencoder.start(5, 2, models.xavier_scale(5, 2))
    assert by_name == by_number
    jax.tree.map(np.testing.assert_array_equal, by_name(KEY), by_number(KEY))
    assert by_name(KEY).W.shape == (2, 5)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((0, 2), "n_features = 0"),
        ((5, 0), "n_hidden = 0"),
        ((5, 2, -0.1), "init_scale = -0.1"),
        ((5, 2, float("nan")), "init_scale = nan"),
    ],
)
def test_a_start_that_cannot_be_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        models.ReluAutoencoder.start(*given)


def test_a_start_from_weights_is_these_weights_whatever_the_key():
    model = models.ReluAutoencoder.init(KEY, 3, 2, 0.5)
    for seed in (0, 1):
        started = models.FromWeights(model)(jax.random.key(seed))
        jax.tree.map(np.testing.assert_array_equal, started, model)


@struct.dataclass
class OfAUser:
    """A callable pytree on one example, and no `Model`."""

    W: jax.Array = array("hidden", "feature")

    def encode(self, x):
        assert x.ndim == 1
        return jnp.tanh(self.W @ x)

    def __call__(self, x):
        return self.W.T @ self.encode(x)


def test_a_model_of_a_user_goes_example_by_example():
    X = jnp.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(models.apply_batch(lambda x: x[::-1], X), X[::-1])
    mine = OfAUser(jnp.array([[0.5, -1.0]]))
    by_hand = np.tanh(np.asarray(mine.W) @ X)
    np.testing.assert_allclose(models.hidden(mine, X), by_hand, rtol=1e-5)
    np.testing.assert_allclose(models.apply_batch(mine, X), mine.W.T @ by_hand, rtol=1e-5)


@struct.dataclass
class Whole(models.Model):
    """A model of a user that takes the start of all models and says no code of its own."""

    def __call__(self, x):
        return x


def test_hidden_of_a_batch_is_that_of_each_example():
    model, X = models.ReluAutoencoder.init(KEY, 3, 2, 0.5), jax.random.normal(KEY, (3, 4))
    np.testing.assert_allclose(models.hidden(model, X), model.W @ X, rtol=1e-5)
    for without in (lambda x: x, Whole()):
        with pytest.raises(InputError, match=r"has no hidden layer.*encode"):
            models.hidden(without, X)


@struct.dataclass
class Cut(models.ReluAutoencoder):
    """Another code, the parent's map: `y = ReLU(Wᵀ ReLU(W x) + b)`."""

    def encode(self, x):
        return jax.nn.relu(super().encode(x))


@struct.dataclass
class Doubled(models.ReluAutoencoder):
    def decode(self, h):
        return 2 * super().decode(h)


@struct.dataclass
class Called(models.ReluAutoencoder):
    def __call__(self, x):
        return 2 * self.decode(self.encode(x))


@struct.dataclass
class Renamed(models.ReluAutoencoder):
    """The parent's formula under another name."""


@struct.dataclass
class Mapped(Doubled):
    """Another formula that says its own map: 2 ReLU(z) = ReLU(2 z)."""

    def relu_map(self):
        G, b = super().relu_map()
        return 2 * G, 2 * b


@pytest.mark.parametrize("kind", [Cut, Doubled, Called])
@pytest.mark.parametrize("of_instance", [False, True])
def test_a_subclass_with_another_formula_has_no_map_until_it_says_so(kind, of_instance):
    model = kind.init(KEY, 3, 2, 0.5) if of_instance else kind
    assert not has_map(model, "relu_map")
    task = make_run().task
    for estimator in (Quadrature(), Stratified()):
        refusal = estimator.refusal(task, model)
        assert refusal is not None and kind.__name__ in refusal
    assert best_estimator(task, model) == Sampled()


@pytest.mark.parametrize("kind", [Renamed, Mapped])
def test_a_subclass_with_a_map_of_its_own_formula_keeps_the_best_estimate(kind):
    task, model = make_run().task, kind.init(KEY, 3, 2, 0.5)
    assert has_map(kind, "relu_map")
    assert best_estimator(task, kind) == Quadrature()
    exact = Quadrature().loss_per_output(task, model, jnp.zeros((0, 1)))
    u = Sampled().draw(task, KEY, 2**17)
    np.testing.assert_allclose(exact, Sampled().loss_per_output(task, model, u), rtol=0.02)


def test_a_model_without_maps_has_none():
    assert not has_map(OfAUser, "relu_map")
    assert not has_map(models.ReluAutoencoder, "linear_map")  # its parent's, before the cut
    assert has_map(models.LinearAutoencoder, "linear_map")
