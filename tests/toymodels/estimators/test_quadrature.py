"""Training on the exact loss: it falls, it ends at or below the sampled run, and sweeps hold it."""

import tomllib

import jax
import numpy as np
import pytest
from builders import make_run, make_table
from sweeps.config.parse import parse
from toymodels.exact.training import ExactReconstruction

from sweeps.config import run_config
from sweeps.plan import cell_name, choose_layout
from sweeps.run import run_sweep
from toymodels import models, tasks
from toymodels.errors import InputError
from toymodels.exact import expected_loss_float64, expected_loss_of_map_float64
from toymodels.features import Independent, OneActive, SignedUniform
from toymodels.losses import loss, loss_of_nothing
from toymodels.training import STREAM_DATA, STREAM_INIT, stream, train

pytestmark = pytest.mark.claims  # many seconds of compiling


def exact_run(n_features=3, n_hidden=2, *, p_active=0.5, importance=1.0, **more):
    """A run on the exact loss that equals `make_run` otherwise; 50 steps are one program."""
    given = {"p_active": p_active, "importance": importance, "steps": 50} | more
    run = make_run(n_features, n_hidden, **given)
    return run.replace(task=ExactReconstruction.create(run.task.features, importance, n_features))


KEYS = jax.random.key(1), jax.random.key(2)


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


def test_evaluation_is_exact_and_needs_no_second_opinion():
    run = exact_run(p_active=[0.1, 0.5, 1.0], importance=[1, 2, 0.5])
    done = train(run, *KEYS)
    G = np.asarray(done.model.W, np.float64).T @ np.asarray(done.model.W, np.float64)
    split = expected_loss_of_map_float64(G, done.model.b, [0.1, 0.5, 1.0], [1, 2, 0.5])
    np.testing.assert_allclose(done.evaluation.loss_per_feature, split, rtol=1e-5)
    assert done.evaluation.loss == done.evaluation.loss_ranking == done.loss_curve[-1]
    assert not done.evaluation.diverged


def test_exact_loss_draws_nothing_and_one_batch_is_enough():
    task = exact_run().task
    noise = tasks.draw_noise(task, KEYS[0], 64)
    assert noise.shape == (0, 64)
    assert tasks.n_batches(task, 65_536, 1024) == 1
    assert tasks.n_batches(make_run().task, 65_536, 1000) == 66
    again = train(exact_run(), KEYS[0], jax.random.key(77))
    first = train(exact_run(), *KEYS)
    np.testing.assert_array_equal(first.model.W, again.model.W)


def test_loss_of_nothing_is_that_of_zero_weights():
    task = exact_run(p_active=[0.1, 0.5, 1.0], importance=[1, 2, 0.5]).task
    zero = models.ReluAutoencoder(W=np.zeros((2, 3), np.float32), b=np.zeros(3, np.float32))
    noise = tasks.draw_noise(task, KEYS[0], 1)
    assert float(loss_of_nothing(task, noise)) == pytest.approx(float(loss(task, zero, noise)))


def test_a_run_that_blows_up_is_marked():
    assert train(exact_run(scale=100.0), *KEYS).evaluation.diverged


def test_examples_can_still_be_drawn():
    x, target = exact_run().task.sample(KEYS[0])
    assert x.shape == (3,)
    np.testing.assert_array_equal(x, target)


TOML = """
name = "estimators"
model = "relu"
n_features = 3
n_hidden = 2
p_active = 0.3
init_scale = 0.5
steps = 50
batch_size = 64
evaluation_size = 512
learning_rate = 0.03
schedule = "constant"

[grid]
estimator = ["exact", "sampled"]
seed = { range = 2 }
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "estimators.toml").write_text(TOML)
    return run_sweep(folder / "estimators.toml", out=folder)


CONFIG = parse(tomllib.loads(TOML))


def test_estimator_is_an_axis_and_its_losses_are_exact(swept):
    assert swept.loss.dims == ("estimator", "seed")
    for one in (swept.sel(estimator="exact", seed=seed) for seed in (0, 1)):
        exact = expected_loss_float64(one.W.values, one.b.values, 0.3, 1.0)
        assert float(one.loss) == float(one.loss_ranking) == pytest.approx(exact, rel=1e-5)
        assert float(one.loss_per_feature.sum()) == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_row_of_a_sweep_equals_the_solo_run(swept, seed):
    row = swept.sel(estimator="exact", seed=seed)
    values = {"estimator": "exact"}
    key_init = jax.random.fold_in(stream(seed, STREAM_INIT), cell_name(CONFIG.describe(values)))
    solo = train(CONFIG.build(values), key_init, stream(seed, STREAM_DATA))
    np.testing.assert_allclose(row.W, solo.model.W, atol=1e-5)
    assert float(row.loss) == pytest.approx(float(solo.evaluation.loss), rel=1e-5)


def test_runs_that_differ_in_the_estimator_alone_start_alike():
    exact, sampled = (CONFIG.describe({"estimator": name}) for name in ("exact", "sampled"))
    assert exact == sampled


def test_default_estimator_is_no_part_of_the_hash():
    plain = parse(make_table())
    assert "estimator" not in plain.as_json()
    assert plain.hash() != parse(make_table(estimator="exact")).hash()


@pytest.mark.parametrize("model", [models.ReluAutoencoder, models.UntiedAutoencoder])
def test_loss_of_each_model_is_the_oracle(model):
    one = model.init(KEYS[0], 3, 2, 0.7)
    decoder = np.asarray(getattr(one, "V", one.W.T), np.float64)
    split = expected_loss_of_map_float64(decoder @ one.W, one.b, 0.5, 1.0)
    got = exact_run().task.loss_per_output(one, np.zeros((0, 1)))
    np.testing.assert_allclose(got, split, rtol=1e-5)


def test_wide_runs_go_in_smaller_groups():
    wide, narrow = (choose_layout(exact_run(n, 1), 1, 5000, 2**31).cells for n in (6, 2))
    assert wide < 100 < 1000 < narrow


BASE = {"model": "relu", "n_features": 4, "n_hidden": 2, "estimator": "exact"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"model": "linear"}, r'known of the models "relu" and "untied", not of LinearAutoencoder'),
        ({"n_features": 7}, r"up to n_features = 6, got 7: use estimator"),
        ({"features": {"values": "signed_uniform"}}, r"not Independent with values SignedUniform"),
        ({"features": {"kind": "one_active"}}, r"not OneActive.*features.kind"),
        ({"estimator": "exactly"}, r"estimator = 'exactly'"),
    ],
)
def test_what_cannot_be_priced_exactly_is_refused_with_a_way_out(more, message):
    with pytest.raises(InputError, match=message):
        run_config(BASE | more).build()


def test_the_task_alone_refuses_the_same():
    with pytest.raises(InputError, match="SignedUniform"):
        ExactReconstruction.create(Independent.create(0.5, 3, SignedUniform()), 1.0, 3)
    with pytest.raises(InputError, match="OneActive"):
        ExactReconstruction.create(OneActive(3), 1.0, 3)
    task = exact_run().task
    linear = models.LinearAutoencoder.init(KEYS[0], 3, 2, 0.5)
    with pytest.raises(InputError, match="LinearAutoencoder"):
        loss(task, linear, tasks.draw_noise(task, KEYS[0], 1))
