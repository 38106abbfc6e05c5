"""What an executor is: it is given blocks and yields them as they finish.

`sweeps.computation` knows nothing else of where a block is computed.
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
    """A block that is to be computed."""

    number: int
    block: Block


class Folder(Protocol):
    """Keeps blocks, as `sweeps.folder.RunFolder`."""

    path: Path

    def files(self) -> "Folder":
        """Return the same without what this process alone has of it, such as a lock."""
        ...

    def block_path(self, i: int) -> Path:
        """Return where block i is kept."""
        ...

    def save_block(self, i: int, arrays: dict[str, np.ndarray]) -> None:
        """Keep finished block i."""
        ...

    def checkpoint(self, i: int, block: Block) -> Any:
        """Return the place of what is done of block i."""
        ...


class Executor(Protocol):
    """Computes blocks somewhere."""

    def run(
        self, jobs: Iterable[Job], folder: Folder | None, advance: Callable[[int], None]
    ) -> Generator[tuple[int, Arrays], None, None]:
        """Compute blocks and keep them, and yield the number of each as it is done.

        Closed before its end, it keeps what is finished and stops what is not.

        Args:
            jobs: the blocks, taken one after the other; each may be done when the next is taken.
            folder: keeps them; None hands their arrays on instead.
            advance: is told how much of the cost is done.
        """
        ...


class InProcess:
    """One block after the other, in this process."""

    def run(
        self, jobs: Iterable[Job], folder: Folder | None, advance: Callable[[int], None]
    ) -> Generator[tuple[int, Arrays], None, None]:
        """Compute each block from where it was left."""
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
