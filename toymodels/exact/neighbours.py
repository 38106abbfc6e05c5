"""Solved cells are started again, from the solutions of their neighbours.

A map is a grid `[A, B]` of cells; here its cells `[C, …]` lie in a row. What a cell's own starts
missed shows up when a solution from elsewhere descends to a lower loss there. `settle` goes on
until nothing changes; `resolve_with_neighbours` takes one round on what `solve` returned.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from toymodels.errors import InputError
from toymodels.exact.end_points import DIFFERENT, choose, count_agreeing, fingerprint
from toymodels.exact.solver import Solution, as_cells, solve

SAME = 1e-5
"""Losses within this share of each other are equal."""

MORE_REGULAR = 0.02
"""A tie is broken by an irregularity that is smaller by more than this."""

Irregularity = Callable[[NDArray], float]
"""How far `W [M, F]` is from its ideal."""

OnCells = Callable[[int], None]
"""Called with a number of descents when they are done."""


@dataclass(frozen=True)
class Optima:
    """The best solution of each cell that is known."""

    p_active: NDArray  # [C, F]
    importance: NDArray  # [C, F]
    W: NDArray  # [C, M, F]
    b: NDArray  # [C, F]
    loss: NDArray  # [C]


class Ends(NamedTuple):
    """Where descents in some cells ended, the best start of each alone."""

    cells: NDArray[np.intp]  # [Q]
    W: NDArray  # [Q, M, F]
    b: NDArray  # [Q, F]
    loss_per_feature: NDArray  # [Q, F]
    loss: NDArray  # [Q]
    difference: NDArray  # [Q], as `Solution.largest_difference`


def settle(
    optima: Optima,
    grid: tuple[int, int],
    irregularity: Irregularity,
    on_cells: OnCells = lambda n: None,
) -> tuple[Optima, NDArray[np.bool_]]:
    """Restart each cell from its neighbours' distinct solutions until nothing changes.

    Of equal losses the more regular solution is taken: at density 1 the model is linear, and many
    solutions are equally good.

    Args:
        optima: of a map, its cells in a row.
        grid: the map's shape, (A, B).
        irregularity: how far `W [M, F]` is from its ideal.
        on_cells: called with a number of descents when they are done.

    Returns:
        The optima, and which cells `[C]` gained.
    """
    gained, fresh = np.zeros(len(optima.loss), bool), np.ones(len(optima.loss), bool)
    while fresh.any():
        ends = _from_neighbours(optima, grid, fresh, on_cells)
        fresh = np.zeros_like(fresh)
        for part in _one_per_cell(ends):
            optima, lower, changed = take_better(optima, part, irregularity)
            gained |= lower
            fresh |= changed
    return optima, gained


def resolve_with_neighbours(
    solution: Solution,
    p_active: npt.ArrayLike,
    importance: npt.ArrayLike,
    *,
    on_cells: OnCells = lambda n: None,
) -> Solution:
    """Start every cell of a grid `[A, B]` again, from the solutions of its four neighbours.

    Returns the solution with what is lower in place of what was; the neighbours count as further
    starts, and a displaced solution that is another one may become the runner-up.

    Args:
        solution: of `solve` for the same densities and importances, `[A, B]` cells.
        p_active: as for `solve`.
        importance: as for `solve`.
        on_cells: called with a number of descents when they are done.

    Raises:
        InputError: cells that are not a grid of two axes, or not those of the solution.
    """
    p, weight = as_cells(p_active, importance)
    grid = solution.loss.shape
    if len(grid) != 2 or p.shape[:-1] != grid:
        raise InputError(
            f"the solution has cells of shape {grid} and p_active those of {p.shape[:-1]}, but "
            "neighbours need one grid [A, B]: reshape p_active and importance before solving."
        )
    row = _laid_out(solution, (-1,))
    p, weight = (a.reshape(-1, a.shape[-1]) for a in (p, weight))
    optima = Optima(p, weight, row.W, row.b, row.loss)
    ends = _from_neighbours(optima, (grid[0], grid[1]), np.ones(len(p), bool), on_cells)
    return _laid_out(_choose_again(row, optima, ends), grid)


def _laid_out(solution: Solution, shape: tuple[int, ...]) -> Solution:
    """Lay the cells of a solution out in another shape."""
    n_axes = solution.loss.ndim
    arrays = {k: v for k, v in solution._asdict().items() if k != "largest_difference"}
    return solution._replace(**{k: v.reshape(*shape, *v.shape[n_axes:]) for k, v in arrays.items()})


def _choose_again(row: Solution, optima: Optima, ends: Ends) -> Solution:
    """Choose between a row's solutions and what descents ended in, up to four in a cell."""
    # Axis 1: the cell's solution, its runner-up, and one for each neighbour. Where there is no
    # such one the cell's own solution stands: a neighbour that has the same one agrees with it.
    W, b, each = (np.repeat(a[:, None], 6, axis=1) for a in (row.W, row.b, row.loss_per_feature))
    losses = np.repeat(row.loss[:, None], 6, axis=1)
    two = ~np.isnan(row.runner_up_loss)
    W[two, 1], b[two, 1] = row.runner_up_W[two], row.runner_up_b[two]
    losses[two, 1] = row.runner_up_loss[two]
    for k, part in enumerate(_one_per_cell(ends), start=2):
        W[part.cells, k], b[part.cells, k] = part.W, part.b
        each[part.cells, k], losses[part.cells, k] = part.loss_per_feature, part.loss
    choice = choose(W, b, losses, optima.p_active, optima.importance)
    cells = np.arange(len(losses))
    best, other = (cells, choice.best), (cells, choice.runner_up)
    runner_up = {"runner_up_W": W[other], "runner_up_b": b[other], "runner_up_loss": losses[other]}
    for values in runner_up.values():
        values[choice.runner_up < 0] = np.nan
    start_losses = np.concatenate([row.start_losses, losses[:, 2:]], axis=1)
    return Solution(
        W=W[best],
        b=b[best],
        loss=losses[best],
        loss_per_feature=each[best],
        **runner_up,
        n_agree=count_agreeing(start_losses, losses[best]),
        start_losses=start_losses,
        largest_difference=max([row.largest_difference, *ends.difference.tolist()]),
    )


def neighbours(grid: tuple[int, int]) -> list[NDArray[np.intp]]:
    """Return (cell, neighbour) index pairs `[2, …]` for each of four directions."""
    index = np.arange(grid[0] * grid[1]).reshape(grid)
    pairs = (index[1:], index[:-1]), (index[:, 1:], index[:, :-1])
    return [np.array([a.ravel(), b.ravel()]) for one in pairs for a, b in (one, one[::-1])]


def _from_neighbours(
    optima: Optima, grid: tuple[int, int], fresh: NDArray[np.bool_], on_cells: OnCells
) -> Ends:
    """Descend in every cell from the solution of each `fresh` neighbour that has another one."""
    pairs = np.concatenate([p[:, fresh[p[1]]] for p in neighbours(grid)], axis=1)
    cells, others = pairs[:, _differ(optima, *pairs)]
    starts = optima.W[others][:, None], optima.b[others][:, None]
    return descend_in(optima, cells, starts, on_cells)


def descend_in(
    optima: Optima,
    cells: NDArray[np.intp],
    starts: tuple[NDArray, NDArray],
    on_cells: OnCells = lambda n: None,
) -> Ends:
    """Descend in `cells [Q]` from starts `W [Q, S, M, F]`, `b [Q, S, F]`; the best of each."""
    W, b = starts
    if not len(cells):
        return Ends(cells, W[:, 0], b[:, 0], b[:, 0], np.zeros(0), np.zeros(0))
    p, importance = optima.p_active[cells], optima.importance[cells]
    found = solve(p, importance, W.shape[-2], starts=starts, on_cells=on_cells)
    difference = np.full(len(cells), found.largest_difference)
    return Ends(cells, found.W, found.b, found.loss_per_feature, found.loss, difference)


def _one_per_cell(ends: Ends) -> list[Ends]:
    """Split ends so that no part holds a cell twice."""
    order = np.argsort(ends.cells, kind="stable")
    cells = ends.cells[order]
    turn = np.arange(len(cells)) - np.searchsorted(cells, cells)
    return [Ends(*(a[order[turn == k]] for a in ends)) for k in range(turn.max(initial=-1) + 1)]


def take_better(
    optima: Optima, ends: Ends, irregularity: Irregularity
) -> tuple[Optima, NDArray[np.bool_], NDArray[np.bool_]]:
    """Take what is better; no cell may be twice among the ends.

    Returns the optima, which cells `[C]` gained and which changed.
    """
    share = ends.loss / optima.loss[ends.cells] - 1
    lower = share < -SAME
    tied = np.flatnonzero(np.abs(share) <= SAME)
    regular = [
        irregularity(ends.W[k]) < irregularity(optima.W[ends.cells[k]]) - MORE_REGULAR for k in tied
    ]
    taken = lower.copy()
    taken[tied] = regular
    cells = ends.cells[taken]
    new = {name: getattr(optima, name).copy() for name in ("W", "b", "loss")}
    for name, values in new.items():
        values[cells] = getattr(ends, name)[taken]
    gained, changed = np.zeros((2, len(optima.loss)), bool)
    gained[ends.cells[lower]] = True
    changed[cells] = True
    return replace(optima, **new), gained, changed


def _differ(optima: Optima, cells: NDArray, others: NDArray) -> NDArray[np.bool_]:
    """Tell where the solution of another cell is another one than the cell's own."""
    p, importance = optima.p_active[cells], optima.importance[cells]
    own, given = (fingerprint(optima.W[k], optima.b[k], p, importance) for k in (cells, others))
    return np.max(np.abs(own - given), axis=-1) > DIFFERENT
