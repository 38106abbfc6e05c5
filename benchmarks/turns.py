"""Time loops in turns, so that whatever else the machine does hits all of them.

A loop is anything with `steps(n)`, which takes n steps and waits for the device. Each timing lasts
a stated time: in a few steps alone, waking the cores takes as long as the work.
"""

import time
from collections.abc import Mapping
from typing import Protocol

import numpy as np

PAUSE = 0.2  # seconds for one loop's threads to fall asleep before the next is timed


class Loop(Protocol):
    """Something that goes on by steps."""

    def steps(self, n: int) -> None:
        """Take n steps and wait for the device."""
        ...


def in_turns(loops: Mapping[str, Loop], seconds: float, rounds: int) -> dict[str, np.ndarray]:
    """Return milliseconds per step `[rounds]` of each loop, each timing of about `seconds`."""
    n_steps = {name: steps_in(loop, seconds) for name, loop in loops.items()}
    times: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(rounds):
        for name, loop in loops.items():
            time.sleep(PAUSE)
            times[name].append(taken(loop, n_steps[name]) / n_steps[name] * 1e3)
    return {name: np.array(values) for name, values in times.items()}


def steps_in(loop: Loop, seconds: float) -> int:
    """Return how many steps a loop takes in so many seconds, at least one; compiles it."""
    loop.steps(3)
    return max(1, round(seconds / max(taken(loop, 3) / 3, 1e-6)))


def taken(loop: Loop, n: int) -> float:
    """Return the seconds that n steps take."""
    before = time.perf_counter()
    loop.steps(n)
    return time.perf_counter() - before
