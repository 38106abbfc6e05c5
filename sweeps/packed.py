"""What a block leaves behind, as arrays that a file can keep, and back.

A block is a `sweeps.plan.Block`.
"""

import json
from typing import Any, NamedTuple

import numpy as np

from toymodels.fields import Field

POINTS, LAYOUT, ABOUT = "cut/points", "cut/layout", "about"
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


def pack(block: Any, output: Output) -> dict[str, np.ndarray]:
    """Return a block's result as arrays that a file can keep."""
    about = {n: [list(f.dims), f.words, list(f.meanings)] for n, f in output.fields.items()}
    arrays = {FIELD + name: np.asarray(f.values) for name, f in output.fields.items()}
    arrays |= {COORDINATE + name: np.asarray(values) for name, values in output.coords.items()}
    return arrays | cut_of(block) | {ABOUT: np.array(json.dumps(about))}


def unpack(arrays: dict[str, np.ndarray]) -> Output:
    """Return what `pack` was given."""
    about = json.loads(str(arrays[ABOUT]))
    fields = {
        name: Field(arrays[FIELD + name], tuple(dims), words, tuple(meanings))
        for name, (dims, words, meanings) in about.items()
    }
    coords = {n.removeprefix(COORDINATE): v for n, v in arrays.items() if n.startswith(COORDINATE)}
    return Output(fields, coords)
