import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from flax import struct

from toymodels import losses, models, theory
from toymodels.estimators import Sampled, Stratified
from toymodels.tasks import interpret

P = np.array([0.1, 0.5, 1.0])
IMPORTANCE = np.array([1.0, 0.7, 0.2])
KEY = jax.random.key(3)


def task():
    return make_run(3, 2, p_active=P, importance=IMPORTANCE).task


expected_loss = jax.jit(losses.estimate_loss_per_output, static_argnums=(3, 4, 5))
split_of = jax.jit(Sampled().loss_per_output)


def draw(n_examples):
    return Sampled().draw(task(), KEY, n_examples)


def expected(model):
    return np.asarray(expected_loss(task(), model, KEY, 2**17, 4096))


def test_loss_of_a_model_of_zeros_is_importance_times_p_over_three():
    zero = models.ReluAutoencoder(W=jnp.zeros((2, 3)), b=jnp.zeros(3))
    split = expected(zero)
    np.testing.assert_allclose(split, IMPORTANCE * P / 3, rtol=0.02)
    nothing = Sampled().baseline(task(), draw(4096))
    np.testing.assert_allclose(nothing, split_of(task(), zero, draw(4096)).sum(), rtol=1e-6)


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
    assert float(split_of(task(), model, draw(64)).sum()) < 1e-12


def test_the_split_is_the_mean_over_examples():
    model, u = models.UntiedAutoencoder.init(KEY, 3, 2, 0.5), draw(32)
    one = jax.jit(lambda x: task().error(model(x), x))
    each = [one(x) for x in map(jax.jit(task().features.from_uniforms), u.T)]
    np.testing.assert_allclose(split_of(task(), model, u), np.mean(each, axis=0), rtol=1e-5)


@struct.dataclass
class SquaredHidden:
    """A penalty of a user."""

    weight: jax.Array

    def __call__(self, model, inputs):
        return self.weight * jnp.mean(jnp.sum(model.encode(inputs) ** 2, axis=0))


def test_a_step_descends_on_the_loss_plus_penalties():
    model, u = models.ReluAutoencoder.init(KEY, 3, 2, 0.5), draw(64)
    plain, weights = make_run(3, 2, p_active=P, importance=IMPORTANCE), (0.5, 2.0)
    run = plain.replace(penalties=tuple(SquaredHidden(jnp.float32(w)) for w in weights))
    x, _ = interpret(run.task, u)
    loss = float(split_of(run.task, model, u).sum())
    penalty = sum(weights) * float(np.mean(np.sum((np.asarray(model.W) @ x) ** 2, axis=0)))
    assert float(losses.objective(plain, model, u)) == pytest.approx(loss, rel=1e-5)
    assert float(losses.objective(run, model, u)) == pytest.approx(loss + penalty, rel=1e-5)


def test_average_over_batches_is_the_plain_average():
    def normal(key):
        return jax.random.normal(key, (4,))

    got = losses.average_over_batches(lambda x: {"x": x, "n": x.sum()}, normal, KEY, 5)
    batches = [normal(jax.random.fold_in(KEY, i)) for i in range(5)]
    np.testing.assert_allclose(got["x"], np.mean(batches, axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got["n"], np.mean(np.sum(batches, axis=1)), rtol=1e-5, atol=1e-6)


def test_expected_loss_takes_at_least_the_examples_asked_for():
    zero = models.ReluAutoencoder(W=jnp.zeros((2, 3)), b=jnp.zeros(3))
    two = expected_loss(task(), zero, KEY, 65, 64)
    same = expected_loss(task(), zero, KEY, 128, 64)
    np.testing.assert_array_equal(two, same)


def test_estimators_agree_on_the_loss():
    model = models.ReluAutoencoder.init(KEY, 3, 2, 0.5)
    plain, split = (
        expected_loss(task(), model, KEY, 2**17, 4096, e) for e in (Sampled(), Stratified())
    )
    np.testing.assert_allclose(plain, split, rtol=0.02)


def test_old_names_still_work():
    assert losses.expected_loss_per_output is losses.estimate_loss_per_output
    model = models.ReluAutoencoder.init(KEY, 3, 2, 0.5)
    u = Sampled().draw(task(), KEY, 64)
    total = losses.loss_per_output(task(), model, u).sum()
    np.testing.assert_allclose(losses.loss(task(), model, u), total, rtol=1e-6)
