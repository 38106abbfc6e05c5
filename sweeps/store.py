"""Results on disk: one atomic file per finished block, one NetCDF result, provenance, a lock.

A run's folder is `runs/NAME-HASH/` with `config.json`, `provenance.json`, `plan.json`,
`blocks/*.npz` and `result.nc`. Every file is written beside and renamed, so that what is there is
whole. The lock is the operating system's and dies with the process that holds it.
"""

import contextlib
import fcntl
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

import jax
import numpy as np
import xarray as xr

from toymodels.errors import InputError


class RunFolder:
    """The folder of one sweep, held by this process alone while it is open."""

    def __init__(self, path: Path, config_json: str, fresh: bool = False) -> None:
        """Prepare the folder and take its lock.

        Raises:
            InputError: the folder cannot be made or written, or another run holds it.
        """
        self.path = path
        try:
            (path / "blocks").mkdir(parents=True, exist_ok=True)
            self._lock = open(path / "lock", "a")  # noqa: SIM115 - held until close
            probe = path / "blocks" / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise InputError(
                f"cannot write to the output folder {path}: {error.strerror} "
                f"({error.filename}). Choose another with --out."
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise InputError(
                f"another run is working in {path}: wait for it, or choose another --out."
            ) from None
        try:
            self._prepare(config_json, fresh)
        except OSError as error:
            self.close()
            raise InputError(f"cannot prepare {path}: {error.strerror}.") from None

    def _prepare(self, config_json: str, fresh: bool) -> None:
        if fresh:
            shutil.rmtree(self.path / "blocks")
            (self.path / "blocks").mkdir()
            for name in ("result.nc", "plan.json"):
                (self.path / name).unlink(missing_ok=True)
        for leftover in self.path.glob("**/*.partial"):
            leftover.unlink()
        write_json(self.path / "config.json", json.loads(config_json))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        self._lock.close()

    def block_path(self, i: int) -> Path:
        """Return where block i is kept."""
        return self.path / "blocks" / f"{i:05d}.npz"

    def save_block(self, i: int, arrays: dict[str, np.ndarray]) -> None:
        """Keep a finished block."""
        with writing(self.block_path(i)) as beside, open(beside, "wb") as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]

    def load_block(self, i: int) -> dict[str, np.ndarray] | None:
        """Return a finished block, or None where there is none that can be read."""
        try:
            with open(self.block_path(i), "rb") as opened, np.load(opened) as file:
                return {name: file[name] for name in file.files}
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive raises whatever zip and numpy come upon
            print(f"block {i} cannot be read ({type(error).__name__}); it is computed again.")
            return None

    def plan(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return the plan that earlier blocks were cut by, or keep the one that is wanted."""
        path = self.path / "plan.json"
        if path.exists() and any((self.path / "blocks").glob("*.npz")):
            with contextlib.suppress(ValueError, OSError):
                return json.loads(path.read_text())
        for block in (self.path / "blocks").glob("*.npz"):
            block.unlink()
        write_json(path, wanted)
        return wanted


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, and rename it there at the end."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield beside
        with open(beside, "rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def is_alive(pid: str) -> bool:
    """Tell whether a process of this number is there."""
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people: indented, whole or not at all."""
    with writing(path) as beside:
        beside.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def save_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset as NetCDF, whole or not at all."""
    with writing(path) as beside:
        dataset.to_netcdf(beside, engine="h5netcdf")


def open_dataset(path: str | Path) -> xr.Dataset:
    """Read a result into memory.

    Raises:
        InputError: the file is missing, truncated or no NetCDF.
    """
    try:
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            return dataset.load()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except Exception as error:  # HDF5 reports damage through many exception types
        raise InputError(
            f"{path} cannot be read as a result ({type(error).__name__}: {error}): "
            "it is damaged or no NetCDF file. Remove it and run the command again."
        ) from None


def provenance(**more: Any) -> dict[str, Any]:
    """Return what is needed to know where numbers came from."""
    packages = ("toymodels", "jax", "jaxlib", "flax", "optax", "numpy", "xarray", "matplotlib")
    return {
        "versions": {name: _version(name) for name in packages},
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "device": str(jax.devices()[0].device_kind),
        "backend": jax.default_backend(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    } | more


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
