"""What a user gives in Python, as the plain numbers, texts, lists and tables that TOML would hold.

Arrays of numpy and JAX, their scalars, `range`, tuples and paths say the same as plain values, so
they get the same identity. A float32 becomes the shortest decimal that rounds to it: 0.1 is 0.1.
"""

import os
from typing import Any

import numpy as np

from toymodels.errors import InputError


def plain_table(key: str, value: Any) -> Any:
    """Return a value as plain Python; `key` is where it stands.

    Raises:
        InputError: something that TOML could not hold, or an array with more than one axis.
    """
    try:
        return _plain(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{key} = {_short(value)}: {error}.") from None
    except RecursionError:
        raise InputError(f"{key} holds itself, or is nested too deeply.") from None


def plain_values(path: str, values: Any) -> tuple[Any, ...]:
    """Return the values of an axis, one if it is a scalar; what is no array stays as it is.

    Raises:
        InputError: an array with more than one axis.
    """
    if hasattr(values, "__array__"):
        values = plain_table(f"grid axis {path!r}", values)
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        return (values,)
    return tuple(_scalar(v) if isinstance(v, np.generic) else v for v in values)


def _plain(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, range):
        return list(value)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, bool | int | float | str) and not isinstance(value, np.generic):
        return value
    if hasattr(value, "__array__"):
        return _array(np.asarray(value))
    raise TypeError("use numbers, text, lists and tables")


def _array(array: np.ndarray) -> Any:
    """Return a number, or a list of the numbers or texts of an array with one axis."""
    if array.ndim > 1:
        sizes = " × ".join(map(str, array.shape))
        raise ValueError(f"an array of {sizes} is no list: give one with a single axis")
    if array.dtype.kind not in "biufU":
        raise TypeError(f"use numbers, text, lists and tables, not {array.dtype}")
    values = [_scalar(v) for v in array.reshape(-1)]
    return values if array.ndim else values[0]


def _scalar(value: Any) -> Any:
    return float(str(value)) if value.dtype in (np.float32, np.float16) else value.item()


def _short(value: Any, most: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
