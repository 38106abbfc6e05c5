"""Functions of axis values that `[derive]` may name."""

import math
from collections.abc import Callable
from typing import Any

from toymodels.errors import InputError, listed

FUNCTIONS: dict[str, Callable[..., float]] = {
    "product": lambda *x: math.prod(x),
    "ratio": lambda x, y: x / y,
    "reciprocal": lambda x: 1.0 / x,
    "one_minus": lambda x: 1.0 - x,
    "inverse_square_root": lambda x: x**-0.5,
    "round": round,
}


def derived_value(path: str, name: str, arguments: list[Any]) -> float:
    """Apply a named function to axis values; `path` is what it sets.

    Raises:
        InputError: it has no finite real value there.
    """
    try:
        value = FUNCTIONS[name](*arguments)
        if isinstance(value, complex) or not math.isfinite(value):
            raise ValueError(f"it would be {value}")
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InputError(f"derive.{path}: no {name} of {listed(arguments)}: {error}.") from None
    return value
