"""Sealed files: the last 64 bytes name all the bytes before them, so that no damage goes unseen.

A seal is a mark of 32 bytes and a SHA-256. It stands behind what a format calls the end of its
file, where readers of NetCDF (HDF5) and of `.npz` (zip) do not look: `xarray.open_dataset` and
`numpy.load` read a sealed file as ever, and it keeps its seal when it is copied. HDF5 cuts a seal
off when it changes a file, so what a user edits is simply not sealed any more.

It is checked before a parser sees the file: damaged HDF5 can be taken in silently, or hang.
"""

import hashlib
import io
import os
from pathlib import Path
from typing import IO

import numpy as np

from sweeps.atomic import writing
from toymodels.errors import InputError

MARK = b"\ntoymodels seal: SHA256 follows\n"
LENGTH = len(MARK) + hashlib.sha256().digest_size
PIECE = 2**20  # bytes read at a time


def seal(path: Path) -> None:
    """Put a seal at the end of a file that is being written."""
    with open(path, "r+b") as file:
        digest = _digest(file, os.path.getsize(path))
        file.seek(0, io.SEEK_END)
        file.write(MARK + digest)


def is_sealed(path: str | Path) -> bool:
    """Check a file's seal; return whether there is one.

    Raises:
        InputError: the file is not what was sealed, or has lost a part of its seal.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - 2 * LENGTH))
        end = file.read()
        half = len(MARK) // 2
        if MARK[:half] not in end and MARK[half:] not in end:  # one flipped byte leaves a half
            return False
        if end[-LENGTH:] != MARK + _digest(file, size - LENGTH):
            raise InputError(f"{path} is damaged: its bytes are not those that were written.")
    return True


def _digest(file: IO[bytes], n_bytes: int) -> bytes:
    """Return the SHA-256 of the first so many bytes."""
    digest = hashlib.sha256()
    file.seek(0)
    while n_bytes > 0 and (piece := file.read(min(PIECE, n_bytes))):
        digest.update(piece)
        n_bytes -= len(piece)
    return digest.digest()


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as a sealed `.npz` file, whole or not at all."""
    with writing(path) as beside:
        with open(beside, "wb") as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
        seal(beside)


def load_arrays(path: Path, names: tuple[str, ...] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of a sealed `.npz` file, all of them or those that are named.

    Raises:
        InputError: the file is damaged, or has no seal.
        OSError: it cannot be read.
    """
    if not is_sealed(path):
        raise InputError(f"{path} has no seal: another version wrote it, or its end is lost.")
    with open(path, "rb") as opened, np.load(opened) as file:
        return {name: file[name] for name in names or file.files}
