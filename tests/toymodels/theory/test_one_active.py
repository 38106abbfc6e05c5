"""The closed form of one active feature, against quadrature, sampling and rational numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.features import OneActive
from toymodels.losses import estimate_loss_per_output
from toymodels.models import ReluAutoencoder
from toymodels.tasks import Reconstruction
from toymodels.theory.one_active import k_gon, one_active_loss, one_active_loss_per_feature

loss_of = jax.jit(one_active_loss)
split_of = jax.jit(one_active_loss_per_feature)
slope_of = jax.jit(jax.grad(one_active_loss, argnums=(0, 1)))
MU = (np.arange(8_000) + 0.5) / 8_000


def by_quadrature(W, b):
    """Return the loss of each output, [F], by the midpoint rule in float64."""
    W, b = np.asarray(W, np.float64), np.asarray(b, np.float64)
    output = np.maximum((W.T @ W)[:, :, None] * MU + b[:, None, None], 0)  # [output, active, mu]
    target = np.eye(len(b))[:, :, None] * MU
    return np.mean((target - output) ** 2, axis=(1, 2))


def random_model(seed):
    """Draw W [2, 6] and b [6]: all signs of slope and offset, and a column of zeros."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(2, 6)) * rng.choice([0.1, 0.7, 1.5], 6)
    W[:, rng.integers(6)] = 0
    return W, rng.normal(size=6) * rng.choice([0.0, 0.3, 1.0])


@pytest.mark.parametrize("seed", range(12))
def test_closed_form_equals_quadrature(seed):
    W, b = random_model(seed)
    np.testing.assert_allclose(split_of(W, b), by_quadrature(W, b), rtol=3e-6, atol=1e-7)
    assert float(loss_of(W, b)) == pytest.approx(by_quadrature(W, b).sum(), rel=3e-6)


@pytest.mark.parametrize("seed", range(2))
def test_slope_equals_differences_of_quadrature(seed):
    W, b = random_model(seed)
    b = b + 0.1  # off the kink at b = 0 of a column of zeros
    slopes = slope_of(W, b)
    for which, slope in enumerate(slopes):
        for index in np.ndindex(*slope.shape):
            ends = []
            for h in (1e-4, -1e-4):
                moved = [W.copy(), b.copy()]
                moved[which][index] += h
                ends.append(by_quadrature(*moved).sum())
            assert slope[index] == pytest.approx((ends[0] - ends[1]) / 2e-4, abs=2e-5)


def test_loss_and_slope_are_finite_at_zero_and_at_extremes():
    for scale in (0.0, 1e-30, 1e-20, 1e-10, 1e4):
        W, b = random_model(1)
        for bias in (0 * b, b, 1e-25 * b):
            assert np.isfinite(loss_of(scale * W, bias))
            assert all(np.all(np.isfinite(s)) for s in slope_of(scale * W, bias))
    assert float(loss_of(np.zeros((2, 6)), np.zeros(6))) == pytest.approx(1 / 3)
    assert not slope_of(np.zeros((2, 6)), np.zeros(6))[1].any()  # the side b < 0: dead


def test_closed_form_is_the_expected_loss_of_the_sampled_task():
    task = Reconstruction.create(OneActive(6), 1.0, 6)
    W, b = random_model(3)
    model = ReluAutoencoder(W=jnp.asarray(W, jnp.float32), b=jnp.asarray(b, jnp.float32))
    sampled = estimate_loss_per_output(task, model, jax.random.key(0), 400_000)
    np.testing.assert_allclose(sampled, split_of(model.W, model.b), rtol=0.02)


@pytest.mark.parametrize("n_corners", range(5))
def test_up_to_four_corners_lose_what_they_drop(n_corners):
    gon = k_gon(n_corners)
    assert gon.loss == pytest.approx((6 - n_corners) / 18, rel=1e-6)
    np.testing.assert_allclose(np.linalg.norm(gon.W, axis=0)[:n_corners], 1, atol=2e-4)
    np.testing.assert_allclose(gon.b, 0, atol=2e-4)


def test_a_positive_bias_gains_one_in_144_and_sits_at_the_mean():
    losses = [k_gon(2, n).loss for n in (0, 1, 4)]
    np.testing.assert_allclose(np.diff(losses), [-1 / 144, -3 / 144], rtol=1e-4)
    np.testing.assert_allclose(k_gon(4, 2).b, [*k_gon(4).b[:4], 1 / 12, 1 / 12])


@pytest.mark.parametrize("n_corners", [5, 6])
def test_k_gon_is_a_minimum_along_and_across_its_family(n_corners):
    gon = k_gon(n_corners, 6 - n_corners)
    for slope in slope_of(gon.W, gon.b):
        np.testing.assert_allclose(slope, 0, atol=2e-6)
    rng = np.random.default_rng(0)
    for _ in range(50):
        W = gon.W + 0.02 * rng.normal(size=(2, 6))
        assert loss_of(W, gon.b + 0.02 * rng.normal(size=6)) > gon.loss


def test_k_gon_is_named_after_corners_and_positive_biases():
    assert [k_gon(4, n).name for n in range(3)] == ["4", "4⁺", "4⁺⁺"]


@pytest.mark.parametrize("arguments", [(7,), (5, 2), (-1,), (3, -1), (4, 0, 3)])
def test_more_corners_than_features_are_refused(arguments):
    with pytest.raises(ValueError, match=r"n_corners = (7|5|-1|4)|n_positive = -1"):
        k_gon(*arguments)
