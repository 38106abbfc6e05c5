"""What differs from a figure's preset, as Python values; and what may differ, in words."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from figures.kit.entry import Entry
from sweeps.config import toml
from sweeps.config.parse import read_toml
from sweeps.config.sweep import is_key
from sweeps.given import plain, shortened
from toymodels.errors import InputError

# Tables and keys of a figure's file that are not what its sweep runs.
OUTSIDE = ("figure", "settings", "fast", "tiny", "name", "description", "keep")
ARGUMENTS = ("out", "fast", "overrides", "memory_gib", "fresh", "report", "version")  # of compute
NEAR = 0.75  # how alike two names are, for one to be the other misspelt
LONGEST = 60  # letters of a value that is shown


def texts_of(changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return keys and values as `key=value` texts.

    Args:
        changes: key -> number, text, list or table; "grid.seed.range" is a key, too.

    Raises:
        InputError: a value of another kind, or what seems a misspelt argument of `compute`.
    """
    for key in changes:
        near = get_close_matches(key, ARGUMENTS, n=1, cutoff=NEAR)
        if near and not is_key(key):
            raise InputError(f"compute has no argument {key!r}. Did you mean {near[0]!r}?")
    return tuple(f"{key}={_toml(key, value)}" for key, value in changes.items())


def _toml(key: str, value: Any) -> str:
    """Write a value as in TOML."""
    try:
        if value is None:
            raise ValueError("give a number, a text, a list or a table")
        return toml.inline(plain(value))
    except ValueError as error:
        raise InputError(f"{key} = {shortened(value)}: {error}.") from None


def described(entry: Entry) -> str:
    """Say what a figure is, where it is from and what can be changed: its docstring."""
    table, own = read_toml(entry.source), read_toml(entry.file).get("settings", {})
    shown = {k: v for k, v in table.items() if k not in OUTSIDE and k not in entry.requires}
    values = [f"    {key} = {_short(key, value)}" for key, value in (*_keys(shown), *own.items())]
    name = f"figures.{entry.name.replace('-', '_')}"
    lines = [
        *(f"{entry.title}.", "", f"{entry.paper}: {entry.section}. {entry.says}."),
        *("", f"    dataset = {name}.compute(fast=True)", f"    {name}.draw(dataset)", ""),
        *(["compute(KEY=VALUE) changes what is run:", "", *values] if values else []),
    ]
    return "\n".join(lines).rstrip()


def _keys(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the path and value of each key and of each axis."""
    for key, value in table.items():
        if key in ("grid", "zip") or (key.startswith("zip.") and isinstance(value, dict)):
            yield from _keys({f"{key}.{path}": inner for path, inner in value.items()})
        else:
            yield key, value


def _short(key: str, value: Any) -> str:
    text = _toml(key, value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
