"""What an executor is: it takes blocks, and yields the number of each as it finishes.

This is all that `sweeps.computation` knows about where blocks are computed.
"""

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from sweeps.packed import Output, pack
from sweeps.plan import Block
from sweeps.programs import make_room_for_programs

# A packed block, see `sweeps.packed`; None where it lies in the run's folder.
Arrays = dict[str, np.ndarray] | None


class Job(NamedTuple):
    """A block to compute."""

    number: int
    block: Block


class Folder(Protocol):
    """Where blocks are kept, such as `sweeps.folder.RunFolder`."""

    path: Path

    def files(self) -> "Folder":
        """Return this folder without what only this process holds, such as a lock."""
        ...

    def block_path(self, i: int) -> Path:
        """Return the path of block i."""
        ...

    def save_block(self, i: int, arrays: dict[str, np.ndarray]) -> None:
        """Keep finished block i."""
        ...

    def checkpoint(self, i: int, block: Block) -> Any:
        """Return where the unfinished state of block i is kept."""
        ...


class Executor(Protocol):
    """Computes blocks somewhere."""

    def run(
        self, jobs: Iterable[Job], folder: Folder | None, advance: Callable[[int], None]
    ) -> Generator[tuple[int, Arrays], None, None]:
        """Compute blocks and keep them, and yield the number of each as it finishes.

        If it is closed early, it keeps the finished blocks and stops the others.

        Args:
            jobs: the blocks, taken one by one; a block may be finished when the next is taken.
            folder: keeps them; if None, their arrays are yielded as well.
            advance: is told how much of the cost is done.
        """
        ...


class InProcess:
    """One block after the other, in this process."""

    def run(
        self, jobs: Iterable[Job], folder: Folder | None, advance: Callable[[int], None]
    ) -> Generator[tuple[int, Arrays], None, None]:
        """Compute each block, going on from its checkpoint if it has one."""
        for number, block in jobs:
            arrays = pack(block, _computed(number, block, folder, advance))
            if folder is None:
                yield number, arrays
            else:
                folder.save_block(number, arrays)
                yield number, None
            make_room_for_programs()


def _computed(
    number: int, block: Block, folder: Folder | None, advance: Callable[[int], None]
) -> Output:
    work = block.program.work
    if folder is None:
        return work.run(block, advance)
    return work.resume(block, advance, folder.checkpoint(number, block))
