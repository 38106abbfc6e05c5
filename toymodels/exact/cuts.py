"""Cuts through the exact phase diagrams: minima followed branch by branch, and where they cross.

A cut varies the density of all features or the importance of the last one. Every branch is
followed from where it begins, both ways (`toymodels.exact.follow`). Two branches that cross, each
going on behind the crossing as a metastable minimum, are a first-order transition: the slope of
the least loss jumps there. Where one branch deforms, it does not.

Source of the question: Elhage et al. 2022, "Toy Models of Superposition", section "Superposition
as a Phase Change", which calls the change of phase discontinuous.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toymodels.checks import count, finite, floats
from toymodels.errors import InputError
from toymodels.exact.branches import Branch, follow, slope
from toymodels.theory.problems import explicit_loss, problem_of

Floats = NDArray[np.floating]

# A branch has ended where a scalar product of its columns changes by more between two points.
JUMP = 0.22
# A column shorter than this has no direction.
SHORT = 0.05
# The slope d loss / d ln t jumps by more than this share of itself at a first-order transition.
SLOPE_JUMP = 0.05


@dataclass(frozen=True)
class Start:
    """Where a branch begins; it is followed from there both ways."""

    name: str
    at: float  # on the cut
    W: tuple[tuple[float, ...], ...]  # [M, F]
    b: tuple[float, ...]  # [F]


@dataclass(frozen=True)
class Cut:
    """One line through a phase diagram: t runs between its ends, what does not vary is fixed."""

    title: str
    ends: tuple[float, float]
    fixed: float
    starts: tuple[Start, ...]

    along: ClassVar[str]
    """What varies: "p_active" or "relative_importance"."""

    def place(self, t: Floats) -> tuple[Floats, Floats]:
        """Return density and relative importance `[K]` at `t [K]`."""
        raise NotImplementedError

    def slope_along(self, by_p: Floats, by_importance: Floats) -> Floats:
        """Return d loss / d t `[K]` from those by each density and importance, `[K, F]`."""
        raise NotImplementedError


class DensityCut(Cut):
    """A cut along the density of all features, at fixed importance."""

    along: ClassVar[str] = "p_active"

    def place(self, t: Floats) -> tuple[Floats, Floats]:
        """Return density and relative importance `[K]` at `t [K]`."""
        return t, np.full_like(t, self.fixed)

    def slope_along(self, by_p: Floats, by_importance: Floats) -> Floats:
        """Return d loss / d t `[K]` from those by each density and importance, `[K, F]`."""
        return by_p.sum(-1)


class ImportanceCut(Cut):
    """A cut along the importance of the last feature, at fixed density."""

    along: ClassVar[str] = "relative_importance"

    def place(self, t: Floats) -> tuple[Floats, Floats]:
        """Return density and relative importance `[K]` at `t [K]`."""
        return np.full_like(t, self.fixed), t

    def slope_along(self, by_p: Floats, by_importance: Floats) -> Floats:
        """Return d loss / d t `[K]` from those by each density and importance, `[K, F]`."""
        return by_importance[..., -1]


class Course(NamedTuple):
    """One branch along a cut; NaN where it has ended."""

    loss: Floats  # [K]
    loss_relative: Floats  # [K], to the best explicit solution
    slope: Floats  # [K], d loss / d ln t
    norm: Floats  # [K, F]
    cosine: Floats  # [K, pairs], of the columns i < j: 12, 13, 23; NaN where one is short


class CutBranches(NamedTuple):
    """All branches of a cut, in the order of its starts, and its first-order transitions."""

    t: Floats  # [K]
    loss: Floats  # [B, K]
    loss_relative: Floats  # [B, K]
    slope: Floats  # [B, K]
    norm: Floats  # [B, K, F]
    cosine: Floats  # [B, K, pairs]
    transitions: Floats  # [T], rising


CUTS = (
    DensityCut(
        title="2→1, r = 0.5",
        ends=(0.2, 1.0),
        fixed=0.5,
        starts=(
            Start("antipodal", 0.2, ((1, -1),), (0, 0)),
            Start("extra dropped", 0.99, ((1, 0),), (0, 0.5)),
        ),
    ),
    DensityCut(
        title="2→1, r = 1",
        ends=(0.2, 1.0),
        fixed=1.0,
        starts=(
            Start("equal norms", 0.2, ((1, -1),), (0, 0)),
            Start("unequal norms", 0.9, ((0.93, -0.4),), (0.22, 0.55)),
        ),
    ),
    ImportanceCut(
        title="2→1, density 0.65",
        ends=(0.4, 2.5),
        fixed=0.65,
        starts=(
            Start("nearly equal norms", 1.0, ((0.8, -0.8),), (0.28, 0.28)),
            Start("extra dropped, then weak", 0.41, ((1, 0),), (0, 0.325)),
            Start("other dropped, then weak", 2.4, ((0, 1),), (0.325, 0)),
        ),
    ),
    DensityCut(
        title="3→2, r = 1",
        ends=(0.2, 1.0),
        fixed=1.0,
        starts=(
            Start("pair + one dedicated", 0.2, ((1, 0, 0), (0, 1, -1)), (0, 0, 0)),
            Start("triangle", 0.65, ((0.9, -0.45, -0.45), (0, 0.78, -0.78)), (0.3, 0.3, 0.3)),
            Start("isosceles", 1.0, ((0.66, -0.54, -0.54), (0, 0.71, -0.71)), (0.64, 0.39, 0.39)),
        ),
    ),
    ImportanceCut(
        title="3→2, density 0.3",
        ends=(0.4, 2.5),
        fixed=0.3,
        starts=(
            Start("extra in the pair", 0.4, ((1, 0, 0), (0, 1, -1)), (0, 0, 0)),
            Start("others in the pair", 2.5, ((1, -1, 0), (0, 0, 1)), (0, 0, 0)),
        ),
    ),
)
"""Five cuts that pass through every kind of transition of the two phase diagrams."""


def follow_cut(cut: Cut, n_points: int) -> CutBranches:
    """Follow every branch of one cut at `n_points`, equal steps in the logarithm.

    Raises:
        InputError: fewer than 2 points, or starts of a problem without closed-form phases.
    """
    n_points = count("n_points", n_points, 2)
    t = np.geomspace(*cut.ends, n_points)
    courses = [follow_branch(cut, start, t) for start in cut.starts]
    joined = Course(*(np.stack(parts) for parts in zip(*courses, strict=True)))
    found = find_transitions(t, joined.loss, joined.slope)
    return CutBranches(t, *joined, transitions=found)


def follow_branch(cut: Cut, start: Start, t: Floats) -> Course:
    """Follow one branch along `t [K]` from where it begins, both ways, until it ends.

    Raises:
        InputError: a start of a problem without closed-form phases.
    """
    first = int(np.argmin(np.abs(np.log(t / start.at))))
    down, up = _one_way(cut, start, t[first::-1]), _one_way(cut, start, t[first:])
    return Course(*(np.concatenate([a[::-1][:-1], b]) for a, b in zip(down, up, strict=True)))


def _one_way(cut: Cut, start: Start, t: Floats) -> Course:
    """Follow one branch along `t`, from its first point on."""
    M, F = np.shape(start.W)
    problem = problem_of(F, M)
    p, r = cut.place(t)
    p_active = np.repeat(p[:, None, None], F, axis=2)  # [K, 1, F]
    importance = np.ones_like(p_active)
    importance[:, 0, -1] = r
    found = follow(start.W, start.b, p_active, importance)
    by_p, by_importance = slope(found, p_active, importance)
    loss = found.loss[:, 0]
    norm, cosine = _lengths_and_cosines(found)
    course = Course(
        loss=loss,
        loss_relative=loss / explicit_loss(problem, p, r),
        slope=cut.slope_along(by_p[:, 0], by_importance[:, 0]) * t,
        norm=norm,
        cosine=cosine,
    )
    ended = ~_lives(found)
    for values in course:
        values[ended] = np.nan
    return course


def _lengths_and_cosines(found: Branch) -> tuple[Floats, Floats]:
    """Return the norms `[K, F]` and the cosines of pairs `[K, pairs]` of one branch."""
    gram = np.einsum("kmi,kmj->kij", found.W[:, 0], found.W[:, 0])
    norm = np.sqrt(np.einsum("kii->ki", gram))
    long = np.minimum(norm[:, :, None], norm[:, None, :]) > SHORT
    cosine = np.where(long, gram / np.maximum(norm[:, :, None] * norm[:, None, :], SHORT), np.nan)
    i, j = np.triu_indices(norm.shape[1], 1)
    return norm, cosine[:, i, j]


def _lives(found: Branch) -> NDArray[np.bool_]:
    """Tell at which points the branch is still the one it began as."""
    gram = np.einsum("kmi,kmj->kij", found.W[:, 0], found.W[:, 0])
    jumps = np.abs(np.diff(gram, axis=0)).max((1, 2)) > JUMP
    return np.concatenate([[True], ~np.logical_or.accumulate(jumps)])


def find_transitions(t: Floats, loss: Floats, slope: Floats) -> Floats:
    """Find where the lowest branch changes and the slope jumps: first-order transitions.

    Args:
        t: points along a cut, `[K]`.
        loss: of each branch, `[B, K]`, NaN where it has ended.
        slope: d loss / d ln t of each branch, `[B, K]`.

    Returns:
        The transitions `[T]`, between points by the difference of the losses.

    Raises:
        InputError: other shapes, or points that are not above 0 and rising.
    """
    t, loss, slope = finite("t", t), floats("loss", loss), floats("slope", slope)
    if t.ndim != 1 or loss.ndim != 2 or loss.shape != slope.shape or loss.shape[1:] != t.shape:
        raise InputError(
            f"t has shape {t.shape}, loss {loss.shape} and slope {slope.shape}: give them as [K], "
            "[branches, K] and [branches, K]."
        )
    if t.size < 2 or not (t[0] > 0 and np.all(np.diff(t) > 0)):
        raise InputError("t must be above 0 and rise, over at least 2 points.")
    best = np.argmin(np.where(np.isnan(loss), np.inf, loss), axis=0)
    k = np.arange(len(best) - 1)
    one, other = best[:-1], best[1:]
    here = np.abs(slope[other, k] - slope[one, k])  # NaN where one of them has ended
    behind = np.abs(slope[other, k + 1] - slope[one, k + 1])
    between = np.abs(slope[other, k + 1] - slope[one, k])
    jump = np.where(np.isnan(here), np.where(np.isnan(behind), between, behind), here)
    first_order = (one != other) & (jump > SLOPE_JUMP * np.nanmax(np.abs(slope)))
    log_t = np.log(t)
    found = []
    for i in np.flatnonzero(first_order):
        apart = loss[best[i], i : i + 2] - loss[best[i + 1], i : i + 2]  # < 0, then > 0
        share = apart[0] / (apart[0] - apart[1]) if np.isfinite(apart).all() else 0.5
        found.append(np.exp(log_t[i] + share * (log_t[i + 1] - log_t[i])))
    return np.array(found)
