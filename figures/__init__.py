"""Drawing: a dataset in, a figure out.

Every figure is an attribute, named as the figure with underscores, with `compute(...) -> Dataset`
and `draw(dataset, axes=None) -> Figure`:

    import figures
    dataset = figures.intro.compute(fast=True)
    figures.intro.draw(dataset).savefig("intro.png")
"""

import importlib.util
from pathlib import Path
from typing import Any


def __getattr__(name: str) -> Any:
    """Return a figure when it is first asked for."""
    _require_own("toymodels", "sweeps")
    from figures.kit.entry import entries

    entry = entries().get(name.replace("_", "-"))
    if entry is None:
        raise AttributeError(f"no figure {name!r}; `toymodels list` names them all")
    from figures.kit.compute import Drawable

    return Drawable(entry)


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
