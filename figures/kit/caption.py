"""What stands on a figure: its claim on top, and below what was run."""

from collections.abc import Sequence

import xarray as xr
from matplotlib.figure import Figure

SMALLER = {
    "fast": "FAST version: smaller than the full figure",
    "tiny": "TINY version, for tests",
}


def joined(parts: Sequence[str], overrides: Sequence[str], version: str = "") -> str:
    """Join the parts of a caption, what was changed, and that a version is smaller."""
    more = ["changed: " + ", ".join(overrides)] if overrides else []
    more += [SMALLER[version]] if version else []
    return "; ".join([*parts, *more]) + "."


def write_caption(figure: Figure, dataset: xr.Dataset) -> None:
    """Write a dataset's claim on top of a figure and its caption below."""
    if dataset.attrs.get("claim"):
        figure.suptitle(dataset.attrs["claim"], fontsize=10.5, fontweight="bold", wrap=True)
    if dataset.attrs.get("caption"):
        figure.supxlabel(dataset.attrs["caption"], fontsize=7, color="#555555", wrap=True)
