"""Expected losses that have a formula on paper, beside the four of `toymodels.theory`.

Plain numpy in float64, broadcasting. Sources are given with each.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


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

    Source: the surface of McGrath's comment in Elhage et al. 2022, "Superposition as a Phase
    Change"; the paper prints no formula, this one is derived.
    """
    w1, w2, s, r = np.broadcast_arrays(
        *(np.asarray(given, np.float64) for given in (w1, w2, p_active, relative_importance))
    )
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
