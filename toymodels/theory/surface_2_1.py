"""Two features in one dimension without bias: the exact loss as a formula, its minima, its jumps.

y = ReLU(wᵀw x) with w = (w1, w2), importance 1 and r, both features active with probability p.
Up to the flip (w1, w2) -> (-w1, -w2) there are at most two minima: weights of opposite sign, an
antipodal pair, and weights of the same sign, which for r = 1 are equal, 1/sqrt 2: the "confused"
feature stands for either. Within a branch the minimum moves continuously with p; the best one
changes branch at a jump. Plain numpy in float64.

Source: McGrath's comment in Elhage et al. 2022, "Superposition as a Phase Change"; the paper
prints no formula, the one here is derived.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from toymodels.checks import (
    Floats,
    cells,
    checked_density,
    checked_importance,
    floats,
    require_broadcast,
    require_same_axes,
)
from toymodels.errors import InputError

BRANCHES = ("same sign", "opposite sign")
"""The halves w2 >= 0 and w2 < 0 of the half-plane w1 > 0."""

# The search for minima: cells per unit of weight, stencil of the derivatives, steps.
CELLS, STENCIL, NEWTON_STEPS = 20, 1e-4, 12
FLAT = 1e-7  # a slope below this is none: rounding in the differences gives 1e-12
BISECTIONS = 16  # of the density at a jump


class Minima(NamedTuple):
    """The minimum with w1 > 0 in each branch; NaN where a branch has none."""

    w: Floats  # [..., 2 branches, 2 weights]
    loss: Floats  # [..., 2 branches]


def loss_2_1_without_bias(
    w1: npt.ArrayLike,
    w2: npt.ArrayLike,
    p_active: npt.ArrayLike,
    relative_importance: npt.ArrayLike,
) -> Floats:
    """Return the loss of `y = ReLU(wᵀw x)`, 2 features in 1 dimension, importance (1, r).

    With s = p_active and q = w1 w2, one active feature costs

        s (1 − s)/3 · [(1 − w1²)² + r (1 − w2²)² + (1 + r) max(q, 0)²]

    and two cost s² [E(w1, w2) + r E(w2, w1)]. Of one sign nothing is cut: E = (1 − w1²)²/3 +
    q²/3 − (1 − w1²) q/2. Of opposite signs, a = |w1| and b = |w2|, E = 1/3 − 2a E[u h] + a² E[h²]
    with h = ReLU(a u − b v). The arguments broadcast; w of any sign, 0 included.

    Raises:
        InputError: a density outside [0, 1], an importance negative or not finite, or shapes that
            do not broadcast.
    """
    require_same_axes(w1=w1, w2=w2, p_active=p_active, relative_importance=relative_importance)
    s, r = cells(p_active, relative_importance)
    w1, w2 = floats("w1", w1), floats("w2", w2)
    require_broadcast(w1=w1, w2=w2, p_active=s, relative_importance=r)
    return _loss(w1, w2, s, r)


def _loss(w1: Floats, w2: Floats, s: Floats, r: Floats) -> Floats:
    w1, w2, s, r = np.broadcast_arrays(w1, w2, s, r)
    q = w1 * w2
    alone = (1 - w1**2) ** 2 + r * (1 - w2**2) ** 2 + (1 + r) * np.maximum(q, 0) ** 2
    together = _both_active(w1, w2) + r * _both_active(w2, w1)
    return (s * (1 - s) / 3 * alone + s**2 * together)[()]


def _both_active(w: Floats, other: Floats) -> Floats:
    """Return E[(u − ReLU(w² u + w·other v))²] for u, v uniform on [0, 1]."""
    q = w * other
    uncut = (1 - w**2) ** 2 / 3 + q**2 / 3 - (1 - w**2) * q / 2
    a, b = np.abs(w), np.abs(other)
    safe_a, safe_b = np.where(a > 0, a, 1), np.where(b > 0, b, 1)
    # h = ReLU(a u − b v) is cut at u = b v / a, within [0, 1] for all v where b <= a, else at v.
    u_h = np.where(b <= a, a / 3 - b / 4 + b**3 / (24 * safe_a**2), a**2 / (8 * safe_b))
    h_h = np.where(
        b <= a, a**2 / 3 - a * b / 2 + b**2 / 3 - b**3 / (12 * safe_a), a**3 / (12 * safe_b)
    )
    return np.where(q >= 0, uncut, 1 / 3 - 2 * a * u_h + a**2 * h_h)


def find_minima(p_active: npt.ArrayLike, relative_importance: npt.ArrayLike) -> Minima:
    """Find the minimum with w1 > 0 in each branch.

    Cells of a grid that are lower than their neighbours are polished by Newton's method; of
    several in a branch the lowest is kept.

    Args:
        p_active: densities above 0.
        relative_importance: importances above 0 of the second feature; both broadcast to `[...]`.

    Raises:
        InputError: a density or importance that is 0 or out of range.
    """
    p, r = np.broadcast_arrays(*cells(p_active, relative_importance))
    if np.any(p == 0) or np.any(r == 0):
        raise InputError(
            "p_active and relative_importance must be above 0: at 0 the loss is flat and has no "
            "isolated minima."
        )
    lows = [_low_cells(float(a), float(b)) for a, b in zip(r.flat, p.flat, strict=True)]
    cell = np.repeat(np.arange(r.size), [len(low) for low in lows])
    w, is_minimum = _polish(np.concatenate(lows), r.ravel()[cell], p.ravel()[cell])
    loss = _loss(w[:, 0], w[:, 1], p.ravel()[cell], r.ravel()[cell])
    minima, least = np.full((r.size, 2, 2), np.nan), np.full((r.size, 2), np.nan)
    for k in np.argsort(-loss):  # the lowest comes last and stays
        if is_minimum[k]:
            at = cell[k], int(w[k, 1] < 0)
            minima[at], least[at] = w[k], loss[k]
    return Minima(minima.reshape(*r.shape, 2, 2), least.reshape(*r.shape, 2))


def _low_cells(r: float, p: float) -> Floats:
    """Return the cells `[K, 2]` of each branch that no neighbour in the branch is lower than."""
    w = (np.arange(2 * CELLS) + 0.5) / CELLS  # 0 … 2, without the axis itself
    low = []
    for w2 in (w, -w):  # across w2 = 0 the loss bends, which Newton's method does not like
        loss = _loss(w[:, None], w2[None, :], np.asarray(p), np.asarray(r))
        around = np.pad(loss, 1, constant_values=np.inf)
        i, j = np.nonzero(loss <= sliding_window_view(around, (3, 3)).min(axis=(2, 3)))
        low.append(np.stack([w[i], w2[j]], axis=-1))
    return np.concatenate(low)


def _polish(start: Floats, r: Floats, p: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Take Newton steps from `start [K, 2]`; say which end in a minimum of their own branch."""
    w = start
    for _ in range(NEWTON_STEPS):
        slope, curvature = _derivatives(w, r, p)
        w = w - np.linalg.solve(curvature, slope[..., None])[..., 0]
    clear = (np.sign(w) == np.sign(start)) & (np.abs(w) > 2 * STENCIL)  # of the branch's edge
    is_near = np.all(clear & (np.abs(w - start) < 2 / CELLS), axis=-1)
    slope, curvature = _derivatives(np.where(is_near[:, None], w, start), r, p)
    is_flat = np.all(np.abs(slope) < FLAT, axis=-1)
    return w, is_near & is_flat & np.all(np.linalg.eigvalsh(curvature) > 0, axis=-1)


def _derivatives(w: Floats, r: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Return the slope `[K, 2]` and the curvature `[K, 2, 2]` by central differences."""
    h = STENCIL
    i, j = h * np.array([[-1], [0], [1]]), h * np.array([[-1, 0, 1]])
    table = _loss(
        w[:, 0, None, None] + i, w[:, 1, None, None] + j, p[:, None, None], r[:, None, None]
    )
    f = {(k, m): table[:, 1 + k, 1 + m] for k in (-1, 0, 1) for m in (-1, 0, 1)}
    slope = np.stack([f[1, 0] - f[-1, 0], f[0, 1] - f[0, -1]], axis=-1) / (2 * h)
    first = (f[1, 0] - 2 * f[0, 0] + f[-1, 0]) / h**2
    second = (f[0, 1] - 2 * f[0, 0] + f[0, -1]) / h**2
    mixed = (f[1, 1] - f[1, -1] - f[-1, 1] + f[-1, -1]) / (4 * h**2)
    return slope, np.moveaxis(np.array([[first, mixed], [mixed, second]]), -1, 0)


def find_jumps(p_active: Floats, relative_importance: Floats, loss: Floats) -> Floats:
    """Find the density at which the best minimum changes branch, by bisection.

    Args:
        p_active: densities along the way, `[P]`, rising.
        relative_importance: `[R]`.
        loss: of `find_minima` at each of both, `[R, P, 2 branches]`; gives the step that a jump
            lies in, the last one from opposite to same sign.

    Returns:
        The densities `[R]`, just below the jumps; NaN where the best branch does not change.

    Raises:
        InputError: densities that do not rise, one or an importance out of range, or losses of
            another shape.
    """
    p_active, r = checked_density(p_active), checked_importance(relative_importance)
    loss = floats("loss", loss)
    if not (p_active.ndim == r.ndim == 1 and loss.shape == (r.size, p_active.size, 2)):
        raise InputError(
            f"p_active has shape {p_active.shape}, relative_importance {r.shape} and loss "
            f"{loss.shape}: give them as [P], [R] and [R, P, 2 branches]."
        )
    if p_active.size < 2 or not np.all(np.diff(p_active) > 0):
        raise InputError("p_active must rise, over at least 2 densities.")
    same = _same_sign_is_best(loss)  # [R, P]
    jumps = ~same[:, :-1] & same[:, 1:]
    step = jumps.shape[1] - 1 - np.argmax(jumps[:, ::-1], axis=1)  # the last one
    below, above = p_active[step], p_active[step + 1]
    for _ in range(BISECTIONS):
        middle = (below + above) / 2
        is_above = _same_sign_is_best(find_minima(middle, r).loss)
        below, above = np.where(is_above, below, middle), np.where(is_above, middle, above)
    return np.where(jumps.any(axis=1), below, np.nan)


def _same_sign_is_best(loss: Floats) -> npt.NDArray[np.bool_]:
    lowest = np.where(np.isnan(loss), np.inf, loss)
    return lowest[..., 0] <= lowest[..., 1]
