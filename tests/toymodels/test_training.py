import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from flax import struct

from toymodels import models, theory, training
from toymodels.errors import InputError
from toymodels.exact import expected_loss_float64
from toymodels.features import Independent
from toymodels.models import FromWeights
from toymodels.optimizers import Adam, AdamW, Cosine
from toymodels.streams import Stream, stream
from toymodels.tasks import Reconstruction
from toymodels.training import TrainSpec, train

KEYS = KEY_INIT, KEY_DATA = stream(0, Stream.INIT), stream(0, Stream.DATA)


@pytest.fixture(scope="module")
def plain():
    return train(make_run(), KEY_INIT, KEY_DATA)


def test_a_run_is_a_pure_function_of_its_keys(plain):
    run = make_run()
    first, again = plain, train(run, KEY_INIT, KEY_DATA)
    jax.tree.map(np.testing.assert_array_equal, first.model, again.model)
    np.testing.assert_array_equal(first.loss_curve, again.loss_curve)
    other_start = train(run, stream(1, Stream.INIT), KEY_DATA)
    other_data = train(run, KEY_INIT, stream(1, Stream.DATA))
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


def test_chunks_are_about_a_hundred_and_end_at_the_last_step():
    assert training.chunk_ends(make_run(steps=250).spec) == (100, 200, 250)
    assert training.chunk_ends(make_run(steps=1).spec) == (1,)
    assert training.chunk_ends(make_run(steps=100).spec) == (100,)
    assert len(training.chunk_ends(make_run(steps=100_001).spec)) == 100
    assert training.chunk_ends(make_run(steps=250, snapshots=(0, 7, 250)).spec) == (
        7,
        100,
        200,
        250,
    )


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


@pytest.mark.parametrize(
    ("frozen", "optimizer"), [(("W",), Adam()), (("b",), AdamW()), (("W", "b"), AdamW())]
)
def test_frozen_leaves_stay_bit_for_bit_and_the_others_train(frozen, optimizer):
    run = make_run(steps=30, weight_decay=0.1, optimizer=optimizer).replace(frozen=frozen)
    start, end = training._init(run, KEY_INIT).model, train(run, *KEYS).model
    for name in ("W", "b"):
        if name in frozen:
            np.testing.assert_array_equal(getattr(end, name), getattr(start, name))
        else:
            assert np.all(np.asarray(getattr(end, name)) != np.asarray(getattr(start, name)))


def test_a_run_with_a_frozen_leaf_is_that_of_the_model_in_which_it_is_constant():
    """Frozen biases of 0.3, against a model of a user that has no biases to train."""
    start = models.ReluAutoencoder.init(KEY_INIT, 3, 2, 0.5).replace(b=jnp.full(3, 0.3))
    run = make_run(steps=40).replace(init=FromWeights(start), frozen=("b",))
    other = run.replace(init=FromWeights(NoBias(start.W)), frozen=())
    np.testing.assert_allclose(train(run, *KEYS).model.W, train(other, *KEYS).model.W, atol=1e-6)


@struct.dataclass
class NoBias:
    W: jax.Array

    def __call__(self, x):
        return jax.nn.relu(self.W.T @ (self.W @ x) + 0.3)


def test_a_frozen_leaf_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="frozen = 'V': the model has W, b"):
        train(make_run().replace(frozen=("V",)), *KEYS)


def test_a_start_from_weights_begins_with_them():
    model = models.ReluAutoencoder.init(jax.random.key(9), 3, 2, 0.5)
    run = make_run(snapshots=(0,), steps=30).replace(init=FromWeights(model))
    found = train(run, *KEYS)
    jax.tree.map(np.testing.assert_array_equal, found.snapshots[0], model)
    other = train(run, jax.random.key(1), KEY_DATA)
    jax.tree.map(np.testing.assert_array_equal, found.model, other.model)


@struct.dataclass
class L2:
    """A penalty of a user: it shrinks weights, as decay in the gradient does."""

    weight: jax.Array

    def __call__(self, model, inputs):
        return self.weight / 2 * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(model))


def test_a_penalty_pulls_the_weights_and_stays_out_of_the_loss():
    run = make_run(steps=40)
    by_penalty = train(run.replace(penalties=(L2(jnp.float32(0.1)),)), *KEYS)
    by_decay = train(make_run(steps=40, weight_decay=0.1), *KEYS)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), by_penalty.model, by_decay.model
    )
    assert float(by_penalty.evaluation.loss) == pytest.approx(
        expected_loss_float64(by_penalty.model.W, by_penalty.model.b, 0.5, 1.0), rel=1e-6
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"learning_rate": -1.0}, "learning_rate = -1"),
        ({"weight_decay": float("nan")}, "weight_decay = nan"),
        ({"steps": 0}, "steps = 0"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"evaluation_size": 0}, "evaluation_size = 0"),
        ({"steps": 10, "snapshots": [5, 11]}, r"snapshots = \[11\] come after"),
        ({"snapshots": [-1, 5]}, r"snapshots = \[-1\] come before"),
    ],
)
def test_a_spec_out_of_range_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        TrainSpec.create(**given)


def test_snapshots_are_sorted_and_taken_once():
    assert TrainSpec.create(steps=30, snapshots=[30, 0, 10, 10]).snapshots == (0, 10, 30)


RECORDS = {
    "features": lambda s: Independent(p_active=s * jnp.ones(3)),
    "task": lambda s: Reconstruction(Independent(p_active=s * jnp.ones(3)), s * jnp.ones(3)),
    "linear": lambda s: models.LinearAutoencoder(s * jnp.ones((2, 3)), s * jnp.ones(3)),
    "relu": lambda s: models.ReluAutoencoder(s * jnp.ones((2, 3)), s * jnp.ones(3)),
    "untied": lambda s: models.UntiedAutoencoder(
        s * jnp.ones((2, 3)), s * jnp.ones((3, 2)), s * jnp.ones(3)
    ),
    "init": lambda s: models.Init(s, models.ReluAutoencoder, n_features=3, n_hidden=2),
    "from weights": lambda s: FromWeights(models.LinearAutoencoder(s * jnp.ones((2, 3)), s)),
    "spec": lambda s: TrainSpec(learning_rate=s, weight_decay=s),
    "state": lambda s: training.TrainState({"W": s}, {"mu": s}),
    "run": lambda s: make_run().replace(spec=TrainSpec(s, s), penalties=(L2(s),)),
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
