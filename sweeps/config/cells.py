"""The cells of a sweep, each part of them made once.

A cell is a thing made of things (`sweeps.config.schema`). Settings that differ between cells reach
some of these parts alone: a density makes other features, a learning rate does not. So a part is
made again only where a setting that reaches it has a value that was not there before, and cells
share what they have in common. Every value is checked once, as in a config of one cell: all of the
first cell, then what is new.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sweeps.config.paths import with_paths
from sweeps.config.signatures import HANDED, checked, parameters
from toymodels.errors import InputError

Settings = dict[str, Any]  # path -> number or name
Thing = Any  # sweeps.config.schema.Thing

# Parts and values that are kept: a product of settings may have millions, each used once.
MOST_KEPT = 100_000


class _Unseen(KeyError):
    """A value of a setting that has not been checked."""


class Part:
    """A thing in all cells in which the same names are chosen."""

    def __init__(self, thing: Thing, settings: Settings) -> None:
        """Take the thing of one cell, and the settings that differ between cells."""
        self.thing, self.values, self.made = thing, {}, {}
        n_features = _reaching(settings, thing.places.get("n_features"))
        self.varying = {}
        for key, place in thing.places.items():
            paths = _reaching(settings, place)
            paths += [p for p in n_features if isinstance(thing.keys[key], dict) and p not in paths]
            if paths:
                self.varying[key] = tuple(paths)
        self.given = [key for key in self.varying if _reaching(settings, thing.places[key])]
        self.same = {key: thing.value(key) for key in thing.keys if key not in self.varying}
        self.parts = {key: _part(inner, settings) for key, inner in thing.things.items()}
        inside = [path for part in self._inside() for path in part.paths]
        own = [path for paths in self.varying.values() for path in paths]
        self.paths = tuple(dict.fromkeys([*own, *inside]))
        takes = {p.name for p in parameters(thing.make)} & set(HANDED)
        self.handed = sorted(takes)
        self.is_handed = bool(takes) or any(part.is_handed for part in self._inside())

    def _inside(self) -> Iterator["Part"]:
        for inner in self.parts.values():
            yield from inner if isinstance(inner, tuple) else (inner,) if inner else ()

    def learn_numbers(self, table: dict[str, Any], settings: Settings) -> None:
        """Check and keep what differs in one cell, whose table names the same things.

        Raises:
            _Unseen: a value is refused, or is not written as in the first cell.
        """
        if self.varying:
            given = {key: _at(table, self.thing.places[key]) for key in self.given}
            found = checked(self.thing.make, tuple(self.given), given)
            if isinstance(found, tuple):
                raise _Unseen(found[0])
            self._keep(replace(self.thing, keys=self.thing.keys | found), settings)
        for part in self._inside():
            if part.paths:
                part.learn_numbers(table, settings)

    def _keep(self, thing: Thing, settings: Settings) -> None:
        _make_room(self.values)
        for key, paths in self.varying.items():
            self.values[key, *(settings[p] for p in paths)] = thing.value(key)

    def learn(self, thing: Thing, settings: Settings) -> None:
        """Keep the checked values of one cell."""
        self._keep(thing, settings)
        for key, inner in self.parts.items():
            own = thing.things[key]
            if isinstance(inner, tuple):
                for part, one in zip(inner, own, strict=True):
                    part.learn(one, settings)
            elif inner is not None:
                inner.learn(own, settings)

    def make(self, settings: Settings, handed: dict[str, Any]) -> Any:
        """Make the thing of one cell.

        Raises:
            _Unseen: a value has not been learnt.
        """
        given = dict(self.same)
        for key, paths in self.varying.items():
            try:
                given[key] = self.values[key, *(settings[p] for p in paths)]
            except KeyError:
                raise _Unseen(key) from None
        for key, inner in self.parts.items():
            if isinstance(inner, tuple):
                given[key] = tuple(part.kept(settings, handed) for part in inner)
            else:
                given[key] = inner.kept(settings, handed) if inner else None
        return self.thing.make(**given, **{k: handed[k] for k in self.handed if k in handed})

    def kept(self, settings: Settings, handed: dict[str, Any]) -> Any:
        """Return the thing of one cell, made before or now."""
        at = tuple(settings[p] for p in self.paths)
        if self.is_handed:
            at += tuple(map(id, handed.values()))  # `handed` is kept with what is made of it
        if at not in self.made:
            _make_room(self.made)
            self.made[at] = self.make(settings, handed), handed
        return self.made[at][0]


class Cells:
    """Makes the cells of a sweep from their settings."""

    def __init__(self, run: dict[str, Any], resolve: Callable[[dict[str, Any]], Thing]) -> None:
        """Take the keys of every cell, and what checks all of one and says what it is made of."""
        self.run, self.resolve = run, resolve
        self.plans: dict[tuple[tuple[str, str], ...], tuple[Part, set[tuple[str, Any]]]] = {}

    def make(self, settings: Settings, handed: dict[str, Any]) -> tuple[Part, Any]:
        """Return what a cell is made of, and make it."""
        names = tuple(item for item in settings.items() if isinstance(item[1], str))
        if names not in self.plans:
            thing = self.resolve(with_paths(self.run, settings))
            _check_handed(thing, handed)
            self.plans[names] = Part(thing, settings), set()
        part, seen = self.plans[names]
        if not seen.issuperset(settings.items()):
            self._learn(part, settings)
            _make_room(seen)
            seen.update(settings.items())
        try:
            return part, part.make(settings, handed)
        except _Unseen:  # each value is known, not so all of them together, or no more
            self._learn(part, settings)
            return part, part.make(settings, handed)

    def _learn(self, part: Part, settings: Settings) -> None:
        """Check the values of a cell; a number changes nothing but what it reaches."""
        table = with_paths(self.run, settings)
        numbers = {path for path, value in settings.items() if not isinstance(value, str)}
        try:
            if numbers.issubset(part.paths):
                part.learn_numbers(table, settings)
                return
        except _Unseen:
            pass  # what reads the whole table says it in words
        part.learn(self.resolve(table), settings)


def _check_handed(thing: Thing, handed: dict[str, Any]) -> None:
    """Refuse models of another sweep that nothing studies, and things that miss theirs."""
    if handed and not thing.takes("trained"):
        raise InputError(
            "[models] has no effect: nothing here takes the parameter `trained`, the model that a "
            "cell studies. Remove the table, or name a task of your own that does."
        )
    if not handed and thing.takes("trained"):
        raise InputError(
            "what is named here studies the models of another sweep: describe that in [models]."
        )


def _part(inner: Thing | tuple[Thing, ...] | None, settings: Settings) -> Any:
    if isinstance(inner, tuple):
        return tuple(Part(one, settings) for one in inner)
    return None if inner is None else Part(inner, settings)


def _reaching(settings: Settings, place: str | None) -> list[str]:
    """Return the settings that change what stands at a place: it, a part of it, or its table."""
    if place is None:
        return []
    return [
        path
        for path in settings
        if path == place or path.startswith(f"{place}.") or place.startswith(f"{path}.")
    ]


def _at(table: Any, place: str) -> Any:
    """Return what a table holds at a path."""
    for key in place.split("."):
        if not isinstance(table, dict) or key not in table:
            raise _Unseen(place)
        table = table[key]
    return table


def _make_room(kept: dict | set) -> None:
    if len(kept) >= MOST_KEPT:
        kept.clear()
