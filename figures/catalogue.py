"""Which figures there are: name, source, how long each takes. Light: imports nothing heavy."""

import importlib
from dataclasses import dataclass
from types import ModuleType

TOY_MODELS = "Elhage et al. 2022, Toy Models of Superposition"


@dataclass(frozen=True)
class Entry:
    """One figure; times are seconds measured on 2 cores of a 2.5 GHz Xeon, compiling included."""

    name: str
    group: str
    title: str
    section: str
    seconds: int
    fast_seconds: int
    paper: str = TOY_MODELS

    def module(self) -> ModuleType:
        """Import the figure's module."""
        return importlib.import_module("figures." + self.name.replace("-", "_"))


CATALOGUE = (
    Entry("intro", "toy-models", "2, 4, 5 features in two dimensions", "Introduction (F1)", 30, 10),
)

QUICK = ("intro",)
GROUPS = ("toy-models", "exact", "circuits", "questions")
