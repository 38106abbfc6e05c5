"""Search for the largest load x = T/N² at which a large network still does its work.

A network is drawn anew for each number of circuits. Loads are those of a list; only neighbours of
the two limits that are looked for are simulated. How many neurons serve a circuit, S, is chosen on
networks of its own, and judged on others.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr

from figures.questions.question_asymptotic_loads import chosen, largest_loads
from sweeps.config.registry import find
from toymodels.circuits import rotation_circuit, simulate_network
from toymodels.circuits.assignment import (
    capacity_of_prime_steps,
    capacity_of_transversal,
)
from toymodels.circuits.examples import draw_embedding, generator
from toymodels.circuits.network import capped_network, inhibition_over_all_pairs
from toymodels.streams import Stream

CAPACITIES = {"prime_steps": capacity_of_prime_steps, "transversal": capacity_of_transversal}


class Case(NamedTuple):
    """A network but for its number of circuits, and how it is run."""

    n_copies: int
    redundancy: int
    assignment: str
    inhibition: float
    n_active: int
    n_layers: int
    seed: int


class Found(NamedTuple):
    """What the last layer of a network does."""

    spurious: float  # share of inactive circuits whose indicator is above ½
    error: float  # mean |x̂ - x|² of active circuits


class Examples(NamedTuple):
    """How many examples a network is run on."""

    fewest: int
    reads: int  # at least so many examples times circuits


class Search(NamedTuple):
    """What is looked for, and where."""

    loads: list[float]
    limits: Found
    examples: Examples


def measure(case: Case, load: float, examples: Examples) -> Found:
    """Draw a network of a load and simulate it.

    χ balances all pairs of circuits, as the post writes it. Its code takes ordered pairs, which
    differ by 2 % at most, but are most of the time of a network of 64,000 circuits.
    """
    n_circuits = round(load * case.n_copies**2)
    key = jax.random.key(case.seed)
    held = draw_embedding(
        key,
        find("assignment", case.assignment),
        n_circuits,
        case.n_copies,
        case.redundancy,
        case.n_layers,
    )
    angles = generator(key, Stream.ANGLES).uniform(0, 2 * np.pi, n_circuits)
    network = capped_network(
        rotation_circuit(angles), held, case.n_copies, case.inhibition, inhibition_over_all_pairs
    )
    n_samples = max(examples.fewest, -(-examples.reads // n_circuits))
    run = simulate_network(key, network, n_active=case.n_active, n_samples=n_samples)
    return Found(float(run.spurious[-1]), float(run.mse_x_active[-1]))


def fitting(case: Case, loads: list[float]) -> int:
    """Return how many of the loads, from the first, have room in the assignment."""
    most = CAPACITIES[case.assignment](case.n_copies, case.redundancy)
    return sum(case.n_active <= round(load * case.n_copies**2) <= most for load in loads)


def walk(
    measured: Callable[[int], Found], limits: Found, n_loads: int, start: int
) -> dict[int, Found]:
    """Measure loads until each limit is passed between two neighbours.

    Args:
        measured: of load number 0, 1, ….
        limits: the largest numbers that are allowed.
        n_loads: how many loads there are.
        start: the first to measure.

    Returns:
        What was measured by number of the load: with the last load where a limit is not passed,
        with the first where it is passed from there on.
    """
    found: dict[int, Found] = {}
    at: int | None = min(max(start, 0), n_loads - 1)
    while at is not None and n_loads:
        found[at] = measured(at)
        at = _next(found, limits, n_loads)
    return found


def _next(found: dict[int, Found], limits: Found, n_loads: int) -> int | None:
    """Return the load to measure next, or None where both limits are known."""
    first, last = min(found), max(found)
    stride = last - first + 1  # doubles from time to time
    for name in Found._fields:
        good = {i for i, at in found.items() if getattr(at, name) <= getattr(limits, name)}
        high = min(found.keys() - good, default=None)
        low = max((i for i in good if high is None or i < high), default=None)
        if high is None and last < n_loads - 1:
            return min(last + stride, n_loads - 1)
        if low is None and first > 0:
            return max(first - stride, 0)
        if low is not None and high is not None and high - low > 1:
            return (low + high) // 2
    return None


def search(case: Case, what: Search, start: int) -> dict[int, Found]:
    """Measure a case around the limits; loads without room end it."""
    return walk(
        lambda i: measure(case, what.loads[i], what.examples),
        what.limits,
        fitting(case, what.loads),
        start,
    )


def search_redundancies(
    case: Case, what: Search, redundancies: list[int], fixed: int, n_seeds: tuple[int, int]
) -> xr.Dataset:
    """Search for each redundancy on some networks, then for the best ones on others.

    Args:
        case: its redundancy and seed are replaced; seeds count from its own.
        what: is looked for.
        redundancies: to choose from.
        fixed: a redundancy that is judged in any case.
        n_seeds: how many networks choose, and how many judge.

    Returns:
        `spurious` and `error` (redundancy, seed, load), NaN where nothing was measured; `room`
        (redundancy), how many of the loads fit.
    """
    values = np.full((2, len(redundancies), sum(n_seeds), len(what.loads)), np.nan)
    start = len(what.loads) // 2

    def look(i: int, j: int) -> None:
        nonlocal start
        one = case._replace(redundancy=redundancies[i], seed=case.seed + j)
        found = search(one, what, start)
        for at, numbers in found.items():
            values[:, i, j, at] = np.nan_to_num(numbers, nan=np.inf)  # blown up, but measured
        start = _best_known(found, what.limits, start)

    for i in range(len(redundancies)):
        for j in range(n_seeds[0]):
            look(i, j)
    dims = ("redundancy", "seed", "load")
    result = xr.Dataset(
        {name: (dims, of) for name, of in zip(Found._fields, values, strict=True)},
        {
            "redundancy": redundancies,
            "seed": case.seed + np.arange(sum(n_seeds)),
            "load": what.loads,
        },
    )
    room = [fitting(case._replace(redundancy=s), what.loads) for s in redundancies]
    result["room"] = ("redundancy", room)
    best = chosen(largest_loads(result, what.limits._asdict()).largest, n_seeds[0]).values
    judged = sorted({*best.ravel().tolist(), fixed} & set(redundancies))
    for i in map(redundancies.index, judged):
        for j in range(n_seeds[0], sum(n_seeds)):
            look(i, j)
    return result


def _best_known(found: dict[int, Found], limits: Found, start: int) -> int:
    """Return the last load that keeps to both limits, from which the next network sets out."""
    good = [i for i, at in found.items() if np.all(np.array(at) <= np.array(limits))]
    return max(good, default=min(found, default=start))
