"""Seconds of the exact solver, its floor, and the same cells trained on samples, in one run.

    python -m benchmarks.solver [--side 100] [--cells 8] [--torch-steps 200]

The sampled recipe is that of `torch_loop`: one seed, 10,000 steps of 1,024 samples, cells × cells
of the map. Our engine trains them to the end, and how the ends compare is read off these; PyTorch's
loop takes a few hundred steps, whose time is extrapolated. Both sides' ends are valued by the same
expected loss, and only cells in which the solver's is equal or lower count for it.
"""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.ours import OurLoop, Row, make_block
from benchmarks.rates import BYTES, matrix_rate, median_seconds, memory_rate
from benchmarks.torch_loop import TorchLoop, import_torch
from toymodels.exact import newton
from toymodels.exact.end_points import differ
from toymodels.exact.search import EFFORT, expected_losses
from toymodels.exact.solver import solve

PROBLEMS = ((2, 1), (3, 2))
SAMPLED_STEPS, BATCH_SIZE = 10_000, 1024
WORSE = 0.01  # a sampled end that is this share above the optimum, and another solution, is worse

# Operations of one pair of features at one node, counted in `moments._over_pairs`: two moments of
# six orders at two roots each, and the interval they lie on.
PAIR_OPERATIONS = 120


class Map(NamedTuple):
    """Densities and importances of cells, `[C, F]`."""

    p_active: np.ndarray
    importance: np.ndarray


@dataclass(frozen=True)
class MapRow(Row):
    """The cells of a map as a sweep; `cells` is the square of `side`."""

    side: int = 1

    def table(self) -> dict[str, Any]:
        """Return the sweep's config."""
        axes = {
            "importance.relative": {"log": [0.1, 10.0, self.side]},
            "p_active": {"log": [0.01, 1.0, self.side]},
            "seed": {"range": self.seeds},
        }
        return super().table() | {"grid": axes, "steps": SAMPLED_STEPS}


def make_map(n_features: int, side: int) -> Map:
    """Lay out side × side cells: the last feature's importance by the density of all."""
    importance = np.ones((side, side, n_features))
    importance[..., -1] = np.geomspace(0.1, 10, side)[:, None]
    p_active = np.broadcast_to(np.geomspace(0.01, 1, side)[None, :, None], importance.shape)
    return Map(*(np.reshape(a, (-1, n_features)) for a in (p_active, importance)))


def seconds_of(f: Any) -> tuple[float, float, Any]:
    """Return wall and processor seconds of `f()`, and what it returns."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = f()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def operations(n_features: int, n_hidden: int) -> int:
    """Count the operations of one Newton step of one start."""
    F, P, n = n_features, n_features * (n_hidden + 1), EFFORT[n_features].n_nodes
    pairs = sum(second * (n + 1) ** (F - 1 - second) for second in range(1, F))
    chain = 2 * F * (F + 1) ** 2 * n_hidden + 4 * (F * n_hidden) ** 2
    return F * pairs * PAIR_OPERATIONS + chain + 2 * P**3 // 3


def bytes_moved(n_features: int, n_hidden: int) -> int:
    """Count the bytes of one step that pass memory if all within a step stays on chip."""
    P = n_features * (n_hidden + 1)
    return BYTES * 2 * (P * P + 2 * P + 2)  # Hessian, gradient, point, loss, damping: in and out


def print_step(n_features: int, n_hidden: int, rates: tuple[float, float]) -> None:
    """Print the time of one Newton step of one start, and the least it could take."""
    width = EFFORT[n_features].width
    rng = np.random.default_rng(0)
    size = n_features * (n_hidden + 1), width
    x = jnp.asarray(rng.normal(size=size), jnp.float32)
    problem = newton.Problem(*np.full((2, n_features, width), 0.3, np.float32))
    nodes = {"n_hidden": n_hidden, "n_nodes": EFFORT[n_features].n_nodes}
    few, many = (
        median_seconds(lambda n=n: newton.descend(x, problem, n, **nodes).x, 5) for n in (1, 3)
    )
    per_step = (many - few) / 2 / width
    ops, moved = operations(n_features, n_hidden), bytes_moved(n_features, n_hidden)
    least = max(ops / rates[0], moved / rates[1])
    print(
        f"  a step of one start: {per_step * 1e6:.2f} µs; floor {least * 1e6:.3f} µs "
        f"({ops:,} operations, {moved:,} bytes): {least / per_step:.0%} of that speed"
    )


def print_solve(n_features: int, n_hidden: int, side: int) -> float:
    """Solve a whole map and return its wall seconds per cell."""
    p, importance = make_map(n_features, side)
    first = seconds_of(lambda: solve(p[:1], importance[:1], n_hidden))[0]
    wall, cpu, got = seconds_of(lambda: solve(p, importance, n_hidden))
    print(
        f"{n_features}→{n_hidden}, {side}×{side} cells × {got.n_starts.mean():.1f} starts: "
        f"{wall:.1f} s ({cpu:.1f} s of processors) after {first:.1f} s for one cell with "
        "compilation\n"
        f"  largest difference from the expected loss {got.largest_difference:.1e}; of the starts "
        f"{np.mean(got.n_agree / got.n_starts):.0%} reach the best loss, "
        f"{got.n_agree.min()} at least"
    )
    return wall / len(p)


def time_torch(row: MapRow, cells: Map, torch: Any, n_steps: int) -> float | None:
    """Return the extrapolated seconds of the PyTorch loop for all cells, or None without it."""
    if torch is None:
        return None
    how: dict[str, Any] = {"scale": row.scale, "batch_size": row.batch_size}
    # The loop has one importance for all instances; its value does not change the time.
    loop = TorchLoop(cells.p_active[:, 0], cells.importance[0], row.n_hidden, **how)
    loop.steps(3)
    return seconds_of(lambda: loop.steps(n_steps))[0] / n_steps * SAMPLED_STEPS


def print_sampled(
    n_features: int, n_hidden: int, side: int, torch: Any, torch_steps: int, per_cell: float
) -> None:
    """Train some cells on samples and print how that compares, in time and in what is found."""
    row = MapRow(n_features, n_hidden, side**2, 1, BATCH_SIZE, side)
    loop = OurLoop(make_block(row))
    loop.steps(3)
    taken = seconds_of(lambda: loop.steps(SAMPLED_STEPS - 3))[0]
    features, model = loop.run.task, loop.state.model
    cells = Map(np.array(features.features.p_active), np.array(features.importance))
    best = solve(*cells, n_hidden)
    W, b = (np.stack([a, np.array(c[0])], 1) for a, c in ((best.W, model.W), (best.b, model.b)))
    losses = expected_losses(W, b, *cells).sum(-1)  # [C, 2]
    no_worse = losses[:, 0] <= losses[:, 1] * (1 + 1e-4)
    other = differ(W, b, *cells)[:, 1] & (losses[:, 1] > losses[:, 0] * (1 + WORSE))
    excess = np.median(losses[:, 1] / losses[:, 0] - 1)
    exact = per_cell * len(losses)
    print(
        f"  on {len(losses)} cells, one seed of {SAMPLED_STEPS:,} steps × {BATCH_SIZE:,} samples: "
        f"engine {taken:.1f} s, solver {exact:.3f} s: {taken / exact:,.0f} times\n"
        f"  solver's loss equal or lower in {no_worse.sum()} cells (sampled: {excess:.1%} above in "
        f"the median); sampled ends in a worse solution of another kind in {other.sum()}"
    )
    extrapolated = time_torch(row, cells, torch, torch_steps)
    if extrapolated is not None:
        print(
            f"  PyTorch's loop on these cells: {extrapolated:.0f} s (extrapolated from "
            f"{torch_steps} steps): {extrapolated / exact:,.0f} times the solver's"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.solver", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--side", type=int, default=100, help="cells along an axis of the map")
    parser.add_argument("--cells", type=int, default=8, help="the same of the sampled part")
    parser.add_argument("--torch-steps", type=int, default=200)
    given = parser.parse_args(arguments)
    device, cores = jax.devices()[0].device_kind, os.cpu_count()
    print(f"jax {jax.__version__} on {device}, {cores} cores, load {os.getloadavg()[0]:.1f}")
    rates = matrix_rate(), memory_rate()
    print(f"floor: {rates[0] / 1e9:.0f} Gop/s, {rates[1] / 1e9:.0f} GB/s, measured here")
    torch = import_torch()
    if torch is None:
        print("torch is not installed (pip install 'toymodels[bench]'): no such row.")
    for n_features, n_hidden in PROBLEMS:
        per_cell = print_solve(n_features, n_hidden, given.side)
        print_step(n_features, n_hidden, rates)
        sampled = given.cells, torch, given.torch_steps, per_cell
        print_sampled(n_features, n_hidden, *sampled)


if __name__ == "__main__":
    main()
