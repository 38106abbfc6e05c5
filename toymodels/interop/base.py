"""What a layout is: how somebody else's program names and turns the weights of a model.

A layout says for each leaf of one of our models what it is called in a file and in which order its
axes stand there. Ours are those that the model's class declares: `W [hidden, feature]`,
`V [feature, hidden]`, `b [feature]`. Which way a matrix lies is never guessed: it is what the
layout's names say, what a bias proves, or what the user says.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toymodels.errors import InputError

Arrays = dict[str, NDArray[Any]]

# Turns what a file has and our models have not into what they have, and says so in notes; the
# second argument is what the JSON beside the file says.
Fold = Callable[[Arrays, Mapping[str, Any]], tuple[Arrays, list[str]]]


@dataclasses.dataclass(frozen=True)
class Leaf:
    """What one array of a model is called in a file, and the order of its axes there."""

    name: str
    axes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a program writes a model to a file.

    `fold` turns what our models have not (a bias of the hidden layer, linear layers in between)
    into what they have, and says so in a note. `names_tell` where the names alone say which way a
    matrix lies, as those of `nn.Linear` do.
    """

    name: str
    model: type  # of its arrays, unless the file's sidecar names another of `kinds`
    leaves: Mapping[str, Leaf]  # by the names of our class
    kinds: tuple[type, ...] = ()  # other classes with the same leaves
    signature: tuple[str, ...] = ()  # names a file is recognised by; all of its leaves if empty
    optional: frozenset[str] = frozenset({"b"})  # leaves that are zero where they are missing
    n_models: str = "one"  # or "many": on a first axis of every array
    names_tell: bool = False
    may_be_linear: bool = False  # whether a file may stand for a model without ReLU
    fold: Fold = lambda arrays, about: (arrays, [])
    file: str | None = None  # what the weights are called where a layout is a folder

    def recognises(self, names: Mapping[str, Any] | set[str]) -> tuple[int, str] | None:
        """Return how many names fit, and what stands before all of them; None where they do not."""
        wanted = self.signature or tuple(leaf.name for leaf in self.leaves.values())
        starts = {n.removesuffix(wanted[0]) for n in names if n.endswith(wanted[0])}
        for start in sorted(starts, key=len):
            if all(start + name in names for name in wanted) and start[-1:] in ("", "."):
                return len(wanted), start
        return None


@dataclasses.dataclass(frozen=True)
class Reading:
    """What was read: models of `toymodels.models`, and what the file says of each of them.

    `about` may hold `p_active`, `importance`, `loss`, `seed` and what else an export wrote; `notes`
    say in words what was assumed or changed.
    """

    layout: str
    models: tuple[Any, ...]
    about: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()


def own_axes(model: type) -> dict[str, tuple[str, ...]]:
    """Return the axes of each leaf of a class of models."""
    return {f.name: f.metadata["dims"] for f in dataclasses.fields(model)}


def multiplied_in(first: str, between: str) -> Fold:
    """Return a fold that multiplies the matrices of a pattern, by number, into the `first`."""

    def fold(arrays: Arrays, about: Mapping[str, Any]) -> tuple[Arrays, list[str]]:
        layers = {int(m[1]): name for name in arrays if (m := re.fullmatch(between, name))}
        if not layers:
            return arrays, []
        W = arrays[first]
        for _, name in sorted(layers.items()):
            W = np.matmul(arrays[name], W)
        left = {n: a for n, a in arrays.items() if n not in layers.values()}
        note = f"{len(layers)} linear layers in between are multiplied into W: the same function"
        return left | {first: W}, [note]

    return fold


def shapes_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """List names and shapes for a message."""
    return ", ".join(f"{name} {tuple(np.shape(a))}" for name, a in arrays.items())


def transposed(layout: Layout, arrays: Arrays) -> Arrays:
    """Return the arrays of a layout with rows and columns of every matrix exchanged."""
    vectors = {leaf.name for leaf in layout.leaves.values() if len(leaf.axes) == 1}
    return {
        name: a if name in vectors or a.ndim < 2 else np.swapaxes(a, -1, -2)
        for name, a in arrays.items()
    }


def sizes_in(layout: Layout, arrays: Arrays) -> dict[str, int] | None:
    """Return the size of every axis, "model" first where there is one; None where they disagree."""
    sizes: dict[str, int] = {}
    stacked = set()
    for leaf in layout.leaves.values():
        if leaf.name in arrays:
            shape = arrays[leaf.name].shape
            extra = len(shape) - len(leaf.axes)
            if extra not in (0, 1):
                return None
            stacked.add(extra)
            axes = zip(("model", *leaf.axes)[1 - extra :], shape, strict=True)
            if any(sizes.setdefault(axis, n) != n for axis, n in axes):
                return None
    return sizes if len(stacked) == 1 else None


def leaves_in(layout: Layout, arrays: Arrays) -> Arrays:
    """Return the leaves of a layout as we turn them, each with a first axis over models.

    Raises:
        InputError: a leaf is missing, is no numbers, or does not fit the others.
    """
    ours, found = own_axes(layout.model), {}
    for name, leaf in layout.leaves.items():
        if leaf.name in arrays:
            found[name] = _numbers(leaf.name, arrays[leaf.name])
        elif name not in layout.optional:
            raise InputError(
                f'the layout "{layout.name}" needs {leaf.name}; here is {shapes_of(arrays)}.'
            )
    if sizes_in(layout, arrays) is None:
        raise InputError(misfit(layout, arrays))
    for name, a in found.items():
        axes = layout.leaves[name].axes
        order = [0, *(1 + axes.index(axis) for axis in ours[name])]
        found[name] = np.transpose(a if a.ndim > len(axes) else a[None], order)
    return found


def check_orientation(
    layout: Layout, arrays: Arrays, sizes: Mapping[str, int], said: bool
) -> list[str]:
    """Ask which way a lone matrix lies where that is doubtful; return what is to be noted.

    Args:
        layout: that is read.
        arrays: of the file.
        sizes: of the axes, as the layout reads them.
        said: whether the user named the layout or asked to transpose.

    Raises:
        InputError: nothing says that the matrix is [hidden, features], and read so it would have
            more dimensions than features.
    """
    M, F = sizes.get("hidden", 0), sizes.get("feature", 0)
    vector = any(len(leaf.axes) == 1 and leaf.name in arrays for leaf in layout.leaves.values())
    proven = layout.names_tell or (vector and M != F)
    if not F or proven or said:
        return []
    if M > F:
        leaf = layout.leaves["W"]
        raise InputError(
            f"{leaf.name} has shape {arrays[leaf.name].shape}: read as [{', '.join(leaf.axes)}] it "
            f"has {M} dimensions for {F} features. If it is [{', '.join(leaf.axes[::-1])}] (as in "
            f"the authors' notebook), add --transpose (transpose=True); if it is right as it is, "
            f'say --as {layout.name} (layout="{layout.name}").'
        )
    if M == F:
        return [f"{layout.leaves['W'].name} is square: nothing tells its rows from its columns"]
    return []


def _numbers(name: str, array: Any) -> NDArray[Any]:
    array = np.asarray(array)
    if array.size == 0 or not (array.dtype.kind in "fiu" or array.dtype.name == "bfloat16"):
        raise InputError(
            f"{name} has shape {array.shape} and type {array.dtype}: give real numbers, at least "
            "one."
        )
    return array.astype(np.float64 if array.dtype == np.float64 else np.float32)


def misfit(layout: Layout, arrays: Arrays) -> str:
    """Say that shapes do not fit together, and whether they would the other way round."""
    declared = ", ".join(
        f"{leaf.name} [{', '.join(leaf.axes)}]"
        for leaf in layout.leaves.values()
        if leaf.name in arrays
    )
    here = {leaf.name: arrays[leaf.name] for leaf in layout.leaves.values() if leaf.name in arrays}
    message = f"{shapes_of(here)} do not fit together as {layout.name}'s {declared}"
    if sizes_in(layout, transposed(layout, arrays)) is None:
        return message + "."
    return message + ", but turned they do: add --transpose (transpose=True)."
