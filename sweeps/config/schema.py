"""From a table of keys to one cell: which things it names, their settings, and what they build.

The keys are not listed anywhere: they are the parameters of the things that a table names, with
their types and defaults. A range is checked by the thing itself.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sweeps.config.registry import NAMES, SEVERAL, SIZES, TABLES, find
from sweeps.config.signatures import Parameter, checked, parameters
from toymodels.errors import InputError, hint, listed
from toymodels.profiles import profile_table, profile_values

# Parameters that are handed down where a cell is built: a model of another sweep.
HANDED = ("trained",)

# What makes a thing of these kinds.
MAKERS = {"model": "start", "work": "cell"}


def is_thing(p: Parameter) -> bool:
    """Tell whether a parameter is a registered thing, and not just its name."""
    return p.name in NAMES and p.type is not str


@dataclass(frozen=True)
class Thing:
    """Something that a config names, with all its settings."""

    make: Callable[..., Any]
    name: str
    keys: dict[str, Any]  # plain settings, defaults filled in
    things: dict[str, "Thing | tuple[Thing, ...] | None"] = field(default_factory=dict)

    def build(self, handed: dict[str, Any]) -> Any:
        """Make it, the things that it needs first; `handed` is what no config can name."""
        parts = {key: _build(thing, handed) for key, thing in self.things.items()}
        given = {key: self._values(key, value) for key, value in self.keys.items()}
        names = {p.name for p in parameters(self.make)} & set(handed)
        return self.make(**given, **parts, **{name: handed[name] for name in names})

    def _values(self, key: str, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return profile_values(value, self.keys.get("n_features"), key)

    def takes(self, name: str) -> bool:
        """Tell whether it, or a thing that it needs, has a parameter of this name."""
        inside = [part for thing in self.things.values() for part in _parts(thing)]
        own = name in {p.name for p in parameters(self.make)}
        return own or any(part.takes(name) for part in inside)

    def resolved(self) -> dict[str, Any]:
        """Return its settings and those of all its things, as a config would write them."""
        found = {k: profile_table(v, k) if isinstance(v, dict) else v for k, v in self.keys.items()}
        for key, thing in self.things.items():
            if isinstance(thing, tuple):
                found[key] = {one.name: one.resolved() for one in thing}
            elif thing is None:
                continue
            elif key in TABLES:
                inside = {k: v for k, v in thing.resolved().items() if k not in SIZES}
                found[key] = {TABLES[key]: thing.name} | inside
            else:
                found |= {key: thing.name} | thing.resolved()
        return found


def _build(thing: "Thing | tuple[Thing, ...] | None", handed: dict[str, Any]) -> Any:
    if isinstance(thing, tuple):
        return tuple(one.build(handed) for one in thing)
    return thing.build(handed) if isinstance(thing, Thing) else thing


def _parts(thing: "Thing | tuple[Thing, ...] | None") -> tuple[Thing, ...]:
    return (thing,) if isinstance(thing, Thing) else thing or ()


def maker(key: str, thing: Any) -> Callable[..., Any]:
    """Return what makes a registered thing from its settings."""
    if key in MAKERS:
        if not hasattr(thing, MAKERS[key]):
            raise InputError(f"{key}: {thing} is none, it has no method `{MAKERS[key]}`.")
        return getattr(thing, MAKERS[key])
    if hasattr(thing, "create"):
        return thing.create
    return thing if isinstance(thing, type) else _as_it_is(thing)


@cache
def _as_it_is(thing: Any) -> Callable[..., Any]:
    return lambda: thing


class _Table:
    """A table that is read key by key, so that what nobody takes can be told."""

    def __init__(self, content: Any, path: str = "", outer: "_Table | None" = None) -> None:
        if not isinstance(content, dict):
            raise InputError(f"{path} = {content!r}: write it as a table.")
        self.content, self.path, self.outer = content, path, outer
        self.taken: set[str] = set()

    def has(self, key: str) -> bool:
        shared = self.outer is not None and key in SIZES and self.outer.has(key)
        return key in self.content or shared

    def take(self, key: str) -> Any:
        if key not in self.content and self.outer is not None:
            return self.outer.take(key)
        self.taken.add(key)
        return self.content[key]


def resolve(content: dict[str, Any], elsewhere: Container[str] = ()) -> Thing:
    """Return the work that a table of keys describes, with all settings and things.

    Args:
        content: the keys of one cell.
        elsewhere: keys that other cells of the sweep take, and this one need not.

    Raises:
        InputError: unknown keys and names, values of another type, keys that have no effect.
    """
    table = _Table(content)
    name = work_of(content)
    if "work" in content:
        table.take("work")
    whole = _thing("work", name, table)
    _refuse_idle(table, whole, elsewhere)
    return whole


class Anything:
    """What holds every key."""

    def __contains__(self, key: object) -> bool:
        """Return True."""
        return True


def work_of(content: dict[str, Any]) -> str:
    """Return which kind of work a table asks for: by `work`, `circuits` or `optimizer`."""
    if "work" in content:
        return _name("work", content["work"])
    if "circuits" in content:
        return "simulate"
    return "solve" if content.get("optimizer") == "newton" else "train"


def _name(key: str, given: Any) -> str:
    if not isinstance(given, str):
        raise InputError(f"{key} = {given!r}: give one of {listed(NAMES[key])}.")
    return given


def _thing(key: str, name: str, table: _Table) -> Thing:
    """Read a thing and what it needs from a table."""
    make = maker(key, find(key, name))
    things: dict[str, Any] = {}
    for p in parameters(make):
        if not is_thing(p):
            continue
        if p.name in SEVERAL:
            things[p.name] = _several(p.name, table) if table.has(p.name) else p.default
        elif p.name in TABLES:
            inner = table.take(p.name) if table.has(p.name) else {}
            things[p.name] = _from_table(p.name, inner, table)
        else:
            if not table.has(p.name) and p.name == "model":
                raise InputError(f"model is missing: give one of {listed(NAMES['model'])}.")
            default = next(iter(NAMES[p.name]))
            given = _name(p.name, table.take(p.name)) if table.has(p.name) else default
            things[p.name] = _thing(p.name, given, table)
    return Thing(make, name, _settings(make, table), things)


def _from_table(key: str, content: Any, outer: _Table) -> Thing:
    inner = _Table(content, key, outer)
    name = next(iter(NAMES[key]))
    if inner.has(TABLES[key]):
        name = _name(key, inner.take(TABLES[key]))
    thing = _thing(key, name, inner)
    _refuse_idle(inner, thing)
    return thing


def _several(key: str, table: _Table) -> tuple[Thing, ...]:
    given = table.take(key)
    if isinstance(given, list):
        given = {_name(key, name): {} for name in given}
    if not isinstance(given, dict):
        raise InputError(f"{key} = {given!r}: give a list of names, or a table with settings.")
    found = []
    for name, settings in given.items():
        make = maker(key, find(key, name))
        inner = _Table(_as_table(settings, make, f"{key}.{name}"), f"{key}.{name}")
        thing = _thing(key, name, inner)
        _refuse_idle(inner, thing)
        found.append(thing)
    return tuple(found)


def _as_table(settings: Any, make: Callable[..., Any], path: str) -> Any:
    """Return a table of settings; a number alone is the first setting."""
    if isinstance(settings, dict):
        return settings
    first = next(iter(parameters(make)), None)
    if first is None:
        raise InputError(f"{path} = {settings!r}: it has no settings.")
    return {first.name: settings}


def _settings(make: Callable[..., Any], table: _Table) -> dict[str, Any]:
    plain = [p for p in parameters(make) if not is_thing(p) and p.name not in HANDED]
    given = {p.name: table.take(p.name) for p in plain if table.has(p.name)}
    for p in plain:
        if p.is_required and p.name not in given:
            path = f"{table.path}.{p.name}".lstrip(".")
            raise InputError(f"{path} is missing: give it a value, for example {path} = 2.")
    found = checked(make, tuple(p.name for p in plain), given)
    if isinstance(found, tuple):
        name, message = found
        path = f"{table.path}.{name}".lstrip(".")
        raise InputError(f"{path} = {given[name]!r}: {message}.")
    return found


def _refuse_idle(table: _Table, thing: Thing, elsewhere: Container[str] = ()) -> None:
    """Refuse keys that nothing takes, unless they say what is the case anyway."""
    for key, value in table.content.items():
        if key in table.taken or key in elsewhere:
            continue
        owners = owners_of(key)
        if any(_is_default(key, value, make) for _, _, make in owners):
            continue
        where = f"{table.path}." if table.path else ""
        if owners:
            family, name, _ = owners[0]
            said = f'{family} = "{name}"' if family != "work" else f"sweeps that {name}"
            if name == "simulate":
                said = 'circuits: say circuits = "rotations"'
            raise InputError(
                f"{where}{key} = {value!r} has no effect with {_chosen(thing)}: remove it. It "
                f"belongs to {said}."
            )
        known = known_keys(thing)
        raise InputError(
            f"unknown key {key!r}.{hint(key, [*known, *every_key()])} Known keys: {listed(known)}."
        )


def _chosen(thing: Thing) -> str:
    """Say what was chosen where a key has no effect."""
    if thing.name == "simulate":
        return "circuits, which are not trained"
    optimizer = thing.things.get("optimizer")
    if isinstance(optimizer, Thing):
        return f'optimizer = "{optimizer.name}"'
    return f'"{thing.name}"'


def _is_default(key: str, value: Any, make: Callable[..., Any]) -> bool:
    found = {p.name: p.default for p in parameters(make)}[key]
    if key in NAMES:
        found = next(iter(NAMES[key]), None)
    return not isinstance(value, bool) and bool(value == found)


def known_keys(thing: Thing) -> list[str]:
    """Return the keys that a thing and its things take."""
    keys = [p.name for p in parameters(thing.make)]
    for part in thing.things.values():
        if isinstance(part, Thing) and part is not thing.things.get("features"):
            keys += known_keys(part)
    return list(dict.fromkeys(keys))


@cache
def owners_of(key: str) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
    """Return the registered things that have a setting or a thing of this name."""
    found = []
    for family, names in NAMES.items():
        for name in names:
            make = maker(family, find(family, name))
            if key in {p.name for p in parameters(make)}:
                found.append((family, name, make))
    return tuple(found)


@cache
def every_key() -> tuple[str, ...]:
    """Return every key that some registered thing takes."""
    makers = (
        maker(family, find(family, name)) for family, names in NAMES.items() for name in names
    )
    return tuple(dict.fromkeys(p.name for make in makers for p in parameters(make)))
