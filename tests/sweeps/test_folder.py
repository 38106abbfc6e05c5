"""A run's folder: whole blocks or none, one plan, one process or several that share it."""

import errno
import json
import math

import numpy as np
import pytest

from sweeps.folder import FILES, RunFolder
from sweeps.machine import Machine
from sweeps.packed import cut_of
from sweeps.plan import Block, Layout, Program
from toymodels.errors import InputError

POINTS = np.array([[0, -1]])
BLOCK = Block(Program(None, None, (0,), POINTS), np.arange(1), np.arange(2), Layout(1, 2), POINTS)
ARRAYS = {"model/W": np.arange(6.0).reshape(1, 2, 3)} | cut_of(BLOCK)
NONE_LIVES = 99_999_999  # more than any system's largest process number


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


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda b: b"",
        lambda b: b"x" * 99,
        lambda b: b[:99] + b"x" + b[100:],
    ],
)
def test_a_damaged_block_counts_as_none(tmp_path, damage, capsys):
    with RunFolder(tmp_path, "{}") as folder:
        folder.save_block(3, ARRAYS)
        path = folder.block_path(3)
        path.write_bytes(damage(path.read_bytes()))
        assert folder.load_block(3) is None
    assert "block 4 cannot be read" in capsys.readouterr().out


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
    (tmp_path / "blocks" / f"00001.npz.{NONE_LIVES}.partial").write_bytes(b"half")
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
        assert folder.machine(Machine(1)) == Machine(1)
        folder.keep_plan({"memory_bytes": 1, "blocks": 2})
        assert folder.machine(Machine(2)) == Machine(2)
        folder.save_block(0, ARRAYS)
        # An older version's plan: that used one device.
        assert folder.machine(Machine(3, "gpu", 4)) == Machine(1, "gpu", 1)


ODD = ["", "{", "[]", "3", "null", "NaN", '"x"', "{}", "[" * 100_000, "\0" * 64]
ODD += [json.dumps({"memory_bytes": v}) for v in ("x", None, True, 0, -1, 0.5, math.nan, 2**80)]


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:25])
def test_a_plan_that_cannot_be_read_costs_no_block_that_fits(tmp_path, text, capsys):
    with RunFolder(tmp_path, "{}") as folder:
        folder.save_block(0, ARRAYS)
        folder.save_block(1, ARRAYS | {"cut/layout": np.array([1, 1])})
        folder.save_block(2, ARRAYS)
        (tmp_path / "plan.json").write_text(text)
        assert folder.machine(Machine(4)) == Machine(4)
        assert "plan.json cannot be read" in capsys.readouterr().out
        folder.keep_plan({"memory_bytes": 4, "blocks": 2})
        found = [folder.load_block(i, BLOCK) is not None for i in range(3)]
    assert found == [True, False, False]
    assert json.loads((tmp_path / "plan.json").read_text()) == {"memory_bytes": 4, "blocks": 2}


@pytest.mark.parametrize("name", [*FILES, "blocks/00000.npz", "blocks/00000.checkpoint"])
def test_a_folder_in_the_place_of_a_file_is_refused_by_name(tmp_path, name):
    """Before anything is computed, and the lock is given back."""
    for fresh in (False, True):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        if not (fresh and name.startswith("blocks")):
            with pytest.raises(InputError, match=f"{name}, but a folder lies there: move it away"):
                RunFolder(tmp_path, "{}", fresh)
    RunFolder(tmp_path, "{}", fresh=True).close() if name.startswith("blocks") else None
    if (tmp_path / name).exists():
        (tmp_path / name).rmdir()
    RunFolder(tmp_path, "{}").close()
