"""Which figures there are: name, source, how long each takes. Light: imports nothing heavy."""

import importlib
from dataclasses import dataclass
from types import ModuleType

TOY_MODELS = "Elhage et al. 2022, Toy Models of Superposition"
ROTATIONS = "Linsefors & Bushnaq 2025, Rotations in Superposition"


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
        15,
        11,
    ),
    Entry(
        "phase-diagram-3-2",
        "exact",
        "phases of an extra feature, three in two dimensions, solved exactly",
        "Phase change (F13, F14)",
        27,
        14,
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
        35,
        23,
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
        20,
        11,
    ),
    Entry(
        "estimators",
        "exact",
        "which estimate of the loss to train on: noise × time by active features",
        "not in the paper: sampled, stratified, exact, Fourier series",
        210,
        60,
        "Ours",
    ),
    Entry(
        "rotations-samples",
        "circuits",
        "a few vectors through the layers of a large network, true and as read",
        "Figures 1, 2 and 4",
        5,
        4,
        ROTATIONS,
    ),
    Entry(
        "step-function",
        "circuits",
        "two ReLUs make the step that cleans an on-indicator",
        "Figure 3",
        3,
        2,
        ROTATIONS,
    ),
    Entry(
        "rotations-error",
        "circuits",
        "error of rotating vectors by layer, 557 circuits in 1000 neurons",
        "Figure 5",
        140,
        10,
        ROTATIONS,
    ),
    Entry(
        "indicator-error",
        "circuits",
        "error of on-indicators by layer, 557 circuits in 1000 neurons",
        "Figure 6",
        140,
        10,
        ROTATIONS,
    ),
    Entry(
        "circuits-activity",
        "circuits",
        "neurons that switch on although no active circuit uses them",
        "Figure 7",
        140,
        10,
        ROTATIONS,
    ),
    Entry(
        "circuits-interference",
        "circuits",
        "what one layer adds to a circuit, measured against its estimate",
        "Appendix 2",
        30,
        12,
        ROTATIONS,
    ),
    Entry(
        "rotations-sweep-x-active",
        "circuits",
        "errors of rotating vectors in 41 networks, by layer and load",
        "Figure 8",
        47,
        14,
        ROTATIONS,
    ),
    Entry(
        "rotations-sweep-x-inactive",
        "circuits",
        "vector noise of circuits that are not in use",
        "Figure 9",
        50,
        14,
        ROTATIONS,
    ),
    Entry(
        "rotations-sweep-on-active",
        "circuits",
        "errors of on-indicators in use",
        "Figure 10",
        50,
        14,
        ROTATIONS,
    ),
    Entry(
        "rotations-sweep-on-inactive",
        "circuits",
        "noise on indicators of circuits that are not in use",
        "Figure 11",
        50,
        14,
        ROTATIONS,
    ),
    Entry(
        "circuits-inhibition",
        "circuits",
        "inhibition between circuits: too little, balanced, too much",
        "our sweep of its construction",
        27,
        12,
        ROTATIONS,
    ),
    Entry(
        "circuits-redundancy",
        "circuits",
        "large neurons for each small one: errors for one to seven",
        "our sweep of its construction",
        33,
        13,
        ROTATIONS,
    ),
    Entry(
        "circuits-bias",
        "circuits",
        "the bias that silences inactive circuits: errors by its size",
        "our sweep of its construction",
        20,
        12,
        ROTATIONS,
    ),
    Entry(
        "assignment-designs",
        "circuits",
        "which neurons serve which circuit: three designs compared",
        "our sweep of its construction",
        30,
        13,
        ROTATIONS,
    ),
)

QUICK = ("intro", "superposition-20-5", "phase-diagram-2-1")
GROUPS = ("toy-models", "exact", "circuits", "questions")
