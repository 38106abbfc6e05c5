"""The values of an axis as TOML writes them: a list, or one of a few spacings."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from toymodels.errors import InputError, listed

# From here on, planning takes minutes and gigabytes: 20 µs and 200 bytes a cell.
LARGEST_GRID = 10_000_000
LARGEST_AXIS = 1_000_000
LARGEST_NUMBER = 1e18
SPACINGS = frozenset(("values", "log", "linear", "range"))


def axis_values(path: str, given: Any) -> list[Any]:
    """Return an axis' values.

    Raises:
        InputError: an empty axis, an unknown spacing, or values that are no numbers or names.
    """
    if isinstance(given, dict):
        if len(given) != 1 or next(iter(given)) not in SPACINGS:
            raise InputError(
                f"grid axis {path!r} = {given}: give a list or exactly one of "
                f"{listed(sorted(SPACINGS))}, for example {{ log = [0.01, 1.0, 20] }}."
            )
        spacing, given = next(iter(given.items()))
        if spacing != "values":
            return _spaced(path, spacing, given)
    values = given if isinstance(given, list) else [given]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InputError(f"grid axis {path!r} holds {value!r}: give numbers or names.")
    return values


def require_size(axes: Sequence[Any], times: int = 1) -> None:
    """Refuse a grid of too many points before any of them is made.

    Args:
        axes: what is given for each dimension; one that is too long itself is left to others.
        times: how many points the studied models have.

    Raises:
        InputError: more than `LARGEST_GRID` points.
    """
    sizes = [max(1, axis_size(given)) for given in axes]
    size = math.prod(sizes) * times
    if size > LARGEST_GRID and max(sizes, default=1) <= LARGEST_AXIS:
        raise InputError(
            f"the grid has {size:,} points; at most {LARGEST_GRID:,} are run at once: "
            "shorten an axis or split the sweep."
        )


def axis_size(given: Any) -> int:
    """Return how many values an axis has, without making them; 1 where that cannot be told."""
    if isinstance(given, dict) and len(given) == 1:
        spacing, given = next(iter(given.items()))
        numbers = given if isinstance(given, list) else [given]
        if spacing != "values" and not all(type(x) in (int, float) for x in numbers):
            return 1
        if spacing == "range" and len(numbers) in (1, 2):
            return int(numbers[-1] - (numbers[0] if len(numbers) == 2 else 0))
        if spacing in ("log", "linear"):
            return int(numbers[2]) if len(numbers) == 3 and numbers[2] < LARGEST_NUMBER else 1
    return len(given) if isinstance(given, list) else 1


def _spaced(path: str, spacing: str, given: Any) -> list[Any]:
    numbers = given if isinstance(given, list) else [given]
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in numbers):
        raise InputError(f"grid axis {path!r}: {spacing} = {given!r} should hold numbers.")
    if not all(abs(x) < LARGEST_NUMBER for x in numbers):
        raise InputError(f"grid axis {path!r}: {spacing} = {given!r} should hold finite numbers.")
    if spacing == "range":
        if len(numbers) not in (1, 2) or not all(isinstance(x, int) for x in numbers):
            raise InputError(f"grid axis {path!r}: range = {given!r}; write N or [FIRST, END].")
        first, end = (0, *numbers) if len(numbers) == 1 else numbers
        _check_length(path, end - first)
        return list(range(first, end))
    if len(numbers) != 3 or not isinstance(numbers[2], int):
        raise InputError(f"grid axis {path!r}: {spacing} = {given!r}; write [FIRST, LAST, COUNT].")
    first, last, count = numbers
    _check_length(path, count)
    if spacing == "log" and (first <= 0 or last <= 0):
        raise InputError(f"grid axis {path!r}: log = {given!r} needs numbers > 0 at both ends.")
    space = np.geomspace if spacing == "log" else np.linspace
    return [float(f"{x:.12g}") for x in space(first, last, count)]


def _check_length(path: str, n: int) -> None:
    if n < 1:
        raise InputError(f"grid axis {path!r} is empty: give it at least one value.")
    if n > LARGEST_AXIS:
        raise InputError(f"grid axis {path!r} has {n:,} values; at most {LARGEST_AXIS:,}.")
