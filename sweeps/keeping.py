"""Which variables of a result are kept: `keep = ["loss", "norm"]`, a key of the sweep itself.

A block is computed whole and narrowed before it is packed, so that what is left out fills no disk.
`diverged` is always kept: statistics over seeds go by it. Without `keep` everything is kept.
"""

import json
from collections.abc import Iterable
from typing import Any

import xarray as xr

from sweeps.grid import Grid
from sweeps.packed import ALWAYS
from sweeps.plan import Cell
from toymodels.errors import InputError, hint, listed

# Names of variables; None keeps all.
Keep = tuple[str, ...] | None


def parsed(given: Any) -> Keep:
    """Return what a config or a call gives as `keep`.

    Raises:
        InputError: no list of names, an empty one, or a name twice.
    """
    if given is None:
        return None
    names = tuple(given) if isinstance(given, list | tuple) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(
            f'keep = {given!r}: give a list of names of variables, such as ["loss", "norm"], or '
            "leave it out to keep all."
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"keep names {twice[0]!r} twice: name it once.")
    return names


def identified(keep: Keep) -> list[list[str]]:
    """Return what `keep` adds to a sweep's identity: nothing where all is kept."""
    return [] if keep is None else [sorted({*keep, ALWAYS})]


def check_before_models(config: Any) -> None:
    """Check what a sweep keeps before the sweep of its models is run, which may take hours."""
    if config.models is not None and config.keep is not None:
        check_names(config.grid, config.kinds(), config.keep)


def check_names(grid: Grid, cells: Iterable[Cell], keep: Keep) -> None:
    """Check names against the variables that the cells will give, before anything runs.

    Args:
        grid: the points.
        cells: one of each kind that there is.
        keep: what is kept.

    Raises:
        InputError: an axis is called like something in the result, or `keep` names what no kind of
            run gives.
    """
    found: dict[str, tuple[str, ...]] = {}
    for work, run in cells:
        own = work.variables(run)
        grid.require_free({*own, *(dim for dims in own.values() for dim in dims)})
        found |= own
    for name in keep or ():
        if name not in found:
            raise InputError(
                f"keep: the sweep gives no variable {name!r}.{hint(name, found)} There are "
                f"{listed(sorted(found))}. Axes stay with what is kept."
            )


def restorable(models: Any) -> Any:
    """Return a sweep if it keeps what its models are made of.

    Raises:
        InputError: it does not; says what it must keep.
    """
    for work, run in [] if models.keep is None else models.kinds():
        missing = [name for name in work.restored_from(run) if name not in models.keep]
        if missing:
            raise InputError(
                f"models: {models.name} does not keep the weights of its models: name "
                f"{listed(missing)} in its keep as well, or leave its keep out."
            )
    return models


def require_weights(dataset: xr.Dataset, names: Iterable[str]) -> None:
    """Refuse to restore a model from a result that does not hold its weights."""
    keep = keep_of(dataset)
    missing = [name for name in names if name not in dataset]
    if missing and keep:
        raise InputError(
            f"the result does not hold {listed(missing)}, which a model is made of: its "
            f"sweep kept {listed(keep)} alone. Name them in its keep as well, and run it again."
        )


def keep_of(dataset: xr.Dataset) -> Keep:
    """Return what the sweep of a result kept, as far as its attributes say."""
    for name in ("config", "grid"):
        try:
            given = json.loads(dataset.attrs[name]).get("keep")
        except (KeyError, ValueError, TypeError, AttributeError):
            continue
        if given is not None:
            return tuple(given)
    return None
