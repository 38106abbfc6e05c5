"""The problems of the phase diagrams, 2 in 1 and 3 in 2: their closed forms as one record.

F features in F - 1 dimensions; the last, the extra one, has importance `relative_importance`, all
others 1, and every feature is active with probability `p_active`. Labels are integers: places in
`Problem.optima`, of which the first are `Problem.phases`.

Source: Elhage et al. 2022, "Toy Models of Superposition", section "Superposition as a Phase
Change".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toymodels.checks import cells, count, floats
from toymodels.errors import InputError, listed
from toymodels.theory import phases

Labels = npt.NDArray[np.int8]

REPRESENTED = 0.5
"""A feature whose column is longer is represented."""

SHARED = 0.5
"""A feature of more superposition shares its direction."""

OF_TRIANGLE = (0.15, 0.85)
"""Superposition of each corner of a triangle, which has 1/2; a pair has 1, a feature alone 0."""

BAND = 0.10
"""Cells this close to a boundary, relatively, are left out of the agreement."""


@dataclass(frozen=True)
class Problem:
    """F features in M dimensions, the last of another importance, and what theory says of it."""

    n_features: int
    n_hidden: int
    phases: tuple[str, ...]  # the explicit solutions
    optima: tuple[str, ...]  # these, and what an optimum may be beside them
    label: Callable[..., Any]  # (p_active, relative_importance) -> names of phases
    losses: Callable[..., Any]  # (p_active, relative_importance) -> losses by phase
    boundary: Callable[..., Any]  # relative_importance -> the density below which there is a pair
    vertical: bool  # whether relative importance 1 is a boundary below the triple point


PROBLEMS: dict[tuple[int, int], Problem] = {
    (2, 1): Problem(
        n_features=2,
        n_hidden=1,
        phases=phases.PHASES_2_1,
        optima=phases.PHASES_2_1,
        label=phases.phase_label_2_1,
        losses=phases.phase_losses_2_1,
        boundary=phases.boundary_2_1,
        vertical=False,
    ),
    (3, 2): Problem(
        n_features=3,
        n_hidden=2,
        phases=phases.PHASES_3_2,
        optima=(*phases.PHASES_3_2, "triangle"),
        label=phases.phase_label_3_2,
        losses=phases.phase_losses_3_2,
        boundary=phases.boundary_3_2,
        vertical=True,
    ),
}
"""The problems that have closed forms, by (n_features, n_hidden)."""


def problem_of(n_features: int, n_hidden: int) -> Problem:
    """Return the problem of these sizes.

    Raises:
        InputError: sizes without closed forms.
    """
    sizes = count("n_features", n_features, None), count("n_hidden", n_hidden, None)
    if sizes not in PROBLEMS:
        known = listed(f"{n}→{m}" for n, m in PROBLEMS)
        raise InputError(
            f"n_features = {n_features} and n_hidden = {n_hidden} have no closed-form phases: "
            f"they are known of {known} (n_features→n_hidden). `toymodels.exact.solve` finds the "
            "optima of others."
        )
    return PROBLEMS[sizes]


def explicit_label(
    problem: Problem, p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> Labels:
    """Return the label of the best explicit solution; the arguments broadcast.

    Raises:
        InputError: a density outside [0, 1], or an importance negative or not finite.
    """
    names = np.asarray(problem.label(p_active, relative_importance))
    return np.argmax(names[..., None] == np.array(problem.phases), axis=-1).astype(np.int8)


def explicit_loss(
    problem: Problem, p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return the loss of the best explicit solution; the arguments broadcast.

    Raises:
        InputError: a density outside [0, 1], or an importance negative or not finite.
    """
    return np.min(np.stack(list(problem.losses(p_active, relative_importance).values())), axis=0)


def label_model(problem: Problem, norm: npt.ArrayLike, superposition: npt.ArrayLike) -> Labels:
    """Name the phase of models by what becomes of their features.

    Args:
        problem: whose phases are told apart.
        norm: lengths of the columns, `[..., F]` (`toymodels.geometry.feature_norms`); NaN, of a
            model that has diverged, counts as not represented.
        superposition: `[..., F]` (`toymodels.geometry.superposition`).

    Returns:
        Labels `[...]`, places in `problem.phases`.

    Raises:
        InputError: another number of features than the problem's.
    """
    norm, superposition = _of_features(problem, norm), _of_features(problem, superposition)
    place = {name: k for k, name in enumerate(problem.phases)}
    others_represented = np.all(norm[..., :-1] > REPRESENTED, axis=-1)
    if "dedicated" in place:
        alone = np.full(others_represented.shape, place["dedicated"])
    else:
        alone = np.where(
            others_represented,
            place["dedicated, others antipodal"],
            place["dedicated, another dropped"],
        )
    found = np.where(superposition[..., -1] > SHARED, place["antipodal"], alone)
    found = np.where(norm[..., -1] > REPRESENTED, found, place["not represented"])
    return found.astype(np.int8)


def label_optimum(problem: Problem, norm: npt.ArrayLike, superposition: npt.ArrayLike) -> Labels:
    """Name optima, as `label_model`; a triangle, which no explicit solution is, is told apart.

    Args:
        problem: whose optima are told apart.
        norm: as for `label_model`.
        superposition: as for `label_model`.

    Returns:
        Labels `[...]`, places in `problem.optima`.

    Raises:
        InputError: another number of features than the problem's.
    """
    found = label_model(problem, norm, superposition)
    if "triangle" not in problem.optima:
        return found
    norm, superposition = np.asarray(norm), np.asarray(superposition)
    low, high = OF_TRIANGLE
    corner = (norm > REPRESENTED) & (superposition > low) & (superposition < high)
    return np.where(corner.all(-1), problem.optima.index("triangle"), found).astype(np.int8)


def outside_band(
    problem: Problem, p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> npt.NDArray[np.bool_]:
    """Tell which cells lie more than `BAND` away from every boundary between labels of theory.

    Args:
        problem: whose boundaries they are.
        p_active: densities above 0.
        relative_importance: importances above 0 of the extra feature; both broadcast.

    Raises:
        InputError: a density or importance that is 0 or out of range.
    """
    p, r = cells(p_active, relative_importance)
    if np.any(p == 0) or np.any(r == 0):
        raise InputError(
            "p_active and relative_importance must be above 0 here: distances from a boundary are "
            "ratios."
        )
    far_from_curve = np.abs(np.log(p / problem.boundary(r))) > np.log(1 + BAND)
    far_from_one = np.abs(np.log(r)) > np.log(1 + BAND)
    if problem.vertical:  # r = 1 is a boundary at every density
        return far_from_curve & far_from_one
    return far_from_curve & (far_from_one | (p < phases.TRIPLE_POINT[1]))


def agreement(
    problem: Problem,
    p_active: npt.ArrayLike,
    relative_importance: npt.ArrayLike,
    labels: npt.ArrayLike,
) -> float:
    """Return the share of the cells outside the band that carry the label of theory.

    Args:
        problem: whose boundaries and labels they are.
        p_active: densities above 0.
        relative_importance: importances above 0; all three broadcast.
        labels: of what was found in each cell.

    Returns:
        The share, NaN where no cell lies outside the band.

    Raises:
        InputError: as `outside_band`.
    """
    same = np.asarray(labels) == explicit_label(problem, p_active, relative_importance)
    far = np.broadcast_to(outside_band(problem, p_active, relative_importance), same.shape)
    return float(np.mean(same[far])) if far.any() else np.nan


def _of_features(problem: Problem, values: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Return values `[..., F]`, or raise InputError."""
    values = floats("norm and superposition", values)
    if values.shape[-1:] != (problem.n_features,):
        raise InputError(
            f"norm and superposition must end in [{problem.n_features}] features, "
            f"got shape {values.shape}."
        )
    return values
