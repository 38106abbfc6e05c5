"""Datasets on disk: sealed NetCDF, whole or not there, and where numbers came from."""

import os
import platform
import shutil
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax
import xarray as xr

from sweeps.atomic import writing
from sweeps.sealed import is_sealed, seal
from toymodels.errors import InputError

READ_WHOLE = 2**30  # bytes; larger results are read piece by piece

REMOVE = "Remove it and run the command that made it again."


def save_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset as sealed NetCDF, whole or not at all."""
    with writing(path) as beside:
        dataset.to_netcdf(beside, engine="h5netcdf")
        seal(beside)


def copy_result(source: Path, target: Path) -> None:
    """Copy a result, whole or not at all; what is done to one file does not change the other."""
    with writing(target) as beside:
        shutil.copyfile(source, beside)


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
