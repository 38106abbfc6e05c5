import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from toymodels import models, theory, training
from toymodels.features import Independent
from toymodels.optimizers import Cosine
from toymodels.tasks import Reconstruction
from toymodels.training import stream, train

KEY_INIT, KEY_DATA = stream(0, training.STREAM_INIT), stream(0, training.STREAM_DATA)


@pytest.fixture(scope="module")
def plain():
    return train(make_run(), KEY_INIT, KEY_DATA)


def test_a_run_is_a_pure_function_of_its_keys(plain):
    run = make_run()
    first, again = plain, train(run, KEY_INIT, KEY_DATA)
    jax.tree.map(np.testing.assert_array_equal, first.model, again.model)
    np.testing.assert_array_equal(first.loss_curve, again.loss_curve)
    other_start = train(run, stream(1, training.STREAM_INIT), KEY_DATA)
    other_data = train(run, KEY_INIT, stream(1, training.STREAM_DATA))
    assert not np.array_equal(other_start.model.W, first.model.W)
    assert not np.array_equal(other_data.model.W, first.model.W)


def test_an_equal_record_built_again_compiles_nothing_new(plain):
    programs = (training._init, training._chunk, training._curve_point, training._evaluate)
    before = [p._cache_size() for p in programs]
    train(make_run(p_active=0.2, importance=0.5, learning_rate=0.1), KEY_INIT, KEY_DATA)
    assert [p._cache_size() for p in programs] == before


def test_snapshots_do_not_change_the_run_and_hold_its_models(plain):
    seen = {}
    before = training._chunk._cache_size()
    kept = train(
        make_run(snapshots=(0, 30, 70, 200)),
        KEY_INIT,
        KEY_DATA,
        lambda t, state: seen.update({t: state.model}),
    )
    assert training._chunk._cache_size() == before + 1  # one program for chunks of every length
    assert kept.steps == (30, 70, 100, 200)
    assert sorted(kept.snapshots) == [0, 30, 70, 200]
    assert sorted(seen) == [30, 70, 100, 200]
    jax.tree.map(np.testing.assert_array_equal, kept.model, plain.model)
    jax.tree.map(np.testing.assert_array_equal, kept.snapshots[200], kept.model)
    jax.tree.map(np.testing.assert_array_equal, kept.snapshots[30], seen[30])
    start = make_run().init(KEY_INIT)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), kept.snapshots[0], start)
    np.testing.assert_array_equal(kept.loss_curve[-1], plain.loss_curve[-1])


def test_stops_are_about_a_hundred_and_end_at_the_last_step():
    assert training.stops(make_run(steps=250).spec) == (100, 200, 250)
    assert training.stops(make_run(steps=1).spec) == (1,)
    assert training.stops(make_run(steps=100).spec) == (100,)
    assert len(training.stops(make_run(steps=100_001).spec)) == 100
    assert training.stops(make_run(steps=250, snapshots=(0, 7, 250)).spec) == (7, 100, 200, 250)


def test_step_t_sees_the_batch_of_its_own_number():
    """Two chunks of 1 are one chunk of 2, whatever lies between."""
    run = make_run()
    state = training._init(run, KEY_INIT)
    whole = training._chunk(run, state, KEY_DATA, 0, 2)
    half = training._chunk(run, state, KEY_DATA, 0, 1)
    jax.tree.map(np.testing.assert_array_equal, training._chunk(run, half, KEY_DATA, 1, 1), whole)
    same_batch_twice = training._chunk(run, half, KEY_DATA, 0, 1)
    assert not np.array_equal(same_batch_twice.model.W, whole.model.W)


def test_linear_model_reaches_the_linear_limit():
    importance, p = np.array([1.0, 0.6, 0.3]), np.array([0.5, 0.4, 0.3])
    run = make_run(
        p_active=p,
        importance=importance,
        model=models.LinearAutoencoder,
        steps=2000,
        batch_size=256,
        learning_rate=0.02,
        evaluation_size=2**16,
        schedule=Cosine(),
    )
    limit = theory.linear_limit(3, 2, importance, p)
    found = train(run, KEY_INIT, KEY_DATA)
    assert float(found.evaluation.loss) == pytest.approx(limit.loss, rel=0.05)
    W = np.asarray(found.model.W)
    np.testing.assert_allclose(W.T @ W, limit.W.T @ limit.W, atol=0.03)
    np.testing.assert_allclose(found.model.b, limit.b, atol=0.03)
    assert not found.evaluation.diverged


def test_evaluation_is_apart_from_training_and_ranking_from_reporting(plain):
    names = ("DATA", "INIT", "RANKING", "REPORT")
    keys = [stream(0, getattr(training, f"STREAM_{n}")) for n in names]
    keys += [stream(1, training.STREAM_DATA)]
    assert len({tuple(np.asarray(jax.random.key_data(k)).tolist()) for k in keys}) == 5
    found = plain.evaluation
    assert found.loss != found.loss_ranking
    assert float(found.loss) == pytest.approx(float(found.loss_per_feature.sum()), rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "diverged"),
    [(1.0, False), (99.0, False), (101.0, True), (np.nan, True), (np.inf, True)],
)
def test_diverged_means_not_finite_or_a_hundred_times_worse_than_nothing(loss, diverged):
    model = models.ReluAutoencoder(W=jnp.zeros((1, 2)), b=jnp.zeros(2))
    one = (jnp.array([loss / 2, loss / 2]), jnp.array(1.0))
    assert bool(training.judge(model, one, one).diverged) == diverged


def test_weights_that_are_not_finite_have_diverged():
    model = models.ReluAutoencoder(W=jnp.array([[np.nan, 0.0]]), b=jnp.zeros(2))
    one = (jnp.zeros(2), jnp.array(1.0))
    assert bool(training.judge(model, one, one).diverged)


def test_nothing_to_learn_is_not_divergence():
    model = models.ReluAutoencoder(W=jnp.zeros((1, 2)), b=jnp.zeros(2))
    one = (jnp.zeros(2), jnp.array(0.0))
    assert not bool(training.judge(model, one, one).diverged)


RECORDS = {
    "features": lambda s: Independent(p_active=s * jnp.ones(3)),
    "task": lambda s: Reconstruction(Independent(p_active=s * jnp.ones(3)), s * jnp.ones(3)),
    "linear": lambda s: models.LinearAutoencoder(s * jnp.ones((2, 3)), s * jnp.ones(3)),
    "relu": lambda s: models.ReluAutoencoder(s * jnp.ones((2, 3)), s * jnp.ones(3)),
    "untied": lambda s: models.UntiedAutoencoder(
        s * jnp.ones((2, 3)), s * jnp.ones((3, 2)), s * jnp.ones(3)
    ),
    "init": lambda s: models.Init(s, models.ReluAutoencoder, n_features=3, n_hidden=2),
    "spec": lambda s: training.TrainSpec(learning_rate=s, weight_decay=s),
    "state": lambda s: training.TrainState({"W": s}, {"mu": s}),
    "run": lambda s: make_run().replace(spec=training.TrainSpec(s, s)),
}


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_has_the_same_leaves_eagerly_under_jit_and_under_vmap(name):
    make = RECORDS[name]
    eager = jax.tree.map(jnp.asarray, make(jnp.float32(0.5)))
    jitted = jax.jit(make)(jnp.float32(0.5))
    mapped = jax.vmap(make)(jnp.full(2, 0.5, jnp.float32))
    assert jax.tree.structure(eager) == jax.tree.structure(jitted) == jax.tree.structure(mapped)
    jax.tree.map(np.testing.assert_array_equal, eager, jitted)
    jax.tree.map(lambda m, e: np.testing.assert_array_equal(m[1], e), mapped, eager)
