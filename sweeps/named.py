"""Names in a config that stand for functions: laws over features, functions of axis values.

And what messages about names share: a list of them, and the nearest one to a misspelt name.
"""

import difflib
import inspect
import math
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from toymodels import laws
from toymodels.errors import InputError

LAWS: dict[str, Callable[..., Any]] = {
    law.__name__: law for law in (laws.constant, laws.geometric, laws.log_spaced, laws.relative)
}
FUNCTIONS: dict[str, Callable[..., float]] = {
    "product": lambda *x: math.prod(x),
    "ratio": lambda x, y: x / y,
    "reciprocal": lambda x: 1.0 / x,
    "one_minus": lambda x: 1.0 - x,
    "inverse_square_root": lambda x: x**-0.5,
    "round": round,
}


def law_values(given: Any, n_features: int, where: str) -> Any:
    """Turn a number, a list or a law's table into numbers.

    A table may leave out `law` where its parameters tell which one it is.
    """
    if not isinstance(given, dict):
        return given
    parameters = {k: v for k, v in given.items() if k != "law"}
    fitting = [n for n, f in LAWS.items() if set(parameters) <= set(_parameters(f))]
    name = given.get("law", fitting[0] if fitting else None)
    if name not in LAWS:
        raise InputError(
            f"{where} = {given}: no such law; use one of {listed(LAWS)}, with parameters such as "
            '{ law = "geometric", ratio = 0.9 }.' + hint(str(name), LAWS)
        )
    for key, value in parameters.items():
        if key not in _parameters(LAWS[name]):
            raise InputError(
                f"{where}.{key}: the law {name!r} has no such parameter; it has "
                f"{listed(_parameters(LAWS[name]))}."
            )
        if isinstance(value, str) or not math.isfinite(value):
            raise InputError(f"{where}.{key} = {value!r}: give a finite number.")
    required = [k for k, default in _parameters(LAWS[name]).items() if default is inspect._empty]
    missing = [k for k in required if k not in parameters]
    if missing:
        raise InputError(f"{where}: the law {name!r} needs {listed(missing)}.")
    try:
        with np.errstate(all="raise", under="ignore"):
            return LAWS[name](n_features, **parameters)
    except (ValueError, FloatingPointError, OverflowError) as error:
        raise InputError(f"{where} = {given}: {error}.") from None


@cache
def _parameters(law: Callable[..., Any]) -> dict[str, Any]:
    return {k: p.default for k, p in list(inspect.signature(law).parameters.items())[1:]}


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


def listed(names: Iterable[str]) -> str:
    """Join names for a message."""
    return ", ".join(map(str, names))


def hint(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name, or nothing."""
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
