"""Whether the loss of a run still falls: what more training would gain.

The fall over the last steps does not tell. The learning rate decays, so that nothing moves any
more: under a cosine the loss of a run of SGD that is far from done falls by 0.01 to 0.06 % in its
last tenth of steps, that of a run that is done by 0 to 0.03 %. So progress is counted in learning
rates spent: s is the share of their sum that is spent by a step. But while the last tenth of s is
spent (39 % of the steps of a cosine) noise shrinks with the rate r as well. It is set aside by

    loss ≈ a - c s + n r,

fitted to the second half of the steps. `loss_fall` is the smaller of c / 10, less two standard
errors, and of the fall that was seen over the last tenth of s, as a share of the last loss.

Measured against the same runs of twice the steps: above 0.5 % are 93 % of 281 runs that gain over
3 % so (SGD at small rates and Adam at 0.001, 5 → 2 and 20 → 5 features, 2 → 1 without samples), and
0.2 % of 557 that gain less than 0.5 % (Adam at 0.01, three schedules, and `intro`). Where small
batches meet sparse features, noise shrinks faster than the rate: 7 and 10 % of such runs in the
sampled phase diagrams (22 % from the fit alone, 43 % from the fall alone). What no rule on the loss
can see is a run that waits at a saddle.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from toymodels.fields import Field

# A run still falls if its loss falls by more than this share in a tenth of its training.
STILL_FALLING = 0.005

# Losses that make a fit of three numbers; in the second half of a run there are so many or more.
POINTS = 4

# A loss below this share of the largest on its curve counts as that: what is left is rounding.
NOTHING_LEFT = 1e-4


def stops(curve: tuple[int, ...]) -> tuple[int, ...]:
    """Return the steps at which the loss is looked at: those of its curve, more in a short run.

    Args:
        curve: the steps of `toymodels.training.chunk_ends`; the last one ends the run.
    """
    n_steps = curve[-1]
    if sum(2 * t >= n_steps for t in curve) >= POINTS:
        return curve
    more = {-(-n_steps * (POINTS - 1 + i) // (2 * (POINTS - 1))) for i in range(POINTS)}
    return tuple(sorted({*curve, *more}))


def loss_fall(
    schedule: Callable[[Any], Any], steps: Sequence[int], losses: NDArray
) -> NDArray[np.float32]:
    """Return the share of its loss by which each run's still falls in a tenth of its training.

    Args:
        schedule: share of the learning rate, by the share of the steps that are done.
        steps: `[T]`, as `stops` returns them.
        losses: `[…, T]`, at these steps, on the same examples where any are drawn.

    Returns:
        `[…]`, NaN for less than three steps, and where a loss is not finite.
    """
    n_steps = steps[-1]
    late = [i for i, t in enumerate(steps) if 2 * t >= n_steps]
    if len(late) < 3:
        return np.full(losses.shape[:-1], np.nan, np.float32)
    x = np.linspace(0, 1, 1001)
    rate = np.broadcast_to(np.asarray(jax.vmap(schedule)(jnp.asarray(x)), float), x.shape)
    spent = np.concatenate([[0], np.cumsum(rate[1:] + rate[:-1])])
    spent = spent / spent[-1] if spent[-1] > 0 else x
    at = np.array(steps)[late] / n_steps
    s, losses = np.interp(at, x, spent), np.asarray(losses, float)
    terms = np.stack([np.ones(len(at)), -s, np.interp(at, x, rate)], axis=1)  # [T, 3]
    tenth = _weights_at(0.9, s)
    tenth[-1] -= 1
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        fall = np.minimum(_least_slope(terms, losses[..., late]) / 10, losses[..., late] @ tenth)
        size = np.maximum(losses[..., -1], NOTHING_LEFT * losses.max(-1))
        return np.where(size > 0, fall / size, np.where(size == 0, 0, np.nan)).astype(np.float32)


def _least_slope(terms: NDArray, losses: NDArray) -> NDArray:
    """Return the second coefficient of a fit to losses `[…, T]`, less two standard errors."""
    solve = np.linalg.pinv(terms)  # [3, T]
    left = losses - losses @ solve.T @ terms.T
    freedom = max(1, len(terms) - np.linalg.matrix_rank(terms))
    error = np.sqrt(np.sum(left**2, -1) / freedom * np.sum(solve[1] ** 2))
    return losses @ solve[1] - 2 * error


def _weights_at(s: float, points: NDArray) -> NDArray:
    """Return the weights of linear interpolation between points, at s."""
    return np.array([np.interp(s, points, one) for one in np.eye(len(points))])


def fall_fields(fall: NDArray[np.float32], diverged: NDArray) -> dict[str, Field]:
    """Name the share by which losses still fall, `[S, C]`, and mark the runs that are not done."""
    fall = np.where(np.asarray(diverged) == 0, fall, np.float32(np.nan))
    return {
        "loss_fall": Field(
            fall, (), "share of the loss that a tenth more training would gain, at the latest pace"
        ),
        "still_falling": Field(
            (fall > STILL_FALLING).astype(np.int8),
            (),
            f"1 where `loss_fall` is above {STILL_FALLING:g}",
            ("settled", "still_falling"),
        ),
    }
