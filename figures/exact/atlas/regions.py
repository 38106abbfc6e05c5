"""Regions of one map of the atlas: connected cells of one arrangement, and the lines between them.

A map has cells `[R, P]`, relative importance by density.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class Region:
    """Connected cells of one kind."""

    kind: int
    inside: NDArray[np.bool_]  # [R, P]
    cell: tuple[int, int]  # the one farthest from the region's border


def kinds(one: xr.Dataset) -> NDArray[np.intp]:
    """Return numbers `[R, P]`, equal where name, place of the extra feature and dots are."""
    parts = [one["name"].values, one["extra"].values, one["n_weak"].values > 0]
    rows = np.stack(parts, axis=-1).reshape(-1, 3)
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(one["name"].shape)


def regions(kind: NDArray[np.intp]) -> list[Region]:
    """List the connected regions of `kind [R, P]`, the largest first."""
    found = []
    for k in np.unique(kind):
        labelled: Any = ndimage.label(kind == k)
        parts, n = labelled
        found += [_region(int(k), parts == part) for part in range(1, n + 1)]
    return sorted(found, key=lambda region: (-region.inside.sum(), region.cell))


def _region(kind: int, inside: NDArray[np.bool_]) -> Region:
    return Region(kind, inside, deepest(inside))


def deepest(inside: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the cell that is farthest from any outside."""
    depth: Any = ndimage.distance_transform_edt(np.pad(inside, 1))
    i, j = np.argwhere(depth == depth.max())[0] - 1
    return int(i), int(j)


def boundaries(kind: NDArray, x: NDArray, y: NDArray) -> list[NDArray]:
    """Return the cell edges between different kinds as segments; `x`, `y` are cell edges."""
    upright = [
        np.array([(x[i + 1], y[j]), (x[i + 1], y[j + 1])])
        for i, j in np.argwhere(kind[1:] != kind[:-1])
    ]
    level = [
        np.array([(x[i], y[j + 1]), (x[i + 1], y[j + 1])])
        for i, j in np.argwhere(kind[:, 1:] != kind[:, :-1])
    ]
    return upright + level


def cell_at(shares: NDArray, ends: NDArray) -> NDArray[np.intp]:
    """Return the cells in which points of a logarithmic axis lie, given as shares of its length."""
    inner = np.log(ends[1:-1] / ends[0]) / np.log(ends[-1] / ends[0])
    return np.searchsorted(inner, shares, side="right")
