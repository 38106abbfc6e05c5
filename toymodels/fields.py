"""Arrays that say what they are: a `Field` carries its dimensions and what it holds, in words.

A record declares both where the array is declared,

    W: jax.Array = array("hidden", "feature", words="encoder weights")  # [M, F]

and `fields_of(record)` returns its arrays as fields. A measure returns fields of its own. Whatever
stores them needs to know no name.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct


@struct.dataclass
class Field:
    """An array, the names of its last dimensions, and what it holds.

    Dimensions in front of the named ones (seeds, cells, snapshots) come from `vmap`. Integer
    labels have `meanings`: value i means `meanings[i]`.
    """

    values: Any
    dims: tuple[str, ...] = struct.field(pytree_node=False, default=())
    words: str = struct.field(pytree_node=False, default="")
    meanings: tuple[str, ...] = struct.field(pytree_node=False, default=())

    def holding(self, values: Any) -> "Field":
        """Return a field of the same meaning that holds other values."""
        return Field(values, self.dims, self.words, self.meanings)


def array(*dims: str, words: str = "", **how: Any) -> Any:
    """Declare an array of a record with its dimensions; `how` goes to `flax.struct.field`."""
    return struct.field(metadata={"dims": dims, "words": words}, **how)


def static(**how: Any) -> Any:
    """Declare a part of a record that belongs to the program: it is no leaf."""
    return struct.field(pytree_node=False, **how)


def fields_of(record: Any, prefix: str = "", leading: int = 0) -> dict[str, Field]:
    """Return the arrays of a record by name; those inside records inside it as `outer_inner`.

    Args:
        record: any pytree; arrays that declare no dimensions get `NAME_0`, `NAME_1`, ….
        prefix: stands before every name.
        leading: how many axes stand in front of an array's own.
    """
    if not dataclasses.is_dataclass(record):
        return _undeclared(record, prefix, leading)
    found: dict[str, Field] = {}
    for field in dataclasses.fields(record):
        if not field.metadata.get("pytree_node", True):
            continue
        value, name = getattr(record, field.name), prefix + field.name
        if "dims" in field.metadata:
            found[name] = Field(value, field.metadata["dims"], field.metadata["words"])
        else:
            found |= fields_of(value, f"{name}_", leading)
    return found


def _undeclared(tree: Any, prefix: str, leading: int) -> dict[str, Field]:
    found = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        name = (prefix + "_".join(map(_part, path))).rstrip("_")
        rank = len(getattr(leaf, "shape", ())) - leading
        found[name] = Field(leaf, tuple(f"{name}_{i}" for i in range(rank)))
    return found


def _part(entry: Any) -> str:
    return str(getattr(entry, "name", getattr(entry, "key", getattr(entry, "idx", entry))))


def along_first_axis(values: Any, like: jax.Array) -> jax.Array:
    """Shape `values [F]` so that they meet the first axis of `like [F]` or `[F, B]`."""
    return jnp.reshape(values, (-1, *(1,) * (like.ndim - 1)))
