"""One process at a time in a run's folder.

The lock is the operating system's and dies with the process that holds it. Some file systems have
none (NFS without its lock daemon, some FUSE mounts): there a file says who works.
"""

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path

from sweeps.atomic import HOST, is_alive
from toymodels.errors import InputError

# What flock answers where another process holds the lock; any other answer is that it has no locks.
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

# How long a process that takes over the file of a dead one waits to see that no other does.
SECONDS_TO_TAKE_OVER = 0.2


class Lock:
    """A folder's lock, held until `close`."""

    def __init__(self, path: Path) -> None:
        """Take the lock of the folder of `path`.

        Raises:
            InputError: another run holds it.
            OSError: the file cannot be made.
        """
        self._file = open(path, "a")  # noqa: SIM115 - held until close
        self._sign: Path | None = None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            if error.errno in HELD:
                raise InputError(
                    f"another run is working in {path.parent}: wait for it, or choose another "
                    "--out."
                ) from None
            sign = path.with_name("lock.held")
            _put_up(sign)
            self._sign = sign
            print(
                f"{path.parent}: this file system has no locks ({error.strerror}); the file "
                f"{sign.name} says that a run is working there."
            )

    def close(self) -> None:
        """Give the lock back."""
        self._file.close()
        if self._sign is not None:
            self._sign.unlink(missing_ok=True)
            self._sign = None


def _put_up(sign: Path) -> None:
    """Make the file that says who works in a folder, or take over that of a dead process."""
    own = f"{HOST} {os.getpid()}\n"
    try:
        with open(sign, "x") as file:
            file.write(own)
        return
    except FileExistsError:
        host, _, pid = _read(sign).strip().partition(" ")
    if host != HOST or is_alive(pid):
        raise InputError(
            f"another run is working in {sign.parent}, process {pid or '?'} on {host or '?'}: wait "
            f"for it, or choose another --out. If it does not run any more, remove {sign}."
        )
    sign.write_text(own)
    time.sleep(SECONDS_TO_TAKE_OVER)
    if _read(sign) != own:
        raise InputError(f"another run has just begun in {sign.parent}: wait for it.")


def _read(sign: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return sign.read_text()
    return ""
