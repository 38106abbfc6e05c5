"""A second look at solved cells: further candidates, and the solutions of their neighbours.

A map is a grid `[A, B]` of cells; here its cells `[C, …]` lie in a row. What a cell's own starts
missed shows up when a solution from elsewhere descends to a lower loss there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toymodels.exact import solve
from toymodels.exact.end_points import DIFFERENT, fingerprint
from toymodels.exact.search import expected_losses
from toymodels.exact.starts import arrangements

SAME = 1e-5
"""Losses within this share of each other are equal."""

MORE_REGULAR = 0.02
"""A tie is broken by an irregularity that is smaller by more than this."""

RIDER = 0.4
"""The length of a rider where its descent starts."""

Irregularity = Callable[[NDArray], float]
"""How far `W [M, F]` is from its ideal."""


@dataclass(frozen=True)
class Optima:
    """The best solution of each cell that is known."""

    p_active: NDArray  # [C, F]
    importance: NDArray  # [C, F]
    W: NDArray  # [C, M, F]
    b: NDArray  # [C, F]
    loss: NDArray  # [C]


class Rider(NamedTuple):
    """A known arrangement, a dropped feature of which rides on one of a digon's two."""

    name: str
    W: NDArray  # [M, F]


class _Found(NamedTuple):
    """What descents in some cells led to."""

    cells: NDArray[np.intp]  # [Q]
    W: NDArray  # [Q, M, F]
    b: NDArray  # [Q, F]
    loss: NDArray  # [Q]


def riders(n_features: int, n_hidden: int) -> tuple[Rider, ...]:
    """List digons with a third, weak feature on the side of one of their two.

    Sparse optima of three features in one dimension look so, and the solver's own arrangements
    lack it. There is one per arrangement with a digon and a dropped feature, and per role of the
    last feature: it rides, is ridden on, lies opposite, or none of these.
    """
    found: dict[tuple, Rider] = {}
    for known in arrangements(n_features, n_hidden):
        pairs = np.argwhere(np.isclose(known.W.T @ known.W, -1))
        for rider in np.flatnonzero(known.dropped):
            for under, opposite in pairs:
                role = [n_features - 1 == i for i in (rider, under, opposite)]
                W = known.W.copy()
                W[:, rider] = RIDER * W[:, under]
                name = f"{known.name}, {rider} riding on {under}"
                found.setdefault((known.name, *role), Rider(name, W))
    return tuple(found.values())


def try_candidates(
    optima: Optima, cells: NDArray, examples: NDArray
) -> tuple[Optima, NDArray[np.bool_]]:
    """Descend in `cells [Q]` from every rider and from the solutions of the cells `examples [E]`.

    Returns the optima and which cells `[C]` gained.
    """
    M, F = optima.W.shape[1:]
    listed = [rider.W for rider in riders(F, M)]
    W = np.array([*listed, *optima.W[examples]])
    b = np.array([*np.zeros((len(listed), F)), *optima.b[examples]])
    starts = (np.broadcast_to(a, (len(cells), *a.shape)) for a in (W, b))
    better, lower, _ = _take(optima, _descend(optima, cells, *starts), _no_preference)
    return better, lower


def settle(
    optima: Optima, grid: tuple[int, int], irregularity: Irregularity
) -> tuple[Optima, NDArray[np.bool_]]:
    """Descend from neighbours' solutions that are other ones, until no cell changes.

    Of equal losses the more regular solution is taken: at density 1 the model is linear, and many
    solutions are equally good. Returns the optima and which cells gained.
    """
    gained, fresh = np.zeros(len(optima.loss), bool), np.ones(len(optima.loss), bool)
    while fresh.any():
        pairs = np.concatenate([p[:, fresh[p[1]]] for p in neighbours(grid)], axis=1)
        cells, others = pairs[:, _differ(optima, *pairs)]
        found = _descend(optima, cells, optima.W[others][:, None], optima.b[others][:, None])
        fresh = np.zeros_like(fresh)
        for part in _one_per_cell(found):
            optima, lower, changed = _take(optima, part, irregularity)
            gained |= lower
            fresh |= changed
    return optima, gained


def neighbours(grid: tuple[int, int]) -> list[NDArray[np.intp]]:
    """Return for each of four directions the cells that have a neighbour there, and which."""
    index = np.arange(grid[0] * grid[1]).reshape(grid)
    pairs = (index[1:], index[:-1]), (index[:, 1:], index[:, :-1])
    return [np.array([a.ravel(), b.ravel()]) for one in pairs for a, b in (one, one[::-1])]


def explicit_losses(optima: Optima) -> NDArray[np.floating]:
    """Return the exact loss of every known arrangement as it stands, `[C, K]`.

    Unit vectors, b = 0 and b_i = p_i/2 on dropped features: `toymodels.exact.starts`.
    """
    C, M, F = optima.W.shape
    known = arrangements(F, M)
    W = np.broadcast_to(np.stack([k.W for k in known]), (C, len(known), M, F))
    b = np.stack([k.bias(optima.p_active) for k in known], axis=1)
    return expected_losses(W, b, optima.p_active, optima.importance).sum(-1)


def _descend(optima: Optima, cells: NDArray, W: NDArray, b: NDArray) -> _Found:
    """Descend in `cells [Q]` from `W [Q, S, M, F]` and `b [Q, S, F]`; the best of each."""
    if not len(cells):
        return _Found(cells, W[:, 0], b[:, 0], np.zeros(0))
    p, importance = optima.p_active[cells], optima.importance[cells]
    found = solve(p, importance, W.shape[-2], starts=(W, b))
    return _Found(cells, found.W, found.b, found.loss)


def _one_per_cell(found: _Found) -> list[_Found]:
    """Split what was found so that no part holds a cell twice."""
    order = np.argsort(found.cells, kind="stable")
    cells = found.cells[order]
    turn = np.arange(len(cells)) - np.searchsorted(cells, cells)
    return [_Found(*(a[order[turn == k]] for a in found)) for k in range(turn.max(initial=-1) + 1)]


def _take(
    optima: Optima, found: _Found, irregularity: Irregularity
) -> tuple[Optima, NDArray[np.bool_], NDArray[np.bool_]]:
    """Take what is better; return the optima, which cells `[C]` gained and which changed."""
    share = found.loss / optima.loss[found.cells] - 1
    lower = share < -SAME
    tied = np.flatnonzero(np.abs(share) <= SAME)
    regular = [
        irregularity(found.W[k]) < irregularity(optima.W[found.cells[k]]) - MORE_REGULAR
        for k in tied
    ]
    taken = lower.copy()
    taken[tied] = regular
    cells = found.cells[taken]
    new = {name: getattr(optima, name).copy() for name in ("W", "b", "loss")}
    for name, values in new.items():
        values[cells] = getattr(found, name)[taken]
    gained, changed = np.zeros((2, len(optima.loss)), bool)
    gained[found.cells[lower]] = True
    changed[cells] = True
    return replace(optima, **new), gained, changed


def _no_preference(W: NDArray) -> float:
    return 0.0


def _differ(optima: Optima, cells: NDArray, others: NDArray) -> NDArray[np.bool_]:
    """Tell where the solution of another cell is another one than the cell's own."""
    p, importance = optima.p_active[cells], optima.importance[cells]
    own, given = (fingerprint(optima.W[k], optima.b[k], p, importance) for k in (cells, others))
    return np.max(np.abs(own - given), axis=-1) > DIFFERENT
