import errno

import numpy as np
import pytest
import xarray as xr

from sweeps.store import RunFolder, open_dataset, provenance, save_dataset, write_json, writing
from toymodels.errors import InputError

ARRAYS = {"model/W": np.arange(6.0).reshape(1, 2, 3), "points": np.array([[0, -1]])}


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_block_comes_back_as_it_was(tmp_path):
    with RunFolder(tmp_path, "{}") as folder:
        assert folder.load_block(0) is None
        folder.save_block(0, ARRAYS)
        again = folder.load_block(0)
    assert again is not None
    assert sorted(again) == sorted(ARRAYS)
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(again[name], values)
        assert again[name].dtype == values.dtype


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * 99])
def test_a_damaged_block_counts_as_none(tmp_path, damage, capsys):
    with RunFolder(tmp_path, "{}") as folder:
        folder.save_block(3, ARRAYS)
        path = folder.block_path(3)
        path.write_bytes(damage(path.read_bytes()))
        assert folder.load_block(3) is None
    assert "block 3 cannot be read" in capsys.readouterr().out


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})

    def fail():
        with writing(path) as beside:
            beside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert files(tmp_path) == ["a.json"]
    assert path.read_text() == '{\n  "x": 1\n}\n'


def test_a_full_disk_keeps_finished_blocks_and_leaves_no_halves(tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with RunFolder(tmp_path, "{}") as folder:
        folder.save_block(0, ARRAYS)
        monkeypatch.setattr(np, "savez", full)
        with pytest.raises((OSError, InputError), match="No space left"):
            folder.save_block(1, ARRAYS)
        assert folder.load_block(0) is not None
    assert files(tmp_path) == ["blocks/00000.npz", "config.json", "lock"]


def test_a_second_run_of_a_folder_is_refused_until_the_first_ends(tmp_path):
    with RunFolder(tmp_path, "{}"), pytest.raises(InputError, match="another run is working in"):
        RunFolder(tmp_path, "{}")
    RunFolder(tmp_path, "{}").close()


def test_halves_of_a_killed_run_are_removed(tmp_path):
    RunFolder(tmp_path, "{}").close()
    (tmp_path / "blocks" / "00001.npz.77.partial").write_bytes(b"half")
    RunFolder(tmp_path, "{}").close()
    assert files(tmp_path) == ["config.json", "lock"]


def test_fresh_removes_what_was_there(tmp_path):
    with RunFolder(tmp_path, "{}") as folder:
        folder.save_block(0, ARRAYS)
        (tmp_path / "result.nc").write_bytes(b"")
    with RunFolder(tmp_path, "{}", fresh=True) as folder:
        assert folder.load_block(0) is None
    assert files(tmp_path) == ["config.json", "lock"]


@pytest.mark.parametrize("place", ["", "runs", "runs/blocks", "runs/lock"])
def test_something_in_the_folders_place_is_refused(tmp_path, place):
    out = tmp_path / "out"
    target = out / place
    target.parent.mkdir(parents=True, exist_ok=True)
    target.mkdir() if place.endswith("lock") else target.write_bytes(b"here first")
    with pytest.raises(InputError, match=r"cannot write to the output folder .*--out"):
        RunFolder(out / "runs", "{}")


def test_a_plan_stays_as_long_as_there_are_blocks(tmp_path):
    with RunFolder(tmp_path, "{}") as folder:
        assert folder.plan({"memory_bytes": 1}) == {"memory_bytes": 1}
        assert folder.plan({"memory_bytes": 2}) == {"memory_bytes": 2}
        folder.save_block(0, ARRAYS)
        assert folder.plan({"memory_bytes": 3}) == {"memory_bytes": 2}
        (tmp_path / "plan.json").write_text("{")
        assert folder.plan({"memory_bytes": 4}) == {"memory_bytes": 4}
        assert folder.load_block(0) is None


def test_a_dataset_comes_back_as_it_was(tmp_path):
    ds = xr.Dataset({"loss": (("p",), [0.5, np.nan])}, {"p": [0.1, 0.2]}, attrs={"config": "{}"})
    save_dataset(ds, tmp_path / "a.nc")
    xr.testing.assert_identical(open_dataset(tmp_path / "a.nc"), ds)
    assert files(tmp_path) == ["a.nc"]


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * 99])
def test_a_damaged_result_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "a.nc"
    save_dataset(xr.Dataset({"loss": (("p",), np.zeros(1000))}), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"a\.nc cannot be read as a result"):
        open_dataset(path)


def test_a_missing_result_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"a\.nc: no such file"):
        open_dataset(tmp_path / "a.nc")


def test_provenance_says_where_numbers_came_from():
    facts = provenance(seed=3)
    assert facts["seed"] == 3
    assert facts["versions"]["jax"][0].isdigit()
    assert {"python", "platform", "device", "backend", "time"} <= set(facts)
