"""Seconds and memory of circuits in superposition, and the floor of the published sweep.

    python -m benchmarks.circuits [--seeds 1]

The sweep is that of figures 8 to 11 of "Rotations in Superposition": 41 networks, one to four
active circuits, 500 examples, four layers. Its floor is timed in the same run: first the dense
layers at the rate of a 2048³ product, then only the additions and products that our layers
cannot do without (reads, writes, shared weights), one thread for the additions.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Sequence

import jax
import numpy as np

from benchmarks.rates import matrix_rate
from figures.kit.entry import path_of
from sweeps.config.parse import read_toml
from toymodels.circuits import (
    active_rotations,
    rotation_network,
    simulate_circuits,
    simulate_rotations,
)
from toymodels.circuits.assignment import members, prime_steps

REDUNDANCY, N_LAYERS, N_SAMPLES, ACTIVE = 6, 4, 500, (1, 2, 3, 4)
Sizes = list[tuple[int, int]]  # (width, circuits)


def sweep_sizes() -> Sizes:
    """Return the 41 networks of the figure's sweep."""
    network = read_toml(path_of("rotations-sweep"))["zip"]["network"]
    return list(zip(network["width"], network["n_circuits"], strict=True))


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def run_sweep(sizes: Sizes, seed: int) -> None:
    """Simulate every network with one to four active circuits."""
    for width, n_circuits in sizes:
        key = jax.random.key(seed)
        network = rotation_network(
            key, n_circuits=n_circuits, width=width, redundancy=REDUNDANCY, n_layers=N_LAYERS
        )
        for z in ACTIVE:
            simulate_circuits(key, network, active_rotations, n_active=z, n_samples=N_SAMPLES)


def dense_operations(sizes: Sizes) -> float:
    """Return the operations of the D × D layers that we do not form."""
    each = [2 * width**2 * N_SAMPLES * (N_LAYERS - 1) for width, _ in sizes]
    return len(ACTIVE) * float(sum(each))


def shared_operations(sizes: Sizes) -> float:
    """Return the operations of the N × N products that we do."""
    return dense_operations(sizes) / 16


def addition_rate(n_circuits: int = 1100, n_copies: int = 450, columns: int = 384) -> float:
    """Measure additions per second of a sparse read, one thread."""
    held = members(prime_steps(n_circuits, n_copies, REDUNDANCY), n_copies)
    values = np.ones((n_copies, columns), np.float32)
    times = [seconds(lambda: held @ values) for _ in range(30)]
    return n_circuits * REDUNDANCY * columns / float(np.median(times))


def additions(sizes: Sizes) -> float:
    """Return the additions of reads (α, x in every layer) and writes (x, from layer 2)."""
    per_circuit = REDUNDANCY * N_SAMPLES * (3 * N_LAYERS + 2 * (N_LAYERS - 1))
    return len(ACTIVE) * float(sum(n for _, n in sizes)) * per_circuit


def print_single(n_samples: Sequence[int]) -> None:
    """Time one network of the post: D = 1000, T = 557, five layers."""
    for n in n_samples:
        took = seconds(
            lambda n=n: simulate_rotations(
                jax.random.key(0),
                n_circuits=557,
                width=1000,
                redundancy=REDUNDANCY,
                n_active=2,
                n_layers=5,
                n_samples=n,
            )
        )
        print(f"D = 1000, T = 557, z = 2, L = 5, {n} examples: {took:.2f} s")


def print_sweep(sizes: Sizes, seeds: int, matrix_size: int = 2048) -> None:
    """Time the sweep and what it cannot do without."""
    rate, adding = matrix_rate(matrix_size), addition_rate()
    run_sweep(sizes[:1], 0)  # load, compile
    before = time.process_time()
    took = [seconds(lambda seed=seed: run_sweep(sizes, seed)) for seed in range(seeds)]
    spent = (time.process_time() - before) / seeds
    print(f"{len(sizes)} networks × {len(ACTIVE)}: {min(took):.1f} s, {spent:.1f} CPU-s a seed")
    print(f"  dense layers at the rate of a product ({rate / 1e9:.0f} Gop/s):", end=" ")
    print(f"{dense_operations(sizes) / rate:.1f} s")
    sparse = additions(sizes) / adding
    shared = shared_operations(sizes) / rate
    print(f"  floor of ours: shared products {shared:.1f} s, additions {sparse:.1f} CPU-s", end=" ")
    print(f"({adding / 1e9:.1f} G/s); read-out, gating and sums move the rest")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print_single((557, 20 * 557, 100 * 557))
    print_sweep(sweep_sizes(), options.seeds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"largest memory of the process: {peak:.2f} GiB")


if __name__ == "__main__":
    main()
