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
        97,
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
        "exact",
        "phases of an extra feature, two in one dimension, solved exactly",
        "Phase change (F11, F12)",
        45,
        20,
    ),
    Entry(
        "phase-diagram-3-2",
        "exact",
        "phases of an extra feature, three in two dimensions, solved exactly",
        "Phase change (F13, F14)",
        75,
        35,
    ),
    Entry(
        "phase-diagram-2-1-sampled",
        "toy-models",
        "phases of an extra feature, two in one dimension, trained",
        "Phase change (F11, F12)",
        56,
        18,
    ),
    Entry(
        "phase-diagram-3-2-sampled",
        "toy-models",
        "phases of an extra feature, three in two dimensions, trained",
        "Phase change (F13, F14)",
        240,
        50,
    ),
    Entry(
        "phase-order",
        "exact",
        "which phase changes jump: minima followed along five cuts",
        "Phase change (F11–F14)",
        75,
        35,
    ),
    Entry(
        "phase-atlas",
        "exact",
        "which arrangement is optimal: six small models, named by their polytopes",
        "Phase change, The Geometry of Superposition (extended)",
        440,
        75,
    ),
    Entry(
        "k-gons",
        "exact",
        "one active feature: loss curves on the exact levels of k-gons",
        "6 features in 2 dimensions",
        33,
        17,
        "Chen et al. 2023, Dynamical versus Bayesian Phase Transitions",
    ),
    Entry(
        "loss-surface-2-1",
        "exact",
        "exact loss of two features in one dimension, without bias",
        "Phase change, McGrath's comment (F15)",
        7,
        5,
    ),
    Entry(
        "pentagon-digon",
        "exact",
        "one of five features made sparser: pentagon and digons cross",
        "Non-uniform sparsity: perturbing a single feature (F20, F21)",
        30,
        18,
    ),
)

QUICK = ("intro", "superposition-20-5", "phase-diagram-2-1")
GROUPS = ("toy-models", "exact", "circuits", "questions")
