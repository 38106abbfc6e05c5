"""One neuron each or all together, where features come one at a time."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.theory import power_loss


@pytest.mark.parametrize(("n_features", "n_hidden"), [(20, 10), (100, 50), (12, 3), (2, 1)])
def test_both_answers_cost_the_same_with_squared_errors_and_only_there(n_features, n_hidden):
    found = power_loss(n_features, n_hidden, [1.9, 2.0, 2.1])
    np.testing.assert_allclose(found.together[1], found.apart[1], rtol=1e-12)
    assert found.scale[1] == pytest.approx(1, rel=1e-12)
    assert found.together[0] > found.apart[0]
    assert found.together[2] < found.apart[2]


def test_all_together_cost_what_a_projection_with_equal_overlaps_does():
    """The 6 diagonals of an icosahedron are 6 lines in 3 dimensions with equal angles."""
    g = (1 + 5**0.5) / 2
    lines = np.array([[0, 1, g], [0, 1, -g], [1, g, 0], [1, -g, 0], [g, 0, 1], [-g, 0, 1]])
    P = lines @ lines.T / (1 + g**2) * 3 / 6
    np.testing.assert_allclose(P @ P, P, atol=1e-12)
    q, scales = 2.7, np.linspace(0.5, 2, 3001)
    losses = np.sum(np.abs(np.eye(6) - scales[:, None, None] * P) ** q, (1, 2)) / 6
    found = power_loss(6, 3, q)
    assert found.together == pytest.approx(losses.min(), rel=1e-5)
    assert found.scale == pytest.approx(scales[losses.argmin()], abs=1e-3)
    assert found.active_error == pytest.approx((1 - found.scale / 2) ** 2 / 3)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((1, 1, 2.0), "n_features"),
        ((4, 4, 2.0), "n_hidden"),
        ((4, 0, 2.0), "n_hidden"),
        ((4, 2, 1.0), "exponent = 1.0 must lie above 1"),
        ((4, 2, [2.0, 101]), "exponent"),
        ((4, 2, np.nan), "exponent"),
        ((4, 2, "2"), "exponent"),
    ],
)
def test_what_is_out_of_range_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        power_loss(*given)
