"""Profiles: how importance or density depends on a feature's index.

A profile is a function of the number of features and of a few floats that returns an array `[F]`.
Elhage et al. 2022 use `geometric` (0.7^i, 0.9^i) and `constant`; their notebook uses `log_spaced`
(1 to 1/100); their phase diagrams use `relative` (all ones but the last feature).
"""

import inspect
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toymodels.errors import InputError, hint, listed, require_range

# A number for all features, or a list with one for each; in a config also a profile's table.
PerFeature = float | Sequence[float]


def constant(n_features: int, value: float = 1.0) -> NDArray[np.float64]:
    """Return the same value for every feature, `[F]`.

    Args:
        n_features: F, features.
        value: of each feature.
    """
    return np.full(n_features, value, dtype=float)


def geometric(n_features: int, ratio: float, first: float = 1.0) -> NDArray[np.float64]:
    """Return `first * ratio^i` for feature i = 0, 1, …, `[F]`.

    Args:
        n_features: F, features.
        ratio: of each feature's value to that of the one before.
        first: value of feature 0.
    """
    return first * np.power(float(ratio), np.arange(n_features))


def log_spaced(n_features: int, last: float, first: float = 1.0) -> NDArray[np.float64]:
    """Return `[F]` values from `first` to `last`, equally spaced in the logarithm.

    Args:
        n_features: F, features.
        last: value of the last feature.
        first: value of feature 0.
    """
    return np.geomspace(first, last, n_features)


def relative(n_features: int, relative: float, base: float = 1.0) -> NDArray[np.float64]:
    """Return `base` for every feature but the last, which has `base * relative`, `[F]`.

    Args:
        n_features: F, features.
        relative: value of the last feature, over that of the others.
        base: value of the others.
    """
    values = np.full(n_features, base, dtype=float)
    values[-1] = base * relative
    return values


# The profiles that a config may name.
PROFILES: dict[str, Callable[..., NDArray[np.float64]]] = {
    profile.__name__: profile for profile in (constant, geometric, log_spaced, relative)
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
            return PROFILES[name](n_features, **table)
    except (ValueError, FloatingPointError, OverflowError) as error:
        raise InputError(f"{where} = {given}: {error}.") from None


def profile_table(given: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a profile's table with its name, `law`, and all its parameters; errors as above."""
    parameters = {k: v for k, v in given.items() if k != "law"}
    fitting = [name for name in PROFILES if set(parameters) <= set(_parameters(name))]
    name = given.get("law", fitting[0] if fitting else None)
    if name not in PROFILES:
        raise InputError(
            f"{where} = {given}: no such profile; use one of {listed(PROFILES)}, with parameters "
            'such as { law = "geometric", ratio = 0.9 }.' + hint(str(name), PROFILES)
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
    signature = inspect.signature(PROFILES[name])
    return {k: p.default for k, p in list(signature.parameters.items())[1:]}


def length_of(name: str, values: PerFeature, n: int | None) -> int:
    """Return how many features there are: `n`, or as many as there are values.

    Raises:
        InputError: `n` is not given and `values` is one number.
    """
    if n is not None:
        require_range("n_features", n, 1)
        return n
    if np.ndim(values) != 1:
        raise InputError(f"{name} = {values} is one number: say also how many, n_features.")
    return len(np.asarray(values))


def density(p_active: PerFeature, n: int, of: str = "n_features") -> NDArray[np.float32]:
    """Return a density for each of `n` features (or sets), `[n]`, from a number or a list.

    Raises:
        InputError: a density outside [0, 1] or NaN, or of another length than `n`.
    """
    p = np.asarray(p_active, dtype=np.float64)
    if p.shape not in ((), (n,)):
        raise InputError(
            f"p_active has shape {p.shape}, but there are {of} = {n}: "
            f"give one number or a list of {n}."
        )
    bad = p[~((p >= 0) & (p <= 1))]
    if bad.size:
        raise InputError(
            f"p_active = {bad.flat[0]} is not a probability: it must lie in [0, 1] "
            "(density, the paper's 1 - S)."
        )
    return np.full(n, p, np.float32)


def weights(importance: PerFeature, n_features: int) -> NDArray[np.float32]:
    """Return the weight of each feature, `[F]`, from a number or a list.

    Raises:
        InputError: a weight that is negative, infinite, NaN, or another length than `n_features`.
    """
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused
        weight = np.asarray(importance, dtype=np.float32)
    if weight.shape not in ((), (n_features,)):
        raise InputError(
            f"importance has shape {weight.shape}, but there are n_features = {n_features}: "
            f"give one number or a list of {n_features}."
        )
    if not np.all(np.isfinite(weight) & (weight >= 0)):
        raise InputError(
            f"importance = {importance} holds a value that is negative, infinite or NaN: "
            "use finite numbers >= 0 (0 means: this feature does not count)."
        )
    return np.full(n_features, weight, np.float32)
