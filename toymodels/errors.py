"""What is said to a user whose input is wrong: one kind of error, and the words it is made of."""

import difflib
import math
from collections.abc import Iterable
from typing import Any


class InputError(ValueError):
    """Invalid user input; the message says how to fix it.

    It names the argument, the value that came, what is allowed and what to do instead. The
    command line prints it without a traceback and exits with status 2.
    """


def listed(names: Iterable[Any]) -> str:
    """Join names for a message."""
    return ", ".join(map(str, names))


def hint(name: Any, known: Iterable[str]) -> str:
    """Suggest the nearest known name, or nothing."""
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def require_range(name: str, value: Any, least: float, most: float = math.inf) -> None:
    """Raise `InputError` unless `least <= value <= most` and the value is finite."""
    if not (least <= value <= most and math.isfinite(value)):
        allowed = f", {least:,} or more" if math.isinf(most) else f", from {least:,} to {most:,}"
        allowed = "" if math.isinf(least) and math.isinf(most) else allowed
        raise InputError(f"{name} = {value}: give a finite number{allowed}.")
