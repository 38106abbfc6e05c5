"""Values that were measured apart from this project, and the configuration that each belongs to.

`reference.json` lists cells: sizes and settings of a network, and its errors by layer. A figure
gets a value only for a cell of its own that agrees in all of them.
"""

import json
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import xarray as xr

from figures.kit.words import listed

# What decides an error, besides the layer.
KEYS = (
    *("circuits", "width", "n_circuits", "redundancy", "n_active"),
    *("bias", "inhibition", "gain", "assignment", "gating"),
)


@cache
def read() -> dict[str, Any]:
    """Return the file: `post`, the published configuration; `sources`; `shared`; `cells`."""
    text = resources.files("figures.circuits") / "reference.json"
    return json.loads(text.read_text(encoding="utf-8"))


def with_reference(cells: xr.Dataset, name: str) -> xr.Dataset:
    """Add what was measured apart: `reference`, NaN where nothing was, and how in its attributes.

    Args:
        cells: a dataset with a coordinate, or an axis, for each of `KEYS` and for `layer`.
        name: of an error that the file has, "mse_x_active".
    """
    known = {_key(read()["shared"] | cell): cell for cell in read()["cells"]}
    arrays = xr.broadcast(*(cells[key] for key in (*KEYS, "layer")))
    columns = [array.values.ravel().tolist() for array in arrays]
    values, used = np.full(arrays[0].size, np.nan), []
    for i, (*key, layer) in enumerate(zip(*columns, strict=True)):
        cell = known.get(tuple(map(_plain, key)))
        if cell is not None and layer < len(cell[name]):
            values[i] = cell[name][layer]
            used.append(cell)
    sources = dict.fromkeys(read()["sources"][cell["source"]]["short"] for cell in used)
    about = {
        "long_name": f"{name}, measured apart",
        "source": listed(sources) if used else "",
        "networks": listed(sorted({cell["networks"] for cell in used})) if used else "",
    }
    found = arrays[0].copy(data=values.reshape(arrays[0].shape)).drop_attrs()
    return cells.assign(reference=found.assign_attrs(about))


def is_published(cells: xr.Dataset, but: Iterable[str]) -> bool:
    """Tell whether all settings are those of the post's Figures 5 to 7, `but` these."""
    kept = {key: value for key, value in read()["post"].items() if key not in but}
    return all(
        cells[key].ndim == 0 and _plain(cells[key].item()) == _plain(value)
        for key, value in kept.items()
    )


def published(key: str) -> Any:
    """Return a setting of the post's Figures 5 to 7."""
    return read()["post"][key]


def described(cells: xr.Dataset) -> list[str]:
    """Say, for a caption, what the reference is; nothing where there is none."""
    about = cells["reference"].attrs
    if not about["source"]:
        return []
    return [
        f"hollow diamonds: measured apart, with {about['source']}, means of {about['networks']} "
        "networks"
    ]


def _key(cell: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(_plain(cell[key]) for key in KEYS)


def _plain(value: Any) -> Any:
    """Return numbers as floats, so that 1 and 1.0 are one."""
    return value if isinstance(value, str) else round(float(value), 9)
