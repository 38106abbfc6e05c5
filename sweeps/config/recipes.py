"""Recipes: sets of keys that a config may name at once, `recipe = "notebook"`.

A key that is given beside a recipe wins over it, and so does an axis. A recipe that is given as an
override, `recipe=notebook`, wins over the keys of the file, and other overrides win over it.
"""

from collections.abc import Callable, Collection, Sequence
from math import prod, sqrt
from typing import Any

from sweeps.config.registry import find
from sweeps.config.schema import maker, work_of
from sweeps.config.signatures import parameters
from sweeps.config.synonyms import other_words
from sweeps.grid import SEED, Grid
from toymodels.errors import InputError, hint, listed


def notebook(n_features: int, n_hidden: int, n_instances: int) -> dict[str, Any]:
    """Train as the authors' notebook does, with AdamW at a constant rate.

    Weights start as torch's `xavier_normal_` draws the whole tensor `[n_instances, n_features,
    n_hidden]`: with a standard deviation of √(2 / (n_hidden (n_features + n_instances))), which
    depends on how many models share it.

    Source: anthropics/toy-models-of-superposition, cells 3 and 4.
    """
    return {
        "optimizer": "adamw",
        "learning_rate": 1e-3,
        "weight_decay": 0.01,
        "schedule": "constant",
        "estimator": "sampled",
        "steps": 10_000,
        "batch_size": 1024,
        "init_scale": sqrt(2 / (n_hidden * (n_features + n_instances))),
    }


RECIPES: dict[str, Callable[..., dict[str, Any]]] = {"notebook": notebook}


def with_recipe(
    table: dict[str, Any],
    given: dict[str, Any],
    grid: Grid,
    derived: Collection[str],
    overrides: Sequence[str],
) -> tuple[dict[str, Any], tuple[str, int] | None]:
    """Return a config's keys with those of its recipe put in, and its name and instances.

    Args:
        table: the keys of the run.
        given: has `recipe`, and perhaps `n_instances`; that is the number of cells without seeds
            if left out.
        grid: its axes win over the recipe.
        derived: paths that [derive] sets; they win as well.
        overrides: texts that are part of `table` already. A recipe among them wins over the keys
            of the file; else it only adds to these.

    Raises:
        InputError: no such recipe, `n_instances` without one or no count, or something else than
            training.
    """
    name = given.get("recipe")
    if name is None:
        _refuse_instances(given)
        return table, None
    if not isinstance(name, str) or name not in RECIPES:
        raise InputError(
            f"recipe = {name!r}: no such recipe.{hint(str(name), RECIPES)} "
            f"There are {listed(RECIPES)}."
        )
    n_instances = _count(given.get("n_instances", cells_of(grid)))
    sizes = [_size(table, key) for key in ("n_features", "n_hidden")]
    keys = RECIPES[name](*sizes, n_instances)
    said = {text.partition("=")[0].strip() for text in overrides}
    varied = {axis.path for d in grid.dimensions for axis in d.axes} | set(derived)
    kept = varied | (said if "recipe" in said else set(table))
    new = {key: value for key, value in keys.items() if key not in kept}
    if "init_scale" in new and not _takes(table, "init_scale"):
        del new["init_scale"]
    unknown = sorted(varied & {"n_features", "n_hidden"})
    if "init_scale" in new and unknown:
        raise InputError(
            f'recipe = "{name}" gives one init_scale, which depends on {listed(unknown)}: '
            "that differs between cells, so give init_scale yourself."
        )
    if work_of(table | new) != "train":
        raise InputError(f'recipe = "{name}" says how to train, and nothing is trained here.')
    return table | new, (name, n_instances)


def _refuse_instances(given: dict[str, Any]) -> None:
    if "n_instances" in given:
        raise InputError(
            f"n_instances = {given['n_instances']!r} belongs to a recipe, such as "
            f'recipe = "notebook".{other_words("n_instances")}'
        )


def cells_of(grid: Grid) -> int:
    """Return how many cells a grid has, seeds not counted."""
    return prod(
        len({tuple(v for k, v in d.at(i).items() if k != SEED) for i in range(d.size)})
        for d in grid.dimensions
    )


def _count(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise InputError(f"n_instances = {given!r}: give the number of models that share a tensor.")
    return given


def _size(table: dict[str, Any], key: str) -> int:
    """Return a size as it is given; what is missing or no number is refused where it is used."""
    value = table.get(key)
    return value if isinstance(value, int) and value > 0 else 1


def _takes(table: dict[str, Any], key: str) -> bool:
    """Tell whether the model has a parameter; true where the model is an axis."""
    name = table.get("model")
    if not isinstance(name, str):
        return True
    return key in {p.name for p in parameters(maker("model", find("model", name)))}
