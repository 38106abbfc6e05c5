"""When a checkpoint is written, and what it is good for; what it holds is `work/test_halves.py`."""

import errno
from dataclasses import replace

import numpy as np
import pytest

from sweeps import checkpoint
from sweeps.checkpoint import Checkpoint, said_of
from sweeps.plan import Block, Layout, Program
from sweeps.sealed import save_arrays
from sweeps.work.base import CellWork
from toymodels.fields import Field

POINTS = np.arange(12)[None]
PROGRAM = Program(None, np.arange(12.0), (5,), POINTS)
BLOCK = Block(PROGRAM, np.arange(1), np.arange(12), Layout(1, 12), POINTS)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(checkpoint, "LARGEST_SHARE", float("inf"))


def keep(place, x, cost):
    place.keep(lambda: {"x": np.array(x)}, cost, (x, 2000), "step")


def test_what_was_kept_is_there_for_the_same_block_alone(tmp_path, at_once):
    place = Checkpoint(tmp_path / "a.checkpoint", BLOCK)
    assert (place.load(), place.cost(), said_of(place.path)) == ({}, 0, "")
    keep(place, 600, 1200)
    assert (place.load()["x"], place.cost()) == (600, 1200)
    assert said_of(place.path) == "step 600 of 2,000"
    other = Block(PROGRAM, np.arange(1), np.arange(12), Layout(1, 3), POINTS)
    assert Checkpoint(place.path, other).load() == {}
    assert Checkpoint(place.path, other).cost() == 0
    place.remove()
    place.remove()
    assert (place.load(), place.cost()) == ({}, 0)


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    """A clock of one second a step, and a disk that takes four for each checkpoint."""
    now, written = [0.0], []
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])

    def slow(path, arrays):
        written.append(now[0])
        now[0] += 4

    monkeypatch.setattr(checkpoint, "save_arrays", slow)
    place = Checkpoint(tmp_path / "a", BLOCK, written=0.0)
    for step in range(1000):
        now[0] += 1
        keep(place, step, step)
    assert written[0] == checkpoint.SECONDS_BETWEEN
    assert np.all(np.diff(written) >= 4 / checkpoint.LARGEST_SHARE)
    assert 4 <= len(written) <= 6


@pytest.mark.parametrize("text", [b"", b"x" * 200])
def test_a_checkpoint_that_cannot_be_read_is_none_and_goes(tmp_path, text, capsys):
    place = Checkpoint(tmp_path / "a.checkpoint", BLOCK)
    place.path.write_bytes(text)
    assert said_of(place.path) == ""
    assert place.load() == {}
    assert "a.checkpoint cannot be used" in capsys.readouterr().out
    assert not place.path.exists()
    save_arrays(place.path, {"x": np.array(1)})
    assert place.load() == {}


def test_a_full_disk_does_not_end_a_run_that_may_end_well(tmp_path, at_once, monkeypatch, capsys):
    def full(path, arrays):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_arrays", full)
    keep(Checkpoint(tmp_path / "a.checkpoint", BLOCK), 1, 1)
    assert "No space left on device); the run goes on" in capsys.readouterr().out


class Squares(CellWork):
    """Squares of a number, one cell after the other."""

    name, version, computed = "squares", 1, 0

    def compute(self, run, key):
        self.computed += 1
        return {"square": Field(np.array([run, run**2]), ("of",), "x and x²")}


def test_cells_that_were_computed_are_not_computed_again(tmp_path, at_once):
    """Whatever the sweep keeps: half a block is kept whole."""
    block = replace(BLOCK, program=replace(BLOCK.program, keep=("diverged",)))

    def advance(cost):
        if work.computed == 5:
            raise KeyboardInterrupt

    work, place = Squares(), Checkpoint(tmp_path / "a.checkpoint", BLOCK)
    with pytest.raises(KeyboardInterrupt):
        work.resume(block, advance, place)
    assert (said_of(place.path), place.cost()) == ("cell 5 of 12", 5)
    resumed = Squares()
    found = resumed.resume(block, lambda cost: None, place)
    assert resumed.computed == 7
    wanted = Squares().run(block, lambda cost: None)
    assert list(found.fields) == list(wanted.fields)
    for name, field in wanted.fields.items():
        np.testing.assert_array_equal(found.fields[name].values, field.values)
        assert found.fields[name].words == field.words
