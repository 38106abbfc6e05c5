"""A whole sweep: what every run shares, the grid of what differs, and the names they go by."""

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from sweeps.config.cells import Cells
from sweeps.config.derived import derived_value
from sweeps.config.paths import leaves, with_paths, without
from sweeps.config.registry import NAMES, TABLES, find
from sweeps.config.schema import every_key, known_keys, maker, resolve
from sweeps.config.signatures import parameters
from sweeps.config.table import Anything
from sweeps.grid import SEED, Grid, grid_from
from sweeps.identity import digest
from sweeps.keeping import Keep, identified
from sweeps.plan import Cell, TrainedModel, program_key

# In front of the axes of the sweep whose models another one studies.
MODELS = "models."

# Return the trained model, and its run, of the cell of another sweep that values name.
TrainedAt = Callable[[dict[str, Any]], Any]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A recipe that a config names, see `sweeps.config.recipes`."""

    name: str
    n_instances: int  # models that share one tensor


@dataclasses.dataclass(frozen=True)
class SweepConfig:
    """A sweep: keys of every run, axes, derived values, and the sweep whose models it studies."""

    name: str
    run: dict[str, Any]  # the run's own keys, as given
    grid: Grid
    derive: dict[str, tuple[str, tuple[str, ...]]]  # path -> (function, axes)
    seed: int = 0  # the root, which every seed is folded into
    description: str = ""
    models: "SweepConfig | None" = None
    recipe: Recipe | None = None  # whose keys are among those of `run`
    keep: Keep = None  # the variables of the result that are kept

    def settings(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return path -> value of what one cell sets, from those of the axes without the seed."""
        derived = {
            path: derived_value(path, name, [values[axis] for axis in axes])
            for path, (name, axes) in self.derive.items()
        }
        found = {**values, **derived}
        return {
            path: value
            for path, value in found.items()
            if path not in self._helpers and not path.startswith(MODELS)
        }

    def table(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the keys of one cell, from path -> value without the seed."""
        return with_paths(self.run, self.settings(values))

    @cached_property
    def _helpers(self) -> frozenset[str]:
        """The axes that [derive] uses and that are no keys."""
        used = {axis for _, axes in self.derive.values() for axis in axes}
        return frozenset(axis for axis in used if not is_key(axis, self.own_keys))

    def resolved(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return all keys of one cell, defaults filled in."""
        thing = resolve(self.table(values), self._taken)
        return {"work": thing.name} | thing.resolved()

    @cached_property
    def _cells(self) -> Cells:
        return Cells(lambda settings: resolve(with_paths(self.run, settings), self._taken))

    @cached_property
    def _untrained(self) -> dict[Any, Any]:
        """What `untrained` has returned, by values, and its models by program."""
        return {}

    def build(self, values: dict[str, Any], trained: TrainedAt | None = None) -> Cell:
        """Build one cell.

        Args:
            values: of the axes but the seed, by path.
            trained: gives the model that the cell studies; where it is left out, one with the
                same shapes that has not been trained.
        """
        handed: dict[str, Any] = {}
        if self.models is not None:
            inner = {p.removeprefix(MODELS): v for p, v in values.items() if p.startswith(MODELS)}
            handed["trained"] = (trained or self.models.untrained)(inner)
        part, run = self._cells.make(self.settings(values), handed)
        return Cell(find("work", part.thing.name), run)

    def kinds(self) -> list[Cell]:
        """Build the first cell for each combination of names, by which results differ in kind."""
        return [self.build(values) for values in self._combinations()]

    def untrained(self, values: dict[str, Any]) -> Any:
        """Return the run of a cell and a model of its shapes that has not been trained."""
        values = {k: v for k, v in values.items() if k != SEED}
        kept, at = self._untrained, tuple(values.items())
        if at not in kept:
            work, run = cell = self.build(values)
            key = program_key(cell)
            if key not in kept:  # one model for all: a few thousand wide ones fill the memory
                kept[key] = work.untrained(run)
            kept[at] = TrainedModel(run, kept[key])
        return kept[at]

    @cached_property
    def own_keys(self) -> frozenset[str]:
        """The keys of things of the user's own."""
        axes = {axis.path: list(axis.values) for d in self.grid.dimensions for axis in d.axes}
        return own_keys(self.run, axes)

    @cached_property
    def variants(self) -> list[dict[str, Any]]:
        """The resolved keys of the first cell for each combination of names along the axes.

        Numbers along an axis change no other key; names choose what keys there are.
        """
        return [self.resolved(values) for values in self._combinations()]

    @property
    def varied(self) -> list[str]:
        """The paths that the axes and [derive] set."""
        return [*(axis.path for d in self.grid.dimensions for axis in d.axes), *self.derive]

    @cached_property
    def unvaried(self) -> list[dict[str, Any]]:
        """What does not vary of each of the `variants`: with the axes, all that is run."""
        return [without(variant, self.varied) for variant in self.variants]

    @cached_property
    def _taken(self) -> frozenset[str]:
        """The keys that some cell takes, where names along the axes make cells take others."""
        combinations = list(self._combinations())
        if len(combinations) == 1:
            return frozenset()
        things = [resolve(self.table(values), Anything()) for values in combinations]
        return frozenset(key for thing in things for key in known_keys(thing))

    def _combinations(self) -> Iterator[dict[str, Any]]:
        choices = []
        for d in self.grid.dimensions:
            named = any(isinstance(v, str) for axis in d.axes for v in axis.values)
            found = {}
            for i in range(d.size if named else 1):
                at = {k: v for k, v in d.at(i).items() if k != SEED}
                texts = tuple(v for v in at.values() if isinstance(v, str))
                found.setdefault(texts, at)
            choices.append(list(found.values()))
        for parts in product(*choices):
            yield {k: v for part in parts for k, v in part.items()}

    def coordinates(self) -> dict[str, Any]:
        """Return every number and name of the config that is no axis, by its coordinate's name.

        What all cells share has no dimension; a derived value has those of the axes it is of.
        """
        shared: dict[str, Any] = {}
        for i, unvaried in enumerate(self.unvaried):
            own = dict(leaves(unvaried))
            shared = own if i == 0 else {k: v for k, v in shared.items() if own.get(k) == v}
        found = {axis_name(path): value for path, value in shared.items()}
        found |= {axis_name(path): self._derived(path) for path in self.derive}
        return found | {axis_name(MODELS + k): v for k, v in self._of_models().items()}

    def _of_models(self) -> dict[str, Any]:
        """Return the coordinates of the models that the sweep studies, which have no axes."""
        if self.models is None:
            return {}
        found = self.models.coordinates()
        return {
            k: ([f"model_{d}" for d in v[0]], v[1]) if isinstance(v, tuple) else v
            for k, v in found.items()
        }

    def _derived(self, path: str) -> tuple[list[str], np.ndarray]:
        """Return the dimensions and values of a derived key."""
        function, axes = self.derive[path]
        dims = [d for d in self.grid.dimensions if {a.path for a in d.axes} & set(axes)]
        shape = tuple(d.size for d in dims)
        values = np.empty(shape)
        for index in np.ndindex(shape):
            at = {k: v for d, i in zip(dims, index, strict=True) for k, v in d.at(i).items()}
            values[index] = derived_value(path, function, [at[axis] for axis in axes])
        return [d.name for d in dims], values

    @cached_property
    def versions(self) -> dict[str, Any]:
        """The version of numbers of each kind of work, and what your own modules hold."""
        works = {v["work"]: find("work", v["work"]).version for v in self.variants}
        return works | own_sources(self.variants) | (self.models.versions if self.models else {})

    def as_json(self) -> str:
        """Return the sweep as it is stored, defaults too: `config_from_json` makes it again."""
        more = {"versions": self.versions, "resolved": self.unvaried}
        return json.dumps(self._stored() | more, sort_keys=True)

    def _stored(self) -> dict[str, Any]:
        axes = [
            [d.name, {axis.path: [axis.name, list(axis.values)] for axis in d.axes}]
            for d in self.grid.dimensions
        ]
        derive = {path: [name, list(of)] for path, (name, of) in self.derive.items()}
        stored = {"name": self.name, "run": self.run, "grid": axes, "derive": derive}
        stored |= {"seed": self.seed}
        stored |= {"recipe": dataclasses.asdict(self.recipe)} if self.recipe else {}
        stored |= {"keep": list(self.keep)} if self.keep else {}
        return stored | ({"models": self.models._stored()} if self.models else {})

    def identity(self) -> str:
        """Name what is run: by the resolved keys, the axes, the root seed, and what is kept."""
        inner = self.models.identity() if self.models else None
        axes = [[d.name, {a.path: a.values for a in d.axes}] for d in self.grid.dimensions]
        kept = identified(self.keep)
        return digest([self.unvaried, axes, self.derive, self.seed, inner, *kept])

    def hash(self) -> str:
        """Return ten hexadecimal digits that name the folder of this sweep's results."""
        return digest([self.identity(), self.versions])


def config_from_json(text: str) -> SweepConfig:
    """Make a stored config a `SweepConfig` again."""
    return _config(json.loads(text))


def _config(stored: dict[str, Any]) -> SweepConfig:
    derive = {path: (name, tuple(of)) for path, (name, of) in stored["derive"].items()}
    models = _config(stored["models"]) if "models" in stored else None
    recipe = Recipe(**stored["recipe"]) if "recipe" in stored else None
    about = {"seed": stored["seed"], "models": models, "recipe": recipe}
    about |= {"keep": tuple(stored["keep"]) if "keep" in stored else None}
    return SweepConfig(stored["name"], stored["run"], grid_from(stored["grid"]), derive, **about)


def is_key(path: str, own: frozenset[str] = frozenset()) -> bool:
    """Tell whether a path such as "importance.ratio" sets something of a cell."""
    head = path.partition(".")[0]
    return head in every_key() or head in own


def own_keys(*tables: dict[str, Any]) -> frozenset[str]:
    """Return the keys that things of a user's own take, which tables name as "module:name"."""
    found: set[str] = set()
    for key, given in (item for table in tables for item in table.items() if item[0] not in TABLES):
        values = given.get("values") if isinstance(given, dict) else given
        for name in values if isinstance(values, list) else [values]:
            if key in NAMES and isinstance(name, str) and ":" in name:
                found |= {p.name for p in parameters(maker(key, find(key, name)))}
    return frozenset(found)


def own_sources(tables: list[dict[str, Any]]) -> dict[str, str]:
    """Return a digest of each module of a user's own that tables name as "module:name"."""
    named = set(re.findall(r'"([\w.]+):\w+"', json.dumps(tables)))
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in sorted(named)}
    return {
        name: digest(Path(file).read_text("utf-8", "replace"))
        for name, file in files.items()
        if file
    }


def axis_name(path: str) -> str:
    """Name a path in a dataset: the key itself; a setting goes with what it is of.

    features.p_active -> p_active, importance.relative -> relative_importance,
    penalties.l1_hidden.weight -> weight_l1_hidden; of a user's own "module:L2" stays L2; what is
    of the models that a sweep studies is called so, models.seed -> model_seed.
    """
    if path.startswith(MODELS):
        return f"model_{axis_name(path.removeprefix(MODELS))}"
    parts = [part.rpartition(":")[2] for part in path.split(".")]
    if parts[0] in ("features", "penalties", "measures") and len(parts) > 1:
        parts = parts[1:]
    return "_".join(reversed(parts))
