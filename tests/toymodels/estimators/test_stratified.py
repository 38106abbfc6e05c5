"""The stratified estimator: the law it draws from, no bias, and far less variance."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run

from toymodels import models, theory
from toymodels.errors import InputError
from toymodels.estimators import Sampled, Stratified, require
from toymodels.estimators.stratified import AtLeastTwo
from toymodels.exact import expected_loss_of_map_float64
from toymodels.features import Independent, OneActive, SignedUniform
from toymodels.models.absolute_value import AbsoluteValueModel, BiasedAbsoluteValueModel
from toymodels.tasks import Reconstruction
from toymodels.tasks.absolute_value import AbsoluteValue
from toymodels.training import train

DENSITIES = [
    (0.3, 0.05, 0.6, 0.2),
    (1.0, 0.002, 0.5, 0.2),
    (0.0, 0.4, 0.0, 0.03),
    (0.002, 0.002, 0.002, 0.002),
    (2e-6, 0.3, 2e-6, 0.1),  # two uniforms for an entry
    (1.0, 1.0, 1.0, 1.0),
]
IMPORTANCE = np.float32([1.0, 0.5, 0.8, 0.3])
KEY = jax.random.key(3)
STRATIFIED = Stratified()


def total(estimator, task, model, u):
    return jnp.sum(estimator.loss_per_output(task, model, u))


losses = jax.jit(jax.vmap(total, in_axes=(None, None, None, 0)), static_argnums=0)
value_and_slope = jax.jit(jax.value_and_grad(total, argnums=2), static_argnums=0)
slopes = jax.jit(
    jax.vmap(jax.grad(total, argnums=2), in_axes=(None, None, None, 0)), static_argnums=0
)
examples = jax.jit(lambda features, u: AtLeastTwo(features).from_uniforms(u))


def chances(p):
    """Return pattern -> probability for every pattern of active features."""
    p = np.asarray(p, np.float64)
    patterns = itertools.product((False, True), repeat=p.size)
    return {on: float(np.prod(np.where(on, p, 1 - p))) for on in patterns}


def task_of(p, importance=1.0):
    return Reconstruction.create(Independent.create(p, len(p)), importance, len(p))


def batches(task, n_batches, n_examples):
    keys = jax.random.split(KEY, n_batches)
    return jax.vmap(lambda key: STRATIFIED.draw(task, key, n_examples))(keys)


def some_model(n_features, n_hidden=2, kind=models.ReluAutoencoder):
    model = kind.init(jax.random.key(5), n_features, n_hidden, 0.7)
    return model.replace(b=0.2 * jax.random.normal(jax.random.key(6), (n_features,)))


@pytest.mark.parametrize("p", DENSITIES)
def test_examples_have_the_law_of_x_given_two_active(p):
    n, features = 200_000, Independent.create(p, 4)
    x = np.array(examples(features, jax.random.uniform(KEY, (4 * features.draws, n))))
    counts = {on: int(np.all(on == (x > 0).T, axis=1).sum()) for on in chances(p)}
    wanted = {on: c if sum(on) > 1 else 0.0 for on, c in chances(p).items()}
    total = sum(wanted.values())
    for on, weight in wanted.items():
        share = weight / total
        # 2e-5: a uniform number is exactly 0 once in 2^23 draws, and then the value is 0 as well.
        assert abs(counts[on] - n * share) <= 4.5 * np.sqrt(n * share * (1 - share)) + 2e-5 * n, on
    for i in range(4):
        values = x[i][x[i] > 0]
        if values.size > 50:
            sigma = np.sqrt(1 / 12 / values.size)
            assert abs(values.mean() - 0.5) < 4.5 * sigma
            assert abs(values.var() - 1 / 12) < 4.5 * np.sqrt(1 / 180 / values.size)
            assert values.max() <= 1


def test_values_of_two_active_features_are_independent_of_each_other():
    features = Independent.create(0.1, 3)
    x = np.array(examples(features, jax.random.uniform(KEY, (3, 100_000))))
    both = x[:, (x[0] > 0) & (x[2] > 0)]
    assert both.shape[1] > 20_000
    assert abs(np.corrcoef(both[0], both[2])[0, 1]) < 4.5 / np.sqrt(both.shape[1])


def test_one_example_and_a_batch_are_drawn_alike():
    features = Independent.create([0.2, 0.5, 0.1], 3)
    u = jax.random.uniform(KEY, (3, 7))
    one_by_one = jnp.stack([examples(features, u[:, i]) for i in range(7)], axis=1)
    np.testing.assert_array_equal(examples(features, u), one_by_one)


@pytest.mark.parametrize("p", DENSITIES)
def test_the_mean_over_batches_is_the_expected_loss(p):
    model, task = some_model(4), task_of(p, importance=IMPORTANCE)
    found = np.array(losses(STRATIFIED, task, model, batches(task, 200, 256)))
    wanted = expected_loss_of_map_float64(model.W.T @ model.W, model.b, p, IMPORTANCE).sum()
    error = found.std(ddof=1) / np.sqrt(found.size)
    assert abs(found.mean() - wanted) < 4 * error + 1e-6 * wanted


@pytest.mark.parametrize("p", [DENSITIES[0], DENSITIES[4]])
def test_the_mean_slope_is_the_slope_of_the_plain_loss(p):
    model = some_model(4)
    found = []
    for estimator, n in ((STRATIFIED, 256), (Sampled(), 8192)):
        task = task_of(p, IMPORTANCE)
        slope = slopes(estimator, task, model, batches(task, 200, n))
        flat = np.concatenate(
            [np.asarray(leaf).reshape(200, -1) for leaf in jax.tree.leaves(slope)], 1
        )
        found.append((flat.mean(0), flat.var(0, ddof=1) / 200))
    (one, its_square), (other, other_square) = found
    z = (one - other) / np.sqrt(its_square + other_square)
    assert np.all(np.abs(z) < 4.5)


def absolute_value(p, kind=AbsoluteValueModel):
    """Return a task of absolute values and a model of it."""
    world = Independent.create(p, 4, SignedUniform())
    return AbsoluteValue.create(world, IMPORTANCE), some_model(4, n_hidden=5, kind=kind)


@pytest.mark.parametrize("p", [DENSITIES[0], DENSITIES[3]])
def test_absolute_values_have_the_mean_and_the_slope_of_plain_batches(p):
    task, model = absolute_value(p)
    found = []
    for estimator, n in ((STRATIFIED, 256), (Sampled(), 4096)):
        u = batches(task, 100, n)
        slope = slopes(estimator, task, model, u)
        flat = [np.asarray(losses(estimator, task, model, u))[:, None]]
        flat += [np.asarray(leaf).reshape(100, -1) for leaf in jax.tree.leaves(slope)]
        flat = np.concatenate(flat, 1)
        found.append((flat.mean(0), flat.var(0, ddof=1) / 100))
    (one, its_square), (other, other_square) = found
    noise = np.sqrt(its_square + other_square)
    assert np.all(np.abs(one - other) < 4.5 * noise + 1e-6)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"features": Independent.create(0.1, 4)}, r"uniform on \[-1, 1\], not .*signed_uniform"),
        ({}, "for absolute values .*maps_of_one.*BiasedAbsoluteValueModel has none"),
    ],
)
def test_absolute_values_without_a_closed_form_are_refused(change, told):
    task, _ = absolute_value((0.1,) * 4)
    with pytest.raises(InputError, match=told):
        require(STRATIFIED, task.replace(**change), BiasedAbsoluteValueModel)


def test_a_sparse_world_has_far_less_variance_than_plain_batches():
    model, task = some_model(10), task_of((0.01,) * 10)
    u = batches(task, 200, 256)
    spread = [np.var(losses(e, task, model, u)) for e in (STRATIFIED, Sampled())]
    assert spread[0] < spread[1] / 50


@pytest.mark.parametrize("p", [(0.0,) * 4, (1.0,) * 4, (0.4,), (1.0,), (1.0, 0.0, 0.0, 0.0)])
def test_loss_and_slope_are_finite_at_the_edges(p):
    model, task = some_model(len(p)), task_of(p)
    value, slope = value_and_slope(STRATIFIED, task, model, STRATIFIED.draw(task, KEY, 64))
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves((value, slope)))
    if sum(q > 0 for q in p) < 2:  # nothing is sampled
        wanted = expected_loss_of_map_float64(model.W.T @ model.W, model.b, p, 1.0).sum()
        np.testing.assert_allclose(value, wanted, rtol=1e-5)


def test_slope_at_the_start_of_training_is_the_mean_of_plain_slopes():
    model = some_model(3).replace(b=jnp.zeros(3))  # every kink lies at an end of the range
    p = (0.02, 0.02, 0.02)
    u = STRATIFIED.draw(task_of(p), KEY, 4096)
    _, slope = value_and_slope(STRATIFIED, task_of(p), model, u)
    many = slopes(Sampled(), task_of(p), model, batches(task_of(p), 100, 16384))
    for one, all_of_them in zip(jax.tree.leaves(slope), jax.tree.leaves(many), strict=True):
        error = np.std(all_of_them, axis=0) / 10
        assert np.all(np.abs(one - np.mean(all_of_them, axis=0)) < 5 * error + 1e-6)


def test_cells_share_what_is_drawn_with_samples():
    """A sweep over estimators compares them on the same uniforms."""
    task = task_of(DENSITIES[0])
    np.testing.assert_array_equal(STRATIFIED.draw(task, KEY, 8), Sampled().draw(task, KEY, 8))


def test_learning_nothing_loses_what_a_model_of_zeros_loses():
    task = task_of(DENSITIES[0], IMPORTANCE)
    zero = models.ReluAutoencoder(jnp.zeros((2, 4)), jnp.zeros(4))
    found = losses(STRATIFIED, task, zero, batches(task, 200, 256))
    wanted = float(np.sum(IMPORTANCE * DENSITIES[0]) / 3)
    assert float(STRATIFIED.baseline(task, None)) == pytest.approx(wanted, rel=1e-6)
    assert float(np.mean(found)) == pytest.approx(wanted, rel=0.01)


@pytest.mark.claims
def test_a_linear_run_ends_at_the_linear_limit():
    run = make_run(
        *(4, 2),
        p_active=0.3,
        importance=IMPORTANCE,
        model=models.LinearAutoencoder,
        steps=600,
        learning_rate=0.02,
    )
    found = train(run.replace(estimator=STRATIFIED), KEY, jax.random.key(4)).evaluation
    limit = theory.linear_limit(4, 2, IMPORTANCE, 0.3).loss
    np.testing.assert_allclose(found.loss, limit, rtol=0.02)


@pytest.mark.parametrize(
    ("features", "told"),
    [
        (OneActive(3), "OneActive"),
        (Independent.create(0.1, 3, SignedUniform()), "SignedUniform"),
    ],
)
def test_features_without_a_closed_form_are_refused(features, told):
    task = Reconstruction.create(features, 1.0, 3)
    with pytest.raises(InputError, match=rf'"stratified" knows .*{told}.*estimator = "sampled"'):
        require(STRATIFIED, task, models.ReluAutoencoder)


def test_a_model_without_a_closed_form_is_refused():
    with pytest.raises(InputError, match=r'relu_map.*linear_map.*dict.*estimator = "sampled"'):
        require(STRATIFIED, task_of((0.1, 0.2)), dict)
