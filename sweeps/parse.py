"""From a TOML file and `key=value` texts to a `SweepConfig`: axes, zips, derived values, `[fast]`.

    [grid]                                        every combination of
    p_active = { log = [0.01, 1.0, 20] }          20 values, equally spaced in the logarithm
    seed = { range = 8 }                          0 … 7; also { linear = [a, b, n] }, [v, w, …]
    [zip.size]                                    axes that move together, one dimension "size"
    n_features = [20, 80]
    n_hidden = [5, 20]
    [derive]                                      a named function of axis values
    init_scale = { function = "inverse_square_root", of = ["n_hidden"] }

An axis is a key of the run, a law's parameter (`importance.ratio`), or what [derive] uses.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sweeps.circuits_config import CircuitsConfig
from sweeps.config import Schema, SweepConfig, is_run_path, known_keys, schema_of
from sweeps.fields import set_path
from sweeps.grid import SEED, Axis, Dimension, Grid
from sweeps.named import FUNCTIONS, hint, listed
from sweeps.spacing import LARGEST_NUMBER, SPACINGS, axis_values
from toymodels.errors import InputError

LARGEST_GRID = 5_000_000
OUTER = ("name", "description", "seed", "grid", "zip", "derive")


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        InputError: the file is missing, cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except (ValueError, RecursionError) as error:  # bad TOML, bad UTF-8, endless numbers, nesting
        raise InputError(f"{path} is not valid TOML: {error}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None


def parse(table: dict[str, Any], overrides: Sequence[str] = (), fast: bool = False) -> SweepConfig:
    """Make a sweep from a TOML table.

    Args:
        table: the file's contents.
        overrides: texts such as "steps=500" or "grid.seed.range=4", applied last.
        fast: apply the table `[fast]`.

    Raises:
        InputError: anything unknown, misspelt, empty or out of range.
    """
    table = _copy(table)
    quick = table.pop("fast", {})
    _check_table("fast", quick)
    if fast:
        for path, value in _leaves(quick):
            _replace(table, path, value)
    for text in overrides:
        _override(table, text)
    parts = {key: table.pop(key) for key in OUTER if key in table}
    for key in ("grid", "zip", "derive"):
        _check_table(key, parts.get(key, {}))
    if parts.get("grid") == {}:
        raise InputError("[grid] is empty: give it an axis (seed = { range = 8 }) or leave it out.")
    seed = parts.get("seed", 0)
    _check_seed(seed)
    schema = schema_of(table)
    _check_keys(table, schema)
    if "p_active" in table:
        set_path(table, "features.p_active", table.pop("p_active"))
    derive = _derive(parts.get("derive", {}), schema)
    grid = _shifted(_grid(parts.get("grid", {}), parts.get("zip", {}), derive, schema), seed)
    description = str(parts.get("description", ""))
    _check_not_replaced(overrides, grid)
    config = SweepConfig(_name(parts.get("name")), table, grid, derive, seed, description)
    first = next(grid.points())
    config.build({k: v for k, v in first.items() if k != SEED})
    return config


def _check_not_replaced(overrides: Sequence[str], grid: Grid) -> None:
    """Refuse a `key=value` that the grid would silently replace."""
    axes = {axis.path for d in grid.dimensions for axis in d.axes} - {SEED}
    for path in (_long(text.partition("=")[0].strip()) for text in overrides):
        if path in axes:
            raise InputError(
                f"{path} is an axis of the grid, which would replace the value given: change the "
                f"axis instead, with grid.{path.removeprefix('features.')}=[…]."
            )


def _copy(table: dict[str, Any]) -> dict[str, Any]:
    copy = {}
    for key, value in table.items():
        try:
            copy[key] = json.loads(json.dumps(value))
        except TypeError:
            raise InputError(f"{key} = {value!r}: use numbers, text, lists and tables.") from None
    return copy


def _check_table(key: str, given: Any) -> None:
    if not isinstance(given, dict):
        raise InputError(f"{key} = {given!r}: write it as a table, [{key}].")


def _name(name: Any) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
        raise InputError(
            f"name = {name!r}: give the sweep a name of letters, digits, '-', '_' and '.', "
            'for example name = "mine"; its files are called after it.'
        )
    return name


def _check_keys(table: dict[str, Any], schema: Schema) -> None:
    for key in table:
        if key not in _allowed(schema):
            allowed = [*_allowed(schema), *OUTER, "fast", "circuits"]
            raise InputError(
                f"unknown key {key!r}.{_elsewhere(key, schema) or hint(key, allowed)} Known keys: "
                f"{listed(dict.fromkeys(allowed))}."
            )


def _allowed(schema: Schema) -> list[str]:
    """Return the keys that set something of a cell, the short one for the density among them."""
    return [*known_keys(schema), *(() if schema is CircuitsConfig else ("p_active",))]


def _elsewhere(key: str, schema: Schema) -> str:
    """Say that a key belongs to the other kind of sweep, where it does."""
    if schema is CircuitsConfig:
        known = key.split(".")[0] in ("p_active", *known_keys())
        return " It means nothing to circuits, which are not trained: leave it out." * known
    known = key in known_keys(CircuitsConfig)
    return ' It belongs to circuits: say circuits = "rotations", or leave it out.' * known


def _check_seed(seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise InputError(f"seed = {seed!r}: give an integer from 0 to 4294967295.")


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value and (key == "features" or not set(value) & SPACINGS):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _replace(table: dict[str, Any], path: str, value: Any) -> None:
    """Set a path, matching an axis that was written as "importance.relative" in one key."""
    head, _, rest = path.partition(".")
    if head in ("grid", "zip") and isinstance(table.get(head), dict) and rest in table[head]:
        table[head][rest] = value
    else:
        set_path(table, path, value)


def _override(table: dict[str, Any], text: str) -> None:
    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals or not path:
        raise InputError(f"{text!r} is not of the form key=value, for example steps=500.")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        parsed = value.strip()
    parsed = _copy({path: parsed})[path]
    *axis, last = path.split(".")
    if axis and axis[0] == "grid" and last in SPACINGS:
        _replace(table, ".".join(axis), {last: parsed})
    else:
        _replace(table, path, parsed)


def _shifted(grid: Grid, seed: int) -> Grid:
    """Add the root seed to a grid's seeds, so that another root gives other runs."""

    def shift(axis: Axis) -> Axis:
        if axis.path != SEED or not seed:
            return axis
        values = tuple(value + seed for value in axis.values)
        _check_seed(max(values))
        return Axis(axis.path, axis.name, values)

    return Grid(tuple(Dimension(d.name, tuple(map(shift, d.axes))) for d in grid.dimensions))


def _derive(table: dict[str, Any], schema: Schema) -> dict[str, tuple[str, tuple[str, ...]]]:
    derive = {}
    for path, given in _derive_entries(table):
        function, axes = given.get("function"), given.get("of")
        if set(given) != {"function", "of"} or not isinstance(axes, list) or not axes:
            raise InputError(
                f"derive.{path} = {given}: write {{ function = NAME, of = [AXIS, …] }}."
            )
        if not isinstance(function, str) or function not in FUNCTIONS:
            raise InputError(
                f"derive.{path}: no function {function!r}.{hint(str(function), FUNCTIONS)} "
                f"There are {listed(FUNCTIONS)}."
            )
        if not is_run_path(_long(path), schema):
            raise InputError(f"derive.{path}: no such key.{hint(path, known_keys(schema))}")
        derive[_long(path)] = (function, tuple(_long(str(axis)) for axis in axes))
    return derive


def _derive_entries(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value and not {"function", "of"} & set(value):
            yield from _derive_entries(value, f"{prefix}{key}.")
        elif isinstance(value, dict):
            yield f"{prefix}{key}", value
        else:
            raise InputError(
                f"derive.{prefix}{key} = {value!r}: write {{ function = …, of = […] }}."
            )


def _grid(
    grid: dict[str, Any], zips: dict[str, Any], derive: dict[str, Any], schema: Schema
) -> Grid:
    helpers = {axis for _, axes in derive.values() for axis in axes}
    dimensions = []
    for path, given in _leaves(grid):
        axis = _axis(path, given, helpers, schema)
        dimensions.append(Dimension(axis.name, (axis,)))
    for name, table in zips.items():
        if not isinstance(table, dict) or not table:
            raise InputError(f"zip.{name} = {table!r}: give the axes that move together.")
        axes = tuple(_axis(path, given, helpers, schema) for path, given in _leaves(table))
        dimensions.append(Dimension(name, axes))
    result = Grid(tuple(dimensions))
    known = {axis.path for d in dimensions for axis in d.axes}
    for axis in sorted(helpers - known):
        raise InputError(f"derive uses {axis!r}, which is no axis of the grid.{hint(axis, known)}")
    for path in known & set(derive):
        raise InputError(f"{path!r} is both derived and an axis of the grid: keep one.")
    if result.size > LARGEST_GRID:
        raise InputError(
            f"the grid has {result.size:,} points; at most {LARGEST_GRID:,} are run at once: "
            "shorten an axis or split the sweep."
        )
    return result


def _long(path: str) -> str:
    return "features.p_active" if path == "p_active" else path


def _axis(path: str, given: Any, helpers: set[str], schema: Schema) -> Axis:
    path = _long(path)
    if path != SEED and not is_run_path(path, schema) and path not in helpers:
        laws = () if schema is CircuitsConfig else ("importance.ratio", "importance.relative")
        allowed = [*_allowed(schema), *laws, SEED]
        advice = _elsewhere(path, schema) or hint(path, allowed)
        raise InputError(
            f"grid axis {path!r} sets nothing.{advice} An axis is a key of the run "
            f"({listed(allowed)}) or is named by [derive]."
        )
    values = tuple(axis_values(path, given))
    for value in values:
        if path == SEED:
            _check_seed(value)
        if not isinstance(value, str) and not abs(value) < LARGEST_NUMBER:
            raise InputError(f"grid axis {path!r} holds {value}: give finite numbers below 1e18.")
    return Axis(path, _axis_name(path), values)


def _axis_name(path: str) -> str:
    """Name an axis: the key itself; a law's parameter goes with what it describes."""
    head, _, last = path.rpartition(".")
    return f"{last}_importance" if head == "importance" else last
