"""The optimum of each cell of a map: tried in its neighbours, compared and named.

A map is a grid `[A, B]` of densities and importances; its cells `[C, …]` are the points in order.
A cell whose neighbour has another arrangement descends from that one too, until nothing changes:
what is left of a speckle is no accident of the starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from toymodels.exact import solve
from toymodels.exact.end_points import AGREEMENT, DIFFERENT, fingerprint
from toymodels.exact.search import expected_losses
from toymodels.exact.starts import arrangements
from toymodels.polytopes import (
    DEDICATED,
    UNNAMED,
    Component,
    components,
    joined_name,
    name_arrangement,
)

HELD = 0.5
"""A feature of a smaller norm counts as dropped."""

WEAK = 0.1
"""A dropped feature of a larger norm is held weakly; optima have hardly any just above or below."""

REACH = 0.3
"""A group takes the name of its nearest ideal up to this rms difference of cosines."""

DEFORMED = 0.15
"""A group further than this from its ideal is called deformed."""

MOST_PASSES = 60

DROPPED, HELD_WEAKLY = "dropped", "held weakly"


@dataclass(frozen=True)
class Optima:
    """The best solution of each cell, and the best one that is another solution."""

    p_active: NDArray  # [C, F]
    importance: NDArray  # [C, F]
    W: NDArray  # [C, M, F]
    b: NDArray  # [C, F]
    loss: NDArray  # [C]
    other_W: NDArray  # [C, M, F], NaN where no other one was found
    other_b: NDArray  # [C, F]
    other_loss: NDArray  # [C]


@dataclass(frozen=True)
class Name:
    """What the optimum of a cell is called."""

    name: str  # as `name_arrangement`
    shape: str  # of all groups together: "square" for two digons; "dedicated" where none share
    special: str  # which group the last feature is in, or "dropped", or "held weakly"
    n_weak: int  # how many features are held weakly
    deformation: float  # the distance of the worst group from its ideal; inf where one has none


def settle(optima: Optima, grid: tuple[int, int]) -> tuple[Optima, NDArray[np.bool_]]:
    """Try the solutions of neighbours that are other ones, until no cell changes.

    Returns the optima and which cells have a loss that is lower by more than `AGREEMENT`.
    """
    began = optima.loss
    fresh = np.ones(len(began), bool)
    for _ in range(MOST_PASSES):
        pairs = [
            (cells[new], others[new])
            for cells, others in _neighbours(grid)
            for new in [fresh[others] & _differ(optima, cells, optima.W[others], optima.b[others])]
        ]
        before = optima.loss
        for found in _descend(optima, pairs):
            optima = _offer(optima, *found)
        fresh = optima.loss < before
        if not fresh.any():
            break
    return optima, optima.loss < began * (1 - AGREEMENT)


def prefer_regular(optima: Optima, grid: tuple[int, int]) -> tuple[Optima, NDArray[np.bool_]]:
    """Of solutions with the same loss, to `AGREEMENT`, take the one nearest to its ideals.

    A cell whose best solution is deformed may take its other one, or what those of its neighbours
    descend to: at density 1 many solutions are as good as each other.
    Returns the optima and which cells changed.
    """
    least, now = optima.loss, _deformations(optima.W)
    began = now.copy()
    for _ in range(MOST_PASSES):
        before = now.copy()
        cells = np.flatnonzero(now > DEFORMED)
        pairs = [(c[now[c] > DEFORMED], o[now[c] > DEFORMED]) for c, o in _neighbours(grid)]
        found = [(cells, optima.other_W[cells], optima.other_b[cells], optima.other_loss[cells])]
        for cells, *solution in found + _descend(optima, pairs):
            as_good = np.flatnonzero(solution[-1] <= least[cells] * (1 + AGREEMENT))
            regular = _deformations(solution[0][as_good])
            better = regular < now[cells[as_good]]
            take, into = as_good[better], cells[as_good[better]]
            optima = _put(optima, _SOLUTION, into, [a[take] for a in solution])
            now[into] = regular[better]
        if np.all(now == before):
            break
    return optima, now < began


def _deformations(W: NDArray) -> NDArray[np.float64]:
    return np.array([name_cell(w).deformation for w in W], float)


def explicit_losses(optima: Optima) -> NDArray:
    """Return the exact loss of every known arrangement in every cell, `[C, K]`.

    Unit vectors, b = 0, and b_i = p_i/2 on dropped features: `toymodels.exact.starts`.
    """
    C, M, F = optima.W.shape
    known = arrangements(F, M)
    W = np.broadcast_to(np.stack([k.W for k in known]), (C, len(known), M, F))
    b = np.stack([k.bias(optima.p_active) for k in known], axis=1)
    return expected_losses(W, b, optima.p_active, optima.importance).sum(-1)


def name_cell(W: NDArray) -> Name:
    """Name `W [M, F]`; the last feature is the special one."""
    found = components(W, threshold=HELD, reach=REACH)
    norm = np.linalg.norm(W, axis=0)
    weak = (norm <= HELD) & (norm > WEAK)
    last = W.shape[1] - 1
    hosts = [c.name for c in found if last in c.features]
    left = HELD_WEAKLY if weak[last] else DROPPED
    return Name(
        _named(W, found),
        shape_of(found),
        hosts[0] if hosts else left,
        int(weak.sum()),
        max((np.inf if c.name == UNNAMED else c.distance for c in found), default=0.0),
    )


def shape_of(found: list[Component]) -> str:
    """Return the polytope that groups form, those of one feature aside."""
    groups = [c for c in found if c.name != DEDICATED]
    if any(c.name == UNNAMED for c in groups):
        return UNNAMED
    return joined_name(groups) or " + ".join(c.name for c in groups) or DEDICATED


def _named(W: NDArray, found: list[Component]) -> str:
    """Return `name_arrangement`, which depends on the groups alone."""
    key = tuple((c.name, len(c.features), c.rank) for c in found)
    kept = _names(W.shape[1])
    if key not in kept:
        kept[key] = name_arrangement(W, threshold=HELD, reach=REACH)
    return kept[key]


@cache
def _names(n_features: int) -> dict[tuple, str]:
    """Return the names met so far."""
    return {}


def _neighbours(grid: tuple[int, int]) -> list[tuple[NDArray, NDArray]]:
    """Return for each of four directions the cells that have a neighbour there, and which."""
    index = np.arange(grid[0] * grid[1]).reshape(grid)
    along_a, along_b = (index[1:], index[:-1]), (index[:, 1:], index[:, :-1])
    pairs = (along_a, along_a[::-1], along_b, along_b[::-1])
    return [(cells.ravel(), others.ravel()) for cells, others in pairs]


def _differ(optima: Optima, cells: NDArray, W: NDArray, b: NDArray) -> NDArray[np.bool_]:
    """Tell where `W [Q, M, F]` is another solution than the cell's own."""
    p, importance = optima.p_active[cells], optima.importance[cells]
    own, given = (
        fingerprint(*solution, p, importance)
        for solution in ((optima.W[cells], optima.b[cells]), (W, b))
    )
    return np.max(np.abs(own - given), axis=-1) > DIFFERENT


def _descend(
    optima: Optima, pairs: list[tuple[NDArray, NDArray]]
) -> list[tuple[NDArray, NDArray, NDArray, NDArray]]:
    """Descend in cells from others' solutions; per direction cells, W, b and loss."""
    cells, others = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    if not len(cells):
        return []
    found = solve(
        optima.p_active[cells],
        optima.importance[cells],
        optima.W.shape[1],
        starts=(optima.W[others][:, None], optima.b[others][:, None]),
    )
    cuts = np.cumsum([len(c) for c, _ in pairs])[:-1]
    return list(
        zip(*(np.split(a, cuts) for a in (cells, found.W, found.b, found.loss)), strict=True)
    )


def _offer(optima: Optima, cells: NDArray, W: NDArray, b: NDArray, loss: NDArray) -> Optima:
    """Take solutions that are better than a cell's best, or than its best other one."""
    another = _differ(optima, cells, W, b)
    lower = loss < optima.loss[cells] * (1 - AGREEMENT)
    second = another & ~lower & ~(optima.other_loss[cells] <= loss)
    displaced = cells[lower & another]
    optima = _put(optima, _OTHER, displaced, [getattr(optima, k)[displaced] for k in _SOLUTION])
    for names, where in ((_SOLUTION, lower), (_OTHER, second)):
        optima = _put(optima, names, cells[where], [a[where] for a in (W, b, loss)])
    return optima


_SOLUTION, _OTHER = ("W", "b", "loss"), ("other_W", "other_b", "other_loss")


def _put(
    optima: Optima, names: tuple[str, ...], cells: NDArray, values: Sequence[NDArray]
) -> Optima:
    """Replace the solutions `names` of some cells."""
    new = {name: getattr(optima, name).copy() for name in names}
    for name, given in zip(names, values, strict=True):
        new[name][cells] = given
    return replace(optima, **new)
