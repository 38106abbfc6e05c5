"""The published list against values measured on the authors' code, and our own design."""

import json
from functools import partial

import numpy as np
import pytest
from builders import DATA

from toymodels.circuits.assignment import (
    RandomSubsets,
    balanced_overlap,
    capacity_of_prime_steps,
    capacity_of_transversal,
    largest_overlap,
    overlap_probability,
    prime_steps,
    random_subsets,
    transversal,
    usage,
)
from toymodels.errors import InputError

REFERENCE = json.loads((DATA / "circuits_assignment.json").read_text())


def test_prime_steps_hold_as_many_circuits_as_measured():
    for sizes, most in REFERENCE["capacity"].items():
        n_copies, redundancy = map(int, sizes.split(","))
        assert capacity_of_prime_steps(n_copies, redundancy) == most, sizes


@pytest.mark.parametrize("row", REFERENCE["usage"], ids=lambda r: f"{r['N']}-{r['S']}-{r['T']}")
def test_prime_steps_use_the_neurons_as_measured(row):
    """The order within the list decides this, so it is the algorithm and not just its size."""
    held = prime_steps(row["T"], row["N"], row["S"])
    count = usage(held, row["N"])
    assert (count.min(), count.max()) == (row["count_min"], row["count_max"])
    assert count.std() == pytest.approx(row["count_std"], rel=1e-5)
    assert overlap_probability(held, row["N"]) == pytest.approx(row["p_measured"], rel=1e-5)
    formula = balanced_overlap(row["T"], row["N"], row["S"])
    assert formula == pytest.approx(row["p_balanced_formula"], rel=1e-5)


@pytest.mark.parametrize(
    ("assignment", "n_copies", "redundancy", "most"),
    [
        (assignment, n_copies, redundancy, min(capacity(n_copies, redundancy), 1500))
        for assignment, capacity in (
            (prime_steps, capacity_of_prime_steps),
            (transversal, capacity_of_transversal),
        )
        for n_copies in (25, 100, 250)
        for redundancy in (2, 3, 4, 5, 6, 7, 10)
        if capacity(n_copies, redundancy) > 0
    ],
)
def test_no_two_circuits_share_more_than_one_neuron(assignment, n_copies, redundancy, most):
    held = assignment(most, n_copies, redundancy)
    assert held.shape == (most, redundancy)
    assert held.min() >= 0
    assert held.max() < n_copies
    assert all(len(set(row)) == redundancy for row in held.tolist())
    assert largest_overlap(held, n_copies) <= 1


def test_a_shorter_list_is_the_beginning_of_a_longer_one():
    for assignment in (prime_steps, transversal, random_subsets):
        np.testing.assert_array_equal(assignment(100, 250, 6), assignment(557, 250, 6)[:100])


def test_one_neuron_per_circuit_goes_round():
    np.testing.assert_array_equal(prime_steps(7, 3, 1)[:, 0], [0, 1, 2, 0, 1, 2, 0])
    assert capacity_of_prime_steps(3, 1) == 3


def test_transversal_uses_its_neurons_equally_after_every_slope():
    assert capacity_of_transversal(250, 6) == 41**2
    for slopes in (1, 5, 41):
        count = usage(transversal(41 * slopes, 250, 6), 250)
        assert set(count[: 6 * 41]) == {slopes}
        assert set(count[6 * 41 :]) == {0}


def test_balanced_overlap_is_what_equal_usage_gives():
    held = transversal(41 * 7, 246, 6)
    assert overlap_probability(held, 246) == pytest.approx(balanced_overlap(41 * 7, 246, 6))


def test_random_subsets_overlap_more_and_depend_on_their_seed():
    held = random_subsets(557, 250, 6)
    assert all(len(set(row)) == 6 for row in held.tolist())
    assert largest_overlap(held, 250) > 1
    expected = 6 * 6 / 250  # two random sets share S² / N neurons on average
    assert overlap_probability(held, 250) == pytest.approx(expected, rel=0.02)
    assert np.any(partial(random_subsets, seed=1)(557, 250, 6) != held)
    drawn = random_subsets.draw(np.random.default_rng(1), 557, 250, 6)
    np.testing.assert_array_equal(drawn, random_subsets(557, 250, 6, seed=1))


def test_random_subsets_are_a_record_that_compares_by_value():
    """As a static part of a run it must not make a program of its own."""
    assert (RandomSubsets(), hash(RandomSubsets())) == (random_subsets, hash(random_subsets))


@pytest.mark.parametrize(
    ("assignment", "most", "smaller"), [(prime_steps, 557, 5), (transversal, 1681, 5)]
)
def test_too_many_circuits_are_refused_with_the_most_that_fit(assignment, most, smaller):
    assignment(most, 250, 6)
    with pytest.raises(InputError, match=rf"n_circuits <= {most}, or redundancy <= {smaller}"):
        assignment(most + 1, 250, 6)
    assignment(most + 1, 250, smaller)


@pytest.mark.parametrize("assignment", [prime_steps, transversal, random_subsets])
def test_more_neurons_than_a_block_has_are_refused(assignment):
    with pytest.raises(InputError, match="use 1 to 5"):
        assignment(1, 5, 6)
    with pytest.raises(InputError, match="n_circuits = 0"):
        assignment(0, 5, 2)


def test_transversal_says_how_wide_a_block_must_be():
    with pytest.raises(InputError, match="n_copies >= 42"):
        transversal(1, 41, 6)
    assert transversal(49, 42, 6).shape == (49, 6)
