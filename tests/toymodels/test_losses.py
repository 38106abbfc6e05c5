import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from toymodels import losses, models, theory
from toymodels.tasks import draw_noise

P = np.array([0.1, 0.5, 1.0])
IMPORTANCE = np.array([1.0, 0.7, 0.2])
KEY = jax.random.key(3)


def task():
    return make_run(3, 2, p_active=P, importance=IMPORTANCE).task


expected_loss = jax.jit(losses.expected_loss_per_output, static_argnums=(3, 4))
loss = jax.jit(losses.loss)


def expected(model):
    return np.asarray(expected_loss(task(), model, KEY, 2**17, 4096))


def test_loss_of_a_model_of_zeros_is_importance_times_p_over_three():
    zero = models.ReluAutoencoder(W=jnp.zeros((2, 3)), b=jnp.zeros(3))
    split = expected(zero)
    np.testing.assert_allclose(split, IMPORTANCE * P / 3, rtol=0.02)
    noise = draw_noise(task(), KEY, 4096)
    np.testing.assert_allclose(
        losses.loss_of_nothing(task(), noise), loss(task(), zero, noise), rtol=1e-6
    )


def test_loss_of_the_best_bias_alone_is_the_variance():
    mean = models.LinearAutoencoder(W=jnp.zeros((2, 3)), b=jnp.asarray(P / 2, jnp.float32))
    np.testing.assert_allclose(expected(mean), IMPORTANCE * (P / 3 - P**2 / 4), rtol=0.02)


def test_loss_of_the_linear_optimum_is_the_closed_form():
    limit = theory.linear_limit(3, 2, IMPORTANCE, P)
    best = models.LinearAutoencoder(jnp.asarray(limit.W, "f4"), jnp.asarray(limit.b, "f4"))
    assert expected(best).sum() == pytest.approx(limit.loss, rel=0.02)


@pytest.mark.parametrize("r", [0.5, 2.0])
def test_loss_of_an_antipodal_pair_is_the_closed_form(r):
    pair = make_run(2, 1, p_active=0.3, importance=[1.0, r]).task
    model = models.ReluAutoencoder(W=jnp.array([[1.0, -1.0]]), b=jnp.zeros(2))
    got = expected_loss(pair, model, KEY, 2**17, 4096).sum()
    assert float(got) == pytest.approx(float(theory.loss_extra_antipodal(0.3, r)), rel=0.03)


def test_perfect_model_has_loss_zero():
    model = models.LinearAutoencoder(W=jnp.eye(3), b=jnp.zeros(3))
    assert float(loss(task(), model, draw_noise(task(), KEY, 64))) < 1e-12


def test_loss_is_the_sum_of_its_split_and_the_split_the_mean_over_examples():
    model = models.UntiedAutoencoder.init(KEY, 3, 2, 0.5)
    noise = draw_noise(task(), KEY, 32)
    split = jax.jit(losses.loss_per_output)(task(), model, noise)
    assert float(loss(task(), model, noise)) == pytest.approx(float(split.sum()), rel=1e-6)
    one = jax.jit(lambda x: task().error(model(x), x))
    each = [one(x) for x in map(jax.jit(task().features.from_uniforms), noise.T)]
    np.testing.assert_allclose(split, np.mean(each, axis=0), rtol=1e-5)


def test_average_over_batches_is_the_plain_average():
    def draw(key):
        return jax.random.normal(key, (4,))

    got = losses.average_over_batches(lambda x: {"x": x, "n": x.sum()}, draw, KEY, 5)
    batches = [draw(jax.random.fold_in(KEY, i)) for i in range(5)]
    np.testing.assert_allclose(got["x"], np.mean(batches, axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got["n"], np.mean(np.sum(batches, axis=1)), rtol=1e-5, atol=1e-6)


def test_expected_loss_takes_at_least_the_examples_asked_for():
    zero = models.ReluAutoencoder(W=jnp.zeros((2, 3)), b=jnp.zeros(3))
    two = expected_loss(task(), zero, KEY, 65, 64)
    same = expected_loss(task(), zero, KEY, 128, 64)
    np.testing.assert_array_equal(two, same)
