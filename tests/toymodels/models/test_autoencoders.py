import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels import models
from toymodels.losses import apply_batch

FAMILY = [models.LinearAutoencoder, models.ReluAutoencoder, models.UntiedAutoencoder]
KEY = jax.random.key(0)


def biased(kind, n_features, n_hidden):
    model = kind.init(KEY, n_features, n_hidden, 0.7)
    return model.replace(b=jax.random.normal(jax.random.key(1), (n_features,)))


def by_hand(model, X):
    W, b = np.asarray(model.W, np.float64), np.asarray(model.b, np.float64)
    out = np.asarray(getattr(model, "V", W.T), np.float64) @ W @ X + b[:, None]
    return out if type(model) is models.LinearAutoencoder else np.maximum(out, 0)


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize(("n_features", "n_hidden"), [(1, 1), (6, 2), (7, 3)])
def test_batch_equals_the_model_on_each_example(kind, n_features, n_hidden):
    model = jax.jit(biased, static_argnums=(0, 1, 2))(kind, n_features, n_hidden)
    X = jax.random.uniform(jax.random.key(2), (n_features, 9))
    one_by_one = jax.jit(lambda model: jax.vmap(model, in_axes=-1, out_axes=-1)(X))(model)
    np.testing.assert_allclose(jax.jit(kind.on_batch)(model, X), one_by_one, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(one_by_one, by_hand(model, np.asarray(X)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", FAMILY)
def test_gradient_through_the_batch_equals_the_one_through_the_examples(kind):
    model = jax.jit(biased, static_argnums=(0, 1, 2))(kind, 6, 2)
    X, target = jax.random.uniform(jax.random.key(2), (2, 6, 9))

    def loss(model, X, run):
        return jnp.sum((run(model, X) - target) ** 2)

    def one_by_one(model, X):
        return jax.vmap(model, in_axes=-1, out_axes=-1)(X)

    gradient = jax.jit(jax.grad(loss, argnums=(0, 1)), static_argnums=2)
    fast, slow = gradient(model, X, kind.on_batch), gradient(model, X, one_by_one)
    for a, b in zip(jax.tree.leaves(fast), jax.tree.leaves(slow), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_model_without_a_fast_path_goes_example_by_example():
    X = jnp.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(apply_batch(lambda x: x[::-1], X), X[::-1])


def test_linear_and_relu_by_hand():
    W, b = jnp.array([[1.0, -1.0]]), jnp.array([0.5, 0.25])
    x = jnp.array([1.0, 0.0])
    np.testing.assert_allclose(models.LinearAutoencoder(W, b)(x), [1.5, -0.75])
    np.testing.assert_allclose(models.ReluAutoencoder(W, b)(x), [1.5, 0.0])
    V = jnp.array([[2.0], [3.0]])
    np.testing.assert_allclose(models.UntiedAutoencoder(W, V, b)(x), [2.5, 3.25])


@pytest.mark.parametrize("kind", FAMILY)
def test_initial_weights_have_the_standard_deviation_that_was_asked_for(kind):
    model = models.Init(np.float32(0.3), kind, n_features=100, n_hidden=100)(KEY)
    for name in ("W", "V"):
        if hasattr(model, name):
            weights = np.asarray(getattr(model, name))
            assert abs(weights.std() - 0.3) < 5 * 0.3 / np.sqrt(2 * weights.size)
            assert abs(weights.mean()) < 5 * 0.3 / np.sqrt(weights.size)
    assert np.all(np.asarray(model.b) == 0)


@pytest.mark.parametrize("kind", FAMILY)
def test_initial_weights_do_not_depend_on_how_many_models_start_together(kind):
    init = models.Init(np.float32(0.3), kind, n_features=5, n_hidden=2)
    keys = jax.random.split(KEY, 7)
    together = jax.vmap(init)(keys)
    alone = init(keys[0])
    first = jax.tree.map(lambda leaf: leaf[0], together)
    jax.tree.map(np.testing.assert_array_equal, first, alone)


def test_encoder_and_decoder_of_the_untied_model_start_apart():
    model = models.UntiedAutoencoder.init(KEY, 4, 4, 1.0)
    assert not np.any(np.isclose(model.W, model.V))
    assert not np.any(np.isclose(model.W, model.V.T))


def test_xavier_scale_is_that_of_one_model():
    assert models.xavier_scale(20, 5) == pytest.approx((2 / 25) ** 0.5)
    drawn = jax.nn.initializers.glorot_normal()(KEY, (400, 600))
    assert float(drawn.std()) == pytest.approx(models.xavier_scale(400, 600), rel=0.02)
