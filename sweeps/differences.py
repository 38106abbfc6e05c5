"""How sweeps of one name differ, and what becomes of a result that another one takes the place of.

Told are the keys whose values, defaults filled in, are not the same. Nothing that was finished is
lost without a word.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5netcdf

from sweeps.config.sweep import SweepConfig, config_from_json, without
from sweeps.identity import digest

MOST = 6  # keys that are told
SHOWN = 4  # values of an axis that are told
NOTHING = "none"  # the value of a key that a sweep does not have


def differences(configs: Sequence[SweepConfig]) -> list[str]:
    """Say of each sweep how it differs from the others: "steps = 500, seed = 1", or nothing."""
    found = [facts(config) for config in configs]
    keys = dict.fromkeys(key for one in found for key in one)
    differ = [k for k in keys if any(one.get(k) != found[0].get(k) for one in found)]
    more = [f"and {len(differ) - MOST} more"] if len(differ) > MOST else []
    return [
        ", ".join([*(f"{key} = {_said(one.get(key, NOTHING))}" for key in differ[:MOST]), *more])
        for one in found
    ]


def differences_of_runs(paths: Iterable[Path]) -> dict[Path, str]:
    """Say how runs of one name differ, by the paths of their `config.json`; nothing of others."""
    by_name: dict[str, list[tuple[Path, SweepConfig]]] = {}
    for path in paths:
        config = config_of(path)
        if config is not None:
            by_name.setdefault(config.name, []).append((path, config))
    found: dict[Path, str] = {}
    for runs in by_name.values():
        # Names of things of a user's own may not be there any more.
        with contextlib.suppress(ValueError, ImportError, OSError):
            told = differences([config for _, config in runs])
            found |= {path: text for (path, _), text in zip(runs, told, strict=True) if text}
    return found


def config_of(path: Path) -> SweepConfig | None:
    """Return the sweep of a `config.json`, or None where there is none that can be read."""
    try:
        return config_from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def facts(config: SweepConfig) -> dict[str, Any]:
    """Return path -> value of all that is run; of an axis a tuple of its values."""
    axes = {axis.path: axis.values for d in config.grid.dimensions for axis in d.axes}
    shared = without(config.variants[0], [*axes, *config.derive])
    found: dict[str, Any] = {"root seed": config.seed, "keep": config.keep or "everything"}
    found |= dict(_leaves(shared))
    found |= {path: f"{name} of {', '.join(of)}" for path, (name, of) in config.derive.items()}
    found |= axes
    if config.models is not None:
        found |= {f"models.{path}": value for path, value in facts(config.models).items()}
    return found


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        shown = value if len(value) <= SHOWN else [*value[: SHOWN - 1], "…", value[-1]]
        text = ", ".join(map(_said, shown))
        return f"{len(value)} values ({text})" if len(value) > 1 else text
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def make_room(path: Path, config: SweepConfig, figure: str = "") -> None:
    """Say in a line what a new result replaces; what is kept nowhere else is moved aside.

    Args:
        path: of the result.
        config: what it is of.
        figure: the figure whose dataset is written there; none for a sweep's own result.
    """
    old = attributes(path)
    if old is None:
        return
    if "config" not in old:
        _aside(path, digest(_texts(old)), f"{path} was of something else")
        return
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, ImportError):
        before = config_from_json(old["config"])
        drawn = str(old.get("figure", ""))
        if drawn == figure and before.identity() == config.identity():
            return
        of = f"the dataset of the figure {drawn}" if drawn != figure and drawn else "a sweep"
        told = differences([before, config])[0]
        what = f"{path} was {of}{f' with {told}' if told else ''}"
        kept = None if drawn else _run_of(before, path.parent / "runs")
        if kept is not None:
            print(f"{what}: it is replaced here and stays in {kept}.")
            return
        _aside(path, before.hash(), what)


def make_room_for_grid(path: Path, about: str) -> None:
    """Move aside what is not of a grid with these axes, and say where it is now.

    Args:
        path: of the result of `run_grid`.
        about: the attribute `grid` that it will have.
    """
    old = attributes(path)
    if old is not None and old.get("grid") != about:
        _aside(path, digest(_texts(old)), f"{path} was of something else")


def _aside(path: Path, mark: str, what: str) -> None:
    aside = path.with_name(f"{path.stem}.{mark[:8]}.nc")
    os.replace(path, aside)
    print(f"{what}: it is now {aside}.")


def _texts(attrs: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in attrs.items()}


def attributes(path: Path) -> dict[str, Any] | None:
    """Return the attributes of a result, or None where there is none that can be read."""
    if not path.is_file():
        return None
    try:
        with h5netcdf.File(path, "r") as file:
            return dict(file.attrs)
    except Exception:  # HDF5 reports damage through many exception types
        return None


def _run_of(config: SweepConfig, runs: Path) -> Path | None:
    """Return the result that a run's own folder keeps of the same sweep."""
    for path in sorted(runs.glob(f"{config.name}-*/config.json")):
        result, same = path.with_name("result.nc"), config_of(path)
        if result.exists() and same is not None and same.identity() == config.identity():
            return result
    return None
