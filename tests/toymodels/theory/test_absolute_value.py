"""Two neurons for each feature make its absolute value."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.theory import distance_to_exact, exact_absolute_value

EXACT = exact_absolute_value(3)


def test_it_answers_the_absolute_value():
    x = np.random.default_rng(0).uniform(-1, 1, (3, 50))
    W, V, b = EXACT
    y = np.maximum(V @ np.maximum(W @ x, 0) + b[:, None], 0)
    np.testing.assert_array_equal(y, np.abs(x))


def test_order_and_scale_of_neurons_do_not_matter_and_each_difference_counts():
    rng = np.random.default_rng(1)
    order, a = rng.permutation(6), rng.uniform(0.1, 9, 6)
    W, V = a[:, None] * EXACT.W[order], EXACT.V[:, order] / a
    assert distance_to_exact(W, V, EXACT.b) < 1e-12
    assert distance_to_exact(W, 1.2 * V, EXACT.b) == pytest.approx(0.2)
    assert distance_to_exact(W, V, EXACT.b - 0.3) == pytest.approx(0.3)
    more = EXACT.W + 0.1 * (EXACT.W == 0)
    assert distance_to_exact(more, EXACT.V, EXACT.b) == pytest.approx(0.1)


@pytest.mark.parametrize("row", [[0, 1, 0], [-1, 0, 0], [0, 0, 0]])
def test_a_half_without_a_neuron_is_infinitely_far(row):
    W = EXACT.W.copy()
    W[0] = row
    assert distance_to_exact(W, EXACT.V, EXACT.b) == np.inf


def test_two_neurons_for_each_feature_are_needed():
    with pytest.raises(InputError, match="give two neurons for each feature"):
        distance_to_exact(EXACT.W[:5], EXACT.V[:, :5], EXACT.b)
