"""The minimum of the expected loss, found from many starts, for many cells at once.

A cell is a pair of densities and importances `[F]`; its loss is that of `toymodels.exact.expected`
for y = ReLU(WᵀW x + b). Known arrangements and random weights descend by damped Newton steps
(`toymodels.exact.newton`); the best end point of a cell is its solution, the best one of another
kind its runner-up. How many starts a cell gets is its own affair (`toymodels.exact.rounds`), and
they are the same in every cell, so a cell's solution does not depend on the grid it is part of,
nor on how the grid is cut into groups.

Nothing proves a minimum global: `n_agree` says how many of `n_starts` starts found it.
`toymodels.exact.neighbours` has a second look.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toymodels.checks import (
    checked_density,
    checked_importance,
    count,
    require_broadcast,
    require_same_axes,
)
from toymodels.errors import InputError
from toymodels.exact.end_points import count_agreeing
from toymodels.exact.rounds import Begin, rounds_after, search
from toymodels.exact.search import EFFORT, Found, Starts
from toymodels.exact.starts import disturbances, known_starts, random_starts

Floats = npt.NDArray[np.float32]

MOST_STARTS = 10_000
LARGEST_START = 1e6


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
    start_losses: Floats  # [..., S], where each start ends, NaN where a cell had no such start
    largest_difference: float  # between the descent's loss and the expected loss, as a share

    @property
    def n_starts(self) -> npt.NDArray[np.intp]:
        """How many starts each cell had, `[...]`."""
        return np.sum(~np.isnan(self.start_losses), axis=-1)


def solve(
    p_active: npt.ArrayLike,
    importance: npt.ArrayLike,
    n_hidden: int,
    *,
    n_starts: int | None = None,
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
        n_starts: starts of each cell: the known ones (`starts.known_starts`), all of them even if
            they are more, and random ones. None: as many as a cell needs, by the rule of
            `toymodels.exact.rounds`.
        seed: of the random starts.
        starts: `W [..., S, M, F]` and `b [..., S, F]`, in place of all these.
        on_cells: called with a number of cells when they are done.

    Raises:
        InputError: a size, density or importance out of range, or starts of another shape.
    """
    p, weight = as_cells(p_active, importance)
    _check_sizes(p.shape[-1], n_hidden, n_starts, seed)
    shape, F = p.shape[:-1], p.shape[-1]
    p, weight = p.reshape(-1, F), weight.reshape(-1, F)
    if starts is None:
        begin = _own_starts(p, n_hidden, n_starts, seed)
    elif n_starts is None:
        begin = _given_starts(starts, (*shape, -1, n_hidden, F), seed)
    else:
        raise InputError(f"n_starts = {n_starts} and starts are given: give one of the two.")
    unit = _unit(weight)
    found, losses = search(p, weight / unit[:, None], begin, n_hidden, on_cells)
    return _joined(found, losses, unit, shape)


def as_cells(p_active: npt.ArrayLike, importance: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return densities and importances as float32 of one shape `[..., F]`.

    Raises:
        InputError: what are no numbers, a density outside [0, 1], an importance that is negative,
            not finite or too large for float32, shapes that do not broadcast, no cells, numbers
            for both, or a column where there is no axis of cells.
    """
    if getattr(p_active, "ndim", 0) == getattr(importance, "ndim", 0):  # then dims must agree
        require_same_axes(p_active=p_active, importance=importance)
    p, weight = checked_density(p_active), checked_importance(importance, "importance")
    too_large = weight[weight > np.finfo(np.float32).max]
    if too_large.size:
        raise InputError(f"importance must be finite in float32, got {too_large[0]}.")
    require_broadcast(p_active=p, importance=weight)
    shape = np.broadcast_shapes(p.shape, weight.shape)
    if not shape:
        raise InputError("p_active and importance are numbers: give one of them per feature, [F].")
    if 0 in shape[:-1]:
        raise InputError(f"there are no cells in p_active and importance of shape {shape}.")
    for name, own, other in (("p_active", p, weight), ("importance", weight, p)):
        if own.shape[-2:] == (shape[-1], 1) and 1 < own.ndim > other.ndim == 1:
            raise InputError(
                f"{name} of shape {own.shape} is a column: features lie on the last axis. Give it "
                f"as [{shape[-1]}], or spell the cells out, {shape}."
            )
    p, weight = (np.broadcast_to(a, shape).astype(np.float32) for a in (p, weight))
    return p, weight


def _unit(importance: Floats) -> Floats:
    """Return a power of two near each cell's largest importance: no loss is then too small."""
    return np.exp2(np.frexp(importance.max(axis=1))[1].clip(-125, 126)).astype(np.float32)


def _check_sizes(n_features: int, n_hidden: Any, n_starts: Any, seed: Any) -> None:
    """Raise InputError for sizes that cannot be solved, and for what is no whole number."""
    if n_features not in EFFORT:
        raise InputError(
            f"p_active has {n_features} features, but the solver takes 2 to {max(EFFORT)}: train "
            "with sampled batches instead (toymodels.training)."
        )
    count("n_hidden", n_hidden, None)
    count("seed", seed, 0)
    if n_starts is not None:
        count("n_starts", n_starts, 1, MOST_STARTS)
    if not 1 <= n_hidden < n_features:
        raise InputError(
            f"n_hidden must be at least 1 and below the {n_features} features, got {n_hidden}; "
            "with as many dimensions as features W = identity, b = 0 has loss 0."
        )


def _own_starts(p_active: Floats, n_hidden: int, n_starts: int | None, seed: int) -> Begin:
    """Return the known and the random starts of cells `p_active [C, F]`."""
    F = p_active.shape[1]
    known = known_starts(F, n_hidden)
    K = len(known)
    ends = rounds_after(K) if n_starts is None else [max(K, n_starts)]
    random_W, random_b = random_starts(ends[-1] - K, F, n_hidden, seed)
    W = np.concatenate([np.stack([k.W for k in known]), random_W])
    aside_W, aside_b = disturbances(ends[-1], F, n_hidden, seed)
    aside_b[:K] += np.stack([k.lean for k in known])

    def of(cells: npt.NDArray[np.intp], first: int, last: int) -> Starts:
        part, C = slice(first, last), len(cells)
        b = [k.bias(p_active[cells]) for k in known[part]]
        b += [
            np.broadcast_to(one, (C, F)) for one in random_b[max(first - K, 0) : max(last - K, 0)]
        ]
        each = np.broadcast_to(W[part], (C, *W[part].shape))
        return Starts(each, np.stack(b, axis=1), aside_W[part], aside_b[part])

    return Begin(of, K, ends)


def _given_starts(
    starts: tuple[npt.ArrayLike, npt.ArrayLike], shape: tuple[int, ...], seed: int
) -> Begin:
    """Return given starts, W of `shape` [..., S, M, F] with S free, or raise InputError."""
    W, b = (np.asarray(a, np.float32) for a in starts)
    *cells, _, M, F = shape
    S = W.shape[-3] if W.ndim == len(shape) else 0
    if S < 1 or W.shape != (*cells, S, M, F) or b.shape != (*cells, S, F):
        raise InputError(
            f"starts have W of shape {W.shape} and b of shape {b.shape}, but these cells need "
            f"[{', '.join(map(str, [*cells, 'S', M, F]))}] and the same without {M}, S >= 1."
        )
    if not max(np.abs(W).max(), np.abs(b).max()) <= LARGEST_START:
        raise InputError(
            f"starts hold numbers that are not finite or above {LARGEST_START:g}: no descent comes "
            "back from there; give W and b of the size of a model's."
        )
    W, b = W.reshape(-1, S, M, F), b.reshape(-1, S, F)
    aside = disturbances(S, F, M, seed)

    def of(cells: npt.NDArray[np.intp], first: int, last: int) -> Starts:
        return Starts(W[cells], b[cells], *aside)

    return Begin(of, 0, [S])


def _joined(groups: list[Found], losses: Floats, unit: Floats, shape: tuple[int, ...]) -> Solution:
    """Join groups of cells to the shape of the grid; losses are in units of `unit [C]`."""
    joined = {
        name: np.concatenate([getattr(group, name) for group in groups])
        for name in Found._fields
        if name != "difference"
    }
    joined["loss_per_feature"] *= unit[:, None]
    joined["runner_up_loss"] *= unit
    joined["loss"] = joined["loss_per_feature"].sum(-1)
    joined["n_agree"] = count_agreeing(losses, np.nanmin(losses, axis=1))
    joined["start_losses"] = losses * unit[:, None]
    values = {k: np.reshape(v, (*shape, *v.shape[1:])) for k, v in joined.items()}
    difference = max(float(np.max(group.difference)) for group in groups)
    return Solution(**values, largest_difference=difference)
