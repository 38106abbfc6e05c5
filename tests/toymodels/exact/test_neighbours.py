"""A second look at solved cells: candidates, and the solutions of neighbours."""

import numpy as np
import pytest

from toymodels import theory
from toymodels.errors import InputError
from toymodels.exact import resolve_with_neighbours, solve
from toymodels.exact.candidates import explicit_losses, second_look, try_candidates
from toymodels.exact.expected import expected_loss_per_feature
from toymodels.exact.neighbours import Optima, neighbours, settle
from toymodels.measures.arrangement import irregularity, kind_of


def solved(p, r, W, b):
    """Make cells of two features in one dimension; their losses count as unknown."""
    n = len(p)
    importance = np.stack([np.ones(n), r], axis=1).astype(np.float32)
    p_active = np.repeat(np.asarray(p, np.float32)[:, None], 2, axis=1)
    return Optima(p_active, importance, np.array(W, np.float32), np.array(b, np.float32), 9 + 0 * r)


def test_explicit_losses_are_the_closed_forms_of_two_in_one():
    p, r = np.array([0.05, 0.3, 0.9]), np.array([0.2, 1.0, 5.0])
    found = explicit_losses(solved(p, r, np.zeros((3, 1, 2)), np.zeros((3, 2))))
    closed = theory.phase_losses_2_1(p, r)
    order = ("dedicated", "not represented", "antipodal")
    np.testing.assert_allclose(found.T, [closed[name] for name in order], rtol=1e-5)


def test_a_cell_in_a_worse_minimum_settles_to_that_of_its_neighbours():
    p = np.array([0.1] * 9)
    W = np.repeat([[[1.0, -1.0]]], 9, axis=0)
    b = np.zeros((9, 2))
    W[4], b[4] = [[1, 0]], [0, 0.05]
    start = solved(p, np.ones(9), W, b)
    start.loss[:] = 0.003
    start.loss[4] = theory.phase_losses_2_1(0.1, 1.0)["not represented"]
    found, gained = settle(start, (3, 3), irregularity)
    assert gained[4]
    np.testing.assert_allclose(found.W[4] * np.sign(found.W[4, 0, 0]), [[1.0, -1.0]], atol=0.02)
    assert found.loss[4] < 0.5 * start.loss[4]


def test_neighbours_are_the_four_next_cells_of_the_grid():
    pairs = np.concatenate(neighbours((3, 4)), axis=1).T
    a, b = (np.stack(np.unravel_index(k, (3, 4))) for k in pairs.T)
    assert np.all(np.abs(a - b).sum(axis=0) == 1)
    assert len({tuple(pair) for pair in pairs.tolist()}) == len(pairs) == 2 * (2 * 4 + 3 * 3)


def worse_in(cell):
    """Nine cells of two in one whose optimum is a pair; one of them has dropped a feature."""
    W = np.repeat([[[1.0, -1.0]]], 9, axis=0)
    b = np.zeros((9, 2))
    W[cell], b[cell] = [[1, 0]], [0, 0.05]
    optima = solved([0.1] * 9, np.ones(9), W, b)
    optima.loss[:] = 0.003
    optima.loss[cell] = theory.phase_losses_2_1(0.1, 1.0)["not represented"]
    return optima


def test_progress_is_heard_of_every_descent():
    heard = []
    settle(worse_in(4), (3, 3), irregularity, heard.append)
    # The middle has four other neighbours, and they have it; then all are alike.
    assert sum(heard) == 8


def test_candidates_are_the_solutions_of_other_cells():
    start = worse_in(4)
    found, gained = try_candidates(start, np.array([4, 5]), np.array([0]))
    assert gained[4] and not gained[[0, 8]].any()
    assert found.loss[4] < 0.5 * start.loss[4]
    same, gained = try_candidates(start, np.array([4]), np.zeros(0, int))
    assert same is start and not gained.any()


@pytest.mark.parametrize(("cell", "by_candidate"), [(4, True), (0, False)])
def test_a_second_look_says_what_found_a_better_solution(cell, by_candidate):
    """One cell in three along each axis is tried: of nine the middle one."""
    found = second_look(worse_in(cell), (3, 3), kind_of, irregularity)
    assert found.by_candidate[cell] == by_candidate and found.by_neighbour[cell] != by_candidate
    assert found.optima.loss.max() < 0.0034  # the pair loses s²/3


@pytest.fixture(scope="module")
def resolved():
    """A map of three in one, solved from one random start, and its second look."""
    p, r = np.meshgrid(np.geomspace(0.02, 1, 4), np.geomspace(0.1, 10, 4), indexing="ij")
    p, importance = np.repeat(p[..., None], 3, axis=-1), np.ones((4, 4, 3))
    importance[..., -1] = r
    W = np.random.default_rng(0).normal(size=(4, 4, 1, 1, 3))
    poor = solve(p, importance, 1, starts=(W, np.zeros((4, 4, 1, 3))))
    return poor, resolve_with_neighbours(poor, p, importance), p, importance


@pytest.mark.claims
def test_neighbours_never_make_a_cell_worse(resolved):
    poor, better, _, _ = resolved
    assert np.all(better.loss <= poor.loss)
    assert np.sum(better.loss < 0.99 * poor.loss) >= 2
    np.testing.assert_array_equal(better.n_starts, poor.n_starts + 4)
    np.testing.assert_array_equal(better.start_losses[..., :1], poor.start_losses)
    assert np.all(better.start_losses.min(-1) >= better.loss * (1 - 1e-5))
    assert np.all(better.n_agree >= 1) and better.n_agree.max() <= 5


@pytest.mark.claims
def test_losses_are_those_of_the_weights_and_a_displaced_solution_is_the_runner_up(resolved):
    poor, better, p, importance = resolved
    for cell in np.ndindex(4, 4):
        each = expected_loss_per_feature(better.W[cell], better.b[cell], p[cell], importance[cell])
        np.testing.assert_allclose(better.loss_per_feature[cell], each, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(better.loss, better.loss_per_feature.sum(-1), rtol=1e-6)
    displaced = better.loss < 0.99 * poor.loss
    assert np.all(better.runner_up_loss[displaced] <= poor.loss[displaced] * (1 + 1e-6))
    assert np.all(better.runner_up_loss[displaced] >= better.loss[displaced])


def test_neighbours_need_a_grid_of_two_axes_and_its_own_cells():
    p = np.full((2, 2, 2), 0.3)
    with pytest.raises(InputError, match=r"\[A, B\]"):
        resolve_with_neighbours(solve(p[0], 1.0, 1), p[0], 1.0)
    with pytest.raises(InputError, match=r"shape \(2, 2\).*\(1, 2\)"):
        resolve_with_neighbours(solve(p, 1.0, 1), p[:1], 1.0)
