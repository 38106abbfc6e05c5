"""The loss curve: its slope, drops that stand out from what is around them, and plateaus."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toymodels.checks import Floats, finite, number
from toymodels.dynamics.steps import length_of, rising_steps
from toymodels.errors import InputError

# How far around a time the loss is looked at, as a share of the run, and from how many robust
# standard deviations on its fall stands out there.
NEIGHBOURHOOD, MULTIPLE = 0.2, 4.0

# Time over which the loss is averaged before and after a step, as a share of the run: twice the
# window of a jump, for what a jump gains lasts while noise averages out.
SPAN = 0.02

# A median absolute deviation in standard deviations of a normal law.
MAD = 1.4826


class Plateau(NamedTuple):
    """A time in which the loss hardly falls."""

    first: float  # step
    last: float
    loss: float  # median


def log_loss_slope(steps: ArrayLike, loss: ArrayLike, *, span: float = SPAN) -> Floats:
    """Return d log loss / d step, between the means over a span before and one after each step.

    Means leave little of the noise that descent on samples has.

    Args:
        steps: of the curve, `[T]`, rising.
        loss: above 0, `[T]`.
        span: share of the run; at least one neighbour on each side is taken.

    Returns:
        The slope `[T]`; at both ends it is that of the curve's next point.

    Raises:
        InputError: other shapes, steps that do not rise, a loss of 0 or less, NaN.
    """
    t, log_loss = _curve(steps, loss)
    return _slope(t, log_loss, length_of("span", span, t))


def _slope(t: Floats, log_loss: Floats, length: float) -> Floats:
    n = len(t)
    sums_t, sums_l = (np.concatenate([[0], np.cumsum(a)]) for a in (t, log_loss))
    at = np.arange(n)
    low = np.maximum(np.minimum(np.searchsorted(t, t - length), at - 1), 0)
    high = np.minimum(np.maximum(np.searchsorted(t, t + length, "right"), at + 2), n)

    def means(sums: Floats) -> tuple[Floats, Floats]:
        before = (sums[at + 1] - sums[low]) / (at + 1 - low)
        return before, (sums[high] - sums[at]) / (high - at)

    (t0, t1), (l0, l1) = means(sums_t), means(sums_l)
    return (l1 - l0) / (t1 - t0)


def find_drops(
    steps: ArrayLike,
    loss: ArrayLike,
    *,
    span: float = SPAN,
    neighbourhood: float = NEIGHBOURHOOD,
    multiple: float = MULTIPLE,
) -> NDArray[np.bool_]:
    """Tell at which steps the loss falls far faster than around them.

    There `log_loss_slope` is below its median in the neighbourhood by more than `multiple` times
    the spread, which is 1.4826 times the median absolute deviation from that median: outliers,
    the drops themselves, hardly move either.

    Args:
        steps: of the curve, `[T]`, rising.
        loss: above 0, `[T]`.
        span: share of the run, of `log_loss_slope`.
        neighbourhood: share of the run before, and after, each step.
        multiple: of the spread.

    Returns:
        bool `[T]`.

    Raises:
        InputError: as `log_loss_slope`, or a limit out of range.
    """
    t, log_loss = _curve(steps, loss)
    length = length_of("span", span, t)
    around = length_of("neighbourhood", neighbourhood, t)
    multiple = number("multiple", multiple, 0)
    slope = _slope(t, log_loss, length)
    least = np.finfo(np.float32).eps / max(length, float(np.diff(t).min()))  # of rounding
    low, high = np.searchsorted(t, t - around), np.searchsorted(t, t + around, "right")
    found = np.zeros(len(t), bool)
    for k, (a, b) in enumerate(zip(low, high, strict=True)):
        centre = np.median(slope[a:b])
        spread = max(MAD * float(np.median(np.abs(slope[a:b] - centre))), least)
        found[k] = slope[k] < centre - multiple * spread
    return found


def find_plateaus(
    steps: ArrayLike,
    loss: ArrayLike,
    *,
    span: float = SPAN,
    slower: float = 0.5,
    shortest: float = 0.02,
    level: float = 0.03,
) -> tuple[Plateau, ...]:
    """Find when the loss stays where it is, in its logarithm.

    It is flat where log loss falls, and rises, at less than `slower` times the pace that would take
    it from its highest to its lowest along the whole run. Flat stretches one after the other whose
    medians differ by less than `level` are one plateau, for noise cuts them up; plateaus last at
    least `shortest`. Give the logarithm of the steps for plateaus in logarithmic time.

    Args:
        steps: of the curve, `[T]`, rising.
        loss: above 0, `[T]`.
        span: share of the run, of `log_loss_slope`.
        slower: pace, as a share of the mean one.
        shortest: share of the run.
        level: share of the range of log loss.

    Raises:
        InputError: as `log_loss_slope`, or a limit out of range.
    """
    t, log_loss = _curve(steps, loss)
    slope, whole = _slope(t, log_loss, length_of("span", span, t)), np.ptp(log_loss)
    pace = number("slower", slower, 0) * whole / np.ptp(t)
    shortest = length_of("shortest", shortest, t)
    near = number("level", level, 0, 1) * whole
    flat = np.concatenate([[0], np.abs(slope) <= pace, [0]]).astype(int)
    starts, ends = (np.flatnonzero(np.diff(flat) == way) for way in (1, -1))
    found: list[tuple[int, int]] = []
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        before = np.median(log_loss[slice(*found[-1])]) if found else np.inf
        if abs(np.median(log_loss[a:b]) - before) < near:
            found[-1] = (found[-1][0], b)
        else:
            found.append((a, b))
    return tuple(
        Plateau(float(t[a]), float(t[b - 1]), float(np.exp(np.median(log_loss[a:b]))))
        for a, b in found
        if t[b - 1] - t[a] >= shortest
    )


def _curve(steps: ArrayLike, loss: ArrayLike) -> tuple[Floats, Floats]:
    t, values = rising_steps(steps), finite("loss", loss)
    if values.shape != t.shape:
        raise InputError(f"loss has shape {values.shape}: give it as [{len(t)}], like steps.")
    if np.any(values <= 0):
        raise InputError(f"loss = {values[values <= 0][0]}: its logarithm needs losses above 0.")
    return t, np.log(values)
