"""The loss in a world of correlated sets against the oracle and samples."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.exact import expected_loss_float64
from toymodels.exact.sets import expected_loss_in_sets
from toymodels.features.correlated import CorrelatedSets

W = 0.7 * np.random.default_rng(3).normal(size=(2, 4)).astype(np.float32)
B = np.float32([-0.2, 0.3, 0.0, -0.05])
IMPORTANCE = np.float32([1.0, 0.5, 0.8, 0.3])


def of_worlds(p):
    """Add up worlds in which each feature is on or off for certain, by the oracle."""
    total = 0.0
    for on in np.ndindex(2, 2):
        chance = np.prod(np.where(on, p, 1 - p))
        total += chance * expected_loss_float64(W, B, np.repeat(np.float64(on), 2), IMPORTANCE)
    return total


@pytest.mark.parametrize("p", [0.0, 0.02, (0.3, 0.9), 1.0])
def test_loss_is_that_of_the_oracle_over_all_choices_of_sets(p):
    p = np.broadcast_to(p, 2)
    found = expected_loss_in_sets(W, B, p, 2, IMPORTANCE)
    assert float(found) == pytest.approx(of_worlds(p), rel=3e-5)


def test_loss_is_the_mean_over_samples():
    world = CorrelatedSets.create(4, 2, 0.3)
    u = np.random.default_rng(0).random((world.n_uniforms, 100_000), np.float32)
    x = np.asarray(world.from_uniforms(u))
    errors = IMPORTANCE @ np.square(x - np.maximum(W.T @ (W @ x) + B[:, None], 0))
    found = float(expected_loss_in_sets(W, B, 0.3, 2, IMPORTANCE))
    assert abs(found - errors.mean()) < 4 * errors.std() / np.sqrt(errors.size)


def test_sets_that_are_not_equal_or_too_many_are_refused():
    with pytest.raises(InputError, match="n_sets = 3 does not divide"):
        expected_loss_in_sets(W, B, 0.2, 3)
    with pytest.raises(InputError, match="n_sets = 12: it takes 2\\^n_sets sums"):
        expected_loss_in_sets(np.ones((1, 12)), np.zeros(12), 0.2, 12)
