"""Settings of a figure that has no sweep: a frozen dataclass, changed by `key=value` texts.

Its fields are ints or tuples of ints. Whether a size is possible says the library.
"""

import dataclasses
import tomllib
from collections.abc import Sequence
from typing import Any, TypeVar

from sweeps.named import hint
from toymodels.errors import InputError

Settings = TypeVar("Settings")


def changed(settings: Settings, overrides: Sequence[str]) -> Settings:
    """Return settings with `key=value` texts put in, such as "width=800" or "n_active=[1, 2]".

    Raises:
        InputError: an unknown key, or a value of another type; names what is allowed.
    """
    now = vars(settings)
    new: dict[str, Any] = {}
    for text in overrides:
        key, equals, given = (part.strip() for part in text.partition("="))
        if not equals or key not in now:
            raise InputError(f"{text!r}: give key=value of {', '.join(now)}.{hint(key, now)}")
        new[key] = _parsed(key, given, now[key])
    return dataclasses.replace(settings, **new)  # pyright: ignore[reportArgumentType]


def _parsed(key: str, given: str, now: Any) -> Any:
    try:
        value = tomllib.loads(f"value = {given}")["value"]
    except ValueError:
        value = given
    if isinstance(now, tuple):
        value = [value] if _is_int(value) else value
        if isinstance(value, list) and value and all(map(_is_int, value)):
            return tuple(value)
        raise InputError(f"{key} = {given}: give whole numbers, such as {key}={list(now)}.")
    if _is_int(value):
        return value
    raise InputError(f"{key} = {given}: give a whole number, such as {key}={now}.")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def require_at_least(settings: Any, least: int, *keys: str) -> None:
    """Refuse settings below `least` with an `InputError` that names the key."""
    for key in keys:
        if getattr(settings, key) < least:
            raise InputError(f"{key} = {getattr(settings, key)} must be at least {least}.")


def caption_end(fast: bool, overrides: Sequence[str]) -> str:
    """Say what was changed, to stand at the end of a caption."""
    text = f" changed: {', '.join(overrides)}." if overrides else ""
    return text + (" FAST version: smaller than the full figure." if fast else "")
