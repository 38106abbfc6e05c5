"""Named axes and their product: which points a sweep has, in which order.

A grid is a tuple of dimensions. A dimension usually has one axis; with several they move together
(a zip). A point is a dictionary from an axis' path ("features.p_active", "seed", …) to a value.
Which values vectorise and which loop is not decided here: it follows from what they build.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from toymodels.errors import InputError

SEED = "seed"


@dataclass(frozen=True)
class Axis:
    """The values that one quantity takes."""

    path: str  # what it sets, e.g. "features.p_active"
    name: str  # what it is called in the dataset, e.g. "p_active"
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        """Check that there are values."""
        if not self.values:
            raise InputError(f"grid axis {self.path!r} is empty: give it at least one value.")


@dataclass(frozen=True)
class Dimension:
    """One dimension of the result: an axis, or several that move together."""

    name: str
    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        """Check that axes that move together are equally long and that no two points are alike."""
        lengths = {axis.path: len(axis.values) for axis in self.axes}
        if len(set(lengths.values())) > 1:
            raise InputError(
                f"the axes zipped in {self.name!r} have different lengths {lengths}: "
                "they move together, so give them equally many values."
            )
        seen = set()
        for point in zip(*(axis.values for axis in self.axes), strict=True):
            same = tuple(float(v) if isinstance(v, int | float) else str(v) for v in point)
            if same in seen:
                raise InputError(
                    f"grid axis {', '.join(map(repr, lengths))} holds the value "
                    f"{', '.join(map(repr, point))} twice: a result could not tell the two apart. "
                    "Remove one."
                )
            seen.add(same)

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
        for index in itertools.product(*(range(n) for n in self.shape)):
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
