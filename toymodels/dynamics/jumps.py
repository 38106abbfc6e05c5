"""Jumps: times at which some feature's dimensionality moves far within a short time."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toymodels.checks import Floats, finite, number
from toymodels.dynamics.steps import length_of, rising_steps
from toymodels.errors import InputError

# How far D_i moves in a jump, and within which share of the run.
THRESHOLD, WINDOW = 0.2, 0.01


class Jump(NamedTuple):
    """Some features that move together, and from which D_i to which."""

    first: float  # step of the last snapshot before
    last: float  # and of the first one after
    features: NDArray[np.intp]  # [K]
    before: Floats  # [K], D_i at `first`
    after: Floats  # [K], D_i at `last`


def find_jumps(
    steps: ArrayLike,
    dimensionality: ArrayLike,
    *,
    threshold: float = THRESHOLD,
    window: float = WINDOW,
) -> tuple[Jump, ...]:
    """Find when some D_i moves by more than a threshold within a short time.

    Every shortest stretch of snapshots, at most a window long, over which D_i moves that far is
    part of a jump; where snapshots are farther apart than that, two neighbours are a stretch.
    Stretches that overlap are one jump, of whichever features, and so are those that are less than
    a window apart.

    Args:
        steps: of the snapshots, `[T]`, rising.
        dimensionality: D_i at each snapshot, `[T, F]`.
        threshold: what D_i moves by, at least.
        window: share of the run.

    Returns:
        The jumps in their order; features are listed that move by more than the threshold
        somewhere in it, with D_i at the two ends.

    Raises:
        InputError: other shapes, steps that do not rise, NaN, or a limit out of range.
    """
    t = rising_steps(steps)
    D = finite("dimensionality", dimensionality)
    if D.ndim != 2 or len(D) != len(t):
        raise InputError(
            f"dimensionality has shape {D.shape}: give it as [snapshots, features], with "
            f"{len(t)} snapshots."
        )
    length = length_of("window", window, t)
    threshold = number("threshold", threshold, 0)
    moves = [
        (*ends, i) for i in range(D.shape[1]) for ends in _moves(t, D[:, i], threshold, length)
    ]
    jumps: list[list[tuple[int, int, int]]] = []
    reached = -np.inf
    for move in sorted(moves):
        if t[move[0]] - reached < length:
            jumps[-1].append(move)
        else:
            jumps.append([move])
        reached = max(reached, t[move[1]])
    return tuple(_jump(t, D, moves) for moves in jumps)


def _moves(t: Floats, D: Floats, threshold: float, length: float) -> list[tuple[int, int]]:
    """Return the shortest stretches (a, b) of one curve in which it moves by the threshold."""
    found, latest = [], -1
    for b in range(1, len(t)):
        a = np.searchsorted(t, t[b] - length)  # the first snapshot within the window
        a = min(int(a), b - 1)  # or the one before, where snapshots are farther apart
        far = a + np.flatnonzero(np.abs(D[b] - D[a:b]) > threshold)
        if far.size and far[-1] > latest:
            latest = int(far[-1])
            found.append((latest, b))
    return found


def _jump(t: Floats, D: Floats, moves: list[tuple[int, int, int]]) -> Jump:
    first, last = min(a for a, _, _ in moves), max(b for _, b, _ in moves)
    features = np.unique([i for _, _, i in moves])
    return Jump(float(t[first]), float(t[last]), features, D[first, features], D[last, features])
