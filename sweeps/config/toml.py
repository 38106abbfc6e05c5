"""Values as TOML writes them, from texts of the command line and back."""

import json
import re
import tomllib
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_-]+")
# Numbers as people type them and TOML does not: .01 and 5.
OPEN_NUMBER = re.compile(r"(?<![\w.])(\.\d+|\d+\.)(?![\d.])")


def key(name: str) -> str:
    """Write a key: bare, or in quotes where it holds a dot, a colon or a space."""
    return name if BARE.fullmatch(name) else text(name)


def text(value: str) -> str:
    """Write a text: JSON's escapes are TOML's, which asks for one more."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(value: Any) -> str:
    """Write a value on one line; `tomllib` reads the same again, floats to the last bit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{key(k)} = {inline(v)}" for k, v in value.items() if v is not None)
        return f"{{ {inside} }}" if inside else "{}"
    return repr(value)


def read(given: str) -> Any:
    """Return what a text of the command line says in TOML; a text that is none stands for itself.

    Numbers may begin or end with the point, as .01 does.
    """
    closed = given if '"' in given or "'" in given else OPEN_NUMBER.sub(_closed, given)
    for value in (given, closed):
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):
            continue
    return given.strip()


def _closed(number: re.Match[str]) -> str:
    found = number.group()
    return f"0{found}" if found.startswith(".") else f"{found}0"
