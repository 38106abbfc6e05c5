"""What each key of a config means: the words are those of the docstring of what takes it.

A maker says what its parameters mean under "Args:"; a record that is its own maker says so under
"Attributes:", in its own docstring or in that of a class that it is made of. A thing may
leave it to the function that it passes them on to, named in its `words`.
"""

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any

SECTIONS = ("Args:", "Attributes:")


@cache
def meanings(make: Callable[..., Any]) -> dict[str, str]:
    """Return name -> meaning of the parameters that a maker's docstring describes."""
    owner = make if inspect.isclass(make) else getattr(make, "__self__", None)
    others = (*(owner.__mro__ if inspect.isclass(owner) else ()), *getattr(owner, "words", ()))
    found: dict[str, str] = {}
    for thing in (make, *others):
        found = _described(_doc(thing)) | found
    return found


def first_line(thing: Any) -> str:
    """Return what a thing is: the first sentence of its own docstring, on one line."""
    paragraph = _doc(thing).partition("\n\n")[0]
    return " ".join(paragraph.split())


def _doc(thing: Any) -> str:
    """Return a docstring that was written for a thing itself, not for what it is derived from."""
    own = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    return inspect.cleandoc(own or "")


def _described(doc: str) -> dict[str, str]:
    found: dict[str, str] = {}
    inside, name = False, ""
    for line in doc.splitlines():
        if not line.startswith(" "):
            inside, name = line in SECTIONS or (inside and not line), name if not line else ""
            continue
        start = re.match(r"    (\w+): (.*)", line)
        if inside and start:
            name, found[start[1]] = start[1], start[2]
        elif inside and name and line.startswith("        "):
            found[name] += " " + line.strip()
    return {key: text.rstrip(".") for key, text in found.items()}
