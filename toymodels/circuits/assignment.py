"""Which of the N large neurons serve which small circuit: index lists `[T, S]`.

Circuit t holds the S neurons `list[t]` of every block of N (one block per small neuron). A good
list lets two circuits share at most one neuron. An assignment is a function
`(n_circuits, n_copies, redundancy) -> [T, S]`, where `n_copies` is N = D / d; one that is itself
random (`DrawnAssignment`) makes a list of its own for every network.

Sources: `prime_steps` is the algorithm of Linsefors & Bushnaq 2025, "Rotations in Superposition"
(section "Assignment", and its code); the transversal design is the standard one over a prime
field, after Linsefors' "Circuits in Superposition 2" asks for an overlap of at most one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from toymodels.checks import count
from toymodels.circuits.checks import Indices, as_list, require_copies
from toymodels.errors import InputError

Assignment = Callable[[int, int, int], Indices]


def prime_steps(n_circuits: int, n_copies: int, redundancy: int) -> Indices:
    """Return the published list: arithmetic progressions whose steps avoid small primes.

    A circuit is `{i, i + s, …, i + (S-1) s}`. Neighbours in the list hold disjoint progressions
    of one step s; when the N neurons are used up the next shift of s follows, then the next step.
    Two circuits share at most one neuron. Usage is unbalanced where the list ends midway.

    Args:
        n_circuits: T, at most `capacity_of_prime_steps(n_copies, redundancy)`.
        n_copies: N = D / d.
        redundancy: S, the neurons of one circuit in one block.

    Returns:
        `[T, S]` int32.

    Raises:
        InputError: more circuits than the list can hold, or S > N; says what would fit.
    """
    _require_sizes(n_circuits, n_copies, redundancy)
    if redundancy == 1:  # nothing can overlap more than once: one neuron after the other
        return (np.arange(n_circuits, dtype=np.int32) % n_copies)[:, None]
    _require_capacity(n_circuits, n_copies, redundancy, capacity_of_prime_steps)
    starts, steps = [], []
    missing = n_circuits
    for step in _allowed_steps(n_copies, redundancy):
        start = _starts(step, n_copies, redundancy)[:missing]
        starts.append(start)
        steps.append(np.full(start.size, step))
        missing -= start.size
        if missing == 0:
            break
    start, step = np.concatenate(starts), np.concatenate(steps)
    return (start[:, None] + step[:, None] * np.arange(redundancy)).astype(np.int32)


def transversal(n_circuits: int, n_copies: int, redundancy: int) -> Indices:
    """Return a transversal design: lines over the field of q elements, q prime.

    Circuit (a, b) holds the neurons `s q + (a s + b mod q)`, s = 0 … S-1, with q the largest prime
    of S … N/S. Two circuits share at most one neuron, and after every q circuits (one slope a)
    each of the S q neurons is used equally often. At most q² circuits; N - S q neurons stay idle.

    Returns:
        `[T, S]` int32.

    Raises:
        InputError: T > q², or no prime between S and N/S; says what would fit.
    """
    _require_sizes(n_circuits, n_copies, redundancy)
    q = _largest_prime(redundancy, n_copies // redundancy)
    if q is None:
        need = redundancy * next(p for p in _primes() if p >= redundancy)
        raise InputError(
            f"redundancy = {redundancy} needs n_copies >= {need} for a transversal design, but "
            f"there are n_copies = {n_copies} copies of each neuron: use a wider network or a "
            "smaller redundancy."
        )
    _require_capacity(n_circuits, n_copies, redundancy, capacity_of_transversal)
    slope, offset = np.divmod(np.arange(n_circuits)[:, None], q)
    s = np.arange(redundancy)
    return (s * q + (slope * s + offset) % q).astype(np.int32)


@runtime_checkable
class DrawnAssignment(Protocol):
    """An assignment that is itself random: networks take their lists from `draw`."""

    def __call__(self, n_circuits: int, n_copies: int, redundancy: int) -> Indices:
        """Return one example of a list, always the same."""
        ...

    def draw(
        self, rng: np.random.Generator, n_circuits: int, n_copies: int, redundancy: int
    ) -> Indices:
        """Draw the list of one network."""
        ...


@dataclass(frozen=True)
class RandomSubsets:
    """S neurons drawn without replacement for each circuit: the null to compare designs with.

    Circuits may share more than one neuron. Every network has a list of its own, drawn with its
    key. To give all networks one list, fix its seed: `functools.partial(random_subsets, seed=1)`.
    """

    def __call__(self, n_circuits: int, n_copies: int, redundancy: int, seed: int = 0) -> Indices:
        """Return the list of a seed, `[T, S]` int32; arguments and errors as in `draw`."""
        return self.draw(np.random.default_rng(seed), n_circuits, n_copies, redundancy)

    def draw(
        self, rng: np.random.Generator, n_circuits: int, n_copies: int, redundancy: int
    ) -> Indices:
        """Draw a list.

        Returns:
            `[T, S]` int32, each row sorted.

        Raises:
            InputError: S > N.
        """
        _require_sizes(n_circuits, n_copies, redundancy)
        rows = [
            np.sort(rng.choice(n_copies, redundancy, replace=False, shuffle=False))
            for _ in range(n_circuits)
        ]
        return np.array(rows, dtype=np.int32)


random_subsets = RandomSubsets()


def capacity_of_prime_steps(n_copies: int, redundancy: int) -> int:
    """Return the most circuits that `prime_steps` holds: 557 for N = 250, S = 6.

    For S = 1 there is no limit; the answer is then N, the most that share nothing.

    Raises:
        InputError: no whole numbers, or S > N.
    """
    require_copies(n_copies, redundancy)
    if redundancy == 1:
        return n_copies
    steps = _allowed_steps(n_copies, redundancy)
    return sum(_starts(step, n_copies, redundancy).size for step in steps)


def capacity_of_transversal(n_copies: int, redundancy: int) -> int:
    """Return the most circuits that `transversal` holds: q², and 0 where there is no prime q.

    Raises:
        InputError: no whole numbers, or S > N.
    """
    require_copies(n_copies, redundancy)
    q = _largest_prime(redundancy, n_copies // redundancy)
    return 0 if q is None else q * q


def shuffled_layers(rng: np.random.Generator, assignment: Indices, n_layers: int) -> Indices:
    """Return `[L, T, S]`: the list itself in layer 1, then permuted over circuits per layer."""
    layers = [assignment]
    layers += [assignment[rng.permutation(len(assignment))] for _ in range(n_layers - 1)]
    return np.stack(layers)


def usage(assignment: Indices, n_copies: int) -> NDArray[np.int64]:
    """Count the circuits on each neuron of a block, `[N]`.

    Raises:
        InputError: no list of indices below N.
    """
    assignment = as_list(assignment, n_copies)
    return np.bincount(assignment.ravel(), minlength=n_copies)


def members(assignment: Indices, n_copies: int) -> Any:
    """Return the sparse matrix `[T, N]` with a 1 where a circuit holds a neuron.

    Raises:
        InputError: no list of indices below N.
    """
    assignment = as_list(assignment, n_copies)
    n_circuits, redundancy = assignment.shape
    starts = np.arange(0, assignment.size + 1, redundancy, dtype=np.int32)
    ones = np.ones(assignment.size, np.float32)
    shape = (n_circuits, n_copies)
    return scipy.sparse.csr_array((ones, assignment.ravel(), starts), shape=shape)


def overlap_probability(assignment: Indices, n_copies: int) -> float:
    """Return how many neurons two different circuits share on average, `Σ c (c-1) / (T (T-1))`.

    c is `usage`. Where no two circuits share more than one neuron this is the probability that
    they share one. NaN for a single circuit.

    Raises:
        InputError: no list of indices below N.
    """
    used = usage(assignment, n_copies).astype(float)
    n_circuits = len(assignment)
    if n_circuits < 2:
        return float("nan")
    return float(np.sum(used * (used - 1)) / (n_circuits * (n_circuits - 1)))


def balanced_overlap(n_circuits: int, n_copies: int, redundancy: int) -> float:
    """Return the overlap probability if all neurons were used equally, `S (TS/N - 1) / (T - 1)`.

    Zero for a single circuit. A list that uses them unequally has more (`overlap_probability`).
    Source: "Rotations in Superposition", section "Assignment".

    Raises:
        InputError: no whole numbers, or S > N.
    """
    _require_sizes(n_circuits, n_copies, redundancy)
    if n_circuits < 2:
        return 0.0
    return redundancy * (n_circuits * redundancy / n_copies - 1) / (n_circuits - 1)


def largest_overlap(assignment: Indices, n_copies: int) -> int:
    """Return the most neurons that two different circuits share; 0 for a single circuit."""
    held = members(assignment, n_copies)
    shared = held @ held.T
    shared.setdiag(0)
    return int(shared.max())


def _allowed_steps(n_copies: int, redundancy: int) -> Iterator[int]:
    """Yield the steps in the published order: each base step, then its multiples by S, S², …."""
    small = [p for p in range(2, redundancy) if _is_prime(p)]
    longest = (n_copies - 1) // (redundancy - 1)
    for base in range(1, longest + 1):
        if any(base % p == 0 for p in small):
            continue
        step = base
        while step <= longest:
            yield step
            if _is_prime(redundancy):  # then base · S is itself among the base steps
                break
            step *= redundancy


def _starts(step: int, n_copies: int, redundancy: int) -> NDArray[np.int64]:
    """Return the first neurons of the disjoint progressions of one step, shift by shift."""
    shifts = np.arange(step)[:, None]
    inside = np.arange(0, n_copies, redundancy * step)[None, :]
    start = (shifts + inside).ravel()
    return start[start + (redundancy - 1) * step < n_copies]


def _primes() -> Iterator[int]:
    n = 2
    while True:
        if _is_prime(n):
            yield n
        n += 1


def _is_prime(n: int) -> bool:
    return n >= 2 and all(n % p for p in range(2, int(n**0.5) + 1))


def _largest_prime(low: int, high: int) -> int | None:
    return next((n for n in range(high, low - 1, -1) if _is_prime(n)), None)


def _require_sizes(n_circuits: int, n_copies: int, redundancy: int) -> None:
    count("n_circuits", n_circuits)
    require_copies(n_copies, redundancy)


def _require_capacity(
    n_circuits: int, n_copies: int, redundancy: int, capacity: Callable[[int, int], int]
) -> None:
    most = capacity(n_copies, redundancy)
    if n_circuits <= most:
        return
    fits = [s for s in range(redundancy - 1, 1, -1) if capacity(n_copies, s) >= n_circuits]
    smaller = f", or redundancy <= {fits[0]}" if fits else ""
    raise InputError(
        f"n_circuits = {n_circuits} is more than this assignment holds with n_copies = {n_copies} "
        f"copies of each neuron and redundancy = {redundancy}: use n_circuits <= {most}{smaller}, "
        "or a wider network."
    )
