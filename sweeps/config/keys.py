"""Every key of a config with its type, default and meaning."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from sweeps.config.meanings import meanings
from sweeps.config.registry import NAMES, SEVERAL, SIZES, TABLES, find
from sweeps.config.schema import HANDED, Thing, is_thing, maker
from sweeps.config.signatures import Parameter, parameters
from sweeps.config.toml import inline
from toymodels.errors import listed
from toymodels.profiles import PROFILES

NEEDED = "needed"

WORDS = {
    int: "integer",
    float: "number",
    str: "text",
    int | None: "integer",
    list[int]: "list of integers, or spacing",
    list[float]: "list of numbers",
    list[str]: "list of names",
    float | Sequence[float]: "number, list or profile",
}


@dataclass(frozen=True)
class Key:
    """One key of a config."""

    path: str  # as a config writes it: "steps", "penalties.l1_hidden.weight"
    of: tuple[str, ...]  # names of the things that take it
    type: str
    default: str  # as TOML writes it, or "needed", or nothing
    meaning: str


# Keys of the sweep itself, which no thing takes.
OUTER = {
    "name": Key("name", (), "text", NEEDED, "what the sweep and its files are called"),
    "description": Key("description", (), "text", '""', "a line about it, for people"),
    "seed": Key("seed", (), "integer", "0", "the root that is folded into every seed"),
    "keep": Key(
        *("keep", (), "list of names", ""),
        "variables of the result that are kept, beside `diverged`; if left out, all",
    ),
    "grid": Key("grid", (), "table", "", "axes: every combination of their values is a cell"),
    "zip": Key("zip", (), "tables", "", "axes that move together along one dimension"),
    "derive": Key("derive", (), "table", "", "keys that are a named function of axis values"),
    "work": Key("work", (), "name", '"train"', "the kind of work; optimizer and circuits tell too"),
    "models": Key("models", (), "table or file", "", "the sweep whose models this one studies"),
    "recipe": Key("recipe", (), "name", "", "the keys of training that are not given beside it"),
    "n_instances": Key(
        *("n_instances", (), "integer", ""),
        "models that a recipe draws in one tensor; if left out, the cells without seeds",
    ),
}


def keys_of(family: str) -> list[Key]:
    """Return the keys that the things of a family take; those that are told alike are one."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in NAMES[family]:
        for key in keys_of_one(family, name):
            found.setdefault((key.path, key.type, key.default, key.meaning), []).append(name)
    return [Key(path, tuple(of), *about) for (path, *about), of in found.items()]


def keys_of_one(family: str, name: str) -> list[Key]:
    """Return the keys that one thing takes."""
    make = maker(family, find(family, name))
    if family in SEVERAL:
        return of_maker(make, f"{family}.{name}.")
    return of_maker(make, f"{family}." if family in TABLES else "")


def of_maker(make: Callable[..., Any], prefix: str = "") -> list[Key]:
    """Return the keys that a maker takes, which stand in a config behind a prefix."""
    told = meanings(make)
    return [
        Key(
            ("" if p.name in SIZES else prefix) + p.name,
            (),
            type_of(p),
            default_of(p),
            told.get(p.name, "") + _choices(p),
        )
        for p in parameters(make)
        if p.name not in HANDED
    ]


def of_profiles(path: str) -> list[Key]:
    """Return the keys of the profiles that may stand in the place of a list."""
    return [
        Key(f"{path}.{p.name}", (name,), type_of(p), default_of(p), meanings(profile)[p.name])
        for name, profile in PROFILES.items()
        for p in parameters(profile)[1:]
    ]


def of_config(whole: Thing) -> dict[str, Key]:
    """Return path -> key of everything that a config sets or may set, its things' keys included."""
    found = {"work": OUTER["work"]}
    _collect(whole, "", found)
    return found


def _collect(thing: Thing, prefix: str, found: dict[str, Key]) -> None:
    for key in of_maker(thing.make, prefix):
        found.setdefault(key.path, key)
    for family, part in thing.things.items():
        if family in SEVERAL:
            for one in part if isinstance(part, tuple) else ():
                _collect(one, f"{family}.{one.name}.", found)
        elif isinstance(part, Thing):
            _collect(part, f"{family}." if family in TABLES else prefix, found)


def _is_another(first: Any, p: Parameter) -> bool:
    """Tell whether the first name of a family is a class of which a parameter wants no record."""
    told = isinstance(p.type, type) and not getattr(p.type, "_is_protocol", False)
    return p.is_required and told and isinstance(first, type) and not issubclass(first, p.type)


def _choices(p: Parameter) -> str:
    """Return the names that a parameter may have, where one is a thing."""
    if not is_thing(p) or p.name in TABLES:
        return ""
    return f" ({listed(NAMES[p.name])})"


def type_of(p: Parameter) -> str:
    """Say what a config may give a parameter."""
    if p.name in TABLES:
        return "table"
    if is_thing(p):
        return "list of names, or table" if p.name in SEVERAL else "name"
    return _said(p.type)


def _said(kind: Any) -> str:
    if kind in WORDS:
        return WORDS[kind]
    if get_origin(kind) is Literal:
        return " or ".join(inline(value) for value in get_args(kind))
    parts: Iterable[Any] = (part for part in get_args(kind) if part is not type(None))
    return " or ".join(map(_said, parts)) or getattr(kind, "__name__", str(kind))


def default_of(p: Parameter) -> str:
    """Return a parameter's default as TOML writes it, "needed", or nothing."""
    if is_thing(p) and p.name not in SEVERAL and p.name not in TABLES:
        first = next(iter(NAMES[p.name]))
        return NEEDED if _is_another(find(p.name, first), p) else inline(first)
    if p.name in TABLES or p.default is None or p.default == ():
        return ""
    return NEEDED if p.default is inspect.Parameter.empty else inline(p.default)
