"""Progress: who is told of it, and the bar on a terminal or the periodic lines in a log."""

import sys
import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 10.0


class Report(Protocol):
    """Receives progress events."""

    def start(self, models: int, cost: int, done: int, of: str = "models") -> None:
        """Hear, before work starts, how many of what there are, the cost, and what is done."""
        ...

    def advance(self, cost: int) -> None:
        """Hear that so much more of the cost is done."""
        ...

    def finish(self) -> None:
        """Hear that it is over, however it ended."""
        ...


class Quiet:
    """A `Report` that ignores every event."""

    def start(self, models: int, cost: int, done: int, of: str = "models") -> None:
        """Ignore the start."""

    def advance(self, cost: int) -> None:
        """Ignore progress."""

    def finish(self) -> None:
        """Ignore the end."""


class Bar:
    """A progress bar on a terminal; a line every ten seconds where output goes to a file."""

    def __init__(self, name: str) -> None:
        """Take the name that stands before the bar."""
        self.name = name
        self.console = Console(file=sys.stderr, highlight=False)
        self.bar: Progress | None = None

    def start(self, models: int, cost: int, done: int, of: str = "models") -> None:
        """Say how much there is; nothing where all is done already."""
        self.total, self.done, self.found = cost, done, done
        self.began = self.last = time.monotonic()
        if done:
            self._say(f"resuming: {done / cost:.0%} was finished before")
        if self.console.is_terminal and done < cost:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(elapsed_when_finished=True),
            )
            self.bar = Progress(*columns, console=self.console)
            self.task = self.bar.add_task(f"{self.name}: {models:,} {of}", total=cost)
            self.bar.update(self.task, completed=done)
            self.bar.start()

    def advance(self, cost: int) -> None:
        """Show that so much more is done."""
        self.done += cost
        if self.bar is not None:
            self.bar.update(self.task, completed=self.done)
        elif time.monotonic() - self.last > SECONDS_BETWEEN_LINES:
            self.last = time.monotonic()
            rate = (self.done - self.found) / (self.last - self.began)
            left = (self.total - self.done) / rate
            self._say(f"{self.done / self.total:4.0%}, about {left:.0f} s left")

    def finish(self) -> None:
        """Stop the bar."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def _say(self, text: str) -> None:
        self.console.print(f"{self.name}: {text}", soft_wrap=True)
