"""A name for what a user's own code built: its numbers, its records, and the code behind them.

A config names what a sweep runs; what `run_grid` runs is only known by what was built. Its name
covers every number and static field, and, of classes and functions that are neither ours nor
installed, what they compute: code, defaults, what they enclose, and the names outside that they
use, in turn. The text does not count, so comments may change, and no file is needed: a notebook's
cell is as good. Equal names mean equal results; other names may be a matter of Python's version.
"""

import functools
import hashlib
import pickle
import sys
import sysconfig
import types
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toymodels.errors import InputError

# Packages whose results are named by the versions of kinds of work.
OURS = ("toymodels", "sweeps", "figures")
INSTALLED = tuple(sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib"))

_WRAPPERS = (staticmethod, classmethod)
_NAMED_ONLY = (types.BuiltinFunctionType, types.WrapperDescriptorType, types.MethodWrapperType)
_NAMED_ONLY += (types.MemberDescriptorType, types.GetSetDescriptorType, types.MethodDescriptorType)


def name_of(*things: Any) -> str:
    """Return ten hexadecimal digits that name what was built.

    Raises:
        InputError: something that cannot be told from another of its kind.
    """
    walk = _Walk()
    try:
        walk.add(things)
    except RecursionError:
        raise _unknown(things, "it is nested too deeply") from None
    return walk.digest.hexdigest()[:10]


def is_own(module: str | None) -> bool:
    """Tell whether a module is a user's own: neither ours nor installed."""
    if module is None or module.partition(".")[0] in (*OURS, *sys.builtin_module_names):
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is None or module == "__main__" or not _is_installed(file)


@functools.cache
def _is_installed(file: str) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in INSTALLED)


def _unknown(value: Any, why: str) -> InputError:
    return InputError(
        f"a {type(value).__name__} cannot be named, so results of it cannot be kept ({why}): make "
        "it a function, or a frozen record (@flax.struct.dataclass), or call run_grid without out."
    )


class _Walk:
    """Goes through what was built, each object once, and digests what it finds."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        # Number and object by identity: what is held is not made again under the same one.
        self.seen: dict[int, tuple[int, Any]] = {}
        self.modules: set[tuple[str, tuple[str, ...]]] = set()

    def say(self, *words: Any) -> None:
        self.digest.update(repr(words).encode())

    def add(self, value: Any) -> None:
        """Digest one value of any kind."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            self.say(type(value).__name__, value)
        elif isinstance(value, np.ndarray | np.generic | jax.Array):
            self._array(value)
        elif isinstance(value, tuple):
            self.say("tuple", len(value))
            self._each(value if type(value) is tuple else (type(value), *value))
        elif isinstance(value, set | frozenset):
            self.say("set", sorted(name_of(item) for item in value))
        elif isinstance(value, types.CodeType):
            self.say(value.co_code, value.co_exceptiontable, value.co_flags)
            self.say(value.co_names, value.co_varnames, value.co_freevars)
            self._each(value.co_consts)
        elif isinstance(value, types.ModuleType):
            self.say("module", value.__name__)
        elif id(value) in self.seen:
            self.say("again", self.seen[id(value)][0])
        else:
            self.seen[id(value)] = (len(self.seen), value)
            self._object(value)

    def _each(self, values: Iterable[Any]) -> None:
        for value in values:
            self.add(value)

    def _array(self, value: Any) -> None:
        if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            value = jax.random.key_data(value)
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise _unknown(value, "it holds objects")
        self.say("array", str(array.dtype), array.shape)
        self.digest.update(array.tobytes())

    def _object(self, value: Any) -> None:
        if isinstance(value, list):
            self.say("list", len(value))
            self._each(value)
        elif isinstance(value, dict):
            self.say("dict", len(value))
            self._each(value.items())
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self._each((value.__func__, value.__self__))
        elif isinstance(value, functools.partial):
            self._each((type(value), value.func, value.args, value.keywords))
        elif isinstance(value, _WRAPPERS):
            self._each((type(value), value.__func__))
        elif isinstance(value, property):
            self._each((value.fget, value.fset))
        elif isinstance(value, functools.cached_property):
            self._each((type(value), value.func))
        elif isinstance(value, _NAMED_ONLY):
            self.say(value.__qualname__)
        elif hasattr(value, "__wrapped__"):  # jitted, cached
            self._each((type(value), value.__wrapped__))
        else:
            self._state(value)

    def _class(self, cls: type) -> None:
        self.say("class", cls.__module__, cls.__qualname__)
        if not is_own(cls.__module__):
            return
        self._each(cls.__bases__)
        if is_dataclass(cls):
            for field in fields(cls):
                default = () if field.default is MISSING else (field.default,)
                self._each((field.name, default, dict(field.metadata)))
        for name, member in sorted(vars(cls).items()):
            plain = not (name.startswith("__") and name.endswith("__"))
            if (plain or isinstance(member, types.FunctionType)) and name != "_abc_impl":
                self._each((name, member))

    def _function(self, function: types.FunctionType) -> None:
        self.say("function", function.__module__, function.__qualname__)
        if not is_own(function.__module__):
            return
        self._each((function.__code__, function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                self.add(cell.cell_contents)
            except ValueError:
                self.say("an empty cell")
        names = tuple(sorted(_names_in(function.__code__)))
        for name in names:
            if name in function.__globals__:
                self.say(name)
                self._used(function.__globals__[name], names)

    def _used(self, value: Any, names: tuple[str, ...]) -> None:
        """Digest a global; of a module of the user's own, what the names beside it may be."""
        self.add(value)
        if not (isinstance(value, types.ModuleType) and is_own(value.__name__)):
            return
        if (value.__name__, names) not in self.modules:
            self.modules.add((value.__name__, names))
            for name in names:
                if name in vars(value):
                    self.say(value.__name__, name)
                    self._used(vars(value)[name], names)

    def _state(self, value: Any) -> None:
        """Digest an object by its class and by what it holds."""
        self.add(type(value))
        slots = [
            name
            for cls in type(value).__mro__
            for name in getattr(cls, "__slots__", ())
            if name not in ("__dict__", "__weakref__") and hasattr(value, name)
        ]
        if hasattr(value, "__dict__") or slots:
            held = {name: getattr(value, name) for name in slots} | getattr(value, "__dict__", {})
            self.add({k: v for k, v in held.items() if k != "__signature__"})  # numpy notes it late
        else:
            try:
                self.digest.update(pickle.dumps(value, protocol=4))
            except Exception as error:  # whatever an object's own code raises
                raise _unknown(value, str(error)) from None


def _names_in(code: types.CodeType) -> set[str]:
    """Return the names that code uses, in functions inside it as well."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*map(_names_in, inner))
