"""What is wrong for each kind of input, and calls of every public function with it.

The right calls are in `right_calls`.
"""

import dataclasses
import importlib
import inspect
import json
from typing import Any

import jax
import numpy as np
import xarray as xr
from right_calls import KEY, LIST, NETWORK, PAIR, RIGHT, ZERO, Of, P, R

from toymodels.circuits import rotation_circuit

nan, inf = np.nan, np.inf
TEXT = {"text": "0.5", "nothing": None, "ragged rows": [[1.0, 2.0], [3.0]], "complex": 1j}
NOT_A_NUMBER = TEXT | {"NaN": nan, "infinite": inf}
UNBOUND = NOT_A_NUMBER | {"several": np.ones(2)}
NOT_WHOLE = TEXT | {"a fraction": 2.5, "NaN": nan, "negative": -1}


def shapes_but(*rights):
    """Arrays of no right number of axes."""
    return {f"{n} axes": np.full((1,) * n, 0.5) for n in range(5) if n not in rights}


WRONG: dict[str, dict[str, Any]] = {
    "weights": TEXT | shapes_but(2) | {"empty": np.zeros((0, 2)), "three axes": PAIR[None]},
    "matrix": TEXT | shapes_but(2) | {"NaN": PAIR * nan, "infinite": PAIR * inf},
    "biases": TEXT | shapes_but(1) | {"column": ZERO[:, None], "short": ZERO[:1]},
    "start": TEXT | {"NaN": PAIR * nan, "three features": np.ones((1, 3))},
    "p_active": NOT_A_NUMBER
    | {
        "column": P[:, None],
        "short": P[:1],
        "negative": -P,
        "percent": 30,
        "one NaN": P * [1, nan],
    },
    "importance": NOT_A_NUMBER
    | {"column": R[:, None], "short": R[:1], "negative": -R, "one NaN": R * [1, nan]},
    "cells": NOT_A_NUMBER | {"negative": -P, "percent": 30, "one NaN": P * [1, nan]},
    "densities": TEXT | {"negative": -P, "percent": 30},  # NaN passes: no crossing was found
    "relative_importance": NOT_A_NUMBER | {"negative": -R, "one NaN": R * [1, nan]},
    "points": TEXT | shapes_but(3) | {"negative": -R[None, None], "NaN": R[None, None] * nan},
    "line": TEXT | shapes_but(1) | {"NaN": P * nan, "empty": np.zeros(0)},
    "table": TEXT | {"a number": 1.0, "a line": P, "another length": np.ones((2, 7))},
    "of_features": TEXT | {"a number": 1.0, "three features": np.ones(3)},
    "finite": NOT_A_NUMBER | {"a number": 1.0},
    "numbers": TEXT,
    "sizes": NOT_A_NUMBER | {"negative": -1, "zero": 0},
    "share": NOT_A_NUMBER | {"negative": -0.1, "percent": 30},
    "chance": UNBOUND | {"negative": -0.1, "percent": 30},
    "above0": UNBOUND | {"negative": -1, "zero": 0},
    "limit": UNBOUND | {"negative": -0.1},
    "number": UNBOUND,
    "angle": NOT_A_NUMBER | {"column": R[:, None], "empty": np.zeros(0)},
    "vectors": NOT_A_NUMBER | {"of three": np.ones((1, 3))},
    "state": TEXT | {"several": np.ones((2, 4)), "short": np.ones(3)},
    "count": NOT_WHOLE | {"zero": 0},
    "count0": NOT_WHOLE,
    "assignment": TEXT
    | shapes_but()
    | {"fractions": LIST + 0.5, "beyond": LIST + 9, "negative": LIST - 9, "a line": LIST[0]},
    "embedding": TEXT
    | {"fractions": NETWORK.embedding + 0.5, "beyond": NETWORK.embedding + 9, "a list": LIST},
    "circuits": TEXT | {"one of them": rotation_circuit(0.3)},
    "key": {"a seed": 0, "nothing": None, "several": jax.random.split(KEY, 2)},
    "given": {},
}
KINDS = {"W": "weights", "V": "weights", "G": "weights", "b": "biases"}
KINDS |= {"threshold": "limit", "tolerance": "limit", "reach": "limit", "matched": "number"}
KINDS |= {"bias": "limit", "gain": "limit", "inhibition": "number", "shared": "number"}
KINDS |= {"n": "count", "d": "count", "width": "count", "redundancy": "count", "terms": "count"}
KINDS |= {"n_corners": "count0"}


def kind_of(name, value):
    """Return the kind of an input."""
    if isinstance(value, Of):
        return value.kind
    return KINDS.get(name, "count" if name.startswith("n_") else name)


def plain(inputs):
    """Return the inputs themselves, without their kinds."""
    return {k: v.value if isinstance(v, Of) else v for k, v in inputs.items()}


def function(module, name):
    """Return a public function."""
    return getattr(importlib.import_module(f"toymodels.{module}"), name)


def every():
    """Yield `(module, name, inputs)` of every function in the table."""
    for module, functions in RIGHT.items():
        for name, inputs in functions.items():
            yield module, name, inputs


def quick():
    """Yield all but what compiles for seconds."""
    return (call for call in every() if call[1] != "follow")


def wrong():
    """Yield `(function, input, what is wrong, inputs)` of every wrong call."""
    for module, name, inputs in every():
        for argument, value in inputs.items():
            for what, bad in WRONG[kind_of(argument, value)].items():
                yield function(module, name), argument, what, plain(inputs) | {argument: bad}


def alike(value):
    """Return other ways to write an array or a number that is right."""
    if isinstance(value, np.ndarray):
        ways = [value.tolist(), jax.numpy.asarray(value), xr.DataArray(value)]
        return [*ways, value.astype(int)] if np.all(value == value.astype(int)) else ways
    if isinstance(value, float):
        return [np.float32(value), np.array(value), xr.DataArray(value)]
    return [np.int64(value), np.array(value)] if isinstance(value, int) else []


def public_functions(module):
    """Return the names of functions that a module exports, or, without `__all__`, defines."""
    home = importlib.import_module(f"toymodels.{module}")
    names = getattr(home, "__all__", None) or [
        k for k, v in vars(home).items() if getattr(v, "__module__", None) == home.__name__
    ]
    found = {name: getattr(home, name) for name in names if not name.startswith("_")}
    skipped = (inspect.isclass, inspect.ismodule)
    return {n for n, f in found.items() if callable(f) and not any(is_(f) for is_ in skipped)}


def names(message, argument):
    """Tell whether a message names an input, itself or by what it is called in the words."""
    return argument in message or SAID_AS.get(argument, argument) in message


SAID_AS = {"embedding": "assignment"}


def outcome(found):
    """Return numbers and words of a result, as lists that JSON can hold."""
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        found = [getattr(found, field.name) for field in dataclasses.fields(found)]
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list | tuple):
        return [outcome(part) for part in found]
    if hasattr(found, "toarray"):
        found = found.toarray()
    if isinstance(found, str) or found is None or callable(found):
        return found if isinstance(found, str) else None
    values = np.asarray(found)
    return values.tolist() if values.dtype.kind == "U" else values.astype(float).tolist()


def close(one, other, rtol):
    """Compare two outcomes."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            close(a, b, rtol) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, float) and isinstance(other, float):
        return bool(np.isclose(one, other, rtol, rtol, equal_nan=True))
    return one == other


def all_outcomes():
    """Call every function with its right inputs.

    Not here: `solve` and `resolve_with_neighbours`, and `follow`, which descends as they do.
    """
    return {
        f"{module}.{name}": outcome(function(module, name)(**plain(inputs)))
        for module, name, inputs in quick()
    }


if __name__ == "__main__":
    print(json.dumps(all_outcomes()))
