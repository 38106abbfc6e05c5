"""What comes in at the border of this package: index lists, and sizes that must fit each other."""

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from toymodels.checks import (
    Floats,
    count,
    finite,
    numbers,
    require_broadcast,
    require_same_axes,
)
from toymodels.errors import InputError

Indices = NDArray[np.int32]


def require_key(key: Any) -> None:
    """Raise InputError unless this is one of JAX's keys."""
    typed = isinstance(key, jax.Array) and jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key)
    raw = getattr(key, "dtype", None) == np.uint32 and np.ndim(key) == 1
    if not (raw or (typed and key.ndim == 0)):
        raise InputError(f"key = {key!r}: give one key, such as jax.random.key(0).")


def require_copies(n_copies: int, redundancy: int) -> None:
    """Raise InputError unless 1 <= S <= N, both whole numbers."""
    count("n_copies", n_copies)
    if not 1 <= count("redundancy", redundancy, None) <= n_copies:
        raise InputError(
            f"redundancy = {redundancy} is not possible with n_copies = {n_copies} copies of each "
            f"neuron (width / d): use 1 to {n_copies}."
        )


def require_circuits(circuits: Any) -> int:
    """Return T, or raise InputError for one circuit without that axis."""
    shape = np.shape(getattr(circuits, "weights", ()))
    if len(shape) != 4:
        raise InputError(
            f"circuits = {type(circuits).__name__} with weights of shape {shape}: make T circuits, "
            "[T, stages, d, f], such as rotation_circuit of T angles."
        )
    return shape[0]


def as_list(assignment: Any, n_copies: int) -> Indices:
    """Return an assignment `[T, S]` as an array.

    Raises:
        InputError: another shape, no whole numbers, or copies that are not among the N.
    """
    array = numbers("assignment", assignment)
    if array.ndim != 2 or array.dtype.kind not in "iu" or 0 in array.shape:
        raise InputError(
            f"assignment has shape {array.shape} and holds {array.dtype}: give the copies that "
            "serve each circuit, whole numbers [circuits, redundancy]."
        )
    array = np.asarray(array)
    if not 0 <= array.min() <= array.max() < count("n_copies", n_copies):
        raise InputError(
            f"the assignment names copies {array.min()} to {array.max()}, but there are n_copies = "
            f"{n_copies} copies of each neuron: use 0 to {n_copies - 1}."
        )
    return array


def as_embedding(embedding: Any, n_circuits: int, n_copies: int) -> Indices:
    """Return an assignment for each layer, `[L, T, S]`, as an array.

    Raises:
        InputError: as `as_list`, or for another number of circuits.
    """
    array = numbers("embedding", embedding)
    if array.ndim != 3 or 0 in array.shape:
        raise InputError(
            f"embedding has shape {array.shape}: give [layers, circuits, redundancy], the copies "
            "that serve each circuit in each layer."
        )
    if n_circuits != array.shape[1]:
        raise InputError(
            f"there are {n_circuits} circuits, but the assignment is for {array.shape[1]}: make "
            "them equal."
        )
    array = np.asarray(array)
    as_list(array.reshape(-1, array.shape[2]), n_copies)
    return array


def sizes(*least: float, **given: Any) -> list[Floats]:
    """Return numbers that broadcast as float64, or raise InputError; `least` is for each."""
    require_same_axes(**given)
    arrays = {name: finite(name, values) for name, values in given.items()}
    for (name, array), bound in zip(arrays.items(), least, strict=True):
        if np.any(array < bound):
            raise InputError(f"{name} must be at least {bound:g}, got {array.min():g}.")
    require_broadcast(**arrays)
    return list(arrays.values())


def require_share(link_density: Floats) -> None:
    """Raise InputError for a share of links that is 1 or more."""
    if np.any(link_density >= 1):
        raise InputError(f"link_density must lie in [0, 1), got {link_density.max():g}.")
