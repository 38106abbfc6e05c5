"""How long blocks will take, from a little of their work."""

import time
from collections.abc import Callable, Sequence

from sweeps.plan import Block

# After so long no further program is timed: an estimate is for planning.
TIMING_SECONDS = 10.0

Blocks = list[Block]


def extrapolated(
    programs: Sequence[Blocks],
    weight: Callable[[Blocks], float],
    measure: Callable[[Blocks], tuple[float, float]],
) -> float:
    """Return about how many seconds the blocks of all programs take.

    Args:
        programs: the blocks of each.
        weight: about in which ratio programs take their time.
        measure: times a little of one program and returns the seconds that it takes once, to
            compile, and those of all its blocks. The costliest program comes first; those that are
            not timed within `TIMING_SECONDS` take what their weight says.
    """
    began, once, seconds, timed = time.monotonic(), [], 0.0, 0.0
    for blocks in sorted(programs, key=weight, reverse=True):
        if once and time.monotonic() - began > TIMING_SECONDS:
            break
        compiling, work = measure(blocks)
        once.append(compiling)
        seconds, timed = seconds + work, timed + weight(blocks)
    everything = sum(map(weight, programs))
    return sum(once) / len(once) * len(programs) + seconds * everything / timed


def twice(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that work takes once, to compile, and those that it takes each time.

    What takes longer than `TIMING_SECONDS` is done once only, as if compiling took nothing.
    """
    times = []
    while len(times) < 2 and sum(times) < TIMING_SECONDS:
        began = time.monotonic()
        work()
        times.append(time.monotonic() - began)
    return max(times[0] - times[-1], 0.0), times[-1]
