"""From finished blocks to a result file, block by block: memory holds one of them at a time.

A result of a million models may be larger than the memory. Its variables lie in the file as one
piece each (contiguous HDF5 datasets), so that a block's values are written to where they belong,
by plain writes: these say in time that a disk is full, and work on every file system.
"""

import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np
import xarray as xr
from xarray.conventions import encode_dataset_coordinates

from sweeps.atomic import writing
from sweeps.grid import Grid
from sweeps.packed import Output
from sweeps.results import Labels, Outline, Variable
from sweeps.sealed import PIECE, seal

# Give all blocks, each time it is called: points `[S, C]`, -1 where padded, and what is there.
Blocks = Callable[[], Iterable[tuple[np.ndarray, Output]]]

PAGE = 4096  # bytes; points no farther apart than this are written together


def write_result(path: Path, grid: Grid, blocks: Blocks, labels: Labels) -> None:
    """Join blocks in a sealed NetCDF file, whole or not at all.

    The dataset in it is the one that `sweeps.results.Joiner` makes of the same blocks.

    Args:
        path: of the file.
        grid: whose points the blocks hold.
        blocks: gives all of them, once for their sizes and again for their values.
        labels: of the dataset.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    outline = Outline(grid)
    for points, output in blocks():
        outline.add(points, output)
    placed = [name for name in outline if _is_placed(outline, name)]
    dataset = outline.dataset(_wholes(outline, placed, blocks), labels)
    with writing(path) as beside:
        offsets = _write_without(placed, dataset, outline, beside)
        with open(beside, "r+b", buffering=0) as file:
            places = _Places(file.fileno(), outline, offsets)
            for points, output in blocks():
                places.put(points, output)
        seal(beside)


def _is_placed(outline: Outline, name: str) -> bool:
    """Tell whether a variable lies in the file as numbers in one piece; others are held here."""
    variable = outline[name]
    some = outline.grid.size * math.prod(variable.shape) > 1
    return some and variable.kind.kind in "biuf" and variable.dims != (name,)


def _wholes(outline: Outline, placed: list[str], blocks: Blocks) -> dict[str, np.ndarray]:
    """Return arrays of all variables: of those that are placed of no memory."""
    grid = outline.grid
    held = {name: outline[name].blank(grid.size) for name in outline if name not in placed}
    for points, output in blocks() if held else ():
        keep = points >= 0
        for name in held.keys() & output.fields.keys():
            values = np.asarray(output.fields[name].values)[keep]
            held[name][points[keep]] = outline.rows(name, values, output.coords)
    return {
        name: held[name].reshape(grid.shape + outline[name].shape)
        if name in held
        else _no_values(grid, outline[name])
        for name in outline
    }


def _no_values(grid: Grid, variable: Variable) -> np.ndarray:
    return np.broadcast_to(np.zeros((), variable.kind), grid.shape + variable.shape)


def _write_without(
    placed: list[str], dataset: xr.Dataset, outline: Outline, path: Path
) -> dict[str, int]:
    """Write a file that lacks the values of some variables, and return where each begins.

    HDF5 may crash on a disk that is full. It writes a draft elsewhere, which takes no room where it
    holds no values.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.nc"
        _draft(draft, dataset, outline, placed)
        with h5py.File(draft, "r") as file:
            offsets = {name: file[name].id.get_offset() for name in placed}
            ends = {name: offsets[name] + file[name].id.get_storage_size() for name in placed}
        with open(draft, "rb") as source, open(path, "wb") as target:
            begins = [0, *sorted(ends.values())]
            for begin, end in zip(begins, [*sorted(offsets.values()), None], strict=True):
                source.seek(begin)
                target.seek(begin)
                target.write(source.read(-1 if end is None else end - begin))
            target.truncate(os.path.getsize(draft))
    return offsets


def _draft(path: Path, dataset: xr.Dataset, outline: Outline, placed: list[str]) -> None:
    """Write a dataset with room for what is placed, labelled as xarray labels it."""
    dataset.drop_vars(placed).to_netcdf(path, engine="h5netcdf")
    labelled, attributes = encode_dataset_coordinates(dataset)
    with h5netcdf.File(path, "r+") as file:
        for dim, size in dataset.sizes.items():
            if dim not in file.dimensions:
                file.dimensions[dim] = size
        for name in placed:
            kind, attrs = _stored(outline[name].kind)
            empty = kind.type(np.nan) if kind.kind == "f" else None
            dims = labelled[name].dims
            made = file.create_variable(name, dims, kind, fillvalue=empty, dcpl=_in_one_piece())
            made.attrs.update(labelled[name].attrs | attrs)
        file.attrs.pop("coordinates", None)  # some may be of what is placed
        # HDF5 keeps the room of an attribute that is written anew: a config may be large.
        file.attrs.update({k: v for k, v in attributes.items() if k not in file.attrs})


def _stored(kind: np.dtype) -> tuple[np.dtype, dict[str, Any]]:
    """Return what numbers are in a file, and what says so: NetCDF has no truth values."""
    return (np.dtype(np.int8), {"dtype": "bool"}) if kind.kind == "b" else (kind, {})


def _in_one_piece() -> Any:
    """Return how HDF5 gives a dataset its place at once, and leaves it to us to fill it."""
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    return how


class _Places:
    """A result file that is open, and where in it each variable begins."""

    def __init__(self, file: int, outline: Outline, offsets: dict[str, int]) -> None:
        """Begin with NaN wherever not every point has a variable."""
        self.file, self.outline, self.offsets = file, outline, offsets
        for name, offset in offsets.items():
            variable = outline[name]
            if not variable.full:
                n_values = outline.grid.size * math.prod(variable.shape)
                nan = np.full(PIECE // variable.kind.itemsize, np.nan, variable.kind)
                for first in range(0, n_values, len(nan)):
                    at = offset + first * variable.kind.itemsize
                    self._write(nan[: n_values - first], at)

    def put(self, points: np.ndarray, output: Output) -> None:
        """Write a block's fields `[S, C, …]` at its `points [S, C]`, -1 where it is padded."""
        order = np.argsort(points, axis=None)[np.count_nonzero(points < 0) :]
        at = points.ravel()[order]
        for name in self.offsets.keys() & output.fields.keys():
            values = np.asarray(output.fields[name].values)
            values = values.reshape(points.size, *values.shape[2:])[order]
            rows = self.outline.rows(name, values, output.coords)
            rows = np.ascontiguousarray(rows).reshape(len(at), -1).view(np.uint8)
            for part in _neighbours(at, rows.shape[1]):
                self._put_rows(at[part], rows[part], self.offsets[name])

    def _put_rows(self, at: np.ndarray, rows: np.ndarray, offset: int) -> None:
        """Write rows of bytes at sorted points of a variable; what lies between them stays."""
        first, n = offset + int(at[0]) * rows.shape[1], int(at[-1] - at[0]) + 1
        if n > len(rows):
            between = os.pread(self.file, n * rows.shape[1], first)
            whole = np.frombuffer(between, np.uint8).reshape(n, -1).copy()
            whole[at - at[0]] = rows
            rows = whole
        self._write(rows, first)

    def _write(self, values: np.ndarray, at: int) -> None:
        left = memoryview(values.tobytes())
        while left:  # as much as the system takes at a time
            n = os.pwrite(self.file, left, at)
            left, at = left[n:], at + n


def _neighbours(at: np.ndarray, n_bytes: int) -> Iterator[slice]:
    """Yield which sorted points, of so many bytes each, are written together."""
    far = np.diff(at) * n_bytes > PAGE + n_bytes
    far |= np.diff(at * n_bytes // PIECE) > 0
    ends = [*(np.flatnonzero(far) + 1).tolist(), len(at)]
    yield from map(slice, [0, *ends[:-1]], ends)
