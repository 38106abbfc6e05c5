"""What is kept of a block that is not finished yet, so that a killed run loses seconds of it.

Where every block is small there is none: the first is written after some seconds of work, and all
writing together takes a small share of the time. It is removed when its block is kept.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sweeps.packed import cut_of, is_of
from sweeps.sealed import load_arrays, save_arrays

SECONDS_BETWEEN = 10.0
# What writing may take, as a share of the time.
LARGEST_SHARE = 0.02

COST, AT, UNIT = "done/cost", "done/at", "done/unit"


@dataclass
class Checkpoint:
    """The place of one block's checkpoint, and when it was last written."""

    path: Path
    block: Any  # sweeps.plan.Block
    written: float = field(default_factory=time.monotonic)
    spent: float = 0.0  # seconds of the last writing

    def load(self) -> dict[str, np.ndarray]:
        """Return what was kept of this block; nothing where there is none that can be read."""
        return self._of_this_block(None)

    def cost(self) -> int:
        """Return how much of the block's cost was done."""
        kept = self._of_this_block((*cut_of(self.block), COST))
        return int(kept[COST]) if kept else 0

    def _of_this_block(self, names: tuple[str, ...] | None) -> dict[str, np.ndarray]:
        try:
            kept = load_arrays(self.path, names)
        except FileNotFoundError:
            return {}
        except Exception as error:  # whatever zip and numpy come upon
            print(f"{self.path.name} cannot be used ({error}); its block starts again.")
            self.remove()
            return {}
        return kept if is_of(self.block, kept) else {}

    def keep(
        self, arrays: Callable[[], dict[str, np.ndarray]], cost: int, at: tuple[int, int], unit: str
    ) -> None:
        """Write what there is, if it is time to.

        Args:
            arrays: gives what is to be kept.
            cost: how much of the block's cost is done.
            at: how many of how many steps, or whatever the unit is.
            unit: what is counted.
        """
        began = time.monotonic()
        if began - self.written < max(SECONDS_BETWEEN, self.spent / LARGEST_SHARE):
            return
        done = {COST: np.array(cost), AT: np.array(at), UNIT: np.array(unit)}
        try:
            save_arrays(self.path, arrays() | cut_of(self.block) | done)
        except OSError as error:  # the run itself may still end well
            print(f"{self.path.name} cannot be written ({error.strerror}); the run goes on.")
        self.written = time.monotonic()
        self.spent = self.written - began

    def remove(self) -> None:
        """Remove it: its block is finished."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def said_of(path: Path) -> str:
    """Say how far a block is, "step 600 of 2000", or nothing where that cannot be read."""
    with contextlib.suppress(Exception):  # it may be removed or damaged meanwhile
        kept = load_arrays(path, (AT, UNIT))
        done, of = kept[AT].tolist()
        return f"{kept[UNIT]} {done:,} of {of:,}"
    return ""
