"""Whether the loss drops where features jump, against what random times would give."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toymodels.checks import Floats, finite
from toymodels.dynamics.jumps import Jump
from toymodels.dynamics.loss import MULTIPLE, NEIGHBOURHOOD, SPAN, find_drops
from toymodels.dynamics.steps import length_of, rising_steps
from toymodels.errors import InputError

# Times at which chance is looked at, around each jump.
CHANCE_POINTS = 401


class Coincidences(NamedTuple):
    """Which jumps have a drop of the loss, and how likely one is near them at a random time."""

    happened: NDArray[np.bool_]  # [J]
    chance: Floats  # [J]


class Comparison(NamedTuple):
    """How many jumps coincide with a drop, against what random times would give."""

    n: int
    happened: int
    expected: float  # by chance
    p_value: float  # that chance gives as many or more


def find_coincidences(
    jumps: tuple[Jump, ...],
    steps: ArrayLike,
    loss: ArrayLike,
    *,
    span: float = SPAN,
    neighbourhood: float = NEIGHBOURHOOD,
    multiple: float = MULTIPLE,
) -> Coincidences:
    """Tell of each jump whether the loss drops in it, and how likely that is at a random time.

    The null is local, for early in a run there are both more jumps and more drops: a time as long
    as the jump is put anywhere in its neighbourhood. The jump's own drop is in there as well, so
    that chance is overrated, never underrated.

    Args:
        jumps: of `find_jumps`.
        steps: of the loss curve, `[T]`, rising.
        loss: above 0, `[T]`.
        span: of `find_drops`.
        neighbourhood: of `find_drops`, and of the null.
        multiple: of `find_drops`.

    Returns:
        For each jump whether there is a drop, and the share of random times with one.

    Raises:
        InputError: as `find_drops`.
    """
    drops = find_drops(steps, loss, span=span, neighbourhood=neighbourhood, multiple=multiple)
    t = rising_steps(steps)
    where, around = t[drops], length_of("neighbourhood", neighbourhood, t)
    happened, chance = [], []
    for jump in jumps:
        half, centre = (jump.last - jump.first) / 2, (jump.last + jump.first) / 2
        low, high = max(centre - around, t[0] + half), min(centre + around, t[-1] - half)
        times = np.linspace(min(low, centre), max(high, centre), CHANCE_POINTS)
        happened.append(bool(_near(where, np.array([centre]), half)[0]))
        chance.append(float(_near(where, times, half).mean()))
    return Coincidences(np.array(happened, bool), np.array(chance, float))


def _near(where: Floats, times: Floats, half: float) -> NDArray[np.bool_]:
    """Tell of times whether something is in the stretch around them."""
    return np.searchsorted(where, times + half, "right") > np.searchsorted(where, times - half)


def compare_with_chance(happened: ArrayLike, chance: ArrayLike) -> Comparison:
    """Compare how often something happened with how often chance alone would give it.

    Args:
        happened: whether it did, bool `[J]`; of several runs, joined.
        chance: how likely it was each time, `[J]`, in [0, 1].

    Returns:
        How many there are, how many happened, how many chance gives on average, and how likely it
        gives as many or more where each is a draw of its own (the tail of a Poisson binomial law);
        1 where there are none.

    Raises:
        InputError: other shapes, or chances outside [0, 1].
    """
    p = finite("chance", chance)
    did = finite("happened", happened) != 0
    if p.ndim != 1 or p.shape != did.shape:
        raise InputError(f"happened has shape {did.shape} and chance {p.shape}: give both as [J].")
    if np.any((p < 0) | (p > 1)):
        raise InputError(f"chance must lie in [0, 1], got {p[(p < 0) | (p > 1)][0]}.")
    law = np.ones(1)
    for one in p:
        law = np.convolve(law, [1 - one, one])
    k = int(did.sum())
    return Comparison(len(p), k, float(p.sum()), float(min(law[k:].sum(), 1.0)))
