"""A second look at the cells of a solved map: further candidates, then their neighbours' solutions.

Candidates are what a search may have missed: every arrangement that is met somewhere on the map.
They are tried in a part of the cells; what they find spreads from cell to cell (`settle`).
`second_look` is the whole of it for one map.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toymodels.exact.neighbours import (
    Irregularity,
    OnCells,
    Optima,
    descend_in,
    settle,
    take_better,
)
from toymodels.exact.search import expected_losses
from toymodels.exact.starts import arrangements

EVERY = 3
"""Candidates are tried in one cell of so many along each axis."""


class SecondLook(NamedTuple):
    """The best solutions after a second look, and what found them."""

    optima: Optima
    by_candidate: NDArray[np.bool_]  # [C], cells that gained by a candidate
    by_neighbour: NDArray[np.bool_]  # [C], cells that gained by a neighbour's solution


def second_look(
    optima: Optima,
    grid: tuple[int, int],
    kind: Callable[[NDArray], str],
    irregularity: Irregularity,
    on_cells: OnCells = lambda n: None,
) -> SecondLook:
    """Try candidates and neighbours' solutions in the cells of one map.

    Args:
        optima: of a map, its cells in a row.
        grid: the map's shape, (A, B).
        kind: says which arrangement `W [M, F]` is; one solution of each kind is a candidate.
        irregularity: how far `W [M, F]` is from its ideal; breaks ties.
        on_cells: called with a number of descents when they are done.
    """
    every = slice(EVERY // 2, None, EVERY)
    cells = np.arange(grid[0] * grid[1]).reshape(grid)[every, every].ravel()
    examples = cells[_one_of_each([kind(W) for W in optima.W[cells]])]
    optima, by_candidate = try_candidates(optima, cells, examples, on_cells)
    optima, by_neighbour = settle(optima, grid, irregularity, on_cells)
    return SecondLook(optima, by_candidate, by_neighbour)


def _one_of_each(kinds: list[str]) -> NDArray[np.intp]:
    """Return for each kind the middle one of its places."""
    places = (np.flatnonzero(np.array(kinds) == kind) for kind in sorted(set(kinds)))
    return np.array([p[len(p) // 2] for p in places], np.intp)


def try_candidates(
    optima: Optima,
    cells: NDArray[np.intp],
    examples: NDArray[np.intp],
    on_cells: OnCells = lambda n: None,
) -> tuple[Optima, NDArray[np.bool_]]:
    """Descend in some cells from the solutions of some cells.

    Args:
        optima: of cells in a row.
        cells: numbers of the cells to descend in, `[Q]`.
        examples: numbers of the cells whose solutions are candidates, `[E]`.
        on_cells: called with a number of descents when they are done.

    Returns:
        The optima, and which cells `[C]` gained.
    """
    if not len(examples) or not len(cells):
        return optima, np.zeros(len(optima.loss), bool)
    W, b = optima.W[examples], optima.b[examples]
    W, b = (np.broadcast_to(a, (len(cells), *a.shape)) for a in (W, b))
    ends = descend_in(optima, cells, (W, b), on_cells)
    better, lower, _ = take_better(optima, ends, _no_preference)
    return better, lower


def _no_preference(W: NDArray) -> float:
    return 0.0


def explicit_losses(optima: Optima) -> NDArray[np.floating]:
    """Return the exact loss of every known arrangement as it stands, `[C, K]`.

    Unit vectors, b = 0 and b_i = p_i/2 on dropped features, in the order of
    `toymodels.exact.starts.arrangements`.
    """
    C, M, F = optima.W.shape
    known = arrangements(F, M)
    W = np.broadcast_to(np.stack([k.W for k in known]), (C, len(known), M, F))
    b = np.stack([k.bias(optima.p_active) for k in known], axis=1)
    return expected_losses(W, b, optima.p_active, optima.importance).sum(-1)
