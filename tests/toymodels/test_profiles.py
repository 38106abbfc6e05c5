import numpy as np
import pytest

from toymodels import laws


def test_constant_is_the_same_for_every_feature():
    np.testing.assert_array_equal(laws.constant(3), [1, 1, 1])
    np.testing.assert_array_equal(laws.constant(2, 0.25), [0.25, 0.25])


def test_geometric_is_a_power_of_the_index():
    np.testing.assert_allclose(laws.geometric(5, 0.7), [0.7**i for i in range(5)], rtol=1e-14)
    np.testing.assert_allclose(laws.geometric(3, 0.9, first=2), [2, 1.8, 1.62], rtol=1e-14)
    np.testing.assert_array_equal(laws.geometric(3, 0), [1, 0, 0])


def test_log_spaced_is_the_notebooks_power_law():
    """The paper's notebook writes 100 ** -linspace(0, 1, n)."""
    np.testing.assert_allclose(
        laws.log_spaced(20, last=0.01), 100.0 ** -np.linspace(0, 1, 20), rtol=1e-12
    )
    assert laws.log_spaced(1, last=0.01) == [1.0]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_relative_sets_the_last_feature_apart(n):
    values = laws.relative(n, relative=0.5, base=3.0)
    np.testing.assert_array_equal(values, [3.0] * (n - 1) + [1.5])
