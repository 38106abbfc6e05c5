"""Finds the cluster that a text or an object names, or starts one on this machine."""

import contextlib
import logging
import multiprocessing
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from toymodels.errors import InputError

MOST_WORKERS = 1024

# Settings of a scheduler that is started here; one that is already running has its own.
SCHEDULER = {
    "distributed.scheduler.allowed-failures": 10,
    "distributed.scheduler.no-workers-timeout": "10 minutes",
}

SECONDS_TO_CONNECT = 10

# A worker leaves Ctrl-C to the one who started it, and says nothing on its terminal.
PRELOAD = """import logging, signal
for name in ("distributed", "distributed.client", "distributed.gc", "tornado.application"):
    logging.getLogger(name).setLevel(logging.CRITICAL)
signal.signal(signal.SIGINT, signal.SIG_IGN)
"""

ALLOWED = (
    "give local:N, N processes of this machine, or the address of a Dask scheduler, "
    "tcp://HOST:PORT, or its scheduler file, PATH.json"
)


@contextlib.contextmanager
def client_of(cluster: Any) -> Iterator[Any]:
    """Yield a client of the cluster that "local:4", an address, a file or an object names.

    Raises:
        InputError: it names no cluster, no scheduler answers, or Dask is not installed.
    """
    require_dask()
    from distributed import Client
    from distributed.deploy.cluster import Cluster as DaskCluster

    if isinstance(cluster, Client):
        yield cluster
        return
    with contextlib.ExitStack() as stack:
        if isinstance(cluster, DaskCluster):
            yield stack.enter_context(Client(cluster, set_as_default=False))
        elif isinstance(cluster, str | Path):
            yield _client(str(cluster), stack)
        else:
            raise InputError(f"cluster = {cluster!r}: {ALLOWED}, or a distributed.Client.")


def require_dask() -> None:
    """Raise `InputError` where Dask is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise InputError(
            "a cluster needs Dask, which is not installed: pip install 'toymodels[cluster]'."
        ) from None


def _client(text: str, stack: contextlib.ExitStack) -> Any:
    """Return a client of the cluster that a text names; for "local:N" that is started first."""
    from distributed import Client

    n = workers_of(text)
    if n is not None:
        return stack.enter_context(local(n))
    where: dict[str, Any]
    where = {"address": text} if "://" in text else {"scheduler_file": str(_file(text))}
    logger = logging.getLogger("distributed")
    stack.callback(logger.setLevel, logger.level)
    logger.setLevel(logging.CRITICAL)
    try:
        client = Client(**where, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except Exception as error:  # whatever an address, a file or the network leads to
        raise InputError(
            f"cluster = {text!r}: no Dask scheduler answers there ({type(error).__name__}); "
            f"{ALLOWED}."
        ) from None
    return stack.enter_context(client)


def workers_of(text: str) -> int | None:
    """Return N of "local:N"; None where a text names a scheduler.

    Raises:
        InputError: the text names no cluster.
    """
    found = re.fullmatch(r"local:(\d{1,6})", text)
    if found and 1 <= int(found[1]) <= MOST_WORKERS:
        return int(found[1])
    is_file = text.endswith(".json") or Path(text).is_file()
    if text.startswith("local") and not is_file:
        raise InputError(f"cluster = {text!r}: give local:N with N from 1 to {MOST_WORKERS}.")
    if "://" not in text and not is_file:
        raise InputError(f"cluster = {text!r}: {ALLOWED}.")
    return None


def _file(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise InputError(f"cluster = {text!r}: no such scheduler file; {ALLOWED}.")
    return path


@contextlib.contextmanager
def local(n: int) -> Iterator[Any]:
    """Yield a client of n processes on this machine, each with its share of the cores.

    Raises:
        InputError: the machine has a GPU, which one process uses whole, or no process can start.
    """
    from dask import config
    from distributed import Client, LocalCluster

    if jax.default_backend() != "cpu":
        raise InputError(
            f"cluster = 'local:{n}' shares out the cores of a machine, and this one has "
            f"{jax.local_device_count()} {jax.default_backend()} devices: leave it out, one "
            "process uses them all; or set JAX_PLATFORMS=cpu."
        )
    main = "start it in a script of your own below `if __name__ == '__main__':`"
    if multiprocessing.current_process().daemon:
        raise InputError(f"cluster = 'local:{n}' cannot be started by one of its workers: {main}.")
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="toymodels-", ignore_cleanup_errors=True)
        stack.enter_context(folder)
        stack.enter_context(config.set(SCHEDULER))
        how: dict[str, Any] = {"local_directory": folder.name, "preload": [PRELOAD]}
        how |= {"memory_limit": 0, "silence_logs": logging.CRITICAL}
        # Without an address it would take port 8787, and warn where another cluster has that.
        how["scheduler_kwargs"] = {"dashboard": False, "dashboard_address": "localhost:0"}
        try:
            cluster = LocalCluster(
                n_workers=n,
                threads_per_worker=1,
                processes=True,
                env=environment(n),
                **how,
            )
        except Exception as error:  # whatever a process comes upon as it starts
            raise InputError(
                f"cluster = 'local:{n}': its processes cannot start ({error}): {main}."
            ) from None
        stack.enter_context(cluster)
        yield stack.enter_context(Client(cluster, set_as_default=False))


def environment(n: int) -> dict[str, str]:
    """Return the environment of each of n processes: its share of the cores, and JAX's cache.

    XLA compiles for a number of cores, which is not part of the name under which JAX caches a
    program. So each share has a cache folder of its own; otherwise a process on all cores would
    load programs that were compiled for fewer.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    share = max(1, (cores or 1) // n)
    found = {"NPROC": str(share)}  # how many threads XLA starts
    if folder := getattr(jax.config, "jax_compilation_cache_dir", None):
        own = Path(folder) / f"{share}-cores"
        found["JAX_COMPILATION_CACHE_DIR"] = str(folder if share == cores else own)
        least = getattr(jax.config, "jax_persistent_cache_min_compile_time_secs", 1.0)
        found["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = str(least)
    return found
