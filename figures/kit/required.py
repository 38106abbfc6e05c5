"""What a figure needs of its sweep: its axes, some keys, and all that it draws from."""

from typing import Any

from sweeps.config.sweep import SweepConfig
from toymodels.errors import InputError, listed


def require_drawable(entry: Any, config: SweepConfig, own: SweepConfig) -> None:
    """Refuse a sweep that a figure cannot draw, before anything runs.

    Args:
        entry: the figure.
        config: what is asked for.
        own: the sweep of the figure's file.

    Raises:
        InputError: other axes, another value of a key that the figure is about, or less kept or
            measured than it draws.
    """
    _require_axes(entry, config, own)
    _require_keys(entry, config, own)


def _require_axes(entry: Any, config: SweepConfig, own: SweepConfig) -> None:
    """Refuse axes that the figure does not draw, alone or among others that move together."""
    known = {axis.path for d in own.grid.dimensions for axis in d.axes}
    for d in config.grid.dimensions:
        paths = [axis.path for axis in d.axes]
        others = [path for path in paths if path not in known]
        if d.name in entry.axes and len(paths) > 1 and others:
            raise InputError(
                f"{entry.name} does not draw {listed(others)} along {d.name!r}: leave it out, or "
                "run the sweep with `toymodels sweep run`."
            )
        if d.name not in entry.axes:
            raise InputError(
                f"{entry.name} draws {listed(entry.axes)}, but the grid has {d.name!r} too: give "
                f"it one value ({paths[0]}=…), or run the sweep with `toymodels sweep run`."
            )
    there = [d.name for d in config.grid.dimensions]
    missing = [name for name in entry.axes if name not in there]
    if missing:
        raise InputError(
            f"{entry.name} draws {listed(entry.axes)}, but the grid has no {listed(missing)}."
        )


def _require_keys(entry: Any, config: SweepConfig, own: SweepConfig) -> None:
    """Refuse what the figure cannot draw: other values of some keys, and fewer variables."""
    if config.keep != own.keep:
        every = listed(own.keep) if own.keep else "every variable"
        raise InputError(f"keep: {entry.name} draws from {every}: leave keep out.")
    measured = own.run.get("measures", ["geometry"])
    missing = [name for name in measured if name not in config.run.get("measures", measured)]
    if missing:
        raise InputError(f"measures: {entry.name} draws {listed(missing)}, name it as well.")
    for variant in config.variants:
        for key, wanted in entry.requires.items():
            given: Any = variant
            for part in key.split("."):
                given = given.get(part) if isinstance(given, dict) else None
            if given != wanted:
                raise InputError(
                    f"{key} = {given}: {entry.name} is about {key} = {wanted} alone; run the sweep "
                    "with `toymodels sweep run` for others."
                )
