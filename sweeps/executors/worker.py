"""What a worker of a cluster does: it receives one block, computes it, and keeps it.

A block is sent as bytes, so that a worker whose versions would give other numbers refuses it before
it is unpickled. If the worker sees the run's folder, the block is kept there; otherwise its arrays
are sent back. The same path may be another disk on another machine, so the driver writes a file
with a random name and content, and the worker looks for that.
"""

import contextlib
import io
import pickle
import platform
import sys
import sysconfig
import traceback
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from operator import attrgetter
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import jax
import numpy as np

from sweeps.built import is_own, name_of
from sweeps.config.registry import look_in
from sweeps.machine import NUMERIC
from sweeps.packed import pack
from sweeps.plan import Block, narrowed
from sweeps.programs import make_room_for_programs
from toymodels.errors import InputError

# Packages that a worker must have in the same versions as the driver.
CHECKED = (*NUMERIC, "toymodels")

# Settings of JAX that change numbers: workers take over the driver's.
SETTINGS = ("jax_enable_x64", "jax_default_matmul_precision", "jax_default_prng_impl")
SETTINGS += ("jax_threefry_partitionable",)


class Place(NamedTuple):
    """A run's folder, and the file by which a worker can tell whether it sees the same one."""

    folder: Any  # sweeps.folder.BlockFiles
    probe: Path
    content: str


class Sent(NamedTuple):
    """One block on its way to a worker."""

    number: int
    block: bytes
    work: tuple[str, int]  # the name and version of its kind
    versions: dict[str, str]
    settings: dict[str, Any]
    folders: tuple[str, ...]  # where modules of the user's own may lie
    place: Place | None  # None where nothing is kept


class Failed(Exception):
    """A block failed on a worker; says why in one line."""

    def __init__(self, said: str, worker: str) -> None:
        """Take what went wrong, and where."""
        super().__init__(said, worker)
        self.said, self.worker = said, worker


def send(number: int, block: Block, place: Place | None) -> Sent:
    """Return what a worker is sent for a block."""
    return Sent(
        number,
        closed(narrowed(block)),
        kind_of(block),
        versions_here(),
        {name: getattr(jax.config, name) for name in SETTINGS if hasattr(jax.config, name)},
        folders_of_modules(),
        place,
    )


def closed(block: Block) -> bytes:
    """Return a block as bytes.

    Classes of a script are pickled whole. On the way they would lose two things: their registration
    as JAX records, and their full name, which first weights depend on. Both are noted beside the
    block, and so is code of the user's that the worker imports, to check that it is the same there.
    """
    from cloudpickle import Pickler

    records: dict[type, tuple[list[str], list[str]]] = {}
    names: dict[type, str] = {}
    code: dict[tuple[str, str], str] = {}

    class Noting(Pickler):
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, type) and obj.__qualname__ != obj.__name__:
                names[obj] = obj.__qualname__
            if isinstance(obj, type | FunctionType) and is_own(obj.__module__):
                where = (obj.__module__, obj.__qualname__)
                if where[0] != "__main__" and _imported(*where) is obj:
                    code[where] = _name_of(obj)
            if is_dataclass(obj) and type(obj) not in records:
                parts = jax.tree_util.tree_flatten_with_path(obj, lambda part: part is not obj)[0]
                leaves = [getattr(key, "name", "") for path, _ in parts for key in path[:1]]
                if leaves and all(leaves):
                    static = [f.name for f in fields(obj) if f.name not in leaves]
                    records[type(obj)] = leaves, static
            return super().reducer_override(obj)

    file = io.BytesIO()
    Noting(file).dump((block, records, names, code))  # in this order: all are noted by then
    return file.getvalue()


def opened(sent: bytes) -> Block:
    """Return the block that was sent, and register its records with JAX here as well.

    Raises:
        InputError: a module of the user's own is not the same here.
    """
    block, records, names, code = pickle.loads(sent)
    for (module, name), meant in code.items():
        if meant != _name_of(_imported(module, name)):
            raise InputError(
                f"its {module}.{name} is not the one that was sent: it was imported before that "
                "changed, or from another folder; restart the workers."
            )
    for cls, name in names.items():
        if cls.__qualname__ != name:
            cls.__qualname__ = name
    for cls, (leaves, static) in records.items():
        with contextlib.suppress(ValueError):  # it is already registered
            jax.tree_util.register_dataclass(cls, leaves, static)
    return block


def _imported(module: str, name: str) -> Any:
    """Return the object of this name in a module that is imported; None if there is none."""
    try:
        return attrgetter(name)(sys.modules[module])
    except (KeyError, AttributeError):
        return None


def _name_of(thing: Any) -> str:
    """Return a name for what a class or function computes; empty if it has none."""
    with contextlib.suppress(InputError):
        return name_of(thing)
    return ""


def kind_of(block: Block) -> tuple[str, int]:
    """Return the name and version of a block's kind of work."""
    work = block.program.work
    return work.name, getattr(work, "version", 0)


def versions_here() -> dict[str, str]:
    """Return the versions of Python and of the packages in `CHECKED`, in this process."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {name: _version(name) for name in CHECKED} | {"python": python}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def folders_of_modules() -> tuple[str, ...]:
    """Return where Python looks for modules that are not installed."""
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    installed = [Path(sysconfig.get_path(kind)) for kind in kinds]
    folders = [Path(entry or ".").resolve() for entry in sys.path]
    return tuple(
        str(folder)
        for folder in folders
        if folder.is_dir() and not any(folder.is_relative_to(root) for root in installed)
    )


def run_block(sent: Sent, worker: str = "") -> dict[str, np.ndarray] | None:
    """Compute a block; return its arrays unless they could be kept in the run's folder.

    Raises:
        Failed: whatever went wrong.
    """
    worker = worker or _address()
    differ = differences(sent.versions, versions_here())
    if differ:
        raise Failed(f"it has {differ}", worker)
    try:
        for name, value in sent.settings.items():
            if getattr(jax.config, name) != value:
                jax.config.update(name, value)
        for folder in sent.folders:
            look_in(Path(folder))
        block = opened(sent.block)
        if kind_of(block) != sent.work:
            name, version = kind_of(block)
            told = f'work = "{name}" of version {version}, here {sent.work[1]}'
            raise InputError(f"its toymodels is of another time: {told}")
        return _computed(sent.number, block, sent.place)
    except Exception as error:  # of any class, which the driver may be unable to unpickle
        raise Failed(said_of(error), worker) from None
    finally:
        make_room_for_programs()


def differences(there: dict[str, Any], here: dict[str, Any]) -> str:
    """Say which versions of `here` are not those of `there`."""
    return ", ".join(
        f"{name} {here.get(name)} instead of {there[name]}"
        for name in there
        if here.get(name) != there[name]
    )


def said_of(error: BaseException) -> str:
    """Return the message of an exception in one line, and where it was raised."""
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{': ' if text else ''}{text}{where}"


def _computed(number: int, block: Block, place: Place | None) -> dict[str, np.ndarray] | None:
    work = block.program.work
    if place is None or not is_seen(place):
        return pack(block, work.run(block, _nobody))
    checkpoint = place.folder.checkpoint(number, block)
    arrays = pack(block, work.resume(block, _nobody, checkpoint))
    try:
        place.folder.save_block(number, arrays)
    except OSError:  # visible but not writable here; the driver can write it
        return arrays
    return None


def is_seen(place: Place) -> bool:
    """Tell whether the folder at this path is the driver's."""
    with contextlib.suppress(OSError, ValueError):
        return place.probe.read_text() == place.content
    return False


def _nobody(cost: int) -> None:
    """Ignore progress: the driver counts whole blocks."""


def _address() -> str:
    from distributed import get_worker

    return get_worker().address
