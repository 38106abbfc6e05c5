"""Stacks, matrices and graphs show the weights that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures.toy_models.computation_panels import draw_graph, draw_stacks

COLORS = np.array([[0, 0, 0, 1.0], [1, 0, 0, 1], [0, 1, 0, 1]])


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_a_stack_has_one_rectangle_for_each_weight_of_its_sign(ax):
    boxes = draw_stacks(ax, [[1.0, 0.5, -0.25], [0.0, 0.001, -1.0]], COLORS)
    found = [path.get_extents() for path in boxes.get_paths()]
    found = sorted((round(box.x0 + 0.4), box.y0, box.y1) for box in found)
    assert found == [(0, -0.25, 0), (0, 0, 1), (0, 1, 1.5), (1, -1, 0)]
    np.testing.assert_array_equal(boxes.get_facecolors()[0], COLORS[0])


def test_nothing_at_all_can_be_drawn(ax):
    assert not draw_stacks(ax, np.full((2, 3), np.nan), COLORS).get_paths()
    draw_graph(ax, np.zeros((2, 3)), np.zeros((3, 2)), COLORS)


def test_an_edge_is_as_wide_as_its_weight(ax):
    draw_graph(ax, [[2.0, -1.0, 0.0]], [[0.5], [0.0], [0.0]], COLORS)
    into, out = ax.collections[:2]
    np.testing.assert_allclose(into.get_linewidths(), [3, 1.5])
    assert len(out.get_segments()) == 1
