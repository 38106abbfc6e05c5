"""Named axes and their product: which points a sweep has, in which order.

A grid is a tuple of dimensions. A dimension usually has one axis; with several they move together
(a zip). A point is a dictionary from an axis' path ("features.p_active", "seed", …) to a value.
Which values vectorise and which loop is not decided here: it follows from what they build.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps.given import plain_values
from toymodels.errors import InputError

SEED = "seed"


@dataclass(frozen=True)
class Axis:
    """The values that one quantity takes."""

    path: str  # what it sets, e.g. "features.p_active"
    name: str  # what it is called in the dataset, e.g. "p_active"
    values: tuple[Any, ...]  # also an array with one axis, a range, or a single value

    def __post_init__(self) -> None:
        """Check the name, and that there are values."""
        require_name(self.name)
        try:
            object.__setattr__(self, "values", plain_values(self.values))
        except ValueError as error:
            raise InputError(f"grid axis {self.path!r}: {error}.") from None
        if not self.values:
            raise InputError(f"grid axis {self.path!r} is empty: give it at least one value.")


@dataclass(frozen=True)
class Dimension:
    """One dimension of the result: an axis, or several that move together."""

    name: str
    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        """Check the name, that axes that move together are equally long, and no point is twice."""
        require_name(self.name)
        if not self.axes:
            raise InputError(f"dimension {self.name!r} has no axes: give it at least one.")
        lengths = {axis.path: len(axis.values) for axis in self.axes}
        if len(set(lengths.values())) > 1:
            raise InputError(
                f"the axes zipped in {self.name!r} have different lengths {lengths}: "
                "they move together, so give them equally many values."
            )
        twice = _first_twice([axis.values for axis in self.axes])
        if twice is not None:
            point = ", ".join(repr(axis.values[twice]) for axis in self.axes)
            raise InputError(
                f"grid axis {', '.join(map(repr, lengths))} holds the value {point} twice: a "
                "result could not tell the two apart. Remove one."
            )

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.axes[0].values)

    def at(self, i: int) -> dict[str, Any]:
        """Return path -> value at index i."""
        return {axis.path: axis.values[i] for axis in self.axes}


@dataclass(frozen=True)
class Grid:
    """The product of its dimensions; an empty tuple is a single point."""

    dimensions: tuple[Dimension, ...] = ()

    def __post_init__(self) -> None:
        """Check that no dimension, path or name appears twice."""
        for kind, names in (
            ("dimension", [d.name for d in self.dimensions]),
            ("axis", [axis.path for d in self.dimensions for axis in d.axes]),
            ("name", [n for d in self.dimensions for n in {d.name, *(a.name for a in d.axes)}]),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise InputError(f"grid {kind} {name!r} is given twice: keep one.")

    def require_free(self, taken: Iterable[str]) -> None:
        """Raise `InputError` if a dimension or an axis is called like something in the result."""
        taken = set(taken)
        for d in self.dimensions:
            for name in (d.name, *(axis.name for axis in d.axes)):
                if name in taken:
                    raise InputError(f"grid name {name!r} is taken by the result: choose another.")

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The number of values along each dimension."""
        return tuple(d.size for d in self.dimensions)

    @property
    def size(self) -> int:
        """The number of points."""
        total = 1
        for n in self.shape:
            total *= n
        return total

    def points(self) -> Iterator[dict[str, Any]]:
        """Yield the points, the last dimension fastest."""
        return self._at(itertools.product(*(range(n) for n in self.shape)))

    def points_at(self, flat: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
        """Yield some of the points, by their place in the order of all."""
        if not self.dimensions:
            return self._at(() for _ in flat)
        return self._at(zip(*(i.tolist() for i in np.unravel_index(flat, self.shape)), strict=True))

    def _at(self, indices: Iterable[tuple[int, ...]]) -> Iterator[dict[str, Any]]:
        for index in indices:
            point: dict[str, Any] = {}
            for dimension, i in zip(self.dimensions, index, strict=True):
                point |= dimension.at(i)
            yield point


def grid_from(stored: list[Any]) -> Grid:
    """Make a stored grid a `Grid` again."""
    return Grid(
        tuple(
            Dimension(name, tuple(Axis(path, n, tuple(of)) for path, (n, of) in axes.items()))
            for name, axes in stored
        )
    )


def codes_of(columns: Sequence[Sequence[Any]]) -> NDArray[np.int64]:
    """Give the rows of some columns numbers, `[n]`: alike rows are alike, in order of appearance.

    Numbers are alike whatever their type, 1 and 1.0; text is like text alone.
    """
    n = len(columns[0]) if columns else 0
    codes = np.zeros(n, np.int64)
    for column in columns:
        found: dict[Any, int] = {}
        own = (found.setdefault(_alike(v), len(found)) for v in column)
        codes = _renumbered(codes * n + np.fromiter(own, np.int64, n))
    return codes


def _alike(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) else str(value)


def _renumbered(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return codes from 0 on, in order of appearance."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _first_twice(columns: Sequence[Sequence[Any]]) -> int | None:
    """Return where the first row stands that was there before, or None."""
    codes = codes_of(columns)
    new = np.zeros(len(codes), bool)
    new[np.unique(codes, return_index=True)[1]] = True
    return None if new.all() else int(np.argmin(new))


def require_name(name: Any) -> None:
    """Refuse a name that no dimension of a result can have."""
    if not isinstance(name, str) or not re.fullmatch(r"[^\W\d]\w*", name):
        raise InputError(
            f"grid name {name!r} cannot be a dimension of the result, which is stored as NetCDF "
            "and asked for as sel(NAME=…): use letters, digits and '_', a letter first. For "
            '"1/(1-S)", for example, say inverse_density.'
        )
