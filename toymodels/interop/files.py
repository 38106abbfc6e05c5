"""Arrays in and out of files: `.npy`, `.npz`, `.safetensors`, and the JSON beside them.

A pickle, which is what `torch.save` writes, can run any code when it is loaded: it never is.
"""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.interop.base import Arrays
from toymodels.interop.sae_lens import CONFIGS

CONVERT = (
    'python -c "import torch; from safetensors.torch import save_file; save_file({{k: '
    "v.contiguous().clone() for k, v in torch.load('{0}', map_location='cpu', "
    "weights_only=True).items()}}, '{1}')\""
)
PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt")
NPY, PICKLE, ZIP, HDF = b"\x93NUMPY", b"\x80", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
TENSORS = b"{"  # byte 8 of a .safetensors file, after the length of its header


def load(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays of a file or folder, and what the JSON beside them says.

    Raises:
        InputError: there is no such file, it is damaged, or of a kind that is not read.
    """
    if path.is_dir():
        inside = [path / name for name in CONFIGS if name and (path / name).is_file()]
        if not inside:
            raise InputError(
                f"{path} is a folder without any of {', '.join(map(str, CONFIGS))}: give a file, "
                "or a folder that SAELens wrote."
            )
        path = inside[0]
    arrays = _arrays(path)
    about = _json(sidecar(path)) or {}
    config = CONFIGS.get(path.name)
    return arrays, (_json(path.parent / config) or {} if config else {}) | about


def sidecar(path: Path) -> Path:
    """Return where what is said about a file stands: `NAME.npz.json` for `NAME.npz`."""
    return path.with_name(path.name + ".json")


def save(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays as `.npz` or `.safetensors`, whole or not at all.

    Raises:
        InputError: another ending, or the folder cannot be written.
    """
    arrays = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
    beside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    if path.suffix not in (".npz", ".safetensors"):
        raise InputError(f"{path}: end it in .npz or .safetensors.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npz":
            with open(beside, "wb") as file:
                np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
        else:
            _safetensors().save_file(arrays, beside)
        os.replace(beside, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}.") from None
    finally:
        beside.unlink(missing_ok=True)


def _arrays(path: Path) -> Arrays:
    try:
        with open(path, "rb") as file:
            begin = file.read(9)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if _is_pickle(path, begin):
        raise InputError(
            f"{path} is a pickle, as torch.save writes it: loading one can run any code, so it is "
            f"not read. Convert it where it was made: {CONVERT.format(path, path.stem)[:-3]}"
            ".safetensors')\""
        )
    if begin.startswith(HDF):
        raise InputError(
            f"{path} is NetCDF or HDF5: results of sweeps are read by `toymodels inspect` and "
            "`sweeps.restore`; save other arrays as .npz or .safetensors."
        )
    if not (begin.startswith((NPY, ZIP)) or begin[8:] == TENSORS):
        raise InputError(
            f"{path} cannot be read as .npy, .npz or .safetensors: it begins like none of them. "
            "Save a matrix [hidden, features] with numpy.save."
        )
    try:
        if begin[8:] == TENSORS:
            return dict(_safetensors().load_file(path))
        with open(path, "rb") as file:
            content = np.load(file)
            return dict(content.items()) if hasattr(content, "items") else {"W": content}
    except InputError:
        raise
    except Exception as error:  # numpy, zip and safetensors raise many kinds for what is not theirs
        raise InputError(
            f"{path} cannot be read as .npy, .npz or .safetensors ({type(error).__name__}: "
            f"{error}): save a matrix [hidden, features] with numpy.save."
        ) from None


def _is_pickle(path: Path, begin: bytes) -> bool:
    if begin.startswith(ZIP):
        try:
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith("data.pkl") for name in archive.namelist())
        except zipfile.BadZipFile:
            return False
    if begin[8:] == TENSORS:
        return False
    return begin.startswith(PICKLE) or path.suffix in PICKLES


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise InputError(
            "files of safetensors need the library: pip install 'toymodels[interop]'."
        ) from None
    return safetensors.numpy


def _json(path: Path) -> dict[str, Any] | None:
    """Return what a JSON file holds, if it is there and a table."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
