import numpy as np
import pytest
import xarray as xr

from sweeps import store
from sweeps.store import copy_result, kept_dataset, open_dataset, provenance, save_dataset
from toymodels.errors import InputError


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_result_that_is_damaged_is_none_and_says_so(tmp_path, capsys):
    assert kept_dataset(tmp_path / "result.nc", "It is joined again.") is None
    path = tmp_path / "result.nc"
    save_dataset(xr.Dataset({"loss": 1.0}), path)
    assert kept_dataset(tmp_path / "result.nc", "It is joined again.") is not None
    assert capsys.readouterr().out == ""
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"?" + whole[101:])
    assert kept_dataset(tmp_path / "result.nc", "It is joined again.") is None
    said = capsys.readouterr().out
    assert "result.nc is damaged" in said and said.endswith(
        "that were written. It is joined again.\n"
    )
    path.unlink()
    path.mkdir()
    assert kept_dataset(tmp_path / "result.nc", "It is joined again.") is None


def test_a_dataset_comes_back_as_it_was(tmp_path):
    ds = xr.Dataset({"loss": (("p",), [0.5, np.nan])}, {"p": [0.1, 0.2]}, attrs={"config": "{}"})
    save_dataset(ds, tmp_path / "a.nc")
    xr.testing.assert_identical(open_dataset(tmp_path / "a.nc"), ds)
    assert files(tmp_path) == ["a.nc"]


def test_a_large_result_is_read_where_it_is_asked_for(tmp_path, monkeypatch):
    """As by `xarray.open_dataset`, but a damaged one is told as ever."""
    ds = xr.Dataset({"loss": (("p", "seed"), np.ones((300, 4)))}, {"p": np.arange(300)})
    path, copy = tmp_path / "a.nc", tmp_path / "copy.nc"
    save_dataset(ds, path)
    copy_result(path, copy)
    assert (copy.read_bytes(), files(tmp_path)) == (path.read_bytes(), ["a.nc", "copy.nc"])
    monkeypatch.setattr(store, "READ_WHOLE", path.stat().st_size)
    with open_dataset(path) as found:
        assert found["loss"].variable._in_memory
    monkeypatch.setattr(store, "READ_WHOLE", path.stat().st_size - 1)
    with open_dataset(path) as found:
        assert not found["loss"].variable._in_memory
        save_dataset(found.isel(p=slice(3)), path)
        np.testing.assert_array_equal(found["loss"].isel(p=299), np.ones(4))
    assert open_dataset(path).sizes["p"] == 3
    path.write_bytes(copy.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"a\.nc cannot be read as a result"):
        open_dataset(path)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * 99])
def test_a_damaged_result_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "a.nc"
    save_dataset(xr.Dataset({"loss": (("p",), np.zeros(1000))}), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"a\.nc cannot be read as a result"):
        open_dataset(path)


def test_a_folder_is_no_result(tmp_path):
    with pytest.raises(InputError, match="is a folder: give a result file in it"):
        open_dataset(tmp_path)


def test_a_missing_result_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"a\.nc: no such file"):
        open_dataset(tmp_path / "a.nc")


def test_provenance_says_where_numbers_came_from():
    facts = provenance(seed=3)
    assert facts["seed"] == 3
    assert facts["versions"]["jax"][0].isdigit()
    assert {"python", "platform", "device", "backend", "time"} <= set(facts)
