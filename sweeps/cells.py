"""Cells of a user's own code, checked as they are built."""

from collections.abc import Callable
from typing import Any

from sweeps.config.registry import find
from sweeps.plan import Build, Cell, program_key
from toymodels.errors import InputError


def cells_of(build: Callable[[dict[str, Any]], Any]) -> Build:
    """Return what makes cells of a user's own `build`; each program's first one is checked.

    Raises:
        InputError: when called: something that is no `Run` and no `Cell`, or a run whose parts are
            not what training needs.
    """
    train, checked = find("work", "train"), set()

    def cell(values: dict[str, Any]) -> Cell:
        built = build(values)
        if isinstance(built, Cell):
            return built
        made = Cell(train, train.prepared(built))
        try:
            key = program_key(made)
        except InputError:
            train.check(made.run)  # may say more
            raise
        if key not in checked:
            train.check(made.run)
            checked.add(key)
        return made

    return cell
