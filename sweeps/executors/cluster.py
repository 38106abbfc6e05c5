"""Sends blocks to the workers of a Dask cluster; `sweeps.executors.worker` is the other end.

Dask hands out the blocks, and gives those of a lost worker to others. Finished blocks are kept in
the run's folder, so they outlive the cluster.

A scheduler that is already running keeps its own settings: how many workers may die on the same
block (`distributed.scheduler.allowed-failures`, 3 by default), and how long a block waits when
there are no workers (`no-workers-timeout`, for ever by default).
"""

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

from sweeps.atomic import HOST
from sweeps.executors.base import Arrays, Executor, Folder, Job
from sweeps.executors.pace import Pace
from sweeps.executors.start import client_of
from sweeps.executors.worker import (
    CHECKED,
    Failed,
    Place,
    differences,
    run_block,
    said_of,
    send,
    versions_here,
)
from toymodels.errors import InputError

RETRIES = 2  # of a block that fails; if its worker dies, the scheduler decides

SECONDS_TO_SEE_A_FILE = 60.0  # network file systems may cache what is in a folder for so long

GOES_ON = "The same command goes on from what is kept in --out."


class Waiting(NamedTuple):
    """A block that was sent."""

    future: Any
    job: Job
    cost: int  # of what its checkpoint does not hold yet


@contextlib.contextmanager
def executor_of(
    cluster: Any, say: Callable[[str], None] | None = None
) -> Iterator[Executor | None]:
    """Yield the executor for a cluster, None for this process; close what was started for it.

    Args:
        cluster: "local:4", "tcp://HOST:PORT", the path of a scheduler file, a
            `distributed.Client`, a cluster of Dask such as dask-jobqueue's, an executor, or None.
        say: is told of workers and models per second.

    Raises:
        InputError: it is none of these, no scheduler answers, or Dask is not installed.
    """
    kind = type(cluster)
    if cluster is None or (hasattr(kind, "run") and not hasattr(kind, "submit")):
        yield cluster
        return
    with client_of(cluster) as client:
        yield Cluster(client, say=say)


class Cluster:
    """An executor that sends blocks to the workers of a `distributed.Client`."""

    def __init__(
        self,
        client: Any,
        *,
        resources: dict[str, float] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Take a client.

        Args:
            client: a `distributed.Client`; it stays open.
            resources: what a block needs of a worker's resources, such as `{"GPU": 1}`.
            say: is told of workers and models per second.

        Raises:
            InputError: a client that is closed or asynchronous.
        """
        if getattr(client, "asynchronous", False) or client.status != "running":
            raise InputError(
                f"cluster = {client}: give a distributed.Client that is open and not asynchronous."
            )
        self.client, self.resources = client, resources
        self.say = say or (lambda text: None)

    def run(
        self, jobs: Iterable[Job], folder: Folder | None, advance: Callable[[int], None]
    ) -> Generator[tuple[int, Arrays], None, None]:
        """Send blocks, and yield the number of each as it finishes.

        Raises:
            InputError: a worker has other versions, a block keeps failing, or the scheduler is
                gone; finished blocks are kept.
        """
        from distributed import as_completed

        todo = iter(jobs)
        if (first := next(todo, None)) is None:
            return
        self.check_versions()
        pace, sent, finished = Pace(self.workers, self.say), {}, as_completed(loop=self.client.loop)
        name = folder.path.name if folder is not None else "sweep"
        key, elsewhere = f"{name}-{secrets.token_hex(4)}", []
        with contextlib.ExitStack() as stack:
            place = stack.enter_context(probe(folder)) if folder is not None else None
            stack.callback(self._keep_rest, sent, folder)

            def send_more(job: Job | None) -> None:
                while job is not None:
                    sent[f"{key}-{job.number}"] = waiting = self._send(job, folder, place, key)
                    finished.add(waiting.future)
                    job = next(todo, None) if len(sent) < pace.most_waiting() else None

            send_more(first)
            for future in finished:
                job, cost = sent[future.key][1:]
                arrays = self._result(future, job)
                if folder is None:
                    pass
                elif arrays is None:
                    elsewhere.append(job.number)
                else:
                    folder.save_block(job.number, arrays)
                    arrays = None
                del sent[future.key]
                send_more(next(todo, None))
                advance(cost)
                pace.count(job.block.n_models)
                yield job.number, arrays
            if folder is not None:
                await_blocks(folder, elsewhere)
        pace.end()

    def check_versions(self) -> None:
        """Refuse workers whose versions of packages differ from those here."""
        here = versions_here()
        for worker, found in self.client.get_versions(packages=list(CHECKED))["workers"].items():
            there = {name: found["packages"].get(name) or "not installed" for name in CHECKED}
            there["python"] = ".".join(found["packages"]["python"].split(".")[:2])
            differ = differences(here, there)
            if differ:
                raise InputError(f"worker {worker} has {differ}: install there what is here.")

    def workers(self) -> int:
        """Return how many workers there are now."""
        return len(self.client.nthreads())

    def _send(self, job: Job, folder: Folder | None, place: Place | None, key: str) -> Waiting:
        from dask import config

        work = job.block.program.work
        done = folder.checkpoint(*job).cost() if folder is not None else 0
        try:
            sent = send(job.number, job.block, place)
        except Exception as error:  # whatever a user's own objects raise when they are pickled
            raise InputError(
                f"block {job.number + 1} cannot be sent to workers: {said_of(error)}."
            ) from None
        with config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
            future = self.client.submit(
                run_block,
                sent,
                key=f"{key}-{job.number}",
                pure=False,
                retries=RETRIES,
                priority=-job.number,
                resources=self.resources,
            )
        return Waiting(future, job, work.cost(job.block) - done)

    def _result(self, future: Any, job: Job) -> Arrays:
        """Return what the worker of a block returned, or say in one line why there is nothing."""
        from distributed.scheduler import KilledWorker

        try:
            return future.result()
        except Failed as failed:
            said = f"failed on worker {failed.worker}: {failed.said}"
        except KilledWorker as killed:
            said = (
                f"was given up: {killed.allowed_failures + 1} workers died of it, the last one "
                f"{killed.last_worker.address}; it may need more memory than they have (--memory "
                "is what a block may take)"
            )
        except (CancelledError, OSError, TimeoutError):
            said = f"was dropped: the scheduler {address_of(self.client)} is gone, or was told to"
        except Exception as error:  # no worker came, or none can read what it is sent
            said = f"failed: {said_of(error)}"
        raise InputError(f"block {job.number + 1} {said.rstrip('.')}. {GOES_ON}")

    def _keep_rest(self, sent: dict[str, Waiting], folder: Folder | None) -> None:
        """Keep blocks that finished meanwhile and cancel the others, when a run is stopped."""
        left = [waiting.future for waiting in sent.values()]
        for future, job, _ in sent.values():
            if folder is not None and future.status == "finished":
                with contextlib.suppress(Exception):  # the scheduler may be gone
                    if (arrays := future.result(timeout=10)) is not None:
                        folder.save_block(job.number, arrays)
        if left:
            with contextlib.suppress(Exception):
                self.client.cancel(left)


def address_of(client: Any) -> str:
    """Return where a client's scheduler is, or was."""
    return getattr(client.scheduler, "address", None) or "of the cluster"


@contextlib.contextmanager
def probe(folder: Folder) -> Iterator[Place]:
    """Write a file by which workers can tell whether they see the run's folder."""
    files = folder.files()
    name = f".probe-{secrets.token_hex(8)}.{HOST}-{os.getpid()}.partial"
    place = Place(files, files.path / "blocks" / name, secrets.token_hex(16))
    place.probe.write_text(place.content)
    try:
        yield place
    finally:
        place.probe.unlink(missing_ok=True)


def await_blocks(folder: Folder, numbers: Iterable[int]) -> None:
    """Wait until blocks that workers wrote are visible here; network file systems take a while.

    Raises:
        InputError: a block is not there.
    """
    began = time.monotonic()
    for number in numbers:
        while not folder.block_path(number).exists():
            if time.monotonic() - began > SECONDS_TO_SEE_A_FILE:
                raise InputError(
                    f"block {number + 1} was written by a worker but is not seen in {folder.path}: "
                    "is it one folder for all? The same command computes it again."
                )
            time.sleep(0.2)
            os.listdir(folder.block_path(number).parent)
