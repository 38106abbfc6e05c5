"""What is said of a cluster that fails; `tests/claims/machines` runs a real one."""

import re
from concurrent.futures import CancelledError
from types import SimpleNamespace

import numpy as np
import pytest
from distributed.scheduler import KilledWorker

from sweeps.executors.base import Job
from sweeps.executors.cluster import Cluster, Waiting, await_blocks
from sweeps.executors.pace import Pace
from sweeps.executors.worker import Failed, versions_here
from sweeps.folder import BlockFiles
from toymodels.errors import InputError


class Client:
    """Stands for a `distributed.Client`."""

    status, asynchronous = "running", False
    scheduler = SimpleNamespace(address="tcp://head:8786")

    def __init__(self, **versions):
        own = versions_here() | {"python": "3.11.7.final.0"}
        own["python"] = versions_here()["python"] + ".7.final.0"
        self.packages, self.cancelled = own | versions, []

    def get_versions(self, packages):
        return {"workers": {"tcp://node:1": {"packages": self.packages}}}

    def cancel(self, futures):
        self.cancelled += futures


class Future:
    """One whose result is known."""

    def __init__(self, result, status="finished"):
        self.of, self.status = result, status

    def result(self, timeout=None):
        if isinstance(self.of, Exception):
            raise self.of
        return self.of


def test_a_client_that_is_closed_is_refused():
    client = Client()
    client.status = "closed"
    with pytest.raises(InputError, match="open"):
        Cluster(client)


def test_a_worker_of_other_versions_is_refused():
    Cluster(Client()).check_versions()
    for wrong in ({"jax": "0.1"}, {"toymodels": None}, {"python": "3.8.1.final.0"}):
        with pytest.raises(
            InputError, match=f"worker tcp://node:1 has {next(iter(wrong))} "
        ) as told:
            Cluster(Client(**wrong)).check_versions()
        assert "install" in str(told.value)


def test_what_cannot_be_sent_is_told_in_one_line():
    cell = SimpleNamespace(work=SimpleNamespace(cost=lambda block: 1))
    with pytest.raises(InputError, match="block 1 cannot be sent to workers: "):
        Cluster(Client())._send(Job(0, SimpleNamespace(program=cell)), None, None, "key")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Failed("MemoryError", "tcp://node:1"), "block 8 failed on worker tcp://node:1: Memory"),
        (KilledWorker("x-7", SimpleNamespace(address="tcp://node:2"), 10), "11 workers.*node:2"),
        (CancelledError(), "block 8 was dropped: the scheduler tcp://head:8786 is gone"),
        (OSError(), "the scheduler tcp://head:8786 is gone"),
        (ModuleNotFoundError("No module named 'sweeps'"), "block 8 failed: .*'sweeps'"),
    ],
)
def test_what_fails_is_one_line_that_says_how_to_go_on(error, said):
    with pytest.raises(InputError, match=said) as told:
        Cluster(Client())._result(Future(error), Job(7, None))
    assert "The same command goes on" in str(told.value)
    assert "\n" not in str(told.value)


def test_what_finished_meanwhile_is_kept_and_the_rest_is_cancelled(tmp_path):
    (tmp_path / "blocks").mkdir()
    folder, client = BlockFiles(tmp_path), Client()
    futures = [Future({"x": np.ones(2)}), Future(OSError()), Future(None, "pending")]
    sent = {str(i): Waiting(f, Job(i, None), 1) for i, f in enumerate(futures)}
    Cluster(client)._keep_rest(sent, folder)
    assert [folder.block_path(i).exists() for i in range(3)] == [True, False, False]
    assert client.cancelled == futures


def test_a_block_that_is_not_seen_in_the_end_is_named(tmp_path, monkeypatch):
    (tmp_path / "blocks").mkdir()
    monkeypatch.setattr("sweeps.executors.cluster.SECONDS_TO_SEE_A_FILE", 0)
    await_blocks(BlockFiles(tmp_path), [])
    with pytest.raises(InputError, match="block 3 was written by a worker but is not seen"):
        await_blocks(BlockFiles(tmp_path), [2])


def test_workers_are_told_when_their_number_changes_and_their_pace_in_the_end(monkeypatch):
    said, numbers = [], [0, 2, 2]
    monkeypatch.setattr("sweeps.executors.pace.SECONDS_BETWEEN_COUNTS", 0)
    pace = Pace(lambda: numbers.pop(0), said.append)
    pace.count(5)
    pace.count(5)
    pace.end()
    assert said[:2] == ["on 0 workers, waiting for some", "on 2 workers"]
    assert re.fullmatch(r"on 2 workers: \S+ models/s", said[2])
