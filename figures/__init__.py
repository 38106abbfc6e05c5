"""Drawing: a dataset in, a figure out.

Every figure is an attribute, named as the figure with underscores, with `compute(...) -> Dataset`
and `draw(dataset, axes=None) -> Figure`:

    import figures
    dataset = figures.intro.compute(fast=True)
    figures.intro.draw(dataset).savefig("intro.png")

`dir(figures)` names them, `figures.intro.__doc__` says what one shows and what can be changed.
"""

import importlib.util
from pathlib import Path
from typing import Any


def __getattr__(name: str) -> Any:
    """Return a figure when it is first asked for."""
    _require_own("toymodels", "sweeps")
    from figures.kit.entry import entries
    from toymodels.errors import hint

    entry = entries().get(name.replace("_", "-"))
    if entry is None:
        near = "" if name.startswith("_") else hint(name, __dir__())
        raise AttributeError(f"no figure {name!r}; `toymodels list` names them all.{near}")
    from figures.kit.compute import Drawable
    from figures.kit.overrides import described

    found = Drawable(entry)
    object.__setattr__(found, "__doc__", described(entry))  # what `figures.intro?` shows
    return found


def __dir__() -> list[str]:
    """Name the figures, for tab completion."""
    from figures.kit.entry import entries

    own = [name for name in globals() if name.startswith("_")]
    return sorted([*own, *(name.replace("-", "_") for name in entries())])


def _require_own(*names: str) -> None:
    """Raise `ImportError` where Python finds something else by the name of a package of ours."""
    for name in names:
        spec = importlib.util.find_spec(name)
        where = spec.origin if spec else None
        if where and Path(where).resolve().parents[1] != Path(__file__).resolve().parents[1]:
            raise ImportError(
                f"`import {name}` finds {where}, which is not the package that figures stands on: "
                "rename that file or folder, or work in another folder.",
                name=name,
                path=where,
            )
