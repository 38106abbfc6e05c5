"""A sweep as TOML, with every key that it has: what was given, what is a default, what it means.

Parsing the text gives the same sweep, by its hash.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sweeps.config.keys import OUTER, Key, of_config
from sweeps.config.registry import NAMES, TABLES
from sweeps.config.schema import resolve
from sweeps.config.spacing import axis_values
from sweeps.config.sweep import MODELS, SweepConfig, without
from sweeps.config.table import Anything
from sweeps.config.toml import inline, key
from sweeps.grid import SEED, Axis
from toymodels.errors import InputError, listed

N = "n_instances"
COLUMN = 36  # where the words after a key begin at the latest
SEEDS = "a model each, with first weights and data of its own"
SHORT = 6  # values of an axis that are listed rather than told by their spacing


def as_toml(config: SweepConfig, inside: str = "") -> str:
    """Write a sweep as TOML: its keys, its axes, and the sweep whose models it studies.

    Args:
        config: the sweep.
        inside: the table that it is written into, such as "models".
    """
    first = {k: v for k, v in next(config.grid.points()).items() if k != SEED}
    about, values = of_config(resolve(config.table(first), Anything())), _values(config)
    before = f"{inside}." if inside else ""
    lines = [f"[{inside}]"] if inside else [_line("name", config.name, OUTER["name"])]
    if config.description:
        lines.append(_line("description", config.description))
    lines.append(_line(SEED, config.seed, OUTER[SEED]))
    if config.keep is not None:
        lines.append(_line("keep", list(config.keep), OUTER["keep"]))
    if config.recipe is not None:
        told = asdict(config.recipe)
        lines += [_line(k, told[v], OUTER[k]) for k, v in (("recipe", "name"), (N, N))]
    plain = sorted((k for k in values if k not in TABLES), key=lambda k: k not in config.run)
    lines += [_line(k, values[k], about.get(k)) for k in plain]
    lines += [f"# {k.path}: {k.meaning}" for k in _left(config, about, values)]
    for family, kind in TABLES.items():
        if family in values:
            lines += ["", f"[{before}{family}]"]
            named = Key(family, (), "", "", f"one of {listed(NAMES[family])}")
            for k, v in values[family].items():
                lines.append(_line(k, v, named if k == kind else about.get(f"{family}.{k}")))
    lines += _axes(config, before, about)
    if config.models is not None:
        lines += ["", as_toml(config.models, f"{before}models").rstrip()]
    return "\n".join(lines) + "\n"


def _values(config: SweepConfig) -> dict[str, Any]:
    """Return what cells share, defaults filled in, and what was given for some of them."""
    shared = _common(config.unvaried)
    given = without(_beyond(config.run, shared), config.varied)
    return _merged(shared, given)


def _common(tables: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for name, value in tables[0].items():
        each = [table.get(name) for table in tables]
        tables_of = [one for one in each if isinstance(one, dict)]
        if len(tables_of) == len(each):
            found[name] = _common(tables_of)
        elif value is not None and all(one == value for one in each):
            found[name] = value
    return found


def _beyond(given: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in given.items():
        there = shared.get(name)
        if there is None:
            found[name] = value
        elif isinstance(value, dict) and isinstance(there, dict):
            found |= {name: inner} if (inner := _beyond(value, there)) else {}
    return found


def _merged(table: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    inner = {k: _merged(table[k], v) for k, v in more.items() if isinstance(table.get(k), dict)}
    return table | more | inner


def _left(config: SweepConfig, about: dict[str, Key], values: dict[str, Any]) -> Iterator[Key]:
    """Yield the keys that may be given and have no default that could be written."""
    for path, told in about.items():
        head = path.partition(".")[0]
        varied = any(p.partition(".")[0] == head for p in config.varied)
        if head not in values and not varied and told.default == "":
            yield told


def _axes(config: SweepConfig, before: str, about: dict[str, Key]) -> Iterator[str]:
    """Yield the lines of [grid], [zip.NAME] and [derive]."""
    own = [d for d in config.grid.dimensions if not d.axes[0].path.startswith(MODELS)]
    alone = [len(d.axes) == 1 and d.name == d.axes[0].name for d in own]
    n_alone = alone.index(False) if False in alone else len(own)
    if n_alone:
        yield from ("", f"[{before}grid]")
    for d in own[:n_alone]:
        yield _axis(d.axes[0], about)
    for d in own[n_alone:]:
        yield from ("", f"[{before}zip.{key(d.name)}]")
        yield from (_axis(axis, about) for axis in d.axes)
    if config.derive:
        yield from ("", f"[{before}derive]")
    for path, (function, of) in config.derive.items():
        yield _line(path, {"function": function, "of": list(of)}, about.get(path))


def _axis(axis: Axis, about: dict[str, Key]) -> str:
    path = "p_active" if axis.path == "features.p_active" else axis.path
    told = about.get(axis.path)
    meaning = told.meaning if told else SEEDS if path == SEED else ""
    return _line(path, _spelled(axis), Key(path, (), "", "", meaning) if meaning else None)


def _spelled(axis: Axis) -> Any:
    """Return an axis' values by their spacing where that gives the same, else listed."""
    values, n = list(axis.values), len(axis.values)
    ends = [values[0], values[-1], n]
    tries: list[dict[str, Any]] = [{"log": ends}, {"linear": ends}] if n > SHORT else []
    if n > 1 and all(isinstance(v, int) for v in values):
        tries = [{"range": n if values[0] == 0 else [values[0], values[-1] + 1]}, *tries]
    for spacing in tries:
        try:
            found = axis_values(axis.path, spacing)
        except InputError:
            continue
        if found == values and list(map(type, found)) == list(map(type, values)):
            return spacing
    return values


def _line(name: str, value: Any, told: Key | None = None) -> str:
    """Write one key, and behind it what its default is and what it means."""
    text = f"{key(name)} = {inline(value)}"
    if told is None:
        return text
    same = bool(told.default) and inline(value) == told.default
    mark = "default" if same else f"default {told.default}" if told.default else ""
    mark = mark.replace("default needed", "needed")
    words = ": ".join(part for part in (mark, told.meaning) if part)
    return f"{text:<{COLUMN - 2}}  # {words}"
