"""Drawing: a dataset in, a figure out.

Every figure is an attribute, named as the figure with underscores, with `compute(...) -> Dataset`
and `draw(dataset, axes=None) -> Figure`:

    import figures
    dataset = figures.intro.compute(fast=True)
    figures.intro.draw(dataset).savefig("intro.png")
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return a figure when it is first asked for."""
    from figures.kit.entry import entries

    entry = entries().get(name.replace("_", "-"))
    if entry is None:
        raise AttributeError(f"no figure {name!r}; `toymodels list` names them all")
    from figures.kit.compute import Drawable

    return Drawable(entry)
