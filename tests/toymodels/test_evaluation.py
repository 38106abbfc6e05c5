"""How a finished run is judged: by the best estimate there is, on streams of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from flax import struct

from toymodels import models, training
from toymodels.estimators import Sampled, Stratified
from toymodels.exact import expected_loss_float64
from toymodels.losses import average_over_batches, estimate_loss_per_output
from toymodels.streams import Stream, stream
from toymodels.tasks import Reconstruction
from toymodels.training import train

KEYS = KEY_INIT, KEY_DATA = stream(0, Stream.INIT), stream(0, Stream.DATA)


def test_evaluation_of_few_features_is_the_exact_loss():
    p = [0.1, 0.5, 1.0]
    found = train(make_run(3, 2, p_active=p), KEY_INIT, KEY_DATA)
    exact = expected_loss_float64(found.model.W, found.model.b, p, 1.0)
    evaluation = found.evaluation
    assert float(evaluation.loss) == pytest.approx(exact, rel=1e-6)
    assert float(evaluation.loss_per_output.sum()) == pytest.approx(exact, rel=1e-6)
    assert evaluation.loss_ranking == evaluation.loss == found.loss_curve[-1]


def spread(estimator, run, model, n=64):
    """Return the standard deviation over streams of an evaluation as `evaluate` does it."""
    count = -(-run.spec.evaluation_size // training.EVALUATION_BATCH)

    def one(key):
        split = average_over_batches(
            lambda u: estimator.loss_per_output(run.task, model, u),
            lambda key: estimator.draw(run.task, key, training.EVALUATION_BATCH),
            key,
            count,
        )
        return jnp.sum(split)

    found = jax.jit(jax.lax.map, static_argnums=0)(one, jax.random.split(KEY_DATA, n))
    return float(jnp.std(found)), float(jnp.mean(found)), found


@pytest.fixture(scope="module")
def sparse():
    """A trained model of twenty sparse features, which no quadrature reaches."""
    run = make_run(20, 5, p_active=0.01, steps=300, learning_rate=0.03, evaluation_size=8192)
    return run, train(run, KEY_INIT, KEY_DATA)


def test_evaluation_of_many_sparse_features_has_far_less_noise_than_samples(sparse):
    run, found = sparse
    (small, mean, _), (large, other, _) = (
        spread(e, run, found.model) for e in (Stratified(), Sampled())
    )
    assert small < large / 5
    assert abs(mean - other) < 4 * large / 8
    # `evaluate` is one such stratified evaluation, on streams of its own.
    evaluation = found.evaluation
    for loss in (evaluation.loss, evaluation.loss_ranking):
        assert abs(float(loss) - mean) < 4.5 * small
    assert evaluation.loss != evaluation.loss_ranking
    assert float(evaluation.loss) == pytest.approx(float(evaluation.loss_per_output.sum()), 1e-5)


def test_evaluation_shares_no_stream_with_training(sparse):
    run, found = sparse
    how = {"batch_size": training.EVALUATION_BATCH, "estimator": Stratified()}
    estimate = jax.jit(
        lambda key: estimate_loss_per_output(run.task, found.model, key, 8192, **how).sum()
    )
    purposes = (Stream.DATA, Stream.INIT, Stream.RANKING, Stream.REPORT)
    losses = {float(estimate(stream(0, purpose))) for purpose in purposes}
    assert len(losses) == 4
    for loss in (found.evaluation.loss, found.evaluation.loss_ranking):
        assert min(abs(float(loss) - other) for other in losses) < 1e-5 * float(loss)


@struct.dataclass
class AlreadyKnown(Reconstruction):
    """A task whose answer 0 is right: the features that count are never active."""

    def from_uniforms(self, u):
        x, _ = super().from_uniforms(u)
        return x, jnp.zeros_like(x)


def test_a_task_that_is_solved_by_nothing_marks_no_honest_run():
    run = make_run(steps=30, learning_rate=0.001)
    run = run.replace(task=AlreadyKnown(run.task.features, run.task.importance))
    found = train(run, KEY_INIT, KEY_DATA).evaluation
    assert float(found.loss) > 0.01
    assert not found.diverged
    blown = train(run.replace(spec=run.spec.replace(learning_rate=np.float32(1e30))), *KEYS)
    assert blown.evaluation.diverged  # its weights are not finite


@pytest.mark.parametrize(
    ("loss", "diverged"),
    [(1.0, False), (99.0, False), (101.0, True), (np.nan, True), (np.inf, True)],
)
def test_diverged_means_not_finite_or_a_hundred_times_worse_than_nothing(loss, diverged):
    model = models.ReluAutoencoder(W=jnp.zeros((1, 2)), b=jnp.zeros(2))
    one = (jnp.array([loss / 2, loss / 2]), jnp.array(1.0))
    assert bool(training.to_evaluation(model, one, one).diverged) == diverged


def test_weights_that_are_not_finite_have_diverged():
    model = models.ReluAutoencoder(W=jnp.array([[np.nan, 0.0]]), b=jnp.zeros(2))
    one = (jnp.zeros(2), jnp.array(1.0))
    assert bool(training.to_evaluation(model, one, one).diverged)


def test_nothing_to_learn_is_not_divergence():
    model = models.ReluAutoencoder(W=jnp.zeros((1, 2)), b=jnp.zeros(2))
    one = (jnp.zeros(2), jnp.array(0.0))
    assert not bool(training.to_evaluation(model, one, one).diverged)
