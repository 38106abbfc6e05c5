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

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sweeps.config import toml
from sweeps.config.derived import FUNCTIONS
from sweeps.config.paths import with_path
from sweeps.config.recipes import with_recipe
from sweeps.config.schema import OUTER, every_key
from sweeps.config.spacing import LARGEST_NUMBER, SPACINGS, axis_values, require_size
from sweeps.config.sweep import MODELS, Recipe, SweepConfig, axis_name, is_key, own_keys
from sweeps.config.synonyms import way_out
from sweeps.given import plain, shortened
from sweeps.grid import SEED, Axis, Dimension, Grid, require_name
from sweeps.keeping import parsed, restorable
from toymodels.errors import InputError, hint, listed

VERSIONS = ("fast", "tiny")  # tables that change what is run, where they are asked for


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file; another file that it names, `models = "OTHER.toml"`, lies beside it.

    Raises:
        InputError: the file is missing, cannot be read or is not TOML.
    """
    path = Path(path).expanduser()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except (ValueError, RecursionError) as error:  # bad TOML, bad UTF-8, endless numbers, nesting
        raise InputError(f"{path} is not valid TOML: {error}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    models = table.get("models")
    if isinstance(models, str) and models.endswith(".toml"):
        table["models"] = str(path.parent / Path(models).expanduser())
    return table


def parse(
    table: dict[str, Any], overrides: Sequence[str] = (), version: str | bool = ""
) -> SweepConfig:
    """Make a sweep from a TOML table.

    Args:
        table: the file's contents; `[figure]` is left to those who draw.
        overrides: texts such as "steps=500" or "grid.seed.range=4", applied last.
        version: "fast" or "tiny" applies the table of that name; True is "fast".

    Raises:
        InputError: anything unknown, misspelt, empty or out of range.
    """
    version = "fast" if version is True else version or ""
    table = applied(table, overrides, version)
    parts = {key: table.pop(key) for key in OUTER if key in table}
    for key in ("grid", "zip", "derive"):
        _check_table(key, parts.get(key, {}))
    if parts.get("grid") == {}:
        raise InputError("[grid] is empty: give it an axis (seed = { range = 8 }) or leave it out.")
    seed = parts.get("seed", 0)
    _check_seed(seed)
    if "p_active" in table:
        table = with_path(table, "features.p_active", table.pop("p_active"))
    name = sweep_name(parts.get("name"))
    models = _models(name, seed, parts["models"], version) if "models" in parts else None
    axes, zips = parts.get("grid", {}), parts.get("zip", {})
    own = own_keys(table, axes, *(zipped for zipped in zips.values() if isinstance(zipped, dict)))
    derive = _derive(parts.get("derive", {}), own)
    grid = _grid(axes, zips, derive, models, own)
    _check_not_replaced(overrides, grid)
    table, recipe = with_recipe(table, parts, grid, derive, overrides)
    about = (str(parts.get("description", "")), models, Recipe(*recipe) if recipe else None)
    config = SweepConfig(name, table, grid, derive, seed, *about, parsed(parts.get("keep")))
    first = next(grid.points())
    config.build({k: v for k, v in first.items() if k != SEED})
    zipped = {d.name for d in grid.dimensions} - {a.name for d in grid.dimensions for a in d.axes}
    for name in zipped & set(config.coordinates()):
        raise InputError(f"zip.{name}: {name!r} is a key of the run; call the zip something else.")
    return config


def applied(table: dict[str, Any], overrides: Sequence[str], version: str) -> dict[str, Any]:
    """Return a table with that of a version and `key=value` texts put in."""
    table = _copy({k: v for k, v in table.items() if k != "figure"})
    changes = {key: table.pop(key, {}) for key in VERSIONS}
    for key, change in changes.items():
        _check_table(key, change)
    for path, value in _leaves(changes.get(version, {})):
        table = _replaced(table, path, value)
    for text in overrides:
        table = _overridden(table, text)
    return table


def _models(name: str, seed: int, given: Any, version: str) -> SweepConfig:
    """Make the sweep whose models this one studies, from a table or the path of a file."""
    _check_end(given)
    table = {"name": f"{name}.models", "seed": seed} | _of_file(given)
    return restorable(parse(table, (), version))


def _of_file(given: Any) -> dict[str, Any]:
    table = read_toml(given) if isinstance(given, str) else given
    _check_table("models", table)
    return table


def _check_end(given: Any) -> None:
    """Refuse sweeps that stand on each other's models without an end."""
    seen = set()
    while given is not None:
        if isinstance(given, str) and given in seen:
            raise InputError(f"models = {given!r} stands on its own models: name another sweep.")
        seen |= {given} if isinstance(given, str) else set()
        given = _of_file(given).get("models")


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
            copy[str(key)] = plain(value)
        except ValueError as error:
            raise InputError(f"{key} = {shortened(value)}: {error}.") from None
    return copy


def _check_table(key: str, given: Any) -> None:
    if not isinstance(given, dict):
        raise InputError(f"{key} = {given!r}: write it as a table, [{key}].")


def sweep_name(name: Any) -> str:
    """Return a sweep's name if files can be called after it, else raise `InputError`."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
        raise InputError(
            f"name = {name!r}: give the sweep a name of letters, digits, '-', '_' and '.', "
            'for example name = "mine"; its files are called after it.'
        )
    return name


def _check_seed(seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise InputError(f"seed = {seed!r}: give an integer from 0 to 4294967295.")


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value and (key == "features" or not set(value) & SPACINGS):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _replaced(table: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a table with a path set; an axis may stand as "importance.relative" in one key."""
    head, _, rest = path.partition(".")
    axes = table.get(head)
    if head in ("grid", "zip") and isinstance(axes, dict) and rest in axes:
        return table | {head: axes | {rest: value}}
    if head == "models" and axes is not None and rest:
        return table | {head: _replaced(_of_file(axes), rest, value)}
    return with_path(table, path, value)


def _overridden(table: dict[str, Any], text: str) -> dict[str, Any]:
    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals or not path:
        raise InputError(f"{text!r} is not of the form key=value, for example steps=500.")
    parsed = _copy({path: toml.read(value)})[path]
    *axis, last = path.split(".")
    if "grid" in axis[:2] and last in SPACINGS:
        return _replaced(table, ".".join(axis), {last: parsed})
    return _replaced(table, path, parsed)


def _derive(table: dict[str, Any], own: frozenset[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
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
        if not is_key(_long(path), own):
            raise InputError(f"derive.{path}: no such key.{way_out(path, [*every_key(), *own])}")
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
    grid: dict[str, Any],
    zips: dict[str, Any],
    derive: dict[str, Any],
    models: SweepConfig | None,
    own: frozenset[str],
) -> Grid:
    tables = [axes for axes in zips.values() if isinstance(axes, dict) and axes]
    given_axes = [v for _, v in _leaves(grid)] + [next(_leaves(axes))[1] for axes in tables]
    require_size(given_axes, models.grid.size if models else 1)
    helpers = {axis for _, axes in derive.values() for axis in axes}
    dimensions = [_of_models(d) for d in models.grid.dimensions] if models else []
    for path, given in _leaves(grid):
        axis = _axis(path, given, helpers, own)
        dimensions.append(Dimension(axis.name, (axis,)))
    for name, table in zips.items():
        if not isinstance(table, dict) or not table:
            raise InputError(f"zip.{name} = {table!r}: give the axes that move together.")
        axes = tuple(_axis(path, given, helpers, own) for path, given in _leaves(table))
        dimensions.append(Dimension(name, axes))
    result = Grid(tuple(dimensions))
    known = {axis.path for d in dimensions for axis in d.axes}
    for axis in sorted(helpers - known):
        raise InputError(f"derive uses {axis!r}, which is no axis of the grid.{hint(axis, known)}")
    for path in known & set(derive):
        raise InputError(f"{path!r} is both derived and an axis of the grid: keep one.")
    if SEED in helpers:
        raise InputError("derive uses 'seed', which cells do not know: seeds share all settings.")
    return result


def _of_models(d: Dimension) -> Dimension:
    """Return a dimension of the studied models' sweep as one of the sweep that studies them."""
    axes = tuple(
        Axis(MODELS + axis.path, axis_name(MODELS + axis.path), axis.values) for axis in d.axes
    )
    return Dimension(f"model_{d.name}", axes)


def _long(path: str) -> str:
    return "features.p_active" if path == "p_active" else path


def _axis(path: str, given: Any, helpers: set[str], own: frozenset[str]) -> Axis:
    path = _long(path)
    if path != SEED and not is_key(path, own) and path not in helpers:
        require_name(axis_name(path))
        known = [*every_key(), *own, "p_active", "importance.ratio", "importance.relative", SEED]
        raise InputError(
            f"grid axis {path!r} sets nothing.{way_out(path, known)} An axis is a key of the run, "
            "a setting such as importance.ratio, or is named by [derive]."
        )
    values = tuple(axis_values(path, given))
    for value in values:
        if path == SEED:
            _check_seed(value)
        if not isinstance(value, str) and not abs(value) < LARGEST_NUMBER:
            raise InputError(f"grid axis {path!r} holds {value}: give finite numbers below 1e18.")
    return Axis(path, axis_name(path), values)
