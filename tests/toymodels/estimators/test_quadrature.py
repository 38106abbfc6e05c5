"""The exact loss as an estimator: it draws nothing, it falls, it ends at or below the samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from toymodels import models
from toymodels.errors import InputError
from toymodels.estimators import Quadrature, require
from toymodels.exact import expected_loss_float64, expected_loss_of_map_float64
from toymodels.features import Independent, OneActive, SignedUniform
from toymodels.tasks import Reconstruction
from toymodels.training import train

KEYS = jax.random.key(1), jax.random.key(2)
NOTHING = np.zeros((0, 1), np.float32)
EXACT = Quadrature()
split_of = jax.jit(EXACT.loss_per_output)


def exact_run(n_features=3, n_hidden=2, **more):
    """A run on the exact loss that equals `make_run` otherwise; 50 steps are one program."""
    return make_run(n_features, n_hidden, **({"steps": 50} | more)).replace(estimator=EXACT)


@pytest.fixture(scope="module")
def trained():
    return train(exact_run(p_active=[0.1, 0.5, 1.0], importance=[1, 2, 0.5]), *KEYS)


@pytest.mark.parametrize("model", [models.ReluAutoencoder, models.UntiedAutoencoder])
def test_loss_of_each_model_is_the_oracle(model):
    one = model.init(KEYS[0], 3, 2, 0.7)
    decoder = np.asarray(getattr(one, "V", one.W.T), np.float64)
    wanted = expected_loss_of_map_float64(decoder @ one.W, one.b, 0.5, 1.0)
    np.testing.assert_allclose(split_of(exact_run().task, one, NOTHING), wanted, rtol=1e-5)


def test_evaluation_is_exact_and_needs_no_second_opinion(trained):
    W = np.asarray(trained.model.W, np.float64)
    split = expected_loss_of_map_float64(W.T @ W, trained.model.b, [0.1, 0.5, 1.0], [1, 2, 0.5])
    found = trained.evaluation
    np.testing.assert_allclose(found.loss_per_output, split, rtol=1e-5)
    assert found.loss == found.loss_ranking == trained.loss_curve[-1]
    assert not found.diverged


def test_steps_see_no_data(trained):
    run = exact_run(p_active=[0.1, 0.5, 1.0], importance=[1, 2, 0.5])
    again = train(run, KEYS[0], jax.random.key(77))
    np.testing.assert_array_equal(trained.model.W, again.model.W)


def test_learning_nothing_loses_what_a_model_of_zeros_loses():
    task = exact_run(p_active=[0.1, 0.5, 1.0], importance=[1, 2, 0.5]).task
    zero = models.ReluAutoencoder(W=jnp.zeros((2, 3)), b=jnp.zeros(3))
    nothing = float(EXACT.baseline(task, NOTHING))
    assert nothing == pytest.approx((0.1 + 2 * 0.5 + 0.5) / 3)
    assert nothing == pytest.approx(float(split_of(task, zero, NOTHING).sum()))


def test_a_run_that_blows_up_is_marked():
    assert train(exact_run(scale=100.0), *KEYS).evaluation.diverged


@pytest.mark.claims
@pytest.mark.parametrize(
    ("sizes", "p", "importance"),
    [((2, 1), 0.3, [1.0, 0.5]), ((5, 2), 0.1, 0.9 ** np.arange(5))],
)
def test_exact_training_ends_at_or_below_the_sampled_run(sizes, p, importance):
    how = {"p_active": p, "importance": importance, "steps": 400, "learning_rate": 0.03}
    exact = train(exact_run(*sizes, **how), *KEYS)
    sampled = train(make_run(*sizes, **how), *KEYS)
    losses = [expected_loss_float64(t.model.W, t.model.b, p, importance) for t in (exact, sampled)]
    assert losses[0] < losses[1]
    assert float(exact.evaluation.loss) == pytest.approx(losses[0], rel=1e-5)
    assert np.all(np.diff(exact.loss_curve) < 1e-6)


class Shifted(Independent):
    """Another law in the clothes of a known one."""

    def from_uniforms(self, u):
        return super().from_uniforms(u) + 0.5


@pytest.mark.parametrize(
    ("features", "model", "told"),
    [
        (Independent.create(0.1, 3), models.LinearAutoencoder, "relu_map.*LinearAutoencoder"),
        (Independent.create(0.1, 7), models.ReluAutoencoder, "n_features = 6, got 7.*fourier"),
        (Independent.create(0.1, 3, SignedUniform()), models.ReluAutoencoder, "SignedUniform"),
        (Shifted.create(0.1, 3), models.ReluAutoencoder, "not Shifted"),
        (OneActive(3), models.ReluAutoencoder, "not OneActive.*features.kind"),
    ],
)
def test_what_has_no_quadrature_is_refused_with_a_way_out(features, model, told):
    with pytest.raises(InputError, match=told):
        require(EXACT, Reconstruction.create(features, 1.0), model)
