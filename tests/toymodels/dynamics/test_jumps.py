"""Jumps are found where they were put, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.dynamics import find_jumps
from toymodels.errors import InputError

STEPS = np.arange(0, 10_001, 20.0)  # a window of 1 % is 100 steps: 5 snapshots


def curves(*moves, n_features=6, noise=0.0):
    """D_i of 0.1 that moves by `by` from step `at` on, along `over` steps."""
    D = np.full((len(STEPS), n_features), 0.1)
    for i, at, by, over in moves:
        D[:, i] += by * np.clip((STEPS - at) / over, 0, 1)
    return D + noise * np.random.default_rng(0).uniform(-1, 1, D.shape)


@settings(max_examples=40)
@given(st.lists(st.integers(10, 480), min_size=0, max_size=6, unique_by=lambda k: k // 20))
def test_each_sharp_jump_is_found_with_its_ends_and_features(places):
    moves = [(n, STEPS[k], 0.4, 1.0) for n, k in enumerate(places)]
    found = find_jumps(STEPS, curves(*moves, noise=0.02))
    apart = np.diff(np.array(sorted(places), int))
    if np.all(apart * 20 > 120):
        assert [j.first for j in found] == [STEPS[k] for k in sorted(places)]
    together = np.sort(np.concatenate([j.features for j in found])) if found else []
    np.testing.assert_array_equal(together, np.arange(len(places)))
    for jump in found:
        np.testing.assert_allclose(jump.after - jump.before, 0.4, atol=0.05)
        assert jump.last > jump.first


def test_features_that_swap_are_one_jump():
    D = curves((1, 5000, -0.1, 60), (1, 5000, 0.4, 60), (4, 5040, 0.3, 60))
    (jump,) = find_jumps(STEPS, D)
    assert (jump.first, jump.last) == (5000, 5100)
    np.testing.assert_array_equal(jump.features, [1, 4])
    np.testing.assert_allclose(jump.after - jump.before, [0.3, 0.3])


def test_what_moves_slowly_or_little_is_no_jump():
    assert find_jumps(STEPS, curves((0, 2000, 0.8, 1000))) == ()
    assert find_jumps(STEPS, curves((0, 2000, 0.19, 1))) == ()
    assert len(find_jumps(STEPS, curves((0, 2000, 0.19, 1)), threshold=0.1)) == 1
    assert len(find_jumps(STEPS, curves((0, 2000, 0.8, 1000)), window=0.05)) == 1


def test_jumps_a_window_apart_are_two_and_nearer_ones_are_one():
    for apart, n in ((60, 1), (160, 2)):
        assert len(find_jumps(STEPS, curves((0, 2000, 0.4, 1), (3, 2000 + apart, 0.4, 1)))) == n


def test_snapshots_farther_apart_than_the_window_are_compared_with_the_next():
    (jump,) = find_jumps([0, 50, 100], [[0.5], [0.5], [0.0]])
    assert (jump.first, jump.last) == (50, 100)


@pytest.mark.parametrize(
    ("steps", "D", "told"),
    [
        ([0, 1], np.zeros((3, 2)), r"dimensionality has shape \(3, 2\).* 2 snapshots"),
        ([1, 1], np.zeros((2, 2)), "steps has shape .* rise"),
        ([0], np.zeros((1, 2)), "two steps or more"),
        ([0, 1], np.full((2, 2), np.nan), "dimensionality must be finite"),
    ],
)
def test_what_is_no_history_is_refused(steps, D, told):
    with pytest.raises(InputError, match=told):
        find_jumps(steps, D)
