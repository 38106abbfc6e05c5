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
    Entry(
        "intro",
        "toy-models",
        "features in two dimensions at three sparsities",
        "Introduction (F1)",
        25,
        16,
    ),
    Entry(
        "superposition-20-5",
        "toy-models",
        "WᵀW + b of 20 features in 5 dimensions, by sparsity",
        "Basic results (F6–F8)",
        48,
        26,
    ),
    Entry(
        "superposition-80-20",
        "toy-models",
        "WᵀW + b of 80 features in 20 dimensions, by sparsity",
        "Basic results (F9)",
        150,
        37,
    ),
    Entry(
        "superposition-100-20",
        "toy-models",
        "100 features in 20 dimensions, the notebook's variant",
        "notebook (F9b)",
        180,
        36,
    ),
    Entry(
        "phase-diagram-2-1",
        "toy-models",
        "phases of an extra feature, two in one dimension",
        "Phase change (F11, F12)",
        56,
        18,
    ),
    Entry(
        "phase-diagram-3-2",
        "toy-models",
        "phases of an extra feature, three in two dimensions",
        "Phase change (F13, F14)",
        240,
        50,
    ),
)

QUICK = ("intro", "superposition-20-5", "phase-diagram-2-1")
GROUPS = ("toy-models", "exact", "circuits", "questions")
