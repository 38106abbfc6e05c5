"""From a table of keys to one cell: which things it names, their settings, and what they build.

The keys are not listed anywhere: they are the parameters of the things that a table names, with
their types and defaults. A range is checked by the thing itself.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_args

from sweeps.config.registry import NAMES, SEVERAL, SIZES, TABLES, find
from sweeps.config.signatures import HANDED, Parameter, checked, parameters
from sweeps.config.synonyms import way_out
from sweeps.config.table import Table
from toymodels.errors import InputError, listed
from toymodels.profiles import profile_table, profile_values

# What makes a thing of these kinds.
MAKERS = {"model": "start", "work": "cell"}

# Keys of the sweep itself, which no thing takes.
OUTER = ("name", "description", "seed", "keep", "grid", "zip", "derive", "models")
OUTER += ("recipe", "n_instances")


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
    places: dict[str, str] = field(default_factory=dict)  # key -> where a config gives it

    def value(self, key: str) -> Any:
        """Return what it is made with for a key: a profile's values, where one is named."""
        value = self.keys[key]
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


def resolve(content: dict[str, Any], elsewhere: Container[str] = ()) -> Thing:
    """Return the work that a table of keys describes, with all settings and things.

    Args:
        content: the keys of one cell.
        elsewhere: keys that other cells of the sweep take, and this one need not.

    Raises:
        InputError: unknown keys and names, values of another type, keys that have no effect.
    """
    table = Table(content)
    name = work_of(content)
    if "work" in content:
        table.take("work")
    whole = _thing("work", name, table, elsewhere)
    _refuse_idle(table, whole, elsewhere)
    return whole


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


def _thing(key: str, name: str, table: Table, elsewhere: Container[str] = ()) -> Thing:
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
            things[p.name] = _from_table(p.name, inner, table, elsewhere)
        else:
            if not table.has(p.name) and p.name == "model":
                raise InputError(f"model is missing: give one of {listed(NAMES['model'])}.")
            default = next(iter(NAMES[p.name]))
            given = _name(p.name, table.take(p.name)) if table.has(p.name) else default
            things[p.name] = _thing(p.name, given, table, elsewhere)
    keys = _settings(make, table)
    return Thing(make, name, keys, things, {key: table.place_of(key) for key in keys})


def _from_table(key: str, content: Any, outer: Table, elsewhere: Container[str]) -> Thing:
    inner = Table(content, key, outer, SIZES)
    name = next(iter(NAMES[key]))
    if inner.has(TABLES[key]):
        name = _name(key, inner.take(TABLES[key]))
    thing = _thing(key, name, inner)
    _refuse_idle(inner, thing, elsewhere)
    return thing


def _several(key: str, table: Table) -> tuple[Thing, ...]:
    given = table.take(key)
    if isinstance(given, list):
        given = {_name(key, name): {} for name in given}
    if not isinstance(given, dict):
        raise InputError(f"{key} = {given!r}: give a list of names, or a table with settings.")
    found = []
    for name, settings in given.items():
        make = maker(key, find(key, name))
        inner = Table(_as_table(settings, make, f"{key}.{name}"), f"{key}.{name}")
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


def _settings(make: Callable[..., Any], table: Table) -> dict[str, Any]:
    plain = [p for p in parameters(make) if not is_thing(p) and p.name not in HANDED]
    given = {p.name: table.take(p.name) for p in plain if table.has(p.name)}
    for p in plain:
        if p.is_required and p.name not in given:
            path, allowed = table.path_of(p.name), get_args(p.type)
            example = allowed[0] if allowed and isinstance(allowed[0], str) else 2
            raise InputError(f"{path} is missing: give it a value, such as {path} = {example!r}.")
    found = checked(make, tuple(p.name for p in plain), given)
    if isinstance(found, tuple):
        name, message = found
        raise InputError(f"{table.path_of(name)} = {given[name]!r}: {message}.")
    return found


def _refuse_idle(table: Table, thing: Thing, elsewhere: Container[str] = ()) -> None:
    """Refuse keys that nothing takes, unless they say what is the case anyway."""
    for key, value in table.content.items():
        path = table.path_of(key)
        if key in table.taken or path in elsewhere:
            continue
        owners = owners_of(key)
        if any(_is_default(key, value, make) for _, _, make in owners):
            continue
        if owners:
            raise InputError(f"{path} = {value!r} has no effect{_why(key, thing, owners)}.")
        known = known_keys(thing)
        outer = OUTER if path == key else ()
        own = f"Known keys: {listed(known)}." if known else "It has no settings."
        raise InputError(f"unknown key {path!r}.{_place_of(key, [*known, *outer])} {own}")


def _why(key: str, whole: Thing, owners: Sequence[tuple[str, str, Any]]) -> str:
    """Say what was chosen where a key has no effect, and what it belongs to."""
    for family, name, _ in owners:
        chosen = _part_of(whole, family)
        if family in TABLES and chosen is not None and chosen.name == name:
            return f" here: write {family}.{key}"
    order = {"circuits": 0, "work": 2}
    family, name, _ = min(owners, key=lambda owner: order.get(owner[0], 1))
    said = f'{family} = "{name}"' if family != "work" else f"sweeps that {name}"
    if family == "circuits" or name == "simulate":
        first = name if family == "circuits" else next(iter(NAMES["circuits"]))
        said = f'circuits: say circuits = "{first}"'
    return f" with {_chosen(whole, family)}: remove it. It belongs to {said}"


def _chosen(whole: Thing, family: str) -> str:
    """Say what was chosen of a family, else which optimizer."""
    if whole.name == "simulate":
        return "circuits, which are not trained"
    for key in (family, "optimizer"):
        chosen = _part_of(whole, key)
        if chosen is not None:
            return f'{key} = "{chosen.name}"'
    return f'"{whole.name}"'


def _part_of(whole: Thing, family: str) -> Thing | None:
    """Return the thing of a family that a thing needs, or that one of its things needs."""
    parts = {key: part for key, part in whole.things.items() if isinstance(part, Thing)}
    inside = (_part_of(part, family) for part in parts.values())
    return parts.get(family) or next((part for part in inside if part is not None), None)


def _place_of(key: str, known: list[str]) -> str:
    """Say where a name that is no key belongs, or which key looks like it."""
    for family in SEVERAL:
        if key in NAMES[family]:
            return f" Write {family}.{key}."
    return way_out(key, [*known, *every_key()])


def _is_default(key: str, value: Any, make: Callable[..., Any]) -> bool:
    found = {p.name: p.default for p in parameters(make)}[key]
    if key in NAMES:
        found = next(iter(NAMES[key]), None)
    return not isinstance(value, bool) and bool(value == found)


def known_keys(thing: Thing) -> list[str]:
    """Return the keys that a thing and its things take."""
    keys = [p.name for p in parameters(thing.make)]
    for key, part in thing.things.items():
        if isinstance(part, Thing):
            inside = known_keys(part)
            inner = [f"{key}.{k}" for k in inside if k not in SIZES]
            keys += inner if key in TABLES else inside
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
