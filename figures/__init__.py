"""Drawing: a dataset in, a figure out.

One module per figure, named as the figure with underscores, each with `compute(...) -> Dataset`
and `draw(dataset, ax=None) -> Figure`:

    import figures
    dataset = figures.intro.compute(fast=True)
    figures.intro.draw(dataset).savefig("intro.png")
"""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Import a figure's module when it is first asked for."""
    try:
        return importlib.import_module(f"figures.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"figures.{name}":
            raise
        raise AttributeError(f"no figure {name!r}; `toymodels list` names them all") from None
