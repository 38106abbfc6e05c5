"""What an optimum of the atlas is called, by the polytopes of its groups of features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toymodels.polytopes import (
    DEDICATED,
    UNNAMED,
    Component,
    components,
    joined_name,
    name_components,
)

HELD = 0.5
"""A feature of a smaller norm counts as dropped."""

WEAK = 0.1
"""A dropped feature of a larger norm is held weakly."""

REACH = 0.3
"""A group takes the name of its nearest ideal up to this rms difference of cosines."""

WEIGHT_OF_WEAK = 0.05
"""How irregular a feature is that is held weakly."""

DROPPED, HELD_WEAKLY = "dropped", "held weakly"


@dataclass(frozen=True)
class Name:
    """What the optimum of a cell is called."""

    name: str  # as `name_arrangement`: "digon + dedicated, 1 dropped"
    shape: str  # of all groups together: "square" for two digons; "dedicated" where none share
    extra: str  # which group the last feature is in, or "dropped", or "held weakly"
    n_weak: int  # how many features are held weakly
    distance: float  # of the worst group from its ideal; inf where one has none


def name_cell(W: NDArray) -> Name:
    """Name `W [M, F]`; the last feature is the extra one."""
    found = components(W, threshold=HELD, reach=REACH)
    norm = np.linalg.norm(W, axis=0)
    weak = (norm <= HELD) & (norm > WEAK)
    last = W.shape[1] - 1
    hosts = [c.name for c in found if last in c.features]
    left = HELD_WEAKLY if weak[last] else DROPPED
    return Name(
        name_components(found, W.shape[1]),
        shape_of(found),
        hosts[0] if hosts else left,
        int(weak.sum()),
        max((np.inf if c.name == UNNAMED else c.distance for c in found), default=0.0),
    )


def irregularity(W: NDArray) -> float:
    """Return how far `W [M, F]` is from ideals: by its groups, and by features held weakly."""
    name = name_cell(W)
    return name.distance + WEIGHT_OF_WEAK * name.n_weak


def shape_of(found: list[Component]) -> str:
    """Return the polytope that groups form, those of one feature aside."""
    groups = [c for c in found if c.name != DEDICATED]
    if any(c.name == UNNAMED for c in groups):
        return UNNAMED
    return joined_name(groups) or " + ".join(c.name for c in groups) or DEDICATED
