"""Closed forms of the phase diagrams: losses, labels and boundaries, 2 in 1 and 3 in 2.

Plain numpy in float64; arguments broadcast, and scalars in give scalars out.

Notation: s = p_active is the density of every feature (probability of being active, x uniform on
[0, 1] when active, features independent); r = relative_importance is the importance of the extra
(last) feature, all others have importance 1. Losses are summed over features. W is
[M hidden, F features], the ReLU model is y = ReLU(Wᵀ W x + b).

Sources: Elhage et al. 2022, "Toy Models of Superposition", section "Superposition as a Phase
Change"; the four losses are those of wattenberg/superposition, Exploring_Exact_Toy_Models.ipynb.
"""

import numpy as np
import numpy.typing as npt

from toymodels.checks import Floats, cells, checked_density, checked_importance

# Order matters: it is the integer code of a label, and the earlier label wins a tie.
PHASES_2_1: tuple[str, ...] = ("not represented", "dedicated", "antipodal")
PHASES_3_2: tuple[str, ...] = (
    "not represented",
    "antipodal",
    "dedicated, others antipodal",
    "dedicated, another dropped",
)

TRIPLE_POINT: tuple[float, float] = (1.0, 4 / 7)
"""(relative_importance, p_active) where all the phases meet, for 2 in 1 and 3 in 2 alike."""

# Losses this close, relative to the smallest, are one loss computed along two paths.
_TIE_TOLERANCE = 1e-12


def loss_drop_other(p_active: npt.ArrayLike) -> Floats:
    """Return the loss of dropping a feature of importance 1: s/3 - s^2/4, its variance.

    Its output is the bias s/2; all else is exact.

    Args:
        p_active: densities of any shape, which is that of the losses.

    Raises:
        InputError: a density outside [0, 1].

    Source: Wattenberg's notebook, `loss_f`.
    """
    s = checked_density(p_active)
    return s / 3 - s**2 / 4


def loss_drop_extra(p_active: npt.ArrayLike, relative_importance: npt.ArrayLike) -> Floats:
    """Return the loss of dropping the extra feature: r (s/3 - s^2/4).

    Its output is the bias s/2; all else is exact.

    Raises:
        InputError: a density outside [0, 1], or an importance negative or not finite.

    Source: Wattenberg's notebook, `loss_g`.
    """
    s, r = cells(p_active, relative_importance)
    return r * (s / 3 - s**2 / 4)


def loss_extra_antipodal(p_active: npt.ArrayLike, relative_importance: npt.ArrayLike) -> Floats:
    """Return the loss of the extra feature opposite one of importance 1: (1 + r) s^2/6.

    W = [1, -1] on the pair, b = 0: only pairs that are active together cost anything.

    Raises:
        InputError: a density outside [0, 1], or an importance negative or not finite.

    Source: Wattenberg's notebook, `loss_h_last`.
    """
    s, r = cells(p_active, relative_importance)
    return (1 + r) * s**2 / 6


def loss_others_antipodal(p_active: npt.ArrayLike) -> Floats:
    """Return the loss of two features of importance 1 opposite each other: s^2/3.

    The extra feature has a dimension of its own, which takes at least 3 features in 2 dimensions.

    Raises:
        InputError: a density outside [0, 1].

    Source: Wattenberg's notebook, `loss_h_first`.
    """
    return checked_density(p_active) ** 2 / 3


def phase_losses_2_1(
    p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> dict[str, Floats]:
    """Return the loss of each fate of the extra one of 2 features in 1 dimension.

    Args:
        p_active: densities.
        relative_importance: importances of the extra feature; both broadcast.

    Returns:
        The losses by PHASES_2_1, in that order; every value has the arguments' common shape.

    Raises:
        InputError: a density outside [0, 1], or an importance negative or not finite.

    Source: Elhage et al. 2022, "Superposition as a Phase Change".
    """
    losses = (
        loss_drop_extra(p_active, relative_importance),
        loss_drop_other(p_active),
        loss_extra_antipodal(p_active, relative_importance),
    )
    return _named(PHASES_2_1, losses)


def phase_losses_3_2(
    p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> dict[str, Floats]:
    """Return the loss of each fate of the extra one of 3 features in 2 dimensions.

    Args:
        p_active: densities.
        relative_importance: importances of the extra feature; both broadcast.

    Returns:
        The losses by PHASES_3_2, in that order; every value has the arguments' common shape.

    Raises:
        InputError: a density outside [0, 1], or an importance negative or not finite.

    Source: Elhage et al. 2022, "Superposition as a Phase Change".
    """
    losses = (
        loss_drop_extra(p_active, relative_importance),
        loss_extra_antipodal(p_active, relative_importance),
        loss_others_antipodal(p_active),
        loss_drop_other(p_active),
    )
    return _named(PHASES_3_2, losses)


def phase_label_2_1(
    p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> str | npt.NDArray[np.str_]:
    """Name the fate of the extra feature that has the least loss, for 2 features in 1 dimension.

    Of losses that agree to a part in 1e12 the earlier label of PHASES_2_1 wins: at s = 0 (all
    losses 0), at r = 1 and s >= 4/7, and on the boundary for r <= 1 the extra feature is "not
    represented"; on the boundary for r > 1 it is "dedicated".

    Args:
        p_active: densities.
        relative_importance: importances of the extra feature; both broadcast.

    Returns:
        A str for two scalars, else an array of str of their common shape.

    Raises:
        InputError: a density outside [0, 1], or an importance negative or not finite.
    """
    return _label_of_least(phase_losses_2_1(p_active, relative_importance))


def phase_label_3_2(
    p_active: npt.ArrayLike, relative_importance: npt.ArrayLike
) -> str | npt.NDArray[np.str_]:
    """Name the fate of the extra feature that has the least loss, for 3 features in 2 dimensions.

    Of losses that agree to a part in 1e12 the earlier label of PHASES_3_2 wins: at s = 0, at r = 1
    and s >= 4/7, and on the boundary for r <= 1 it is "not represented"; at r = 1 and 0 < s < 4/7
    "antipodal"; on the boundary for r > 1 "dedicated, others antipodal".

    Args:
        p_active: densities.
        relative_importance: importances of the extra feature; both broadcast.

    Returns:
        A str for two scalars, else an array of str of their common shape.

    Raises:
        InputError: a density outside [0, 1], or an importance negative or not finite.
    """
    return _label_of_least(phase_losses_3_2(p_active, relative_importance))


def boundary_2_1(relative_importance: npt.ArrayLike) -> Floats:
    """Return the density below which 2 features in 1 dimension are best stored antipodally.

    4r / (2 + 5r) for r <= 1 (above it the extra feature is dropped) and 4 / (5 + 2r) for r >= 1
    (above it the other one is). Derived from the losses here; compare Elhage et al. 2022,
    "Superposition as a Phase Change".

    Raises:
        InputError: an importance that is negative or not finite.
    """
    r = checked_importance(relative_importance)
    ratio = np.minimum(r, 1) / np.maximum(r, 1)  # r -> 1/r swaps the two features
    return 4 * ratio / (2 + 5 * ratio)


def boundary_3_2(relative_importance: npt.ArrayLike) -> Floats:
    """Return the density below which 3 features in 2 dimensions hold an antipodal pair.

    4r / (2 + 5r) for r <= 1, as in `boundary_2_1`, and 4/7 for r >= 1, where the pair is the two
    others. Below it the line r = 1 parts the two kinds of pair. Derived from the losses here;
    compare Elhage et al. 2022, "Superposition as a Phase Change".

    Raises:
        InputError: an importance that is negative or not finite.
    """
    r = np.minimum(checked_importance(relative_importance), 1)
    return 4 * r / (2 + 5 * r)


def _named(labels: tuple[str, ...], losses: tuple[Floats, ...]) -> dict[str, Floats]:
    """Return label -> loss, each a writable copy of the common shape (a scalar for scalars)."""
    common = np.broadcast_arrays(*losses)
    return {label: np.array(loss)[()] for label, loss in zip(labels, common, strict=True)}


def _label_of_least(losses: dict[str, Floats]) -> str | npt.NDArray[np.str_]:
    """Return the first label whose loss is the least one, up to the tie tolerance."""
    stacked = np.stack(list(losses.values()))
    least = np.min(stacked, axis=0, keepdims=True)
    first = np.argmax(stacked <= least * (1 + _TIE_TOLERANCE), axis=0)
    labels = np.asarray(list(losses))[first]
    return str(labels) if np.ndim(first) == 0 else labels
