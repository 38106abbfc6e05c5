"""No damage to a sealed file goes unseen, and everybody else reads it as ever."""

import os

import h5py
import numpy as np
import pytest
import xarray as xr

from sweeps.sealed import LENGTH, MARK, is_sealed, load_arrays, save_arrays, seal
from sweeps.store import open_dataset, save_dataset
from toymodels.errors import InputError

DATASET = xr.Dataset(
    {"loss": (("p", "seed"), np.random.default_rng(0).random((40, 5)).astype(np.float32))},
    {"p": np.geomspace(0.01, 1, 40), "note": "a text"},
    attrs={"config": '{"name": "x"}'},
)
ARRAYS = {"W": np.arange(60.0).reshape(3, 4, 5), "points": np.array([[0, -1]])}


@pytest.fixture
def result(tmp_path):
    save_dataset(DATASET, tmp_path / "a.nc")
    return tmp_path / "a.nc"


@pytest.fixture
def block(tmp_path):
    save_arrays(tmp_path / "a.npz", ARRAYS)
    return tmp_path / "a.npz"


@pytest.mark.parametrize("kind", ["result", "block"])
def test_no_flipped_bit_is_taken_in(kind, request):
    """A fuzzed HDF5 file may be read as if nothing were, or never end: its parser must not run."""
    path, random = request.getfixturevalue(kind), np.random.default_rng(1)
    n = path.stat().st_size
    with open(path, "r+b", buffering=0) as file:
        for at in {*random.integers(0, n, 300).tolist(), *range(n - LENGTH, n)}:
            was = os.pread(file.fileno(), 1, at)[0]
            os.pwrite(file.fileno(), bytes([was ^ 1 << int(random.integers(8))]), at)
            with pytest.raises(InputError, match="is damaged"):
                is_sealed(path)
            os.pwrite(file.fileno(), bytes([was]), at)
        assert is_sealed(path)
        os.pwrite(file.fileno(), b"?", n // 2)
    read = open_dataset if kind == "result" else load_arrays
    with pytest.raises(InputError, match=r"a\.n.* is damaged: its bytes are not those"):
        read(path)


@pytest.mark.parametrize("lost", [1, LENGTH - len(MARK), LENGTH - 1, LENGTH, LENGTH + 1, 500])
def test_a_file_that_lost_its_end_is_never_taken_for_whole(result, block, lost):
    result.write_bytes(result.read_bytes()[:-lost])
    try:
        xr.testing.assert_identical(open_dataset(result), DATASET)
        assert lost in (LENGTH - 1, LENGTH)  # of the seal alone, and (nearly) all of it
    except InputError as error:
        assert "a.nc" in str(error)
    block.write_bytes(block.read_bytes()[:-lost])
    with pytest.raises(InputError, match=r"a\.npz (is damaged|has no seal)"):
        load_arrays(block)


def test_what_follows_a_seal_is_damage(result):
    result.write_bytes(result.read_bytes() + b"\0" * 20)
    with pytest.raises(InputError, match="is damaged"):
        open_dataset(result)


def test_others_read_sealed_files_as_ever(result, block):
    assert is_sealed(result) and is_sealed(block)
    for engine in ("h5netcdf", None):
        with xr.open_dataset(result, engine=engine) as found:
            xr.testing.assert_identical(found.load(), DATASET)
    with h5py.File(result) as file:
        np.testing.assert_array_equal(file["loss"], DATASET.loss)
    with np.load(block) as found:
        for name, values in ARRAYS.items():
            np.testing.assert_array_equal(found[name], values)


def test_what_a_user_changed_is_read_as_it_is(result, tmp_path):
    with h5py.File(result, "r+") as file:  # in place, no byte more
        file["loss"][0, 0] = 7
    assert not is_sealed(result)
    assert float(open_dataset(result).loss[0, 0]) == 7
    with xr.open_dataset(result) as found:
        found.load().assign_attrs(mine=1).to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    assert open_dataset(tmp_path / "b.nc").attrs["mine"] == 1


def test_a_seal_is_of_all_bytes_however_many(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(3 * 2**20 + 5))
    seal(path)
    assert path.stat().st_size == 3 * 2**20 + 5 + LENGTH
    assert is_sealed(path)
    path.write_bytes(b"")
    assert not is_sealed(path)


def test_some_arrays_can_be_read_without_the_others(block):
    assert list(load_arrays(block, ("points",))) == ["points"]
