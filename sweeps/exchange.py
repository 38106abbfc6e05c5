"""Cells of a result in the layouts of other programs."""

from pathlib import Path
from typing import Any

import xarray as xr

from sweeps.stored_models import stored_models
from toymodels.errors import InputError
from toymodels.interop.writing import write


def export_models(
    dataset: xr.Dataset, path: str | Path, layout: str, *models: xr.Dataset, **coordinates: Any
) -> list[Path]:
    """Write the models of cells in a layout of `toymodels.interop`, with a sidecar.

    Several cells become its first axis. Cells that diverged are refused.

    Args:
        dataset: the result of a sweep.
        path: a `.npz` or `.safetensors` file, or a folder for "sae-lens".
        layout: a name of `toymodels.interop.LAYOUTS`.
        models: as for `restore`.
        coordinates: of one cell, or of several.

    Returns:
        The files that were written.

    Raises:
        InputError: as `stored_models` and `toymodels.interop.write`.
    """
    found = stored_models(dataset, *models, **coordinates)
    gone = [stored.at for stored in found if stored.about.get("diverged")]
    if gone:
        where = ", ".join(f"{k} = {v}" for k, v in gone[0].items())
        raise InputError(f"{len(gone)} of {len(found)} runs diverged, the first at {where}.")
    return write(path, [s.model for s in found], layout, [s.about for s in found])
