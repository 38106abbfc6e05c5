"""Names in a config that stand for functions: profiles over features, functions of axis values."""

import inspect
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from sweeps.config.registry import NAMES, find
from toymodels.errors import InputError, hint, listed

FUNCTIONS: dict[str, Callable[..., float]] = {
    "product": lambda *x: math.prod(x),
    "ratio": lambda x, y: x / y,
    "reciprocal": lambda x: 1.0 / x,
    "one_minus": lambda x: 1.0 - x,
    "inverse_square_root": lambda x: x**-0.5,
    "round": round,
}


def profile_values(given: Any, n_features: int | None, where: str) -> Any:
    """Turn a number, a list or a profile's table into numbers.

    A table may leave out the name, `law`, where its parameters tell which profile it is.

    Raises:
        InputError: no such profile or parameter, or values that are not finite.
    """
    if not isinstance(given, dict):
        return given
    if n_features is None:
        raise InputError(f"{where} = {given}: a profile needs n_features.")
    table = profile_table(given, where)
    name = table.pop("law")
    try:
        with np.errstate(all="raise", under="ignore"):
            return find("profiles", name)(n_features, **table)
    except (ValueError, FloatingPointError, OverflowError) as error:
        raise InputError(f"{where} = {given}: {error}.") from None


def profile_table(given: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a profile's table with its name, `law`, and all its parameters; errors as above."""
    parameters = {k: v for k, v in given.items() if k != "law"}
    names = NAMES["profiles"]
    fitting = [name for name in names if set(parameters) <= set(_parameters(name))]
    name = given.get("law", fitting[0] if fitting else None)
    if name not in names:
        raise InputError(
            f"{where} = {given}: no such profile; use one of {listed(names)}, with parameters such "
            'as { law = "geometric", ratio = 0.9 }.' + hint(str(name), names)
        )
    for key, value in parameters.items():
        if key not in _parameters(name):
            raise InputError(
                f"{where}.{key}: the profile {name!r} has no such parameter; it has "
                f"{listed(_parameters(name))}."
            )
        if isinstance(value, str) or not math.isfinite(value):
            raise InputError(f"{where}.{key} = {value!r}: give a finite number.")
    required = [k for k, d in _parameters(name).items() if d is inspect.Parameter.empty]
    missing = [k for k in required if k not in parameters]
    if missing:
        raise InputError(f"{where}: the profile {name!r} needs {listed(missing)}.")
    return {"law": name} | _parameters(name) | parameters


@cache
def _parameters(name: str) -> dict[str, Any]:
    signature = inspect.signature(find("profiles", name))
    return {k: p.default for k, p in list(signature.parameters.items())[1:]}


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
