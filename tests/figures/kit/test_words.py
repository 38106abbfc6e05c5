"""Numbers in sentences."""

import pytest

from figures.kit.words import counted, listed, rounded, within


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (480.4, 2, "480"),
        (0.01371, 2, "0.014"),
        (12345, 2, "12,000"),
        (1.0, 2, "1"),
        (1.666, 3, "1.67"),
        (0, 2, "0"),
        (2.04e-5, 2, "2e-05"),
    ],
)
def test_numbers_are_rounded_to_digits_that_count(value, digits, text):
    assert rounded(value, digits) == text


def test_a_number_stands_with_its_interval_or_says_that_it_has_none():
    assert within(0.921, 0.88, 0.966) == "0.92 (0.88–0.97)"
    assert within(0.921, float("nan"), float("nan")) == "0.92 (no interval)"


def test_values_are_listed_and_counted_as_in_a_sentence():
    assert listed([2, 4, 5]) == "2, 4 and 5"
    assert listed([2]) == "2"
    assert counted(1, "seed") == "one seed"
    assert counted(12, "seed") == "12 seeds"
