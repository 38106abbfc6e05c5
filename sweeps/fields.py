"""What the kinds of cells share: types of numbers, paths to keys, words for the first mistake."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from toymodels.errors import hint, listed


def _number(given: Any) -> Any:
    if isinstance(given, bool | str):
        raise ValueError("give a number")
    return given


# Not pydantic's strict mode: an axis may hold 5.0 where an integer is meant.
Integer = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number)]
Positive = Annotated[Integer, Field(ge=1, le=1_000_000)]
NotNegative = Annotated[Number, Field(ge=0, le=1e30, allow_inf_nan=False)]
STRICT = ConfigDict(extra="forbid")


def set_path(table: dict[str, Any], path: str, value: Any) -> None:
    """Set "a.b.c" in nested tables; a number in the way gives place to a table."""
    *outer, last = path.split(".")
    for part in outer:
        if not isinstance(table.get(part), dict):
            table[part] = {}
        table = table[part]
    table[last] = value


def first_message(error: ValidationError, known: Sequence[str], inner: Sequence[str] = ()) -> str:
    """Say what is wrong first: key, value, what is allowed.

    Args:
        error: pydantic's.
        known: the keys of the cell.
        inner: those of the table inside it, where there is one.
    """
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part in known or isinstance(part, int)]
    below = [str(p) for p in first["loc"][1:2] if p in inner]
    path = ".".join([*place, *below]) or ".".join(map(str, first["loc"]))
    if first["type"] == "unexpected_keyword_argument":
        name = str(first["loc"][-1])
        allowed = inner if len(first["loc"]) > 1 else known
        return f"unknown key {name!r}.{hint(name, allowed)} Known keys: {listed(allowed)}."
    if first["type"] in ("missing", "missing_argument"):
        return f"{path} is missing: give it a value, for example {path} = 2."
    return f"{path} = {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}."
