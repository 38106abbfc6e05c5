"""A result joined in its file: the dataset that is joined in memory, whole or not at all."""

import errno
import os
from functools import partial

import h5netcdf
import numpy as np
import pytest
import xarray as xr

from sweeps import written_result
from sweeps.grid import Axis, Dimension, Grid
from sweeps.packed import Output
from sweeps.results import Joiner, Labels
from sweeps.sealed import is_sealed
from sweeps.store import open_dataset, save_dataset
from sweeps.written_result import write_result
from toymodels.fields import Field

GRID = Grid(
    (
        Dimension("p", (Axis("features.p", "p", (0.1, 0.5, 0.7)),)),
        Dimension("z", (Axis("m", "model", ("a", "bb")), Axis("n", "n", (1, 2)))),
        Dimension("seed", (Axis("seed", "seed", (7, 9, 11)),)),
    )
)
COORDINATES = {
    "steps": 20,
    "kind": "independent",
    "rate": (("p", "z"), np.arange(6.0).reshape(3, 2)),
    "label": (("z",), np.array(["u", "ä"])),
    "told": True,
}
LABELS = Labels(COORDINATES, {"config": "{}", "provenance": "é" * 70_000})
RNG = np.random.default_rng(0)


def field(points, own=(), dims=(), kind: type = np.float32, **about):
    values = RNG.normal(size=(*points.shape, *own)) * 3
    return Field(values.astype(kind), dims, **about)


def small(points):
    """A block of small cells, that knows some things the others do not."""
    of = partial(field, points)
    fields = {
        "W": of((1, 3), ("hidden", "feature"), words="the weights"),
        "loss": of(words="the loss"),
        "state": of(kind=np.int8, words="how", meanings=("not yet", "done")),
        "curve": of((3,), ("step",)),
        "agrees": of(kind=bool),
        "n_agree": of(kind=np.int32),
        "exact": of(kind=np.float64),
    }
    return points, Output(fields, {"step": np.array([1, 5, 9], np.int32)})


def large(points):
    of = partial(field, points)
    fields = {
        "loss": of(),
        "W": of((2, 2), ("hidden", "feature")),
        "state": of(kind=np.int8),
        "curve": of((2,), ("step",)),
        "agrees": of(kind=bool),
        "is_large": of(kind=bool),
        "exact": of(kind=np.float64),
    }
    return points, Output(fields, {"step": np.array([2, 5])})


def words_and_nothing(points):
    values = np.array(["ä", "two", "three words"])[points % 3]
    return points, Output({"words": Field(values, ()), "none": field(points, (0,), ("no",))}, {})


def wider(points):
    """Blocks that differ in dtype, as those of a user's measure may."""
    kind, text = (np.int8, "<U1") if points.min() == 0 else (np.float64, "<U3")
    words = np.array(["zzz", "y"], text)[points % 2]
    return points, Output({"x": field(points, kind=kind), "words": Field(words, ())}, {})


ALL = np.arange(18).reshape(3, 2, 3)
PADDED = np.concatenate([ALL[:, 0].T, np.full((3, 2), -1)], axis=1)
SCATTERED = RNG.permutation(18).reshape(9, 2)
ONE = np.array([[0]])
CASES = {
    "alike": (GRID, [small(ALL[..., :2].reshape(6, 2).T), small(ALL[..., 2:].reshape(6, 1).T)]),
    "mixed": (GRID, [small(PADDED), large(ALL[:, 1].T)]),
    "scattered": (GRID, [small(SCATTERED[i::3]) for i in range(3)]),
    "wider": (GRID, [wider(ALL[:1].reshape(1, 6)), wider(ALL[1:].reshape(2, 6))]),
    "words": (GRID, [words_and_nothing(ALL.reshape(3, 6))]),
    "one point": (Grid(), [small(ONE)]),
    "own axis": (Grid(), [(ONE, Output({"step": field(ONE, (4,), ("step",))}, {}))]),
}


def in_the_file(path):
    """All that a file says of its variables, as it is written."""
    with h5netcdf.File(path) as file:
        told = {
            name: (v.dtype, v.dimensions, str(v._h5ds.fillvalue), sorted(v.attrs), str(v[...]))
            for name, v in file.variables.items()
        }
        return told, {k: v.size for k, v in file.dimensions.items()}, dict(file.attrs)


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_file_of_the_dataset_that_is_joined_in_memory(tmp_path, monkeypatch, case):
    """Points that are no more than some bytes apart are written together, others are not."""
    monkeypatch.setattr(written_result, "PAGE", 16)
    monkeypatch.setattr(written_result, "PIECE", 64)
    grid, blocks = CASES[case]
    joiner = Joiner(grid)
    for points, output in blocks:
        joiner.add(points, output)
    save_dataset(joiner.dataset(LABELS), tmp_path / "memory.nc")
    write_result(tmp_path / "file.nc", grid, lambda: iter(blocks), LABELS)
    assert in_the_file(tmp_path / "file.nc") == in_the_file(tmp_path / "memory.nc")
    found, wanted = (open_dataset(tmp_path / f"{name}.nc") for name in ("file", "memory"))
    xr.testing.assert_identical(found, wanted)
    assert {n: v.dtype for n, v in found.items()} == {n: v.dtype for n, v in wanted.items()}
    assert is_sealed(tmp_path / "file.nc")


def failing(error, at):
    """Blocks of which the last cannot be read when they are read for the `at`th time."""
    times = iter(range(1, 9))

    def blocks():
        now = next(times)
        yield CASES["mixed"][1][0]
        if now == at:
            raise error
        yield CASES["mixed"][1][1]

    return blocks


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("lost")])
def test_what_was_not_joined_to_the_end_is_not_there(tmp_path, error, at):
    with pytest.raises(type(error)):
        write_result(tmp_path / "result.nc", GRID, failing(error, at), LABELS)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_by_name(tmp_path, monkeypatch):
    room, write = iter(range(5)), os.pwrite

    def pwrite(file, data, at):
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[: max(1, len(data) // 2)], at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(OSError, match=r"No space left on device: .*result\.nc"):
        write_result(tmp_path / "result.nc", GRID, lambda: CASES["mixed"][1], LABELS)
    assert not list(tmp_path.iterdir())
