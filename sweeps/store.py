"""Results on disk: one atomic file per finished block, one NetCDF result, provenance, a lock.

A run's folder is `runs/NAME-HASH/` with `config.json`, `provenance.json`, `plan.json`,
`blocks/*.npz` and `result.nc`. Every file is written beside and renamed, so that what is there is
whole, and arrays are sealed, so that what was damaged since is seen.
"""

import json
import os
import platform
import shutil
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

import jax
import numpy as np
import xarray as xr

from sweeps.atomic import check_target, read_table, remove_halves, write_json, writing
from sweeps.checkpoint import Checkpoint
from sweeps.locks import Lock
from sweeps.packed import is_of
from sweeps.sealed import is_sealed, load_arrays, save_arrays, seal
from toymodels.errors import InputError

# What is written into a run's folder beside its blocks.
FILES = ("config.json", "plan.json", "provenance.json", "result.nc")

READ_WHOLE = 2**30  # bytes; larger results are read piece by piece

REMOVE = "Remove it and run the command that made it again."


class RunFolder:
    """The folder of one sweep, held by this process alone while it is open."""

    def __init__(self, path: Path, config_json: str, fresh: bool = False) -> None:
        """Prepare the folder and take its lock.

        Raises:
            InputError: the folder cannot be made or written, another run holds it, or a folder
                lies where a file belongs.
        """
        self.path = path
        try:
            (path / "blocks").mkdir(parents=True, exist_ok=True)
            probe = path / "blocks" / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
            self._lock = Lock(path / "lock")
        except OSError as error:
            raise InputError(
                f"cannot write to the output folder {path}: {error.strerror} "
                f"({error.filename}). Choose another with --out."
            ) from None
        try:
            self._prepare(config_json, fresh)
        except OSError as error:
            self.close()
            raise InputError(
                f"cannot prepare {path}: {error.strerror} ({error.filename}). Move the folder "
                "away, or choose another --out."
            ) from None
        except InputError:
            self.close()
            raise

    def _prepare(self, config_json: str, fresh: bool) -> None:
        for name in FILES:
            check_target(self.path / name)
        if fresh:
            shutil.rmtree(self.path / "blocks")
            (self.path / "blocks").mkdir()
            for name in ("result.nc", "plan.json"):
                (self.path / name).unlink(missing_ok=True)
        for inside in (self.path / "blocks").iterdir():
            if inside.is_dir():
                check_target(inside)
        remove_halves(self.path)
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

    def checkpoint(self, i: int, block: Any) -> Checkpoint:
        """Return the place of what is done of block i."""
        return Checkpoint(self.block_path(i).with_suffix(".checkpoint"), block)

    def save_block(self, i: int, arrays: dict[str, np.ndarray]) -> None:
        """Keep a finished block, in the place of its checkpoint."""
        save_arrays(self.block_path(i), arrays)
        self.block_path(i).with_suffix(".checkpoint").unlink(missing_ok=True)

    def load_block(self, i: int, block: Any = None) -> dict[str, np.ndarray] | None:
        """Return finished block i, or None where there is none that can be read.

        Args:
            i: its number.
            block: how it should have been cut; another one counts as none.
        """
        try:
            arrays = load_arrays(self.block_path(i))
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive raises whatever zip and numpy come upon
            said = str(error) if isinstance(error, InputError) else type(error).__name__
            print(f"block {i} cannot be read ({said}); it is computed again.")
            return None
        return arrays if block is None or is_of(block, arrays) else None

    def memory(self, wanted: int) -> int:
        """Return the memory, in bytes, that earlier blocks were cut by; else what is wanted."""
        path = self.path / "plan.json"
        if not self._begun():
            return wanted
        kept = read_table(path).get("memory_bytes")
        if type(kept) is int and 0 < kept < 2**63:
            return kept
        print(f"{path} cannot be read; blocks that were cut as they would be now are kept.")
        return wanted

    def _begun(self) -> list[Path]:
        """Return the files of blocks, finished or not."""
        inside = (self.path / "blocks").iterdir()
        return [path for path in inside if path.suffix in (".npz", ".checkpoint")]

    def keep_plan(self, plan: dict[str, Any]) -> None:
        """Keep how the run is cut; remove blocks of another cut, and halves of finished ones."""
        for path in self._begun():
            finished = path.suffix != ".npz" and path.with_suffix(".npz").exists()
            if finished or not (path.stem.isdecimal() and int(path.stem) < plan["blocks"]):
                path.unlink()
        write_json(self.path / "plan.json", plan)


def save_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset as sealed NetCDF, whole or not at all."""
    with writing(path) as beside:
        dataset.to_netcdf(beside, engine="h5netcdf")
        seal(beside)


def open_dataset(path: str | Path) -> xr.Dataset:
    """Open a result: read into memory up to 1 GiB; larger ones are read where they are asked for.

    The file of a larger one stays open, as by `xarray.open_dataset`, whose argument `chunks` gives
    arrays of Dask. A file that you changed or wrote yourself has no seal; it is read as it is.

    Raises:
        InputError: the file is missing, damaged or no NetCDF.
    """
    try:
        is_sealed(path)
        if os.path.getsize(path) > READ_WHOLE:
            return xr.open_dataset(path, engine="h5netcdf")
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            return dataset.load()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder: give a result file in it, NAME.nc.") from None
    except InputError as error:
        raise InputError(f"{error} {REMOVE}") from None
    except Exception as error:  # HDF5 reports damage through many exception types
        raise InputError(
            f"{path} cannot be read as a result ({type(error).__name__}: {error}): "
            f"it is damaged or no NetCDF file. {REMOVE}"
        ) from None


def kept_dataset(path: Path, otherwise: str) -> xr.Dataset | None:
    """Return a dataset that was kept, or None where there is none that can be read.

    Args:
        path: of its file.
        otherwise: a sentence that says what is done about a damaged one.
    """
    if not path.is_file():
        return None
    try:
        return open_dataset(path)
    except InputError as error:
        print(f"{str(error).removesuffix(REMOVE).rstrip()} {otherwise}")
        return None


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
