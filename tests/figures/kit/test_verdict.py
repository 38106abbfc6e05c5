"""Tests of `figures.kit.verdict`."""

import numpy as np
import pytest

from figures.kit.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED, all_of, compared


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1.1, 1.4, SUPPORTED),
        (0.5, 0.9, NOT_SUPPORTED),
        (0.9, 1.1, UNDECIDED),
        (np.nan, np.nan, UNDECIDED),
    ],
)
def test_an_interval_is_above_a_threshold_or_below_it_or_holds_it(low, high, said):
    assert compared(low, high, 1.0) == said


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([SUPPORTED, SUPPORTED], SUPPORTED),
        ([SUPPORTED, UNDECIDED], UNDECIDED),
        ([UNDECIDED, NOT_SUPPORTED], NOT_SUPPORTED),
        ([], UNDECIDED),
    ],
)
def test_a_statement_of_parts_fails_with_any_of_them(parts, said):
    assert all_of(parts) == said
