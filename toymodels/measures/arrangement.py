"""What an optimum is called: by the polytopes of its groups of features, and by what is dropped.

W is [M hidden, F features], one matrix; the last feature is the extra one, whose importance may
differ from the others'. Limits are lengths of columns and differences of cosines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from toymodels.checks import finite_matrix
from toymodels.measures.polytopes import (
    DEDICATED,
    UNNAMED,
    Component,
    components,
    joined_name,
    name_components,
)

REPRESENTED = 0.5
"""A feature of a norm up to this counts as dropped."""

WEAK = 0.1
"""A dropped feature of a larger norm is said to be weak."""

REACH = 0.3
"""A group takes the name of its nearest ideal up to this rms difference of cosines."""

WEIGHT_OF_WEAK = 0.05
"""How irregular a feature is that is weak."""

DROPPED, IS_WEAK = "dropped", "weak"


@dataclass(frozen=True)
class Name:
    """What an optimum is called."""

    name: str  # as `name_arrangement`: "digon + dedicated, 1 dropped"
    shape: str  # of all groups together: "square" for two digons; "dedicated" where none share
    extra: str  # which group the last feature is in, or "dropped", or "weak"
    n_weak: int  # how many features are weak
    distance: float  # of the worst group from its ideal; inf where one has none


def name_optimum(W: ArrayLike) -> Name:
    """Name the optimum `W [M, F]`; the last feature is the extra one.

    Raises:
        InputError: W is not one finite matrix.
    """
    W = finite_matrix("W", W)
    found = components(W, threshold=REPRESENTED, reach=REACH)
    norm = np.linalg.norm(W, axis=0)
    weak = (norm <= REPRESENTED) & (norm > WEAK)
    last = W.shape[1] - 1
    hosts = [c.name for c in found if last in c.features]
    left = IS_WEAK if weak[last] else DROPPED
    distances = [np.inf if c.name == UNNAMED else c.distance for c in found]
    return Name(
        name=name_components(found, W.shape[1]),
        shape=shape_of(found),
        extra=hosts[0] if hosts else left,
        n_weak=int(weak.sum()),
        distance=max(distances, default=0.0),
    )


def kind_of(W: ArrayLike) -> str:
    """Say which arrangement `W [M, F]` is: name, place of the last feature, whether any is weak.

    Raises:
        InputError: W is not one finite matrix.
    """
    name = name_optimum(W)
    return f"{name.name} {name.extra} {name.n_weak > 0}"


def irregularity(W: ArrayLike) -> float:
    """Return how far `W [M, F]` is from ideals: by its groups, and by weak features.

    Raises:
        InputError: W is not one finite matrix.
    """
    name = name_optimum(W)
    return name.distance + WEIGHT_OF_WEAK * name.n_weak


def shape_of(found: Sequence[Component]) -> str:
    """Return the polytope that components form together, those of one feature aside."""
    groups = [c for c in found if c.name != DEDICATED]
    if any(c.name == UNNAMED for c in groups):
        return UNNAMED
    return joined_name(groups) or " + ".join(c.name for c in groups) or DEDICATED
