"""The expected loss against the oracle, closed forms, samples and its own symmetries."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import models, tasks, theory
from toymodels.errors import InputError
from toymodels.exact import (
    expected_loss,
    expected_loss_float64,
    expected_loss_of_map,
    expected_loss_of_map_float64,
    expected_loss_per_feature,
    loss_2_1_without_bias,
)

SIZES = [(2, 1), (3, 2), (4, 2), (5, 2), (6, 3)]

batch = jax.jit(jax.vmap(expected_loss))
slopes = jax.jit(jax.vmap(jax.grad(expected_loss, argnums=(0, 1))))


@cache
def weights(n_features, n_hidden):
    """`W [N, M, F]` and `b [N, F]`: random, polygons, equal, opposite, zero and tiny columns."""
    rng = np.random.default_rng(n_features)
    shape = (n_hidden, n_features)
    angle = 2 * np.pi * np.arange(n_features) / n_features
    polygon = np.stack([np.cos(angle), np.sin(angle), 0 * angle])[:n_hidden]
    some_zero = rng.normal(size=shape) * (np.arange(n_features) % 2)
    pairs = np.tile(np.hstack([np.eye(n_hidden), -np.eye(n_hidden)]), 3)[:, :n_features]
    W = [
        *(0.7 * rng.normal(size=(4, *shape))),
        1.13 * polygon,
        np.repeat(0.6 * rng.normal(size=(n_hidden, 1)), n_features, 1),
        np.sign(rng.normal(size=shape)),
        some_zero,
        pairs + 0.01 * rng.normal(size=shape),
        1e-3 * rng.normal(size=shape),
        np.zeros(shape),
    ]
    b = [*(0.3 * rng.normal(size=(9, n_features))), *np.full((2, n_features), 0.1)]
    b[4], b[8] = np.full(n_features, -0.245), np.zeros(n_features)
    return np.array(W, np.float32), np.array(b, np.float32)


def worlds(n, n_features, p):
    """The same density and falling importance for each of n models."""
    importance = 0.8 ** np.arange(n_features)
    return tuple(np.array([v] * n, np.float32) for v in (np.full(n_features, p), importance))


@pytest.mark.parametrize(("n_features", "n_hidden"), SIZES)
@pytest.mark.parametrize("p", [0.003, 0.3, 1.0])
def test_expected_loss_is_the_oracle(n_features, n_hidden, p):
    W, b = weights(n_features, n_hidden)
    keep = slice(4, 6) if n_features == 6 else slice(None)  # the oracle takes 0.1 s there
    world = worlds(len(W), n_features, p)
    got = np.asarray(batch(W, b, *world))[keep]
    exact = [expected_loss_float64(*case) for case in zip(W, b, *world, strict=True)][keep]
    np.testing.assert_allclose(got, exact, rtol=2e-5)


def test_densities_of_single_features_count():
    W, b = weights(4, 2)
    p, importance = np.array([0.9, 0.0, 0.2, 1.0], np.float32), np.array([1, 2, 0, 0.5], np.float32)
    p, importance = np.tile(p, (len(W), 1)), np.tile(importance, (len(W), 1))
    exact = [expected_loss_float64(*case) for case in zip(W, b, p, importance, strict=True)]
    np.testing.assert_allclose(batch(W, b, p, importance), exact, rtol=2e-5)


@pytest.mark.parametrize("p", [0.01, 0.4, 1.0])
@pytest.mark.parametrize("r", [0.5, 2.0])
def test_closed_forms_are_reproduced(p, r):
    half, three = p / 2, [1, 1, r]
    pair, two, one = [[1, -1]], [[1, 0, 0], [0, 1, 0]], [[1, -1, 0], [0, 0, 1]]
    cases = [
        ([[1, 0]], [0, half], [1, r], theory.loss_drop_extra(p, r)),
        ([[0, 1]], [half, 0], [1, r], theory.loss_drop_other(p)),
        (pair, [0, 0], [1, r], theory.loss_extra_antipodal(p, r)),
        ([[0.8, -0.6]], [0, 0], [1, r], loss_2_1_without_bias(0.8, -0.6, p, r)),
        ([[0.8, 0.6]], [0, 0], [1, r], loss_2_1_without_bias(0.8, 0.6, p, r)),
        ([[0.5, 1.2]], [0, 0], [1, r], loss_2_1_without_bias(0.5, 1.2, p, r)),
        (two, [0, 0, half], three, theory.loss_drop_extra(p, r)),
        ([[0, 1, 0], [0, 0, 1]], [half, 0, 0], three, theory.loss_drop_other(p)),
        ([[1, 0, 0], [0, 1, -1]], [0, 0, 0], three, theory.loss_extra_antipodal(p, r)),
        (one, [0, 0, 0], three, theory.loss_others_antipodal(p)),
    ]
    for W, b, importance, expected in cases:
        got = expected_loss(*(jnp.array(v, jnp.float32) for v in (W, b)), p, np.array(importance))
        assert float(got) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("model", [models.ReluAutoencoder, models.UntiedAutoencoder])
def test_expected_loss_agrees_with_the_sampled_one(model):
    task = make_run(3, 2, p_active=0.4, importance=[1, 0.8, 0.6]).task
    one = model.init(jax.random.key(2), 3, 2, 0.7).replace(b=jnp.array([0.1, -0.1, 0.2]))
    decoder = getattr(one, "V", one.W.T)
    exact = expected_loss_of_map(decoder @ one.W, one.b, 0.4, task.importance)
    x, target = tasks.interpret(task, tasks.draw_batch(task, jax.random.key(9), 200_000))
    sampled = np.asarray(task.error(one(x), target))
    error = sampled.std(1) / sampled.shape[1] ** 0.5
    assert np.all(np.abs(sampled.mean(1) - exact) < 4 * error)
    oracle = expected_loss_of_map_float64(decoder @ one.W, one.b, 0.4, task.importance)
    np.testing.assert_allclose(exact, oracle, rtol=1e-5)


@pytest.mark.parametrize(("n_features", "n_hidden"), [(3, 2), (5, 2)])
@pytest.mark.parametrize("p", [0.05, 1.0])
def test_gradient_is_the_slope_of_the_oracle(n_features, n_hidden, p):
    W, b = weights(n_features, n_hidden)
    world, h = worlds(len(W), n_features, p), 1e-6
    by_W, by_b = slopes(W, b, *world)
    rng = np.random.default_rng(0)
    for i in range(6):
        one = [v[i].astype(np.float64) for v in (W, b)]
        step = [rng.normal(size=v.shape) for v in one]
        ends = [[v + sign * h * d for v, d in zip(one, step, strict=True)] for sign in (1, -1)]
        up, down = (expected_loss_float64(*end, world[0][i], world[1][i]) for end in ends)
        parts = [np.asarray(v[i]) * d for v, d in zip((by_W, by_b), step, strict=True)]
        along, size = (sum(np.sum(f(part)) for part in parts) for f in (np.positive, np.abs))
        assert along == pytest.approx((up - down) / (2 * h), abs=2e-5 * float(size) + 1e-8)


def test_hessian_is_the_curvature_of_the_oracle():
    world, h = ([0.3, 0.6, 0.9], [1.0, 0.5, 2.0]), 1e-4
    W, b = (v[0] for v in weights(3, 2))

    def loss(theta):
        return expected_loss(theta[:6].reshape(2, 3), theta[6:], *map(jnp.array, world))

    theta = np.append(W.ravel(), b)
    got = np.asarray(jax.jit(jax.hessian(loss))(theta))

    def oracle(shift):
        at = theta.astype(np.float64) + shift
        return expected_loss_float64(at[:6].reshape(2, 3), at[6:], *world)

    e = h * np.eye(9)
    for i, j in [(0, 0), (1, 5), (2, 7), (3, 3), (4, 8), (6, 6), (6, 8), (7, 2)]:
        around = (oracle(s * e[i] + t * e[j]) * s * t for s in (1, -1) for t in (1, -1))
        assert got[i, j] == pytest.approx(sum(around) / (4 * h * h), abs=2e-5)


def test_small_weights_keep_the_gradient_clean():
    W = np.array([[1e-3, -2e-3, 5e-4]], np.float32)
    by_W, by_b = jax.grad(expected_loss, argnums=(0, 1))(W, jnp.zeros(3), 0.5, 1.0)
    # To first order in G the loss is its value at 0 less 2 Σ_i E[x_i ReLU(g_i·x)].
    h, one = 1e-7, W.astype(np.float64)
    for j in range(3):
        e = h * np.eye(3)[j]
        up, down = (expected_loss_float64(one + s * e, np.zeros(3), 0.5, 1.0) for s in (1, -1))
        assert float(by_W[0, j]) == pytest.approx((up - down) / (2 * h), rel=1e-3)
    assert np.all(np.isfinite(by_b))


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_nothing_is_nan_at_the_corners(p):
    W, b = weights(3, 2)
    b = np.where(np.arange(3) == 1, 0, b).astype(np.float32)  # zero columns with zero bias as well
    world = worlds(len(W), 3, p)
    for one in (W, W * (np.arange(3) != 1)):
        assert np.all(np.isfinite(batch(one, b, *world)))
        assert all(np.all(np.isfinite(slope)) for slope in slopes(one, b, *world))


def test_a_loss_far_below_that_of_nothing_keeps_its_digits():
    W = np.eye(3, dtype=np.float32) + np.float32(1e-3)
    got = expected_loss(W, jnp.zeros(3), 0.01, 1.0)
    assert float(got) == pytest.approx(expected_loss_float64(W, np.zeros(3), 0.01, 1.0), rel=1e-3)
    exact_map = W.T.astype(np.float64) @ W
    rounded = exact_map.astype(np.float32)
    got = expected_loss_of_map(jnp.array(rounded), jnp.zeros(3), 0.01, 1.0).sum()
    expected = expected_loss_of_map_float64(rounded, np.zeros(3), 0.01, 1.0).sum()
    assert expected < 1e-5 and float(got) == pytest.approx(expected, rel=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from([0.0, 1e-20, 1e-3, 1.0, 30.0]))
def test_symmetries_leave_the_expected_loss_alone(seed, p, scale):
    rng = np.random.default_rng(seed)
    W, b = scale * rng.normal(size=(2, 3)), scale * rng.normal(size=3)
    W[:, 0] *= rng.integers(2)
    importance, order = rng.uniform(size=3), rng.permutation(3)
    rotation = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    cases = [
        (W, b, importance),
        (W[:, order], b[order], importance[order]),
        (W * [[1], [-1]], b, importance),
        (rotation @ W, b, importance),
        (W, b, 3 * importance),
    ]
    stacked = [np.array(values, np.float32) for values in zip(*cases, strict=True)]
    loss = batch(stacked[0], stacked[1], np.full((5, 3), p, np.float32), stacked[2])
    assert np.all(np.asarray(loss) >= 0)
    np.testing.assert_allclose(loss / np.array([1, 1, 1, 1, 3]), loss[0], rtol=2e-5)


def test_split_sums_to_the_loss_and_one_of_many_equals_it_alone():
    W, b = weights(3, 2)
    world = worlds(len(W), 3, 0.3)
    alone = expected_loss_per_feature(W[0], b[0], world[0][0], world[1][0])
    assert alone.shape == (3,)
    assert float(alone.sum()) == pytest.approx(float(batch(W, b, *world)[0]), rel=1e-6)


def test_seven_features_are_too_many_and_the_message_says_what_to_do():
    with pytest.raises(InputError, match=r"n_features = 7.*stratified"):
        expected_loss(jnp.zeros((2, 7)), jnp.zeros(7), 0.5, 1.0)
