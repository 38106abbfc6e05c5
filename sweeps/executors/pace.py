"""Reports from time to time how many workers a cluster has, and how fast they are."""

import contextlib
import time
from collections.abc import Callable

# Blocks that wait at the scheduler: enough for an adaptive cluster to see how far to grow.
FEWEST_WAITING, WAITING_PER_WORKER = 32, 4

SECONDS_BETWEEN_WORDS = 60.0
SECONDS_BETWEEN_COUNTS = 2.0


class Pace:
    """How many workers there are, and how fast they are."""

    def __init__(self, count: Callable[[], int], say: Callable[[str], None]) -> None:
        """Take a function that counts the workers, and one that is told of them."""
        self.counting, self.say, self.models, self.workers = count, say, 0, -1
        self.began = self.said = time.monotonic()
        self.counted = self.began - SECONDS_BETWEEN_COUNTS
        self._count()

    def _count(self) -> None:
        now = time.monotonic()
        if now - self.counted < SECONDS_BETWEEN_COUNTS:
            return
        self.counted, before = now, self.workers
        with contextlib.suppress(OSError, ValueError):
            self.workers = self.counting()
        if self.workers != before:
            waits = "" if self.workers else ", waiting for some"
            self.say(f"on {_counted(self.workers)}{waits}")

    def most_waiting(self) -> int:
        """Return how many blocks may wait at the scheduler."""
        return max(FEWEST_WAITING, WAITING_PER_WORKER * self.workers)

    def count(self, models: int) -> None:
        """Add models that are done."""
        self.models += models
        self._count()
        if time.monotonic() - self.said > SECONDS_BETWEEN_WORDS:
            self.end()

    def end(self) -> None:
        """Report the speed so far."""
        self.said = time.monotonic()
        rate = self.models / max(1e-9, self.said - self.began)
        self.say(f"on {_counted(self.workers)}: {rate:,.3g} models/s")


def _counted(workers: int) -> str:
    return "1 worker" if workers == 1 else f"{max(0, workers)} workers"
