import numpy as np
import pytest

from figures.kit.crossing import first_above


def test_a_level_is_passed_between_two_points_on_a_straight_line():
    x, y = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.1, 0.5, 1.0, 0.0])
    assert first_above(x, y, 0.75) == pytest.approx(1.5)
    assert first_above(x[::-1], y[::-1], 0.75) == pytest.approx(1.5)  # in any order
    assert first_above(x, y, 0.05) == 0  # from the start on
    assert first_above(x, -y, -0.05) == pytest.approx(3.9)
    assert np.isnan(first_above(x, y, 1.0))
    assert first_above(x, np.array([np.nan, np.nan, 2.0, 2.0]), 1.0) == 2  # nothing is known before
    assert np.isnan(first_above(x, np.full(4, np.nan), 1.0))
