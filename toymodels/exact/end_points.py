"""Compare minima up to symmetry; pick the best and the best distinct one.

Two solutions are the same when they differ by a rotation of the hidden space and by an exchange of
features of equal density and importance. What both leave alone is compared: of G = WᵀW and b, for
each feature, G_ii, b_i and the sum of G_ij² over the others, sorted among equal features.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

DIFFERENT = 0.1
"""Two solutions differ when one of the compared numbers does by this much."""

AGREEMENT = 1e-4
"""A start agrees with the best when its loss is within this share of it."""


class Choice(NamedTuple):
    """Which end points of each cell count."""

    best: npt.NDArray[np.intp]  # [C]
    runner_up: npt.NDArray[np.intp]  # [C], -1 where all are one solution
    n_agree: npt.NDArray[np.intp]  # [C]


def choose(W: Floats, b: Floats, losses: Floats, p_active: Floats, importance: Floats) -> Choice:
    """Pick the least loss of each cell, and the least among the other solutions.

    Shapes: W `[C, S, M, F]`, b `[C, S, F]`, losses `[C, S]`, p_active and importance `[C, F]`.
    """
    best = np.argmin(losses, axis=1)
    least = np.take_along_axis(losses, best[:, None], 1)  # [C, 1]
    differs = differ(W, b, p_active, importance, best)
    runner_up = np.argmin(np.where(differs, losses, np.inf), axis=1)
    runner_up = np.where(np.any(differs, axis=1), runner_up, -1)
    return Choice(best, runner_up, count_agreeing(losses, least[:, 0]))


def count_agreeing(losses: Floats, least: Floats) -> npt.NDArray[np.intp]:
    """Count the losses `[C, S]` that are the least `[C]`, up to `AGREEMENT`; NaN is none."""
    return np.sum(losses <= (least + AGREEMENT * np.abs(least))[:, None], axis=1)


def differ(
    W: Floats, b: Floats, p_active: Floats, importance: Floats, reference: Any = 0
) -> npt.NDArray[np.bool_]:
    """Tell which solutions of a cell differ from its `reference`, `[C, S]`; shapes as `choose`."""
    marks = fingerprint(W, b, p_active[:, None], importance[:, None])
    reference = np.broadcast_to(reference, len(W))
    own = marks[np.arange(len(W)), reference][:, None]
    return np.max(np.abs(marks - own), axis=-1) > DIFFERENT


def fingerprint(W: Floats, b: Floats, p_active: Floats, importance: Floats) -> Floats:
    """Return what rotations and exchanges of equal features leave alone, `[…, 3 F]`.

    W is `[…, M, F]`; b, p_active and importance are `[…, F]` and broadcast.
    """
    G = np.einsum("...mi,...mj->...ij", W, W).astype(np.float64)
    norms = np.diagonal(G, axis1=-2, axis2=-1)
    others = np.sum(G**2, axis=-1) - norms**2
    p_active, importance, b = np.broadcast_arrays(p_active, importance, b)
    alike = _first_alike(p_active, importance)
    return np.concatenate([_sort_within(alike, values) for values in (norms, b, others)], axis=-1)


def _first_alike(p_active: Floats, importance: Floats) -> npt.NDArray[np.intp]:
    """Return for each feature the first feature that equals it in both, `[…, F]`."""
    same = (p_active[..., :, None] == p_active[..., None, :]) & (
        importance[..., :, None] == importance[..., None, :]
    )
    return np.argmax(same, axis=-1)


def _sort_within(groups: npt.NDArray[np.intp], values: Floats) -> Floats:
    """Sort values by group, then by size."""
    return np.take_along_axis(values, np.lexsort((values, groups), axis=-1), axis=-1)
