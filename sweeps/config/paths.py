"""Nested tables by paths such as "features.p_active"."""

from collections.abc import Iterator
from typing import Any

from toymodels.errors import InputError


def with_path(table: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a table in which "a.b.c" has a value; the table given is not changed.

    Raises:
        InputError: something other than a table is in the way.
    """
    head, _, rest = path.partition(".")
    if not rest:
        return table | {head: value}
    inner = table.get(head, {})
    if not isinstance(inner, dict):
        raise InputError(f"{head} = {inner!r} and {path} cannot both be given: remove one.")
    return table | {head: with_path(inner, rest, value)}


def with_paths(table: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return a table in which each path has its value."""
    for path, value in settings.items():
        table = with_path(table, path, value)
    return table


def without(table: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """Return a table without what these paths hold."""
    left = {}
    for key, value in table.items():
        if key in paths:
            continue
        inner = [p.removeprefix(f"{key}.") for p in paths if p.startswith(f"{key}.")]
        left[key] = without(value, inner) if isinstance(value, dict) else value
    return left


def leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and value of every number and name in nested tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        elif isinstance(value, int | float | str) and not isinstance(value, bool):
            yield f"{prefix}{key}", value
