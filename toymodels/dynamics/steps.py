"""The steps of snapshots and of a loss curve, and lengths of time as shares of a run."""

import numpy as np
from numpy.typing import ArrayLike

from toymodels.checks import Floats, finite, number
from toymodels.errors import InputError


def rising_steps(steps: ArrayLike) -> Floats:
    """Return steps `[T]`.

    Raises:
        InputError: fewer than two, or steps that do not rise.
    """
    t = finite("steps", steps)
    if t.ndim != 1 or len(t) < 2 or not np.all(np.diff(t) > 0):
        raise InputError(f"steps has shape {t.shape}: give two steps or more that rise.")
    return t


def length_of(name: str, share: float, t: Floats) -> float:
    """Return a share of a run in steps.

    Raises:
        InputError: a share outside [0, 1].
    """
    return number(name, share, 0, 1) * float(t[-1] - t[0])
