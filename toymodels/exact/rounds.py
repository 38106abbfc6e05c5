"""How many starts a cell gets: rounds of random ones, until new starts stop improving.

The first round has the known starts (`toymodels.exact.starts.known_starts`) and `FIRST` random
ones; each further round doubles the number of random ones, up to `MOST`. A cell is done when its
last round found nothing lower and `CONFIRMED` random starts at least have ended in its optimum, so
that neither a known start alone nor one lucky start is believed. The rule is each cell's own, and
the k-th start is the same in every cell and in every search.

Where all features but one are alike the known starts nearly always hold the optimum (the claims
test six problems against 512 starts), and most cells are done after one round. Where features
differ in other ways the random starts must find it.
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toymodels.exact.end_points import AGREEMENT, count_agreeing
from toymodels.exact.search import EFFORT, Found, Kept, Starts, descend_from, finish

Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.intp]

FIRST, MOST = 4, 64
"""Random starts of a cell after its first round, and at most."""

CONFIRMED = 2
"""So many random starts at least must end in the optimum."""

# Programs' worth of lanes of one group, at most: what a thread works on.
LARGEST_GROUP = 32

THREADS = os.cpu_count() or 1


class Begin(NamedTuple):
    """Where searches start."""

    starts: Callable[[Cells, int, int], Starts]  # of some cells, from one place to before another
    n_known: int  # how many of them are no random ones
    ends: Sequence[int]  # how many there are after each round


def rounds_after(n_known: int) -> list[int]:
    """Return how many starts there are after each round."""
    ends = [FIRST]
    while ends[-1] < MOST:
        ends.append(min(2 * ends[-1], MOST))
    return [n_known + n for n in ends]


def search(
    p_active: Floats,
    importance: Floats,
    begin: Begin,
    n_hidden: int,
    on_cells: Callable[[int], None],
) -> tuple[list[Found], Floats]:
    """Search cells of `p_active` and `importance [C, F]` until each is done.

    Returns what groups of cells found, in order, and where every start ended, `[C, S]`, NaN where
    a cell had no such start. `on_cells` is called with a number of cells when they are done.
    """
    C, F = p_active.shape
    kept = Kept(*(np.empty((C, 2, *n), np.float32) for n in ((n_hidden, F), (F,), ())))
    losses, left, first = np.empty((C, 0), np.float32), np.arange(C), 0

    def descend(cells: Cells, first: int, last: int) -> Cells:
        """Give cells the starts of one round; return those that are not done."""
        before = Kept(*(a[cells] for a in kept)) if first else None
        starts = begin.starts(cells, first, last)
        now, ended = descend_from(starts, p_active[cells], importance[cells], before)
        for held, new in zip(kept, now, strict=True):
            held[cells] = new
        losses[cells, first:last] = ended
        more = np.zeros(len(cells), bool)
        if last < begin.ends[-1]:
            more = undecided(losses[cells], first or begin.n_known, begin.n_known)
        on_cells(int(np.sum(~more)))
        return cells[more]

    def value(cells: Cells) -> Found:
        return finish(Kept(*(a[cells] for a in kept)), p_active[cells], importance[cells])

    with ThreadPoolExecutor(THREADS) as pool:
        for last in begin.ends:
            new = np.full((C, last - first), np.nan, np.float32)
            losses = np.concatenate([losses, new], axis=1)
            groups = _groups(left, F, last - first)
            left = np.concatenate(list(pool.map(partial(descend, first=first, last=last), groups)))
            first = last
            if not len(left):
                break
        return list(pool.map(value, _groups(np.arange(C), F, 2))), losses


def _groups(cells: Cells, n_features: int, n_starts: int) -> list[Cells]:
    """Split cells so that all threads have as much to do, in few programs that are not full."""
    n_programs = math.ceil(len(cells) * n_starts / EFFORT[n_features].width)
    turns = math.ceil(n_programs / (LARGEST_GROUP * THREADS))
    return np.array_split(cells, min(turns * THREADS, n_programs, len(cells)))


def undecided(losses: Floats, n_before: int, n_known: int) -> npt.NDArray[np.bool_]:
    """Tell which cells need more starts.

    Args:
        losses: where all starts ended, `[C, S]`.
        n_before: how many of them there were before the last round.
        n_known: how many of them, at the front, are no random ones.
    """
    least, before = losses.min(axis=1), losses[:, :n_before].min(axis=1)
    improved = least < before - AGREEMENT * np.abs(before)
    return improved | (count_agreeing(losses[:, n_known:], least) < CONFIRMED)
