"""Where a curve first passes a level."""

import numpy as np
from numpy.typing import NDArray


def first_above(x: NDArray, y: NDArray, level: float) -> float:
    """Return where `y` first exceeds a level, between two values of `x` on a straight line.

    NaN where it never does; the first x where it does from the start on.
    """
    order = np.argsort(x)
    x, y = x[order], y[order]
    above = np.flatnonzero(y > level)
    if not above.size:
        return np.nan
    i = int(above[0])
    if i == 0 or not np.isfinite(y[i - 1]):
        return float(x[i])
    return float(np.interp(level, [y[i - 1], y[i]], [x[i - 1], x[i]]))
