"""Names of things by what they are: hashes that equal descriptions share.

A run's first weights are named by what is built, the start and the world it lives in, and by
nothing of how it is trained or measured. Floats count as float32, so that a number, a profile and
the equal list are one.
"""

import dataclasses
import hashlib
import json
from types import FunctionType
from typing import Any

import jax
import numpy as np


def start_name(run: Any) -> np.uint32:
    """Return the number that names a run's first weights: of its `init` and its `task`."""
    text = json.dumps([canonical(run.init), canonical(run.task)])
    return np.uint32(int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big"))


def digest(value: Any) -> str:
    """Return ten hexadecimal digits that name a table of numbers, texts, lists and tables."""
    text = json.dumps(plain(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def plain(value: Any) -> Any:
    """Return a table in which equal numbers are written alike: 1 and 1.0."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value) + 0.0)  # never -0.0
    return value


def canonical(value: Any) -> Any:
    """Describe a record in JSON, so that records that build the same are described alike."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, type | FunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, float | np.ndarray | np.generic | jax.Array):
        return _array(np.asarray(value))
    if dataclasses.is_dataclass(value):
        inside = {f.name: canonical(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return [canonical(type(value)), inside]
    if isinstance(value, dict):
        return {str(k): canonical(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(v) for v in value]
    if isinstance(value, jax.tree_util.Partial):
        return [canonical(part) for part in (value.func, value.args, value.keywords)]
    leaves = jax.tree.leaves(value)
    if len(leaves) == 1 and leaves[0] is value:  # no record: an object, known by its class and name
        return [canonical(type(value)), getattr(value, "__name__", None), canonical(_state(value))]
    return [canonical(type(value)), [canonical(leaf) for leaf in leaves]]


def _state(value: Any) -> dict[str, Any]:
    """Return what an object holds that can be told from another's."""
    held = getattr(value, "__dict__", {})
    return {k: v for k, v in held.items() if isinstance(v, bool | int | float | str)}


def _array(values: np.ndarray) -> Any:
    if values.dtype.kind == "f":
        values = values.astype(np.float32) + np.float32(0)
    return [*values.shape, values.tobytes().hex()]
