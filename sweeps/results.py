"""From finished blocks to one labelled dataset.

Names and dimensions come with the fields. Where cells differ in size, arrays are padded with NaN
to the largest; a number that a cell does not have is NaN.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from sweeps.grid import Grid
from sweeps.packed import Output
from toymodels.fields import Field


@dataclass
class _Variable:
    """One field over all points that have it."""

    about: Field
    pieces: list[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]] = field(default_factory=list)


class Joiner:
    """Puts fields at points of a grid."""

    def __init__(self, grid: Grid) -> None:
        """Start with an empty result."""
        self.grid = grid
        self.variables: dict[str, _Variable] = {}

    def add(self, points: np.ndarray, output: Output) -> None:
        """Add a block's fields `[S, C, …]` at its `points [S, C]`, -1 where it is padded."""
        keep = points >= 0
        for name, found in output.fields.items():
            variable = self.variables.setdefault(name, _Variable(found.holding(None)))
            variable.pieces.append((points[keep], np.asarray(found.values)[keep], output.coords))

    def dataset(self, coordinates: dict[str, Any], **attributes: str) -> xr.Dataset:
        """Return everything that was added, labelled; what was added is given back as it is joined.

        Args:
            coordinates: further ones, such as numbers and names that all cells share.
            attributes: of the dataset.
        """
        sizes, coords = self._sizes()
        names = tuple(d.name for d in self.grid.dimensions)
        variables = {}
        for name, variable in self.variables.items():
            dims = variable.about.dims
            whole = self._whole(variable, [sizes[dim] for dim in dims], coords)
            attrs = {"long_name": variable.about.words} if variable.about.words else {}
            variables[name] = (
                (*names, *dims),
                whole.reshape(self.grid.shape + whole.shape[1:]),
                attrs | flags(variable.about.meanings),
            )
        shared = {name: value for name, value in coordinates.items() if name not in variables}
        return xr.Dataset(variables, shared | coords | self._axes(), attrs=attributes)

    def _sizes(self) -> tuple[dict[str, int], dict[str, np.ndarray]]:
        """Return the largest size of every dimension, and all values of those that have any."""
        sizes: dict[str, int] = {}
        values: dict[str, set] = {}
        for variable in self.variables.values():
            for _, array, coords in variable.pieces:
                for dim, n in zip(variable.about.dims, array.shape[1:], strict=True):
                    sizes[dim] = max(n, sizes.get(dim, 0))
                    if dim in coords:
                        values.setdefault(dim, set()).update(coords[dim].tolist())
        joined = {dim: np.array(sorted(found)) for dim, found in values.items()}
        return sizes | {dim: len(found) for dim, found in joined.items()}, joined

    def _whole(
        self, variable: _Variable, shape: list[int], coords: dict[str, np.ndarray]
    ) -> np.ndarray:
        first = variable.pieces[0][1].dtype
        full = sum(len(at) for at, _, _ in variable.pieces) == self.grid.size and all(
            list(values.shape[1:]) == shape for _, values, _ in variable.pieces
        )
        kind = first if full or first.kind == "f" else np.dtype(float)
        size = (self.grid.size, *shape)
        whole = np.zeros(size, kind) if full else np.full(size, np.nan, kind)
        while variable.pieces:  # what is copied is let go: a result is in memory once, not twice
            at, values, own = variable.pieces.pop()
            index = [
                np.searchsorted(coords[dim], own[dim]) if dim in own else np.arange(n)
                for dim, n in zip(variable.about.dims, values.shape[1:], strict=True)
            ]
            whole[np.ix_(at, *index)] = values
        return whole

    def _axes(self) -> dict[str, Any]:
        axes = {}
        for d in self.grid.dimensions:
            for axis in d.axes:
                axes[axis.name] = ((d.name,), np.array(axis.values))
        return axes


def flags(meanings: tuple[str, ...]) -> dict[str, Any]:
    """Return the attributes that say which label means what."""
    if not meanings:
        return {}
    return {
        "flag_values": np.arange(len(meanings), dtype=np.int8),
        "flag_meanings": " ".join(text.replace(" ", "_") for text in meanings),
    }
