"""Errors of the nonlinear compression, against samples and at their limits."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.theory import (
    break_even_ramp,
    error_best_decoder,
    error_linear_compression,
    error_natural_decoder,
)

N = 400_000


def samples(Z, e):
    """Return x, y and Z t."""
    x, y = np.random.default_rng(Z).random((2, N))
    steps = np.arange(1, Z)[:, None]
    stairs = np.clip((Z * x - steps + e / 2) / e, 0, 1).sum(0)
    return x, y, stairs + y


@pytest.mark.parametrize(("Z", "e"), [(2, 0.7), (3, 0.1), (5, 1.0), (1, 0.5)])
def test_both_errors_are_those_of_samples(Z, e):
    x, y, t = samples(Z, e)
    squares = (x - (np.floor(t) + 0.5) / Z) ** 2 + (y - (t - np.floor(t))) ** 2
    spread = squares.std() / np.sqrt(N)
    assert abs(squares.mean() - error_natural_decoder(Z, e)) < 4 * spread
    bins = np.floor(200 * t).astype(int)  # what is left where t is nearly known
    counts = np.maximum(np.bincount(bins), 1)
    best = sum(np.mean((a - (np.bincount(bins, a) / counts)[bins]) ** 2) for a in (x, y))
    assert abs(best - error_best_decoder(Z, e)) < 4 * spread + 1e-4


def test_steps_without_ramps_lose_a_stairs_variance_and_one_stair_is_linear():
    Z = np.arange(1, 9)
    for error in (error_natural_decoder, error_best_decoder):
        np.testing.assert_allclose(error(Z, 0.0), 1 / (12 * Z**2), rtol=1e-10)
        np.testing.assert_allclose(error(1, [0.1, 1.0]), error_linear_compression(), rtol=1e-10)
    assert error_linear_compression() == pytest.approx(1 / 12, rel=1e-12)


def test_the_best_decoder_is_never_worse_and_wider_ramps_never_help():
    Z, e = np.arange(1, 9)[:, None], np.linspace(0, 1, 21)
    best, natural = error_best_decoder(Z, e), error_natural_decoder(Z, e)
    assert np.all(best <= natural + 1e-12)
    assert np.all(np.diff(natural[1:], axis=1) > 0)
    assert np.all(np.diff(best, axis=1) > -1e-12)
    assert np.all(best <= 1 / 12 + 1e-12)


def test_at_the_break_even_ramp_nothing_is_won():
    Z = np.array([2, 3, 10, 1000])
    np.testing.assert_allclose(error_natural_decoder(Z, break_even_ramp(Z)), 1 / 12, rtol=1e-12)
    with pytest.raises(InputError, match="whole numbers from 2"):
        break_even_ramp(1)


def test_half_a_stair_is_no_number_of_stairs():
    with pytest.raises(InputError, match=r"n_stairs must be whole numbers .*, got 2\.5"):
        error_best_decoder(2.5, 0.1)
