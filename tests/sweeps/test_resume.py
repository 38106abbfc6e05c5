"""A run that was killed goes on where it stopped and ends as if nothing had happened."""

import errno
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from builders import Ear, make_table

from sweeps import checkpoint, run_sweep
from sweeps.status import blocks_done
from sweeps.work import layout
from toymodels.errors import InputError

TABLE = make_table(
    name="killed", steps=300, grid={"p_active": [0.1, 0.3, 0.5, 0.7], "seed": [0, 1]}
)
BLOCKS = 4

# The child waits before its last but one block, so that it is surely stopped in the middle. A shell
# that starts the tests in the background lets them ignore Ctrl-C, so the child asks for it again.
DRIVER = f"""
import sys, json, time, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import sweeps.work.layout, sweeps.folder
from sweeps import checkpoint, run_sweep
from sweeps.status import blocks_done
sweeps.work.layout.CPU_BLOCK = 2
save = sweeps.folder.RunFolder.save_block
def save_and_hold(self, i, arrays):
    if i == {BLOCKS - 2}:
        print("held", flush=True)
        time.sleep(60)
    save(self, i, arrays)
sweeps.folder.RunFolder.save_block = save_and_hold
run_sweep(json.loads(sys.argv[1]), out=sys.argv[2])
"""


@pytest.fixture(scope="module")
def whole():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CPU_BLOCK", 2)
        return run_sweep(TABLE)


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(layout, "CPU_BLOCK", 2)


def blocks_in(out):
    return sorted(p.name for p in out.glob("runs/*/blocks/*.npz"))


def interrupted(out, compile_cache, number, while_held=lambda: None):
    """Start a sweep in a process of its own and end it by a signal in its last but one block."""
    child = subprocess.Popen(
        [sys.executable, "-c", DRIVER, json.dumps(TABLE), str(out)],
        env=os.environ | compile_cache,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        while_held()
        os.kill(child.pid, number)
        child.wait(timeout=30)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    return child.returncode


def test_a_killed_run_resumes_and_ends_identical(tmp_path, whole, narrow, compile_cache):
    def second_run():
        with pytest.raises(InputError, match="another run is working in"):
            run_sweep(TABLE, out=tmp_path)

    assert interrupted(tmp_path, compile_cache, signal.SIGKILL, second_run) == -signal.SIGKILL
    assert blocks_in(tmp_path) == ["00000.npz", "00001.npz"]
    assert not (tmp_path / "killed.nc").exists()
    ear = Ear()
    resumed = run_sweep(TABLE, out=tmp_path, report=ear)
    ((_, cost, done),) = ear.heard
    assert (done, ear.steps) == (cost // 2, cost // 2)
    xr.testing.assert_equal(resumed, whole)
    for name in whole:
        np.testing.assert_array_equal(resumed[name], whole[name])


def test_a_run_stopped_by_ctrl_c_resumes_and_ends_identical(tmp_path, whole, narrow, compile_cache):
    assert interrupted(tmp_path, compile_cache, signal.SIGINT) != 0
    assert blocks_in(tmp_path) == ["00000.npz", "00001.npz"]
    assert not list(tmp_path.rglob("*.partial"))
    xr.testing.assert_equal(run_sweep(TABLE, out=tmp_path), whole)


def test_a_full_disk_stops_a_run_that_later_resumes(tmp_path, whole, narrow, monkeypatch):
    real, calls = np.savez, []

    def full(file, **arrays):
        calls.append(file)
        if len(calls) == 3:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, **arrays)

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises((OSError, InputError), match="No space left"):
        run_sweep(TABLE, out=tmp_path)
    assert blocks_in(tmp_path) == ["00000.npz", "00001.npz"]
    assert not list(tmp_path.rglob("*.partial"))
    xr.testing.assert_equal(run_sweep(TABLE, out=tmp_path), whole)


def test_a_resumed_run_keeps_the_cut_of_its_blocks(tmp_path, whole, narrow, monkeypatch):
    """Other memory at the second try: the plan of the first holds, and so do its blocks."""
    run_sweep(TABLE, out=tmp_path)
    (folder,) = (tmp_path / "runs").iterdir()
    (folder / "result.nc").unlink()
    (folder / "blocks" / "00001.npz").write_bytes(b"damaged")
    resumed = run_sweep(TABLE, out=tmp_path, memory_gib=0.5)
    xr.testing.assert_equal(resumed, whole)
    kept = json.loads((folder / "plan.json").read_text())
    assert (kept["memory_bytes"], kept["blocks"]) == (2 * 2**30, BLOCKS)


class Stop(Ear):
    """Presses Ctrl-C when so much is done."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def advance(self, cost):
        super().advance(cost)
        if self.steps >= self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("damaged", [False, True])
def test_a_run_stopped_inside_a_block_goes_on_from_there(
    tmp_path, whole, narrow, monkeypatch, damaged
):
    """A block is 2 models × 300 steps; the second is stopped after its first 75."""
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(checkpoint, "LARGEST_SHARE", float("inf"))
    with pytest.raises(KeyboardInterrupt):
        run_sweep(TABLE, out=tmp_path, report=Stop(at=600 + 2 * 75))
    (folder,) = (tmp_path / "runs").iterdir()
    assert blocks_done(folder) == "1 of 4 blocks, block 2 at step 75 of 300"
    (kept,) = folder.rglob("*.checkpoint")
    if damaged:
        kept.write_bytes(kept.read_bytes()[:200] + b"?" + kept.read_bytes()[201:])
    ear = Ear()
    resumed = run_sweep(TABLE, out=tmp_path, report=ear)
    done = 600 if damaged else 750
    assert (ear.heard, ear.steps) == ([(8, 2400, done)], 2400 - done)
    for name in whole:
        np.testing.assert_array_equal(resumed[name], whole[name])
    assert not list(folder.rglob("*.checkpoint"))
    assert blocks_done(folder) == "4 of 4 blocks"
