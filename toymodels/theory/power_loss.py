"""F ReLUs by fewer neurons where features come one at a time: a neuron each, or all together.

Compressed computation, y = V ReLU(W x) with target ReLU(x) and loss E |error|^q, in the limit
p → 0: a single feature is active, and the loss is a sum of |δ_ij - R_ij|^q over outputs i and
features j, with R of rank N. Losses are in units of that of the answer 0.

- Apart: N features have a neuron each, the others none. Loss 1 - N/F at any q.
- Together: R = α P with P a projection of equal diagonal N/F and equal overlaps, which then are
  w = √(N/F (1 - N/F) / (F - 1)) (Welch). Loss (1 - α N/F)^q + (F - 1) (α w)^q.

At q = 2 the two are equal, as all projections of rank N are: that is where the best answer changes.
Equal overlaps are not there for every F and N; what there is comes near.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toymodels.checks import Floats, count, finite
from toymodels.errors import InputError


class PowerLoss(NamedTuple):
    """What both answers leave, of q's shape."""

    apart: Floats  # loss over that of the answer 0
    together: Floats  # the same
    scale: Floats  # α, at which `together` is least
    active_error: Floats  # together: mean squared error of a feature that is active and positive


def power_loss(n_features: int, n_hidden: int, exponent: npt.ArrayLike) -> PowerLoss:
    """Return the losses of one neuron each and of all together, in the limit p → 0.

    The best scale solves `(1 - α d) / α = c` with d = N/F and `c = ((F - 1) w^q / d)^(1/(q - 1))`.

    Args:
        n_features: F, at least 2.
        n_hidden: N, neurons, fewer than F.
        exponent: q, above 1.

    Raises:
        InputError: a number out of range.
    """
    n_features = count("n_features", n_features, least=2)
    n_hidden = count("n_hidden", n_hidden, most=n_features - 1)
    q = finite("exponent", exponent)
    if np.any(q <= 1) or np.any(q > 100):
        raise InputError(f"exponent = {exponent} must lie above 1 and be at most 100.")
    d = n_hidden / n_features
    w = np.sqrt(d * (1 - d) / (n_features - 1))
    scale = 1 / (d + ((n_features - 1) * w**q / d) ** (1 / (q - 1)))
    left = 1 - scale * d
    together = left**q + (n_features - 1) * (scale * w) ** q
    return PowerLoss(np.full_like(q, 1 - d), together, scale, left**2 / 3)
