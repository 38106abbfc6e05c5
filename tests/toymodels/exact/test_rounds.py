"""The rule by which a cell gets more starts, and that a cell's search is its own affair."""

import numpy as np
import pytest

from toymodels.exact import rounds, solve
from toymodels.exact.rounds import rounds_after, undecided
from toymodels.exact.starts import known_starts


def test_the_number_of_random_starts_doubles():
    assert rounds_after(7) == [11, 15, 23, 39, 71]


@pytest.mark.parametrize(
    ("losses", "n_before", "more"),
    [
        ([2, 1, 1, 1, 3, 3], 2, False),  # two random starts end where a known one does
        ([2, 1, 1, 3, 3, 3], 2, True),  # one does
        ([2, 1, 2, 2, 2, 2], 2, True),  # none does
        ([2, 2, 1, 1, 3, 3], 2, True),  # they found something lower
        ([2, 2, 1, 1, 3, 3], 4, False),  # and in another round no more
        ([2, 1, 1.00005, 1.00005, 3, 3], 2, False),  # equal up to 1e-4
        ([2, 1, 0.99995, 0.99995, 3, 3], 2, False),
        ([0, 0, 0, 0, 0, 0], 2, False),  # an empty world
        ([1, -1e-9, -1e-9, -1e-9, 1, 1], 2, False),  # rounded below 0
    ],
)
def test_a_cell_is_done_when_random_starts_confirm_it_and_nothing_lower_came(
    losses, n_before, more
):
    assert undecided(np.array([losses], np.float32), n_before, n_known=2).tolist() == [more]


@pytest.mark.claims
@pytest.mark.parametrize("sizes", [(2, 1), (3, 1)])
def test_a_cell_is_solved_alike_to_the_bit_in_any_grid_cut_in_any_way(sizes, monkeypatch):
    F, M = sizes
    rng = np.random.default_rng(0)
    p, importance = 10 ** rng.uniform(-2, 0, (90, F)), 10 ** rng.uniform(-1, 1, (90, F))
    whole = solve(p, importance, M)
    assert len(np.unique(whole.n_starts)) > 1
    monkeypatch.setattr(rounds, "LARGEST_GROUP", 1)
    monkeypatch.setattr(rounds, "THREADS", 5)
    cut, alone = solve(p, importance, M), solve(p[::7], importance[::7], M)
    for name in ("W", "b", "loss", "runner_up_loss", "n_agree", "n_starts"):
        wanted = getattr(whole, name)
        np.testing.assert_array_equal(getattr(cut, name), wanted)
        np.testing.assert_array_equal(getattr(alone, name), wanted[::7])


@pytest.mark.claims
def test_a_number_of_starts_is_kept_and_the_search_goes_on_where_it_ends():
    p, importance = [0.01] * 3, [1, 1, 3.455]
    n_known = len(known_starts(3, 1))
    few, most, own = (solve(p, importance, 1, n_starts=n) for n in (2, 71, None))
    assert (few.n_starts, most.n_starts) == (n_known, 71)
    assert own.n_starts in rounds_after(n_known)
    for one in (few, own):
        n = int(one.n_starts)
        np.testing.assert_allclose(one.start_losses, most.start_losses[:n], rtol=1e-5)


@pytest.mark.claims
def test_sparse_optima_of_three_in_one_are_found_by_the_default():
    """Half of eight starts used to agree on 0.0033825, a digon without its rider."""
    for n_starts in (None, 8):
        found = solve([0.01] * 3, [1, 1, 3.455], 1, n_starts=n_starts)
        assert float(found.loss) == pytest.approx(0.0032566, rel=1e-4)
