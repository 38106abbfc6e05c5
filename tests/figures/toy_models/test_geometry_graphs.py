"""Which groups of features have a name, and where they are drawn."""

import numpy as np

from figures.toy_models.geometry_graphs import NAMES, find_polytopes, groups_of, ring_of
from toymodels.theory.shapes import regular_polygon, regular_simplex


def test_a_pentagon_beside_a_tetrahedron_is_told_by_name_whatever_the_order():
    W = np.zeros((6, 11))
    W[:2, :5], W[2:5, 5:9], W[5, 9] = regular_polygon(5), regular_simplex(4), 1.0
    order = np.random.default_rng(0).permutation(11)
    found = {name: {int(order[i]) for i in members} for members, name in groups_of(W[:, order])}
    assert found == {"pentagon": {*range(5)}, "tetrahedron": {5, 6, 7, 8}, "dedicated": {9}}


def test_a_digon_that_others_disturb_has_no_name():
    W = np.array([[1.0, -1.0, 0.25], [0.0, 0.0, 1.0]])
    (members, name), (alone, _) = groups_of(W)
    assert (members, name) == ([0, 1], "digon")  # D = 0.485
    W[0, 2] = 0.6
    assert sorted((len(m), n) for m, n in groups_of(W)) == [(3, "unnamed")]
    assert alone == [2]


def test_groups_of_many_models_are_counted_and_lost_ones_left_out():
    W = np.array([[regular_polygon(3), np.zeros((2, 3))], [np.full((2, 3), np.nan), np.eye(2, 3)]])
    group, kind, counts = find_polytopes(W, np.array([[False, False], [False, True]]))
    assert counts.sum() == counts[0, 0, NAMES.index("triangle")] == 1
    np.testing.assert_array_equal(group[0, 0], [0, 0, 0])
    np.testing.assert_array_equal(kind[0, 0], [NAMES.index("triangle")] * 3)
    assert np.all(group[[0, 1, 1], [1, 0, 1]] == -1)


def test_a_pentagons_ring_is_the_pentagon():
    """Neighbours on the ring are neighbours in the plane, wherever the columns stand."""
    W = regular_polygon(5)[:, [2, 0, 4, 1, 3]]
    ring = ring_of(W)
    np.testing.assert_allclose(np.abs(ring @ ring.T), np.abs(W.T @ W), atol=1e-9)
    assert ring_of(np.ones((3, 1))).shape == (1, 2)
