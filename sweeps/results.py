"""From finished blocks to one labelled dataset.

Names and dimensions come with the fields. Where cells differ in size, arrays are padded with NaN
to the largest; a number that a cell does not have is NaN. `Outline` is what is known of a result
before it is there, from which it is joined in memory (`Joiner`) or in a file
(`sweeps.written_result`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sweeps.grid import Grid
from sweeps.packed import Output
from toymodels.fields import Field


class Labels(NamedTuple):
    """What a dataset says beside its variables and the axes of its grid."""

    coordinates: dict[str, Any]  # such as numbers and names that all cells share
    attributes: dict[str, str]


class Variable(NamedTuple):
    """A field over the whole grid."""

    dims: tuple[str, ...]  # the field's own, behind those of the grid
    shape: tuple[int, ...]  # of its own dimensions
    kind: np.dtype
    full: bool  # every point has all of it
    attrs: dict[str, Any]

    def blank(self, n: int) -> np.ndarray:
        """Return the values of n points that have none, `[n, …]`."""
        shape = (n, *self.shape)
        return np.zeros(shape, self.kind) if self.full else np.full(shape, np.nan, self.kind)


@dataclass
class _Seen:
    """One field over all points that have it."""

    about: Field
    points: int = 0
    kinds: set[np.dtype] = field(default_factory=set)  # blocks may differ in them
    shapes: set[tuple[int, ...]] = field(default_factory=set)


class Outline:
    """Which variables a result has, and how large they are, from all its blocks."""

    def __init__(self, grid: Grid) -> None:
        """Start with an empty result."""
        self.grid = grid
        self._seen: dict[str, _Seen] = {}
        self._sizes: dict[str, int] = {}
        self._coords: dict[str, np.ndarray] = {}  # all values of the dimensions that have any

    def __iter__(self) -> Iterator[str]:
        """Go over the names of the variables."""
        return iter(self._seen)

    def add(self, points: np.ndarray, output: Output) -> None:
        """Note a block's fields `[S, C, …]` at its `points [S, C]`, -1 where it is padded."""
        n = int(np.sum(points >= 0))
        for name, found in output.fields.items():
            kind, shape = np.asarray(found.values).dtype, np.shape(found.values)[2:]
            seen = self._seen.setdefault(name, _Seen(found.holding(None)))
            seen.points += n
            seen.kinds.add(kind)
            seen.shapes.add(shape)
            for dim, size in zip(seen.about.dims, shape, strict=True):
                self._sizes[dim] = max(size, self._sizes.get(dim, 0))
                if dim in output.coords:
                    own = np.array(output.coords[dim].tolist())
                    self._coords[dim] = np.union1d(self._coords.get(dim, own), own)

    def __getitem__(self, name: str) -> Variable:
        """Return a variable, once all blocks were added."""
        seen = self._seen[name]
        dims = seen.about.dims
        shape = tuple(len(self._coords.get(d, range(self._sizes[d]))) for d in dims)
        full = seen.points == self.grid.size and seen.shapes == {shape}
        kind = np.result_type(*seen.kinds)  # which holds the values of every block
        kind = kind if full or kind.kind == "f" else np.dtype(float)
        attrs = {"long_name": seen.about.words} if seen.about.words else {}
        return Variable(dims, shape, kind, full, attrs | flags(seen.about.meanings))

    def rows(self, name: str, values: np.ndarray, own: dict[str, np.ndarray]) -> np.ndarray:
        """Return values of some points as the variable has them, padded, `[n, …]`.

        Args:
            name: of the variable.
            values: `[n, …]`, of the block's own size.
            own: values of the block's dimensions that have any.
        """
        variable = self[name]
        index = [
            np.searchsorted(self._coords[dim], own[dim]) if dim in own else np.arange(n)
            for dim, n in zip(variable.dims, values.shape[1:], strict=True)
        ]
        as_it_is = (
            np.array_equal(i, np.arange(n)) for i, n in zip(index, variable.shape, strict=True)
        )
        if all(as_it_is):
            return values.astype(variable.kind, copy=False)
        rows = variable.blank(len(values))
        rows[np.ix_(np.arange(len(values)), *index)] = values
        return rows

    def dataset(self, wholes: dict[str, np.ndarray], labels: Labels) -> xr.Dataset:
        """Return the labelled dataset of all values of every variable, the grid's axes first."""
        names = tuple(d.name for d in self.grid.dimensions)
        variables = {}
        for name, whole in wholes.items():
            variable = self[name]
            variables[name] = ((*names, *variable.dims), whole, variable.attrs)
        shared = {k: value for k, value in labels.coordinates.items() if k not in variables}
        coords = shared | self._coords | self._axes()
        return xr.Dataset(variables, coords, attrs=labels.attributes)

    def _axes(self) -> dict[str, Any]:
        axes = {}
        for d in self.grid.dimensions:
            for axis in d.axes:
                axes[axis.name] = ((d.name,), np.array(axis.values))
        return axes


class Joiner:
    """Puts fields at points of a grid, in memory."""

    def __init__(self, grid: Grid) -> None:
        """Start with an empty result."""
        self.outline = Outline(grid)
        self._pieces: dict[str, list[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]] = {}

    def add(self, points: np.ndarray, output: Output) -> None:
        """Add a block's fields `[S, C, …]` at its `points [S, C]`, -1 where it is padded."""
        self.outline.add(points, output)
        keep = points >= 0
        for name, found in output.fields.items():
            piece = (points[keep], np.asarray(found.values)[keep], output.coords)
            self._pieces.setdefault(name, []).append(piece)

    def dataset(self, labels: Labels) -> xr.Dataset:
        """Return everything that was added, labelled; it is given back as it is joined."""
        wholes = {name: self.whole(name) for name in self.outline}
        return self.outline.dataset(wholes, labels)

    def whole(self, name: str) -> np.ndarray:
        """Return all values of a variable, the grid's dimensions first; its pieces are let go."""
        grid = self.outline.grid
        whole = self.outline[name].blank(grid.size)
        pieces = self._pieces[name]
        while pieces:  # what is copied is let go: a result is in memory once, not twice
            at, values, own = pieces.pop()
            whole[at] = self.outline.rows(name, values, own)
        return whole.reshape(grid.shape + whole.shape[1:])


def flags(meanings: tuple[str, ...]) -> dict[str, Any]:
    """Return the attributes that say which label means what."""
    if not meanings:
        return {}
    return {
        "flag_values": np.arange(len(meanings), dtype=np.int8),
        "flag_meanings": " ".join(text.replace(" ", "_") for text in meanings),
    }
