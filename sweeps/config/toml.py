"""Numbers, texts, lists and tables as TOML writes them; Python reads TOML, but writes none."""

import json
import re
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_-]+")


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
