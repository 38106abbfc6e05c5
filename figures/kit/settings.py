"""Settings of a figure beside its sweep, from `[settings]`; changed by `key=value` texts.

Values are numbers, texts or lists of them. Whether a value is possible says the library.
"""

from collections.abc import Sequence
from typing import Any

from sweeps.config import toml
from toymodels.errors import InputError


def changed(settings: dict[str, Any], overrides: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return settings with `key=value` texts put in, and the texts that are none of theirs.

    Raises:
        InputError: a value of another type; names what is allowed.
    """
    new, others = dict(settings), []
    for text in overrides:
        key, equals, given = (part.strip() for part in text.partition("="))
        if equals and key in settings:
            new[key] = _parsed(key, given, settings[key])
        else:
            others.append(text)
    return new, others


def _parsed(key: str, given: str, now: Any) -> Any:
    value = toml.read(given)
    if isinstance(now, list):
        value = value if isinstance(value, list) else [value]
        if value and all(_is_like(one, now[0]) for one in value):
            return value
    elif _is_like(value, now):
        return value
    raise InputError(f"{key} = {given}: give {_named(now)}, such as {key}={now}.")


def _is_like(value: Any, now: Any) -> bool:
    if isinstance(value, bool) or isinstance(now, str) != isinstance(value, str):
        return False
    if isinstance(now, str):
        return True
    return isinstance(value, int | float if isinstance(now, float) else int)


def _named(now: Any) -> str:
    one = now[0] if isinstance(now, list) else now
    name = (
        "text" if isinstance(one, str) else "number" if isinstance(one, float) else "whole number"
    )
    return f"{name}s" if isinstance(now, list) else f"a {name}"


def require_at_least(name: str, value: float, least: float) -> None:
    """Refuse a setting below `least` with an `InputError` that names it."""
    if not value >= least:
        raise InputError(f"{name} = {value} must be at least {least}.")


def require_above(name: str, value: float, bound: float) -> None:
    """Refuse a setting that is not above `bound` with an `InputError` that names it."""
    if not value > bound:
        raise InputError(f"{name} = {value} must be above {bound}.")


def require_snapshots(plan: Any, least: int = 4) -> None:
    """Refuse runs whose history a figure cannot draw.

    Raises:
        InputError: fewer snapshots.
    """
    few = min(len(variant["snapshots"]) for variant in plan.config.variants)
    if few < least:
        raise InputError(
            f"snapshots are {few}: give {least} or more, such as {{ linear = [0, 1000, 51] }}."
        )
