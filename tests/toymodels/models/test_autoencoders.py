import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels import models

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
    np.testing.assert_allclose(jax.jit(kind.__call__)(model, X), one_by_one, rtol=1e-5, atol=1e-6)
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
    fast, slow = gradient(model, X, kind.__call__), gradient(model, X, one_by_one)
    for a, b in zip(jax.tree.leaves(fast), jax.tree.leaves(slow), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


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


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("shape", [(6,), (6, 9)])
def test_an_output_is_the_decoded_code(kind, shape):
    model, x = biased(kind, 6, 2), jax.random.uniform(jax.random.key(2), shape)
    h = model.encode(x)
    assert h.shape == (2, *shape[1:])
    np.testing.assert_allclose(h, np.asarray(model.W) @ x, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.decode(h), model(x))


@pytest.mark.parametrize("kind", FAMILY)
def test_the_map_of_a_model_is_what_it_does(kind):
    model, X = biased(kind, 5, 2), jax.random.normal(jax.random.key(2), (5, 50))
    linear = kind is models.LinearAutoencoder
    G, b = model.linear_map() if linear else model.relu_map()
    y = np.asarray(G, np.float64) @ np.asarray(X, np.float64) + np.asarray(b)[:, None]
    np.testing.assert_allclose(model(X), y if linear else np.maximum(y, 0), rtol=1e-4, atol=1e-5)
