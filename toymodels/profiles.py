"""Profiles: how importance or density depends on a feature's index.

A profile is a function of the number of features and of a few floats that returns an array `[F]`.
Elhage et al. 2022 use `geometric` (0.7^i, 0.9^i) and `constant`; their notebook uses `log_spaced`
(1 to 1/100); their phase diagrams use `relative` (all ones but the last feature).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toymodels.errors import InputError, require_range

# A number for all features, or a list with one for each; in a config also a profile's table.
PerFeature = float | Sequence[float]


def constant(n_features: int, value: float = 1.0) -> NDArray[np.float64]:
    """Return `value` for every feature, `[F]`."""
    return np.full(n_features, value, dtype=float)


def geometric(n_features: int, ratio: float, first: float = 1.0) -> NDArray[np.float64]:
    """Return `first * ratio^i` for feature i = 0, 1, …, `[F]`."""
    return first * np.power(float(ratio), np.arange(n_features))


def log_spaced(n_features: int, last: float, first: float = 1.0) -> NDArray[np.float64]:
    """Return `[F]` values from `first` to `last`, equally spaced in the logarithm."""
    return np.geomspace(first, last, n_features)


def relative(n_features: int, relative: float, base: float = 1.0) -> NDArray[np.float64]:
    """Return `base` for every feature but the last, which has `base * relative`, `[F]`."""
    values = np.full(n_features, base, dtype=float)
    values[-1] = base * relative
    return values


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
