"""What the closed forms take: densities and importances in range, as float64."""

import numpy as np
import numpy.typing as npt

from toymodels.errors import InputError

Floats = npt.NDArray[np.float64]


def checked_density(p_active: npt.ArrayLike) -> Floats:
    """Return densities as an array.

    Raises:
        InputError: one outside [0, 1].
    """
    p = np.asarray(p_active, dtype=np.float64)
    bad = p[~((p >= 0) & (p <= 1))]
    if bad.size:
        raise InputError(
            f"p_active must lie in [0, 1], got {bad[0]}; it is the density 1 - S, not a sparsity S."
        )
    return p


def checked_importance(values: npt.ArrayLike, name: str = "relative_importance") -> Floats:
    """Return importances as an array; `name` is what a message calls them.

    Raises:
        InputError: one that is negative, NaN or infinite.
    """
    r = np.asarray(values, dtype=np.float64)
    bad = r[~((r >= 0) & np.isfinite(r))]
    if bad.size:
        raise InputError(f"{name} must be finite and at least 0, got {bad[0]}.")
    return r
