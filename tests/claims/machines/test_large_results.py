"""Results that are larger than what memory may hold: joined one block at a time, or not at all."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from builders import ROOT, make_table

from sweeps import run_sweep
from sweeps.store import open_dataset

pytestmark = pytest.mark.claims

# Joins 400,000 made-up models, of which 20,000 stand in memory at a time.
JOIN = """
import resource, sys
from pathlib import Path
import numpy as np
from sweeps.grid import Axis, Dimension, Grid
from sweeps.packed import Output
from sweeps.results import Labels
from sweeps.written_result import write_result
from toymodels.fields import Field

def join(sizes, path):
    axes = zip("pqs", sizes)
    grid = Grid(tuple(Dimension(n, (Axis(n, n, tuple(range(k))),)) for n, k in axes))
    def blocks():
        for points in np.arange(grid.size).reshape(sizes):
            values = np.arange(100, dtype=np.float32) + points.T[..., None]
            yield points.T, Output({"curve": Field(values, ("step",))}, {})
    write_result(Path(path), grid, blocks, Labels({}, {}))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

join((2, 3, 10), sys.argv[1])
before = peak()
join((20, 2000, 10), sys.argv[1])
print(peak() - before)
"""

# Runs a sweep and dies when the second of its blocks is put into the result.
DIE = """
import json, os, signal, sys
from sweeps import run_sweep, written_result
from sweeps.work import layout
layout.CPU_BLOCK = 2
put, times = written_result._Places.put, iter(range(9))
def put_or_die(self, *block):
    if next(times) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    put(self, *block)
written_result._Places.put = put_or_die
run_sweep(json.loads(sys.argv[1]), out=sys.argv[2])
"""


def child(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        text=True,
    )


def test_joining_holds_one_block_at_a_time(tmp_path):
    path = tmp_path / "result.nc"
    done = child(JOIN, path)
    assert done.returncode == 0, done.stderr
    assert path.stat().st_size > 150e6
    assert int(done.stdout) < 50e6
    with xr.open_dataset(path) as dataset:
        found = dataset["curve"].isel(p=13, q=[7, 1999])
        points = np.arange(400_000).reshape(20, 2000, 10)[13, [7, 1999]]
        np.testing.assert_array_equal(found, np.arange(100) + points[..., None])


def test_a_kill_while_joining_costs_no_block_and_leaves_no_half(tmp_path):
    table = make_table(name="killed")
    done = child(DIE, json.dumps(table), tmp_path)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert len(list((run / "blocks").iterdir())) == 3
    assert not (run / "result.nc").exists() and not (tmp_path / "killed.nc").exists()
    result = run_sweep(table, out=tmp_path)
    xr.testing.assert_equal(result, run_sweep(table))
    xr.testing.assert_identical(result, open_dataset(tmp_path / "killed.nc"))
    assert not list(tmp_path.rglob("*.partial"))
