"""The two problems of the phase diagrams, and their closed-form theory.

Elhage et al. 2022, "Superposition as a Phase Change": F features in F - 1 dimensions, of which
the last one has another importance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toymodels import theory


@dataclass(frozen=True)
class Problem:
    """F features in F - 1 dimensions: its preset and its closed-form theory."""

    preset: str
    n_features: int
    phases: tuple[str, ...]
    label: Callable[..., Any]
    losses: Callable[..., Any]
    boundary: Callable[..., Any]
    vertical: bool  # whether relative importance 1 is a boundary below the triple point


TWO_IN_ONE = Problem(
    "phase-diagram-2-1",
    2,
    theory.PHASES_2_1,
    theory.phase_label_2_1,
    theory.phase_losses_2_1,
    theory.boundary_2_1,
    vertical=False,
)
THREE_IN_TWO = Problem(
    "phase-diagram-3-2",
    3,
    theory.PHASES_3_2,
    theory.phase_label_3_2,
    theory.phase_losses_3_2,
    theory.boundary_3_2,
    vertical=True,
)
