"""Runs of many cells stacked into one pytree while they are built, in little memory.

Small leaves are copied at once. A large array that cells share, such as the weights of a model
that many of them study, is kept once.
"""

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

# From this size on an array that cells share is kept once.
LARGE_BYTES = 1024

# Small leaves that wait to be copied into one array.
WAITING = 4096


class Shared:
    """An array `[C, …]` kept as its distinct rows `[U, …]` and which of them each cell has."""

    def __init__(self, distinct: NDArray[Any], index: NDArray[np.int64]) -> None:
        """Take the distinct rows, and each cell's."""
        self.distinct, self.index = distinct, index
        self.shape, self.dtype = (len(index), *distinct.shape[1:]), distinct.dtype

    def __getitem__(self, cells: Any) -> NDArray[Any]:
        """Return the rows of one cell or of some."""
        return self.distinct[self.index[cells]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all rows."""
        return np.asarray(self[:], dtype)


class _Small:
    """A small leaf of all cells."""

    def __init__(self) -> None:
        self.done: list[NDArray[Any]] = []
        self.waiting: list[Any] = []

    def add(self, leaf: Any) -> None:
        self.waiting.append(leaf)
        if len(self.waiting) == WAITING:
            self.done.append(np.stack(self.waiting))
            self.waiting.clear()

    def rows(self) -> NDArray[Any]:
        if self.waiting:
            self.done.append(np.stack(self.waiting))
            self.waiting = []
        self.done = [np.concatenate(self.done)]
        return self.done[0]


class _Large:
    """A large leaf of all cells, told apart by identity: what is held keeps its own."""

    def __init__(self) -> None:
        self.held: list[Any] = []
        self.row_of: dict[int, int] = {}
        self.index: list[int] = []
        self.whole: NDArray[Any] | None = None

    def add(self, leaf: Any) -> None:
        row = self.row_of.setdefault(id(leaf), len(self.held))
        if row == len(self.held):
            self.held.append(leaf)
        self.index.append(row)

    def rows(self) -> NDArray[Any] | Shared:
        if self.whole is None:
            self.whole = np.stack(self.held)
            self.held = []
        n, index = len(self.whole), self.index
        return self.whole if n == len(index) else Shared(self.whole, np.array(index))


class Stack:
    """The runs of the cells of one kind of work, structure and shapes."""

    def __init__(self, work: Any, number: int) -> None:
        """Start empty; `number` tells it from others."""
        self.work, self.number, self.n = work, number, 0
        self.structure: Any = None
        self.leaves: list[_Small | _Large] = []

    def add(self, run: Any) -> int:
        """Add the run of a cell and return its row."""
        leaves, structure = jax.tree.flatten(run)
        if not self.n:
            large = [getattr(leaf, "nbytes", 0) >= LARGE_BYTES for leaf in leaves]
            self.structure, self.leaves = structure, [_Large() if n else _Small() for n in large]
        for kept, leaf in zip(self.leaves, leaves, strict=True):
            kept.add(leaf)
        self.n += 1
        return self.n - 1

    def rows(self, rows: NDArray[np.int64]) -> Any:
        """Return the runs of some rows as one pytree, leaves `[C, …]`."""
        everything = len(rows) == self.n and bool((np.diff(rows) > 0).all())
        leaves = [leaf.rows() for leaf in self.leaves]
        if not everything:
            leaves = [
                Shared(leaf.distinct, leaf.index[rows]) if isinstance(leaf, Shared) else leaf[rows]
                for leaf in leaves
            ]
        return jax.tree.unflatten(self.structure, leaves)
