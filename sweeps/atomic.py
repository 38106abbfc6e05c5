"""Files that are whole or not there: written beside, under a name of this process, and renamed.

What a killed process leaves is called `NAME.HOST-PID.partial`, so that another one can tell it
from a file that a process is still writing, here or on another machine of a shared folder.
"""

import contextlib
import json
import os
import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toymodels.errors import InputError

HOST = re.sub(r"[^A-Za-z0-9]+", "-", platform.node())[:40].strip("-") or "host"

# Whether a process of another machine lives cannot be seen; a half this old has no writer.
SECONDS_OF_A_FOREIGN_HALF = 86_400.0

_HALF = re.compile(r"\.(?:(?P<host>[A-Za-z0-9-]+)-)?(?P<pid>\d+)\.partial$")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, and rename it there at the end."""
    beside = path.with_name(f"{path.name}.{HOST}-{os.getpid()}.partial")
    try:
        yield beside
        with open(beside, "rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = str(path)  # of a full disk only the reason is told
        raise


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people: indented, whole or not at all."""
    with writing(path) as beside:
        beside.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def write_json_once(path: Path, content: Any) -> bool:
    """Write JSON where no file is yet; return whether this process wrote it, or another has."""
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    beside = path.with_name(f"{path.name}.{HOST}-{os.getpid()}.partial")
    try:
        beside.write_text(text)
        try:
            os.link(beside, path)  # whole at once, and refused where there is one
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            return _written_here(path, text)
        return True
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)


def _written_here(path: Path, text: str) -> bool:
    """Write a file where none is yet; whoever reads it meanwhile may meet the half of it."""
    try:
        with open(path, "x") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError:
        return False
    return True


def probe(folder: Path) -> None:
    """Write a file into a folder and remove it; what this raises says why that cannot be done."""
    path = folder / f".probe-{HOST}-{os.getpid()}"
    path.write_bytes(b"")
    path.unlink(missing_ok=True)


def read_table(path: Path) -> dict[str, Any]:
    """Return what `write_json` wrote; an empty table where no table can be read."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def is_alive(pid: str) -> bool:
    """Tell whether a process of this number is there."""
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def remove_halves(folder: Path, pattern: str = "**/*.partial") -> None:
    """Remove the files that killed processes left half written."""
    for half in folder.glob(pattern):
        with contextlib.suppress(OSError):  # another process may remove it too
            if _is_left(half):
                half.unlink()


def _is_left(half: Path) -> bool:
    found = _HALF.search(half.name)
    if found is None:
        return False
    if found["host"] in (None, HOST):
        return not is_alive(found["pid"])
    return time.time() - half.stat().st_mtime > SECONDS_OF_A_FOREIGN_HALF


def check_target(path: Path) -> None:
    """Make a place for a file ready: remove halves of killed processes, refuse a folder there.

    Raises:
        InputError: a folder lies in the file's place.
    """
    require_no_folder(path)
    escaped = re.sub(r"([*?[])", r"[\1]", path.name)
    remove_halves(path.parent, f"{escaped}.*.partial")


def require_no_folder(path: Path) -> None:
    """Raise `InputError` if a folder lies in a file's place."""
    if path.is_dir():
        raise InputError(
            f"a file should go to {path}, but a folder lies there: move it away, or choose another "
            "--out."
        )
