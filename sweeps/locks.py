"""Who works in a run's folder: one process alone, or several that take parts of it.

A lock is the operating system's and dies with the process that holds it. Some file systems have
none (NFS without its lock daemon, some FUSE mounts): there a file says who works.
"""

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Self

from sweeps.atomic import HOST, is_alive
from toymodels.errors import InputError

# What flock answers where another process holds the lock; any other answer is that it has no locks.
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

# How long a process that takes over the file of a dead one waits to see that no other does.
SECONDS_TO_TAKE_OVER = 0.2


class Held(InputError):
    """Another process holds the lock."""


class HeldBySign(Held):
    """As a file says, which a process that was killed may have left."""


class Lock:
    """A lock on `path`, held until `close`; several processes may share one."""

    def __init__(self, path: Path, shared: bool = False) -> None:
        """Take the lock.

        Raises:
            Held: another process holds it alone, or holds it at all where it is not to be shared.
            OSError: the file cannot be made.
        """
        self._file = open(path, "a+")  # noqa: SIM115 - held until close; NFS wants both ways
        self._sign: Path | None = None
        self.problem = ""  # why the file system has no locks
        try:
            fcntl.flock(self._file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            if error.errno in HELD:
                raise Held(
                    f"another run is working in {path.parent}: wait for it (`toymodels sweep "
                    "status` says how far it is), or choose another --out."
                ) from None
            self.problem = str(error.strerror)
            self._sign = path.with_suffix(f".held-{HOST}-{os.getpid()}" if shared else ".held")
            _put_up(self._sign)
            try:
                _require_nobody(path, self._sign)
            except Held:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        self._file.close()
        if self._sign is not None:
            self._sign.unlink(missing_ok=True)
            self._sign = None


def _put_up(sign: Path) -> None:
    """Make the file that says who works, or take over that of a dead process."""
    own = f"{HOST} {os.getpid()}\n"
    try:
        with open(sign, "x") as file:
            file.write(own)
        return
    except FileExistsError:
        if _read(sign) == own and sign.suffix != ".held":  # left by a process of this number
            return
        _require_dead(sign)
    sign.write_text(own)
    time.sleep(SECONDS_TO_TAKE_OVER)
    if _read(sign) != own:
        raise Held(f"another run has just begun in {sign.parent}: wait for it.")


def _require_nobody(path: Path, own: Path) -> None:
    """Refuse where another sign forbids this one: both put theirs up before they look."""
    alone = path.with_suffix(".held")
    others = [alone] if own != alone else sorted(path.parent.glob(f"{path.stem}.held-*"))
    for sign in others:
        if sign.exists():
            _require_dead(sign)


def _require_dead(sign: Path) -> None:
    host, _, pid = _read(sign).strip().partition(" ")
    if (host != HOST or is_alive(pid)) and sign.exists():
        raise HeldBySign(
            f"another run is working in {sign.parent}, process {pid or '?'} on {host or '?'}: wait "
            f"for it, or choose another --out. If it does not run any more, remove {sign}."
        )


def _read(sign: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return sign.read_text()
    return ""
