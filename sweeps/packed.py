"""What a block leaves behind, as arrays that a file can keep, and back.

A block is a `sweeps.plan.Block`.
"""

import json
from typing import Any, NamedTuple

import numpy as np

from toymodels.fields import Field

POINTS, LAYOUT, ABOUT = "cut/points", "cut/layout", "about"
ALWAYS = "diverged"  # is kept, whatever else is: statistics over seeds go by it
FIELD, COORDINATE = "field/", "coordinate/"  # stand before a name, so that any name is free


class Output(NamedTuple):
    """What a block leaves behind."""

    fields: dict[str, Field]  # values [S, C, …]
    coords: dict[str, np.ndarray]  # of dimensions that have values, such as steps


def cut_of(block: Any) -> dict[str, np.ndarray]:
    """Return how a block was cut: which points it holds, and how many go side by side.

    Blocks of a run's folder that agree in both hold the same numbers, bit for bit.
    """
    layout = block.layout
    devices = layout.devices if layout.n_devices > 1 else ()  # a run on one has always named none
    return {POINTS: block.points, LAYOUT: np.array([layout.seeds, layout.cells, *devices])}


def is_of(block: Any, arrays: dict[str, np.ndarray]) -> bool:
    """Tell whether arrays are those of a block that was cut like this one."""
    return all(
        name in arrays and np.array_equal(arrays[name], values)
        for name, values in cut_of(block).items()
    )


def kept(output: Output, keep: tuple[str, ...] | None) -> Output:
    """Return the fields of a block that are kept, and the coordinates of their dimensions."""
    if keep is None:
        return output
    fields = {name: f for name, f in output.fields.items() if name in (*keep, ALWAYS)}
    dims = {dim for field in fields.values() for dim in field.dims}
    return Output(fields, {name: v for name, v in output.coords.items() if name in dims})


def pack(block: Any, output: Output) -> dict[str, np.ndarray]:
    """Return a block's result as arrays that a file can keep, of what its program keeps."""
    return pack_all(block, kept(output, block.program.keep))


def pack_all(block: Any, output: Output) -> dict[str, np.ndarray]:
    """Return all of a block's result as arrays that a file can keep."""
    about = {n: [list(f.dims), f.words, list(f.meanings)] for n, f in output.fields.items()}
    arrays = {FIELD + name: np.asarray(f.values) for name, f in output.fields.items()}
    arrays |= {COORDINATE + name: np.asarray(values) for name, values in output.coords.items()}
    return arrays | cut_of(block) | {ABOUT: np.array(json.dumps(about))}


def unpack(arrays: dict[str, np.ndarray]) -> Output:
    """Return what was packed."""
    about = json.loads(str(arrays[ABOUT]))
    fields = {
        name: Field(arrays[FIELD + name], tuple(dims), words, tuple(meanings))
        for name, (dims, words, meanings) in about.items()
    }
    coords = {n.removeprefix(COORDINATE): v for n, v in arrays.items() if n.startswith(COORDINATE)}
    return Output(fields, coords)
