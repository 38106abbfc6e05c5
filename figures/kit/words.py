"""Numbers and names in the sentences of captions and claims."""

import math
from collections.abc import Iterable
from typing import Any, SupportsFloat

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def listed(values: Iterable[Any]) -> str:
    """Join values as a sentence does: "2, 4 and 5"."""
    *most, last = map(str, values)
    return f"{', '.join(most)} and {last}" if most else last


def rounded(value: SupportsFloat, digits: int = 2) -> str:
    """Write a number to so many digits that count: "0.014", "480", "12,000"."""
    return f"{float(f'{float(value):.{digits}g}'):,.12g}"


def raised(power: float) -> str:
    """Write a power above the line: "²", "²·⁵"."""
    return f"{power:g}".translate(str.maketrans("0123456789.", "⁰¹²³⁴⁵⁶⁷⁸⁹·"))


def within(value: SupportsFloat, low: SupportsFloat, high: SupportsFloat) -> str:
    """Write a number with its interval: "0.92 (0.88–0.97)"; one without says so."""
    if not (math.isfinite(float(low)) and math.isfinite(float(high))):
        return f"{rounded(value)} (no interval)"
    return f"{rounded(value)} ({rounded(low)}–{rounded(high)})"


def counted(n: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: "one seed", "12 seeds"."""
    word = NUMBERS[n] if n < len(NUMBERS) else f"{n:,}"
    return f"{word} {noun if n == 1 else plural or noun + 's'}"
