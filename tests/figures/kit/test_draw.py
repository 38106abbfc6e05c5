"""Painters, by the numbers they draw."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures.kit import draw, panels
from toymodels.errors import InputError

mpl.use("Agg")

pytestmark = pytest.mark.usefixtures("paper_style")


def test_columns_and_gram_draw_their_numbers():
    W = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.5]])
    _, axes = plt.subplots(1, 3)
    lines, dots = draw.draw_columns(axes[0], W, ["k"] * 3)
    np.testing.assert_array_equal(dots.get_offsets(), W.T)
    np.testing.assert_array_equal([s[1] for s in lines.get_segments()], W.T)
    gram, bias = draw.draw_gram(axes[1], W, [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(gram.get_array(), W.T @ W)
    np.testing.assert_array_equal(bias.get_array()[:, 0], [0.1, 0.2, 0.3])
    bars = draw.draw_norms(axes[2], [1, 0.5], [0, 2])
    np.testing.assert_array_equal([b.get_width() for b in bars], [1, 0.5])
    with pytest.raises(ValueError, match="shape"):
        draw.draw_columns(axes[0], W.T, ["k"])


NESTED = [[[["a", "b"], ["c", "c"]], [["d"], ["e"]]]]


def test_panels_may_hold_mosaics_of_their_own():
    assert panels.names_of(NESTED) == ["a", "b", "c", "d", "e"]
    _, made = panels.panels(None, NESTED)
    assert set(made) == set("abcde")
    given = dict(zip("abcde", plt.subplots(1, 5)[1], strict=True))
    assert panels.panels(given, NESTED)[1] == given
    with pytest.raises(InputError, match="lacks the panels 'e'"):
        panels.panels({k: v for k, v in given.items() if k != "e"}, NESTED)
