"""The random part of a simulation: which copies serve a circuit, and examples to run.

A key becomes numpy generators, one per purpose: drawing with `jax.random` would compile a program
for every size. Calls that share a key and sizes share angles, assignment and examples, whatever
their floats (bias, gain, …), so differences between them carry little noise.

Examples come in blocks, so that memory does not grow with their number. The size of a block depends
on the network's sizes alone: the same key gives the same examples on every machine.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import jax
import numpy as np
from numpy.typing import NDArray

from toymodels.checks import count
from toymodels.circuits.assignment import (
    Assignment,
    DrawnAssignment,
    Indices,
    shuffled_layers,
)
from toymodels.circuits.base import Inputs, Network
from toymodels.circuits.checks import require_key
from toymodels.errors import InputError
from toymodels.streams import Stream

# Working memory of one block of examples, the size from which larger blocks gain nothing, and
# the threads that run blocks side by side: at most 1 GiB together.
BLOCK_BYTES = 2**27
LARGEST_BLOCK = 128
LARGEST_CREW = 8

Result = TypeVar("Result")
# (generator, shape) -> active states [*shape, d]
DrawStates = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float32]]


def generator(key: jax.Array, purpose: int) -> np.random.Generator:
    """Return numpy's generator for one purpose under a JAX key.

    Raises:
        InputError: no key.
    """
    require_key(key)
    typed = jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key)
    words = np.asarray(jax.random.key_data(key) if typed else key)
    return np.random.default_rng([*words.tolist(), purpose])


def draw_embedding(
    key: jax.Array,
    assignment: Assignment,
    n_circuits: int,
    n_copies: int,
    redundancy: int,
    n_layers: int,
) -> Indices:
    """Return `[L, T, S]`: the assignment, permuted over circuits anew in every layer after 1.

    One that is itself random is drawn once for the network: as with the others, all layers hold
    the same list, so that designs differ in nothing but their lists.

    Raises:
        InputError: no layer, or what the assignment refuses.
    """
    count("n_layers", n_layers)
    sizes = (n_circuits, n_copies, redundancy)
    if isinstance(assignment, DrawnAssignment):
        held = assignment.draw(generator(key, Stream.ASSIGNMENT), *sizes)
    else:
        held = assignment(*sizes)
    return shuffled_layers(generator(key, Stream.SHUFFLE), held, n_layers)


def draw_blocks(
    key: jax.Array, network: Network, draw_states: DrawStates, n_active: int, n_samples: int
) -> Iterator[Inputs]:
    """Draw the examples block by block; with z = 1 each round activates every circuit once."""
    rng = generator(key, Stream.EXAMPLES)
    block = examples_per_block(network)
    turns = _turns(rng, network.n_circuits, n_samples) if n_active == 1 else None
    for first in range(0, n_samples, block):
        size = min(block, n_samples - first)
        if turns is not None:
            active = turns[first : first + size, None]
        else:
            active = draw_subsets(rng, network.n_circuits, n_active, size)
        yield Inputs(active, draw_states(rng, active.shape))


def draw_subsets(
    rng: np.random.Generator, n_circuits: int, n_active: int, n_samples: int
) -> NDArray[np.int64]:
    """Draw uniform sets of `n_active` different circuits, `[n_samples, n_active]` (Floyd)."""
    chosen = np.empty((n_samples, n_active), np.int64)
    for i, last in enumerate(range(n_circuits - n_active, n_circuits)):
        draw = rng.integers(0, last + 1, n_samples)
        taken = np.any(chosen[:, :i] == draw[:, None], axis=1)
        chosen[:, i] = np.where(taken, last, draw)
    return chosen


def in_order(function: Callable[[Inputs], Result], blocks: Iterable[Inputs]) -> Iterator[Result]:
    """Yield `function(block)` for every block in turn, computed by a thread per core.

    numpy, scipy and XLA release the lock that threads share. A block is drawn when a thread is
    free for it, so that few are in memory at a time.
    """
    crew = min(os.cpu_count() or 1, LARGEST_CREW)
    with ThreadPoolExecutor(crew) as pool:
        running: deque[Future[Result]] = deque()
        for block in blocks:
            running.append(pool.submit(function, block))
            if len(running) >= crew:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def examples_per_block(network: Network) -> int:
    """Return how many examples run together within `BLOCK_BYTES`."""
    f, d = network.circuits.decode.shape
    each = bytes_per_example(network.n_circuits, network.n_copies, f, d)
    return max(1, min(LARGEST_BLOCK, BLOCK_BYTES // each))


def bytes_per_example(n_circuits: int, n_copies: int, f: int, d: int) -> int:
    """Return the working memory of one example, for circuits of d neurons that read f values."""
    return 4 * (n_circuits * (3 * f + 2) + n_copies * (4 * d + 2 * f))


def require_examples(n_active: int, n_samples: int, n_circuits: int) -> None:
    """Check the numbers of active circuits and of examples.

    Raises:
        InputError: z outside 1 … T, or no examples.
    """
    if not 1 <= count("n_active", n_active, None) <= n_circuits:
        raise InputError(
            f"n_active = {n_active} circuits cannot be active of n_circuits = {n_circuits}: use 1 "
            f"to {n_circuits}."
        )
    count("n_samples", n_samples)


def _turns(rng: np.random.Generator, n_circuits: int, n_samples: int) -> NDArray[np.int64]:
    """Return which circuit is active in each example: all in turn before any comes again."""
    rounds = -(-n_samples // n_circuits)
    return np.concatenate([rng.permutation(n_circuits) for _ in range(rounds)])[:n_samples]
