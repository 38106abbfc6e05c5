"""What stands on a figure: its claim on top, and below what was run."""

from collections.abc import Sequence
from textwrap import fill, wrap
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from sweeps.config.registry import find
from sweeps.config.sweep import SweepConfig

# Letters on an inch, at the sizes of claims and captions.
CLAIM_LETTERS, CAPTION_LETTERS = 10.5, 18.0

SMALLER = {
    "fast": "FAST version: smaller than the full figure",
    "tiny": "TINY version, for tests",
}


def joined(parts: Sequence[str], overrides: Sequence[str], version: str = "") -> str:
    """Join the parts of a caption, what was changed, and that a version is smaller."""
    more = ["changed: " + ", ".join(overrides)] if overrides else []
    more += [SMALLER[version]] if version else []
    return "; ".join([*parts, *more]) + "."


def parts_of_caption(
    config: SweepConfig | None, module: Any, dataset: xr.Dataset, result: xr.Dataset
) -> list[str]:
    """Return what each kind of work says of its sweep's dataset, and a figure of its result."""
    works = dict.fromkeys(variant["work"] for variant in config.variants) if config else ()
    parts = [part for name in works for part in find("work", name).caption(dataset)]
    return parts + (module.caption(result) if hasattr(module, "caption") else [])


def said_of(module: Any, dataset: xr.Dataset) -> dict[str, str]:
    """Return what a figure's module says of its dataset: its claim, and what else it has to say."""
    names = ("claim", "verdict", "finding")
    return {name: getattr(module, name)(dataset) for name in names if hasattr(module, name)}


def write_caption(figure: Figure, dataset: xr.Dataset) -> None:
    """Write a dataset's claim on top of a figure and its caption below."""
    width = float(figure.get_size_inches()[0])
    claim, caption = (dataset.attrs.get(name, "") for name in ("claim", "caption"))
    if claim:
        text = broken(claim, width * CLAIM_LETTERS)
        figure.suptitle(text, fontsize=10.5, fontweight="bold")
    if caption:
        text = broken(caption, width * CAPTION_LETTERS)
        figure.supxlabel(text, fontsize=7, color="#555555")


def broken(text: str, letters: float) -> str:
    """Break a text into even lines of at most so many letters, and where it is broken already."""
    return "\n".join(_even(line, max(int(letters), 20)) for line in text.splitlines())


def _even(text: str, letters: int) -> str:
    """Break a text into as few lines as fit, with none left much shorter than the others."""
    n = len(wrap(text, letters))
    widths = range(max(1, len(text) // max(n, 1)), letters)
    return fill(text, next((w for w in widths if len(wrap(text, w)) <= n), letters))
