"""A matrix with its numbers: where they stand, and how they are written."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures.kit.cells import draw_cells, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.001, "0.00"), (-0.5, "−0.50"), (0.0, "0.00"), (1.234, "1.23"), (np.nan, "nan")],
)
def test_zero_has_no_sign_and_minus_is_a_minus(value, text):
    assert signed(value) == text


def test_numbers_stand_row_by_row_from_the_upper_left():
    figure, ax = plt.subplots()
    draw_cells(ax, [[1, -2], [3, 4]], (0, 0), digits=0)
    places = {text.get_text(): text.get_position() for text in ax.texts}
    assert places == {"1": (0, 0), "−2": (1, 0), "3": (0, -1), "4": (1, -1)}
    plt.close(figure)
