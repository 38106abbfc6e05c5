"""Whether jumps and drops coincide: found where both are, and as rare as chance where not."""

import numpy as np
import pytest
from scipy import stats

from toymodels.dynamics import compare_with_chance, find_coincidences, find_jumps
from toymodels.errors import InputError

STEPS = np.arange(0, 10_001, 20.0)


def run(jumps_at, drops_at, seed=0):
    """Return D_i and the loss of a run with one feature more at each jump."""
    rng = np.random.default_rng(seed)
    D = np.stack([0.4 * (at < STEPS) for at in jumps_at], axis=1)
    log_loss = -0.1 * sum((at < STEPS) * 1.0 for at in drops_at)
    return D, np.exp(log_loss + 0.005 * rng.normal(size=len(STEPS)))


def test_jumps_with_a_drop_are_told_from_those_without():
    D, loss = run([2000, 5000, 8000], [2000, 8000])
    found = find_coincidences(find_jumps(STEPS, D), STEPS, loss)
    np.testing.assert_array_equal(found.happened, [True, False, True])
    assert np.all(found.chance < 0.25)
    assert compare_with_chance(*found).happened == 2


def test_drops_at_other_times_coincide_as_often_as_chance_says():
    rng, joined = np.random.default_rng(1), []
    for seed in range(50):
        jumps = np.sort(rng.uniform(2100, 7900, 3))
        jumps = jumps[np.diff(jumps, prepend=0) > 150]
        D, loss = run(jumps, rng.uniform(0, 10_000, 4), seed)
        joined.append(find_coincidences(find_jumps(STEPS, D), STEPS, loss))
    all_of = compare_with_chance(*(np.concatenate(part) for part in zip(*joined, strict=True)))
    assert all_of.n > 100
    assert all_of.p_value > 0.05
    assert all_of.happened == pytest.approx(all_of.expected, abs=3 * np.sqrt(all_of.expected))


def test_the_tail_is_the_binomial_one_where_chances_are_equal():
    found = compare_with_chance([1, 1, 1, 0, 0], [0.2] * 5)
    assert found[:3] == (5, 3, pytest.approx(1.0))
    assert found.p_value == pytest.approx(stats.binom.sf(2, 5, 0.2))
    assert compare_with_chance([], []) == (0, 0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("happened", "chance", "told"),
    [([1], [0.1, 0.2], r"happened has shape \(1,\)"), ([1], [1.5], r"chance must lie in \[0, 1\]")],
)
def test_what_is_no_chance_is_refused(happened, chance, told):
    with pytest.raises(InputError, match=told):
        compare_with_chance(happened, chance)
