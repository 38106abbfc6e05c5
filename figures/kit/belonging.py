"""Whether a dataset is one that a figure can draw."""

import contextlib
from collections.abc import Iterator
from typing import Any

import xarray as xr

from toymodels.errors import InputError


@contextlib.contextmanager
def drawing(entry: Any, dataset: Any) -> Iterator[None]:
    """Refuse a dataset that is not the figure's: at once where it says so, else where it fails.

    Args:
        entry: the figure.
        dataset: what is drawn inside.

    Raises:
        InputError: no dataset, another figure's, or one that lacks what the figure draws.
    """
    own = f"figures.{entry.name.replace('-', '_')}"
    if not isinstance(dataset, xr.Dataset):
        raise InputError(
            f"dataset = {dataset!r:.60}: give what {own}.compute() returned, or open its file with "
            "xarray.open_dataset."
        )
    said = dataset.attrs.get("figure")
    if said not in (None, entry.name):
        raise InputError(
            f"this is a dataset of the figure {said}, not of {entry.name}: draw it with "
            f"figures.{str(said).replace('-', '_')}.draw."
        )
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # whatever reading by names and sizes that are not there raises
        if said is not None:
            raise
        raise InputError(
            f"this is not a dataset of {entry.name} ({type(error).__name__}: {error}): give what "
            f"{own}.compute() returned, or {own}.analyse(dataset) of a sweep's."
        ) from error
