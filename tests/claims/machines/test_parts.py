"""Parts of a sweep in processes that are killed, started again, and two at once."""

import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from builders import Ear, make_table

from sweeps import run_sweep
from sweeps.work import layout

pytestmark = pytest.mark.claims

BLOCKS, PARTS = 16, 8
TABLE = make_table(
    name="parted",
    steps=6000,
    grid={"p_active": {"linear": [0.1, 0.9, BLOCKS]}, "seed": {"range": 2}},
)

# Starts the parts of each round side by side, forked when all is imported and JAX has not begun. A
# process that is to be killed is so at a random moment of its work. Half a block is kept at every
# chance, so that kills meet that too; who loses a claim or the half of a file does not end well.
DRIVER = """
import json, os, random, signal, sys, threading, time, traceback
import sweeps.checkpoint, sweeps.folder, sweeps.work.layout
from sweeps.progress import Quiet
from sweeps.run import run_part

table, out, rounds = json.loads(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
sweeps.work.layout.CPU_BLOCK = 2
sweeps.checkpoint.SECONDS_BETWEEN, sweeps.checkpoint.LARGEST_SHARE = 0.0, float("inf")
save, moments = sweeps.folder.RunFolder.save_block, random.Random(13)

def save_and_say(self, i, arrays):
    with open(os.path.join(out, "saved"), "a") as file:
        file.write(f"{i}\\n")
    claim = self.block_path(i).with_suffix(".claim")
    before = os.stat(claim).st_ino
    save(self, i, arrays)
    assert os.stat(claim).st_ino == before, f"the claim of block {i} is not what it was"
sweeps.folder.RunFolder.save_block = save_and_say

class Killer(Quiet):
    def __init__(self, seconds):
        kill = os.kill, (os.getpid(), signal.SIGKILL)
        self.timer = threading.Timer(seconds, *kill) if seconds is not None else None

    def advance(self, cost):
        if self.timer is not None and not self.timer.is_alive():
            self.timer.start()

def start(part, seconds):
    if pid := os.fork():
        return pid
    try:
        run_part(table, part, out=out, report=Killer(seconds))
        if seconds is not None:  # it was faster
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)

for parts, most in rounds:
    children = [start(p, None if most is None else moments.uniform(0, most)) for p in parts]
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    print(json.dumps(codes), flush=True)
"""


@pytest.fixture(scope="module")
def whole():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CPU_BLOCK", 2)
        return run_sweep(TABLE)


def driven(out, compile_cache, rounds):
    """Run rounds of `(parts, most seconds of work until a kill, or None)`; return exit codes."""
    given = [json.dumps(TABLE), str(out), json.dumps(rounds)]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *given],
        env=os.environ | compile_cache,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    return [json.loads(line) for line in lines]


def saved(out):
    """Count how often each block was computed."""
    return Counter((out / "saved").read_text().split())


def assert_identical(found, expected):
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_parts_that_are_killed_and_started_again_end_as_the_single_run(
    tmp_path, whole, compile_cache, monkeypatch
):
    """The last part is always killed, so that none of them has joined them all."""
    monkeypatch.setattr(layout, "CPU_BLOCK", 2)
    first, last = ([f"{i}/{PARTS}" for i in range(k, k + PARTS // 2)] for k in (0, PARTS // 2))
    rounds = [(first, 0.5), (first, 2.0), (first, None), (last, 1.0), (last[:-1], None)]
    codes = driven(tmp_path, compile_cache, rounds)
    assert codes == [[-9] * 4, [-9] * 4, [0] * 4, [-9] * 4, [0] * 3]
    (run,) = (tmp_path / "runs").iterdir()
    assert len(list(run.glob("blocks/*.npz"))) >= BLOCKS - 2
    ear = Ear()
    joined = run_sweep(TABLE, out=tmp_path, report=ear)
    ((models, cost, done),) = ear.heard
    assert (models, done + ear.steps) == (whole["loss"].size, cost)
    assert_identical(joined, whole)
    left = [p.name for p in run.rglob("*") if p.suffix in (".claim", ".partial", ".checkpoint")]
    assert not left


def test_two_processes_with_the_same_part_compute_each_block_once(tmp_path, whole, compile_cache):
    codes = driven(tmp_path, compile_cache, [(["0/2", "0/2", "1/2", "2/2"], None)])
    assert codes == [[0] * 4]
    assert saved(tmp_path) == {str(i): 1 for i in range(BLOCKS)}
    (run,) = (tmp_path / "runs").iterdir()
    assert not [p for p in run.rglob("*") if p.suffix in (".claim", ".partial", ".checkpoint")]
    assert_identical(run_sweep(TABLE, out=tmp_path), whole)
