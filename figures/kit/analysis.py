"""What a figure computes beyond its sweep, kept beside the sweep's result.

An analysis is a function of the dataset; where it takes many seconds it has parts, each of which is
kept as it is done, so that a run that was killed goes on. See `figures.kit.compute` for what a
module defines.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr

from sweeps.atomic import check_target, remove_halves, write_json
from sweeps.identity import digest
from sweeps.store import kept_dataset, save_dataset
from toymodels.errors import InputError

# Name -> what computes the part.
Parts = dict[str, Callable[[], xr.Dataset]]

AGAIN = "It is computed again."


class Keeper:
    """Where an analysis is kept: in a folder, under a name that says of which version it is."""

    def __init__(self, folder: Path, entry: Any, what: Any, about: str) -> None:
        """Choose the places.

        Args:
            folder: of the sweep's result.
            entry: the figure.
            what: decides the analysis: settings, and the sweeps beside it.
            about: JSON that says what the folder holds.
        """
        self.folder, self.about = folder, about
        self.mark = digest(what)[:6]
        self.path = folder / "analysis" / f"{entry.name}-v{entry.version}-{self.mark}.nc"
        self.older = f"{entry.name}-v*-{self.mark}.nc"

    def load(self) -> xr.Dataset | None:
        """Return the analysis that is kept, or None where there is none that can be read."""
        return kept_dataset(self.path, AGAIN)

    def prepare(self) -> None:
        """Make the folder, say what it holds, and remove what killed processes left.

        No lock is taken: two figures of one sweep may be drawn side by side, and two calls of one
        figure write the same numbers, each file whole.

        Raises:
            InputError: the folder cannot be made.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not (self.folder / "config.json").exists():
                write_json(self.folder / "config.json", json.loads(self.about))
        except OSError as error:
            raise InputError(
                f"cannot write to {self.path.parent}: {error.strerror}. Choose another with --out."
            ) from None
        check_target(self.path)
        remove_halves(self.path.parent)

    def prepare_parts(self, places: list[Path]) -> None:
        """Make the folder of the parts.

        Raises:
            InputError: something is in the way.
        """
        try:
            places[0].parent.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"{error.filename}: {error.strerror}. Move it away.") from None
        for place in places:
            check_target(place)

    def say_if_outdated(self) -> None:
        """Say why an analysis that an older version made is made again."""
        for old in self.path.parent.glob(self.older):
            if old != self.path:
                print(f"{old.name} is an older version's analysis: it is computed again.")

    def part(self, i: int) -> Path:
        """Return where part i is kept."""
        return self.path.with_suffix(".parts") / f"{i:03d}.nc"


def analysed(
    module: Any, dataset: xr.Dataset, keeper: Keeper | None, report: Any, beside: Parts
) -> xr.Dataset:
    """Return what a figure shows: what is kept, or else computed and kept now.

    Args:
        module: of the figure.
        dataset: of the sweep.
        keeper: where it is kept; None keeps nothing.
        report: is told how many parts are done.
        beside: runs the sweeps beside it; they keep their own results.
    """
    if not hasattr(module, "analyse"):
        return dataset
    found = _analysed(module, dataset, keeper, report, beside)
    for name, words in getattr(module, "WORDS", {}).items():
        if name in found:
            found[name].attrs["long_name"] = words
    return found


def _analysed(
    module: Any, dataset: xr.Dataset, keeper: Keeper | None, report: Any, beside: Parts
) -> xr.Dataset:
    """Read or compute an analysis."""
    if keeper is None:
        others = {name: run() for name, run in beside.items()}
        return analyse(module, dataset, others | compute_parts(module, dataset, None, report))
    found = keeper.load()
    if found is not None:
        return found
    keeper.say_if_outdated()
    others = {name: run() for name, run in beside.items()}
    keeper.prepare()
    result = analyse(module, dataset, others | compute_parts(module, dataset, keeper, report))
    save_dataset(result, keeper.path)
    return result


def compute_parts(
    module: Any, dataset: xr.Dataset, keeper: Keeper | None, report: Any
) -> dict[str, xr.Dataset]:
    """Compute the parts that are not kept yet."""
    parts: Parts = module.parts(dataset) if hasattr(module, "parts") else {}
    places = {name: keeper.part(i) for i, name in enumerate(parts)} if keeper else {}
    read = {name: kept_dataset(place, AGAIN) for name, place in places.items()}
    kept = {name: dataset for name, dataset in read.items() if dataset is not None}
    if len(kept) == len(parts):
        return kept
    if keeper:
        keeper.prepare_parts(list(places.values()))
    report.start(len(parts), len(parts), len(kept), "parts of the analysis")
    try:
        for name, compute in parts.items():
            if name not in kept:
                kept[name] = compute()
                if name in places:
                    save_dataset(kept[name], places[name])
                report.advance(1)
    finally:
        report.finish()
    return {name: kept[name] for name in parts}


def analyse(module: Any, dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Call a module's analysis; what all cells share stays with the result."""
    result = module.analyse(dataset, parts) if parts else module.analyse(dataset)
    shared = {
        name: value.variable
        for name, value in dataset.coords.items()
        if value.ndim == 0 and name not in result.variables and name not in result.dims
    }
    return result.assign_coords(shared).assign_attrs(dataset.attrs | result.attrs)
