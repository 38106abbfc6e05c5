"""A real cluster of two processes: the numbers are those of one, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import time

import flax
import jax
import numpy as np
import pytest
from builders import Ear, make_run, make_table

from sweeps import Axis, Dimension, Grid, parse, run_grid, run_sweep
from sweeps.config.registry import look_in
from sweeps.executors.start import local
from sweeps.folder import RunFolder
from sweeps.run import folder_of
from sweeps.work import layout
from toymodels.errors import InputError

pytestmark = pytest.mark.claims

TABLE = make_table(grid={"p_active": [0.1, 0.2, 0.4, 0.6, 0.8, 1.0], "seed": [0, 1]})

POISON = """
import multiprocessing, pathlib

from toymodels.fields import Field

def measure(run, model, key):
    if multiprocessing.parent_process() is not None:
        with open(pathlib.Path(__file__).with_suffix(".tries"), "a") as file:
            file.write("x")
        if len(pathlib.Path(__file__).with_suffix(".tries").read_text()) <= FAILURES:
            raise ValueError("poison")
    return {"total": Field(model.W.sum(), (), "the sum of W")}
"""


@pytest.fixture(scope="module", autouse=True)
def narrow():
    """Blocks of one cell and both seeds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CPU_BLOCK", 2)
        yield


@pytest.fixture(scope="module")
def client():
    with local(2) as client:
        yield client


@pytest.fixture(scope="module")
def whole():
    return run_sweep(TABLE)


def assert_same(found, whole):
    assert set(found) == set(whole)
    for name in whole:
        np.testing.assert_array_equal(found[name], whole[name], err_msg=name)


class Interrupting(Ear):
    """Does something when the first block is done."""

    def __init__(self, then):
        super().__init__()
        self.then = then

    def advance(self, cost):
        super().advance(cost)
        then, self.then = self.then, lambda: None
        then()


def test_workers_write_the_numbers_of_one_process(client, whole, tmp_path, monkeypatch):
    saved, ear = [], Ear()
    monkeypatch.setattr(RunFolder, "save_block", lambda self, i, arrays: saved.append(i))
    assert_same(run_sweep(TABLE, out=tmp_path, cluster=client, report=ear), whole)
    assert not saved  # they see the folder
    assert (ear.heard, ear.steps, ear.finished) == ([(12, 240, 0)], 240, 1)
    assert sorted(p.name for p in tmp_path.glob("runs/*/blocks/*")) == [
        f"{i:05d}.npz" for i in range(6)
    ]


def test_without_a_folder_arrays_come_back(client, whole):
    assert_same(run_sweep(TABLE, cluster=client), whole)


def test_workers_that_are_killed_cost_their_blocks_alone(client, whole, tmp_path):
    pids = client.run(os.getpid).values()
    ear = Interrupting(lambda: [os.kill(pid, signal.SIGKILL) for pid in pids])
    assert_same(run_sweep(TABLE, out=tmp_path, cluster=client, report=ear), whole)
    assert ear.steps == 240
    assert not set(pids) & set(client.run(os.getpid).values())


def own_module(folder, name, failures):
    folder.mkdir()
    (folder / f"{name}.py").write_text(POISON.replace("FAILURES", str(failures)))
    look_in(folder)
    return make_table(measures=[f"{name}:measure"])


def test_a_block_of_a_users_module_that_fails_once_is_tried_again(client, tmp_path):
    found = run_sweep(own_module(tmp_path / "mine", "poisoned_once", 1), cluster=client)
    np.testing.assert_allclose(found.total, found.W.sum(("hidden", "feature")), rtol=1e-6)
    assert len((tmp_path / "mine" / "poisoned_once.tries").read_text()) >= 2


def test_a_block_that_always_fails_is_told_in_one_line(client, tmp_path):
    table = own_module(tmp_path / "mine", "poisoned_always", 10**6)
    with pytest.raises(
        InputError, match=r"block \d failed on worker tcp://.*poison.*line 11"
    ) as told:
        run_sweep(table, out=tmp_path, cluster=client)
    assert told.value.__context__ is None  # no traceback of Dask
    assert not list(tmp_path.glob("runs/*/blocks/*"))  # the probe is gone


def test_what_is_stopped_keeps_what_is_finished_and_cancels_the_rest(client, whole, tmp_path):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(TABLE, out=tmp_path, cluster=client, report=Interrupting(stop))
    assert list(tmp_path.glob("runs/*/blocks/*.npz"))
    began = time.monotonic()
    while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)):
        assert time.monotonic() < began + 20
        time.sleep(0.1)
    assert_same(run_sweep(TABLE, out=tmp_path, cluster=client), whole)


def test_a_grid_of_records_that_only_this_process_knows(client):
    @flax.struct.dataclass
    class Doubled:
        inner: object
        by: jax.Array
        name: str = flax.struct.field(pytree_node=False, default="doubled")

        def __call__(self, key):
            model = self.inner(key)
            return model.replace(W=model.W * self.by)

    factor = np.float32(2)

    def build(values):
        run = make_run(p_active=values["p"], steps=20)
        return run.replace(init=Doubled(run.init, factor))

    axes = (Axis("p", "p", (0.2, 0.7)), Axis("seed", "seed", (0, 1)))
    grid = Grid(tuple(Dimension(axis.name, (axis,)) for axis in axes))
    assert_same(run_grid(grid, build, cluster=client), run_grid(grid, build))


def test_a_scheduler_that_dies_loses_nothing(whole, tmp_path):
    file = tmp_path / "scheduler.json"
    start = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--port",
        "0",
        "--no-dashboard",
        "--dashboard-address",
        "localhost:0",
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    scheduler = subprocess.Popen([*start, "--scheduler-file", str(file)], **quiet)
    start = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--no-dashboard"]
    start += ["--nthreads", "1", "--death-timeout", "5"]
    worker = subprocess.Popen([*start, "--scheduler-file", str(file)], **quiet)
    try:
        while not file.exists():
            assert scheduler.poll() is None
            time.sleep(0.1)
        out = tmp_path / "out"
        with pytest.raises(InputError, match=r"is gone.*The same command goes on"):
            run_sweep(TABLE, out=out, cluster=str(file), report=Interrupting(scheduler.kill))
    finally:
        scheduler.kill()
        worker.kill()
        assert scheduler.wait() and worker.wait()
    blocks = folder_of(parse(TABLE), out) / "blocks"
    before = {path: path.stat().st_mtime_ns for path in blocks.glob("*.npz")}
    assert before
    assert_same(run_sweep(TABLE, out=out), whole)
    assert {path: path.stat().st_mtime_ns for path in before} == before
