"""The minimum of the expected loss, found from many starts, for many cells at once.

A cell is a pair of densities and importances `[F]`; its loss is that of `toymodels.exact.expected`
for y = ReLU(WᵀW x + b). Known arrangements and random weights descend by damped Newton steps
(`toymodels.exact.newton`); the best end point of a cell is its solution, the best one of another
kind its runner-up. The starts are the same in every cell, so a cell's solution does not depend on
the grid it is part of, nor on how the grid is cut into groups.

Nothing proves a minimum global: `n_agree` says how many starts found it.
`toymodels.exact.neighbours` has a second look.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toymodels.errors import InputError
from toymodels.exact.search import EFFORT, Found, Starts, search
from toymodels.exact.starts import arrangements, disturbances, random_starts

Floats = npt.NDArray[np.float32]

# Programs' worth of lanes of one group: what a thread works on, and what bounds the memory.
_GROUP = 4


class Solution(NamedTuple):
    """The best end point of each cell, and the best one that is another solution."""

    W: Floats  # [..., M, F]
    b: Floats  # [..., F]
    loss: Floats  # [...]
    loss_per_feature: Floats  # [..., F]
    runner_up_W: Floats  # [..., M, F], NaN where all end points are one solution
    runner_up_b: Floats  # [..., F]
    runner_up_loss: Floats  # [...]
    n_agree: npt.NDArray[np.intp]  # [...], starts that end at the loss of the best, to 1e-4
    start_losses: Floats  # [..., S], where each start ends
    largest_difference: float  # between the descent's loss and the expected loss, as a share

    @property
    def n_starts(self) -> int:
        """How many starts each cell had."""
        return self.start_losses.shape[-1]


def solve(
    p_active: npt.ArrayLike,
    importance: npt.ArrayLike,
    n_hidden: int,
    *,
    n_starts: int = 16,
    seed: int = 0,
    starts: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    on_cells: Callable[[int], None] = lambda n: None,
) -> Solution:
    """Minimise the expected loss of `y = ReLU(WᵀW x + b)` in every cell.

    The loss of the solution is at most that of every known arrangement (`starts.arrangements`).

    Args:
        p_active: densities, `[..., F]`; F <= 6.
        importance: importances, of a shape that broadcasts with the densities.
        n_hidden: M, at least 1 and below F.
        n_starts: starts of each cell: the known arrangements, all of them even if they are more,
            and random ones.
        seed: of the random starts.
        starts: `W [..., S, M, F]` and `b [..., S, F]`, instead of arrangements and random ones.
        on_cells: called with a number of cells when they are done.

    Raises:
        InputError: a size, density or importance out of range, or starts of another shape.
    """
    p, weight = as_cells(p_active, importance)
    _check_sizes(p.shape[-1], n_hidden, n_starts)
    shape, F = p.shape[:-1], p.shape[-1]
    p, weight = p.reshape(-1, F), weight.reshape(-1, F)
    if starts is None:
        begin = _own_starts(p, n_hidden, n_starts, seed)
    else:
        begin = _given_starts(starts, (*shape, -1, n_hidden, F), seed)
    size = max(1, _GROUP * EFFORT[F].width // begin.b.shape[1])

    def one(first: int) -> Found:
        cells = slice(first, first + size)
        part = begin._replace(W=begin.W[cells], b=begin.b[cells])
        found = search(p[cells], weight[cells], part)
        on_cells(len(found.b))
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return _joined(list(pool.map(one, range(0, len(p), size))), shape)


def as_cells(p_active: npt.ArrayLike, importance: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return densities and importances as float32 of one shape `[..., F]`.

    Raises:
        InputError: a density outside [0, 1], an importance that is negative or not finite, shapes
            that do not broadcast, or numbers for both.
    """
    p, weight = np.asarray(p_active, np.float64), np.asarray(importance, np.float64)
    for name, values, bad in (
        ("p_active", p, ~((p >= 0) & (p <= 1))),
        ("importance", weight, ~((weight >= 0) & np.isfinite(weight))),
    ):
        if np.any(bad):
            allowed = "in [0, 1], a density 1 - S" if name == "p_active" else "finite and >= 0"
            raise InputError(f"{name} must be {allowed}, got {values[bad][0]}.")
    try:
        shape = np.broadcast_shapes(p.shape, weight.shape)
    except ValueError:
        raise InputError(
            f"p_active of shape {p.shape} and importance of shape {weight.shape} do not "
            "broadcast: give both as [..., F]."
        ) from None
    if not shape:
        raise InputError("p_active and importance are numbers: give one of them per feature, [F].")
    p, weight = (np.broadcast_to(a, shape).astype(np.float32) for a in (p, weight))
    return p, weight


def _check_sizes(n_features: int, n_hidden: int, n_starts: int) -> None:
    """Raise InputError for sizes that cannot be solved."""
    if n_features not in EFFORT:
        raise InputError(
            f"p_active has {n_features} features, but the solver takes 2 to {max(EFFORT)}: train "
            "with sampled batches instead (toymodels.training)."
        )
    if not 1 <= n_hidden < n_features:
        raise InputError(
            f"n_hidden must be at least 1 and below the {n_features} features, got {n_hidden}; "
            "with as many dimensions as features W = identity, b = 0 has loss 0."
        )
    if n_starts < 1:
        raise InputError(f"n_starts must be at least 1, got {n_starts}.")


def _own_starts(p_active: Floats, n_hidden: int, n_starts: int, seed: int) -> Starts:
    """Return the arrangements and random starts of cells `p_active [C, F]`."""
    C, F = p_active.shape
    known = arrangements(F, n_hidden)
    W, b = random_starts(max(0, n_starts - len(known)), F, n_hidden, seed)
    W = np.concatenate([np.stack([k.W for k in known]), W])
    b = np.concatenate(
        [
            np.stack([k.bias(p_active) for k in known], axis=1),
            np.broadcast_to(b, (C, *b.shape)),
        ],
        axis=1,
    )
    return Starts(np.broadcast_to(W, (C, *W.shape)), b, *disturbances(len(W), F, n_hidden, seed))


def _given_starts(
    starts: tuple[npt.ArrayLike, npt.ArrayLike], shape: tuple[int, ...], seed: int
) -> Starts:
    """Return given starts, W of `shape` [..., S, M, F] with S free, or raise InputError."""
    W, b = (np.asarray(a, np.float32) for a in starts)
    *cells, _, M, F = shape
    S = W.shape[-3] if W.ndim == len(shape) else 0
    if S < 1 or W.shape != (*cells, S, M, F) or b.shape != (*cells, S, F):
        raise InputError(
            f"starts have W of shape {W.shape} and b of shape {b.shape}, but these cells need "
            f"[{', '.join(map(str, [*cells, 'S', M, F]))}] and the same without {M}, S >= 1."
        )
    W, b = W.reshape(-1, S, M, F), b.reshape(-1, S, F)
    return Starts(W, b, *disturbances(S, F, M, seed))


def _joined(groups: list[Found], shape: tuple[int, ...]) -> Solution:
    """Join groups of cells to the shape of the grid."""
    joined = {
        name: np.concatenate([getattr(group, name) for group in groups])
        for name in Found._fields
        if name != "difference"
    }
    joined["loss"] = joined["loss_per_feature"].sum(-1)
    values = {k: np.reshape(v, (*shape, *v.shape[1:])) for k, v in joined.items()}
    difference = max(float(np.max(group.difference)) for group in groups)
    return Solution(**values, largest_difference=difference)
