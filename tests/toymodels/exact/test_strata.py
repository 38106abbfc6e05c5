"""The stratified estimator: its strata, its closed forms, the law it draws from, and no bias."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run, make_table
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps.config.parse import parse

from sweeps.config import run_config
from sweeps.run import run_sweep
from toymodels import models, theory
from toymodels.errors import InputError
from toymodels.exact import expected_loss_of_map_float64
from toymodels.exact.strata import (
    AtLeastTwo,
    StratifiedReconstruction,
    loss_of_at_most_one,
    over_one,
    strata,
)
from toymodels.features import Independent, OneActive, SignedUniform
from toymodels.losses import loss, loss_of_nothing
from toymodels.tasks import Reconstruction, draw_noise
from toymodels.training import stream, train

DENSITIES = [
    (0.3, 0.05, 0.6, 0.2),
    (1.0, 0.002, 0.5, 0.2),
    (0.0, 0.4, 0.0, 0.03),
    (0.002, 0.002, 0.002, 0.002),
    (0.0005, 0.3, 0.0005, 0.1),
    (1.0, 1.0, 1.0, 1.0),
]
IMPORTANCE = np.float32([1.0, 0.5, 0.8, 0.3])
KEY = jax.random.key(3)

loss_of_batch = jax.jit(jax.vmap(loss, in_axes=(None, None, 0)))
value_and_slope = jax.jit(jax.value_and_grad(loss, argnums=1))
examples = jax.jit(lambda features, u: AtLeastTwo(features).from_uniforms(u))
strata_of = jax.jit(strata)
slope_of_batch = jax.jit(jax.vmap(jax.grad(loss, argnums=1), in_axes=(None, None, 0)))
probability = st.one_of(st.just(0.0), st.just(1.0), st.floats(2**-20, 1.0, width=32))


def chances(p):
    """Return pattern -> probability for every pattern of active features."""
    p = np.asarray(p, np.float64)
    patterns = itertools.product((False, True), repeat=p.size)
    return {on: float(np.prod(np.where(on, p, 1 - p))) for on in patterns}


def task_of(p, kind=StratifiedReconstruction, importance=1.0):
    return kind.create(Independent.create(p, len(p)), importance, len(p))


def noise_of(task, n_batches, n_examples):
    keys = jax.random.split(KEY, n_batches)
    return jax.vmap(lambda key: draw_noise(task, key, n_examples))(keys)


def some_model(n_features, n_hidden=2, kind=models.ReluAutoencoder):
    model = kind.init(jax.random.key(5), n_features, n_hidden, 0.7)
    return model.replace(b=0.2 * jax.random.normal(jax.random.key(6), (n_features,)))


@settings(deadline=None, max_examples=60)
@given(st.lists(probability, min_size=4, max_size=4))
def test_strata_have_the_probabilities_that_enumeration_gives(p):
    found, p = strata_of(np.float32(p)), np.float64(np.float32(p))
    by_pattern = chances(p)
    alone = [by_pattern[tuple(i == j for i in range(4))] for j in range(4)]
    several = sum(c for on, c in by_pattern.items() if sum(on) > 1)
    with_others = [1 - np.prod(np.delete(1 - p, j)) for j in range(4)]
    np.testing.assert_allclose(found.none, by_pattern[(False,) * 4], rtol=2e-6, atol=1e-35)
    np.testing.assert_allclose(found.one, alone, rtol=2e-6, atol=1e-35)
    np.testing.assert_allclose(found.several, several, rtol=2e-6, atol=1e-35)
    np.testing.assert_allclose(found.accompanied, with_others, rtol=2e-6, atol=1e-15)
    assert np.all(np.array([found.first, found.second]) >= 0)
    assert np.all(np.array([found.first, found.second]) <= 1 + 1e-6)


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


def pieces(start, slope):
    """Return Gauss–Legendre nodes and weights `[2, 6]`, one row on each side of the kink."""
    root = np.clip(-start / slope, 0, 1) if slope else 0.0
    nodes, weights = np.polynomial.legendre.leggauss(6)
    ends = np.array([[0, root], [root, 1]])
    length = ends[:, 1:] - ends[:, :1]
    return ends[:, :1] + length * (nodes + 1) / 2, length * weights / 2


ENDS = [-0.7, -1e-7, 0.0, 1e-12, 0.3]
SLOPES = [-1.2, -0.3, -1e-8, 0.0, 1e-20, 1e-6, 0.5, 1.0, 1.4]


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_mean_over_one_feature_and_its_slopes_agree_with_quadrature(own):
    start, slope = (a.ravel() for a in np.meshgrid(ENDS, SLOPES))
    both = jax.value_and_grad(over_one, argnums=(0, 1))
    found, (by_start, by_slope) = jax.jit(jax.vmap(both, in_axes=(0, 0, None)))(
        jnp.float32(start), jnp.float32(slope), own
    )
    for i, (c, g) in enumerate(zip(start, slope, strict=True)):
        v, weight = pieces(c, g)
        z = np.maximum(c + g * v, 0)
        error, on = own * v - z, z > 0
        np.testing.assert_allclose(found[i], np.sum(weight * error**2), rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(by_start[i], np.sum(-2 * weight * error * on), atol=3e-6)
        np.testing.assert_allclose(by_slope[i], np.sum(-2 * weight * error * on * v), atol=3e-6)


@pytest.mark.parametrize(
    "kind", [models.LinearAutoencoder, models.ReluAutoencoder, models.UntiedAutoencoder]
)
def test_at_most_one_active_feature_is_what_the_model_does_with_it(kind):
    model = some_model(3, kind=kind)
    none, one = jax.jit(loss_of_at_most_one)(model)
    np.testing.assert_allclose(none, model(jnp.zeros(3)) ** 2, rtol=1e-5)
    v = (jnp.arange(4000) + 0.5) / 4000
    for j in range(3):
        X = jnp.zeros((3, 4000)).at[j].set(v)
        np.testing.assert_allclose(one[:, j], jnp.mean((model.on_batch(X) - X) ** 2, 1), atol=1e-6)


@pytest.mark.parametrize("p", DENSITIES)
def test_the_mean_over_batches_is_the_expected_loss(p):
    model, task = some_model(4), task_of(p, importance=IMPORTANCE)
    found = np.array(loss_of_batch(task, model, noise_of(task, 200, 256)))
    wanted = expected_loss_of_map_float64(model.W.T @ model.W, model.b, p, IMPORTANCE).sum()
    error = found.std(ddof=1) / np.sqrt(found.size)
    assert abs(found.mean() - wanted) < 4 * error + 1e-6 * wanted


@pytest.mark.parametrize("p", [DENSITIES[0], DENSITIES[4]])
def test_the_mean_slope_is_the_slope_of_the_plain_loss(p):
    model = some_model(4)
    found = []
    for kind, n in ((StratifiedReconstruction, 256), (Reconstruction, 8192)):
        task = task_of(p, kind, IMPORTANCE)
        slope = slope_of_batch(task, model, noise_of(task, 200, n))
        flat = np.concatenate(
            [np.asarray(leaf).reshape(200, -1) for leaf in jax.tree.leaves(slope)], 1
        )
        found.append((flat.mean(0), flat.var(0, ddof=1) / 200))
    (one, its_square), (other, other_square) = found
    z = (one - other) / np.sqrt(its_square + other_square)
    assert np.all(np.abs(z) < 4.5)


def test_a_sparse_world_has_far_less_variance_than_a_plain_batch_shows():
    model, p = some_model(10), (0.01,) * 10
    spread = [
        np.var(loss_of_batch(task, model, noise_of(task, 200, 256)))
        for task in (task_of(p), task_of(p, Reconstruction))
    ]
    assert spread[0] < spread[1] / 50


@pytest.mark.parametrize("p", [(0.0,) * 4, (1.0,) * 4, (0.4,), (1.0,), (1.0, 0.0, 0.0, 0.0)])
def test_loss_and_slope_are_finite_at_the_edges(p):
    model, task = some_model(len(p)), task_of(p)
    noise = draw_noise(task, KEY, 64)
    value, slope = value_and_slope(task, model, noise)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves((value, slope)))
    if sum(q > 0 for q in p) < 2:  # nothing is sampled
        wanted = expected_loss_of_map_float64(model.W.T @ model.W, model.b, p, 1.0).sum()
        np.testing.assert_allclose(value, wanted, rtol=1e-5)


def test_slope_at_the_start_of_training_is_the_mean_of_plain_slopes():
    model = some_model(3).replace(b=jnp.zeros(3))  # every kink lies at an end of the range
    p = (0.02, 0.02, 0.02)
    _, slope = value_and_slope(task_of(p), model, draw_noise(task_of(p), KEY, 4096))
    plain = task_of(p, Reconstruction)
    many = slope_of_batch(plain, model, noise_of(plain, 100, 16384))
    for one, all_of_them in zip(jax.tree.leaves(slope), jax.tree.leaves(many), strict=True):
        error = np.std(all_of_them, axis=0) / 10
        assert np.all(np.abs(one - np.mean(all_of_them, axis=0)) < 5 * error + 1e-6)


@pytest.mark.claims
def test_a_linear_run_ends_at_the_linear_limit():
    run = make_run(
        4, 2, p_active=0.3, model=models.LinearAutoencoder, steps=600, learning_rate=0.02
    )
    run = run.replace(task=StratifiedReconstruction.create(run.task.features, IMPORTANCE, 4))
    found = train(run, stream(0, 1), stream(0, 2)).evaluation
    limit = theory.linear_limit(4, 2, IMPORTANCE, 0.3).loss
    np.testing.assert_allclose(found.loss, limit, rtol=0.02)
    np.testing.assert_allclose(loss_of_nothing(run.task, None), IMPORTANCE.sum() * 0.1, rtol=1e-6)


@pytest.mark.claims
def test_a_sweep_takes_the_estimator_by_name():
    config = parse(make_table(estimator="stratified", steps=1))
    assert isinstance(config.build({"features.p_active": 0.1}).task, StratifiedReconstruction)
    dataset = run_sweep(config)
    assert np.all(dataset["loss"] > 0) and np.all(dataset["diverged"] == 0)


@pytest.mark.parametrize("features", [OneActive(3), Independent.create(0.1, 3, SignedUniform())])
def test_features_without_a_closed_form_are_refused(features):
    with pytest.raises(InputError, match="sampled"):
        StratifiedReconstruction.create(features, 1.0, 3)


def test_a_model_without_a_closed_form_is_refused():
    task = task_of((0.1, 0.2))
    for refuse in (lambda: task.check_model(dict), lambda: loss_of_at_most_one({})):
        with pytest.raises(InputError, match='"linear", "relu" and "untied", not dict'):
            refuse()
    with pytest.raises(InputError, match="estimator"):
        run_config(make_table(estimator="stratify"))
