"""What comes in at the border of a public function: numbers, shapes and ranges, checked once.

Lists, whole numbers, numpy, JAX and labelled arrays are numbers alike. Under `jit`, `vmap` and
`grad` values are not known yet: there shapes alone are checked. NaN is no number for a density, an
importance or a limit; in weights it is that of a model that has diverged and passes through to its
loss and measures, which are NaN.
"""

import math
import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.core import Tracer

from toymodels.errors import InputError, require_range

Floats = npt.NDArray[np.float64]

DENSITY = "it is the density 1 - S, not a sparsity S"


def is_traced(values: Any) -> bool:
    """Tell whether JAX has yet to know the values."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def numbers(name: str, values: Any) -> Any:
    """Return an array of real numbers, numpy's or, where it was one or is traced, JAX's.

    Raises:
        InputError: text, nothing, or rows of different lengths.
    """
    if isinstance(values, jax.Array):
        array = values
    elif isinstance(values, list | tuple) and is_traced(values):
        array = jnp.asarray(values)
    else:
        try:
            array = np.asarray(values)
        except (ValueError, TypeError) as error:
            raise InputError(f"{name} is no array of numbers: {error}.") from None
    if not any(jnp.issubdtype(array.dtype, kind) for kind in (np.floating, np.integer, np.bool_)):
        raise InputError(f"{name} = {_shown(values)}: give real numbers.")
    return array


def floats(name: str, values: Any) -> Floats:
    """Return numbers as float64 on the host; errors as `numbers`, and for what is traced."""
    if is_traced(values):
        raise InputError(
            f"{name} is traced, but this function is numpy's: call it outside jit, vmap and grad."
        )
    return np.asarray(numbers(name, values), np.float64)


def finite(name: str, values: Any) -> Floats:
    """Return numbers as `floats` does, none of them NaN or infinite."""
    array = floats(name, values)
    bad = array[~np.isfinite(array)]
    if bad.size:
        raise InputError(f"{name} must be finite, got {bad[0]}.")
    return array


def checked_density(p_active: Any, name: str = "p_active") -> Floats:
    """Return densities as float64.

    Raises:
        InputError: one outside [0, 1].
    """
    p = floats(name, p_active)
    bad = p[~((p >= 0) & (p <= 1))]
    if bad.size:
        raise InputError(f"{name} must lie in [0, 1], got {bad[0]}; {DENSITY}.")
    return p


def checked_importance(values: Any, name: str = "relative_importance") -> Floats:
    """Return importances as float64; `name` is what a message calls them.

    Raises:
        InputError: one that is negative, NaN or infinite.
    """
    r = floats(name, values)
    bad = r[~((r >= 0) & np.isfinite(r))]
    if bad.size:
        raise InputError(f"{name} must be finite and at least 0, got {bad[0]}.")
    return r


def cells(p_active: Any, relative_importance: Any) -> tuple[Floats, Floats]:
    """Return densities and importances that broadcast, as float64.

    Raises:
        InputError: a density outside [0, 1], an importance negative or not finite, shapes that do
            not broadcast, or labelled arrays of different axes.
    """
    require_same_axes(p_active=p_active, relative_importance=relative_importance)
    p, r = checked_density(p_active), checked_importance(relative_importance)
    require_broadcast(p_active=p, relative_importance=r)
    return p, r


def require_broadcast(**arrays: Any) -> None:
    """Raise InputError unless the shapes broadcast."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        said = ", ".join(f"{name} has shape {array.shape}" for name, array in arrays.items())
        raise InputError(f"{said}: give shapes that broadcast.") from None


def density(p_active: Any, n_features: int) -> Any:
    """Return a density or one for each feature; of traced ones only the shape is checked."""
    p = _per_feature("p_active", p_active, n_features)
    return p if is_traced(p) else _as_given(p, checked_density(p))


def importances(values: Any, n_features: int) -> Any:
    """Return an importance or one for each feature; of traced ones only the shape is checked."""
    given = _per_feature("importance", values, n_features)
    return given if is_traced(given) else _as_given(given, checked_importance(given, "importance"))


def _as_given(array: Any, checked: Floats) -> Any:
    """Return the array that was checked: JAX's as it is, of its own type."""
    return array if isinstance(array, jax.Array) else checked


def _per_feature(name: str, values: Any, n_features: int) -> Any:
    array = numbers(name, values)
    if array.shape not in ((), (n_features,)):
        raise InputError(
            f"{name} must be a number or have shape ({n_features},), one for each feature, got "
            f"shape {array.shape}."
        )
    return array


def matrix(name: str, W: Any, axes: str = "[hidden, features]") -> jax.Array:
    """Return one matrix as JAX's floats.

    Raises:
        InputError: anything but one matrix, or one without entries.
    """
    array = numbers(name, W)
    _require_matrix(name, array, axes)
    _require_entries(name, array)
    return as_floats(array)


def _require_entries(name: str, array: Any) -> None:
    if 0 in array.shape:
        raise InputError(f"{name} has shape {array.shape}: there is nothing in it.")


def _require_matrix(name: str, array: Any, axes: str) -> None:
    if array.ndim != 2:
        raise InputError(
            f"{name} must be one matrix {axes}, got shape {array.shape}; for a batch of matrices "
            "map over the leading axes with jax.vmap, or take one of them, for example W[0]."
        )


def square(name: str, G: Any) -> jax.Array:
    """Return one matrix `[F, F]` as JAX's floats; errors as `matrix`, and for another shape."""
    G = matrix(name, G, "[features, features]")
    if G.shape[0] != G.shape[1]:
        raise InputError(f"{name} must map features to features, [F, F], got shape {G.shape}.")
    return G


def matrix_float64(name: str, W: Any, axes: str = "[hidden, features]") -> Floats:
    """Return one matrix as float64 on the host; errors as `matrix`."""
    array = floats(name, W)
    _require_matrix(name, array, axes)
    _require_entries(name, array)
    return array


def finite_matrix(name: str, W: Any, axes: str = "[hidden, features]") -> Floats:
    """Return one finite matrix, which may be empty, as float64 on the host.

    Raises:
        InputError: anything but one matrix, or NaN or infinity: what has diverged has no shape.
    """
    array = floats(name, W)
    _require_matrix(name, array, axes)
    if not np.all(np.isfinite(array)):
        raise InputError(f"{name} holds NaN or infinity: a diverged model has no shape.")
    return array


def as_floats(array: Any) -> jax.Array:
    """Return JAX's floats, as whole numbers would be rounded in the middle of a sum."""
    array = jnp.asarray(array)
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(float)


def biases(b: Any, n_features: int) -> jax.Array:
    """Return biases `[F]` as JAX's floats.

    Raises:
        InputError: another shape.
    """
    array = numbers("b", b)
    if array.shape != (n_features,):
        raise InputError(
            f"b must have shape ({n_features},), one for each feature, got shape {array.shape}."
        )
    return as_floats(array)


def count(name: str, value: Any, least: int | None = 1, most: int | None = None) -> int:
    """Return a whole number.

    Raises:
        InputError: no whole number, or one out of range.
    """
    try:
        n = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        n = None
    low, high = (-math.inf if least is None else least), (math.inf if most is None else most)
    if n is None or not low <= n <= high:
        allowed = f", from {low:,} to {high:,}" if most is not None else f", {low:,} or more"
        allowed = "" if least is None else allowed
        raise InputError(f"{name} = {_shown(value)}: give a whole number{allowed}.")
    return n


def number(name: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """Return one finite number.

    Raises:
        InputError: no number, several of them, or one out of range.
    """
    array = floats(name, value)
    if array.ndim:
        raise InputError(f"{name} has shape {array.shape}: give one number.")
    require_range(name, float(array), least, most)
    return float(array)


def limit(name: str, value: Any) -> Any:
    """Return a limit of lengths or overlaps, from 0; of a traced one only the shape is checked.

    Raises:
        InputError: several numbers, or one that is negative or not finite.
    """
    if is_traced(value) and not np.ndim(value):
        return value
    return number(name, value, 0)


def require_same_axes(**given: Any) -> None:
    """Check that labelled arrays which are paired by position have the same axes.

    Raises:
        InputError: xarray would pair them by the names of their axes, and here none are read.
    """
    axes = {name: values.dims for name, values in given.items() if getattr(values, "dims", ())}
    if len(set(axes.values())) > 1:
        said = ", ".join(f"{name} has {dims}" for name, dims in axes.items())
        raise InputError(
            f"{said}: values are paired by position, not by the names of their axes. Give both the "
            "same axes first, with xarray.broadcast."
        )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
