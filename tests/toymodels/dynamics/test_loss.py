"""Slopes, drops and plateaus of loss curves that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.dynamics import find_drops, find_plateaus, log_loss_slope
from toymodels.errors import InputError

STEPS = np.arange(0, 10_001, 20.0)


def noisy(log_loss, size=0.002, seed=0):
    return np.exp(log_loss + size * np.random.default_rng(seed).normal(size=len(STEPS)))


@given(st.floats(-1e-3, 1e-3), st.floats(0.0, 0.1), st.integers(0, 2**32 - 1))
def test_the_slope_of_an_exponential_is_its_rate_at_any_spacing(rate, span, seed):
    steps = np.cumsum(np.random.default_rng(seed).uniform(1, 20, 60))
    slope = log_loss_slope(steps, np.exp(rate * steps), span=span)
    np.testing.assert_allclose(slope, rate, atol=1e-12)


@settings(max_examples=20)
@given(st.integers(60, 440), st.floats(0.02, 0.5), st.integers(0, 100))
def test_a_drop_out_of_noise_is_found_where_it_is(k, by, seed):
    loss = noisy(-by * (np.arange(len(STEPS)) > k), seed=seed)
    drops = find_drops(STEPS, loss)
    assert drops[k]
    far = np.abs(STEPS - STEPS[k]) > 250
    assert drops[far].mean() < 0.02
    assert not find_drops(STEPS, 1 / loss)[k]  # a rise


def test_a_steady_fall_and_rounding_have_no_drops():
    assert not find_drops(STEPS, np.exp(-1e-3 * STEPS)).any()
    flat = np.full(len(STEPS), 0.7, np.float32)
    flat[::7] = np.nextafter(flat[::7], np.float32(1))
    assert not find_drops(STEPS, flat).any()


def test_plateaus_are_the_stretches_between_falls_with_their_losses():
    log_loss = -2.0 * sum(1 / (1 + np.exp(-(STEPS - at) / 60)) for at in (2000, 6000))
    found = find_plateaus(STEPS, np.exp(log_loss))
    assert len(found) == 3
    np.testing.assert_allclose([p.loss for p in found], np.exp([0, -2, -4]), rtol=1e-2)
    np.testing.assert_allclose([p.first for p in found], [0, 2400, 6400], atol=100)
    np.testing.assert_allclose([p.last for p in found], [1600, 5600, 10_000], atol=100)
    assert len(find_plateaus(STEPS, np.exp(log_loss), shortest=0.2)) == 2
    assert find_plateaus(STEPS, np.exp(-1e-3 * STEPS)) == ()


@pytest.mark.parametrize(
    ("loss", "told"),
    [([1.0], r"loss has shape \(1,\): give it as \[2\]"), ([1.0, 0.0], "loss = 0.0: its log")],
)
def test_what_is_no_curve_of_losses_is_refused(loss, told):
    for f in (log_loss_slope, find_drops, find_plateaus):
        with pytest.raises(InputError, match=told):
            f([0, 1], loss)
