"""Many models in one block on a GPU: models × steps per second, and how near that is to its limits.

    python -m benchmarks.devices [--models 10000] [--steps 500] [--rounds 5] [--device-memory GIB]

Three problems at batch 1024, each trained side by side in a single block of the engine, and then
by a plain PyTorch loop of the same recipe (see `torch_loop`). Times are medians over rounds, with
the least and the greatest. Two lower bounds on the time of a step are computed, from rates that are
measured here:

- *on chip*: uniforms are read once for each seed, weights and Adam's two moments are read and
  written, and everything in between stays on the chip. If computing takes longer, the bound is that
  of the five products and of `ELEMENTWISE` operations for every feature of every example.
- *through memory*: in addition, every array between two products is written once and read by each
  product that needs it, as when each product is a call to a library. A share above 100 % means that
  a cache held some of them.

If a process has several devices, the block is split over all of them, and the rates are those of
all together; torch uses one. On a CPU, `--models 64 --steps 20` tries it out.
"""

import argparse
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from benchmarks.ours import OurLoop, Row, memory_bytes
from benchmarks.rates import BYTES, bytes_moved, matrix_rate, memory_rate, operations
from benchmarks.torch_loop import TorchLoop, import_torch
from benchmarks.turns import taken
from sweeps.grid import Axis, Dimension, Grid
from sweeps.machine import Machine
from sweeps.plan import Block, Cell, make_programs
from sweeps.work.layout import cut
from sweeps.work.train import TRAIN
from toymodels.features import Independent
from toymodels.models import Init, ReluAutoencoder
from toymodels.optimizers import AdamW, Constant
from toymodels.tasks import Reconstruction
from toymodels.training import Run, TrainSpec

# Features, hidden dimensions, and by what the number of models is divided.
PROBLEMS = ((2, 1, 1), (20, 5, 1), (200, 20, 10))
SEEDS = 8

# For a feature of an example: x from its uniform (3), the output and its error (6), and back (4).
ELEMENTWISE = 13

# Floats of an example that are moved through memory. For each feature: x is written once and read
# three times, the output written and read, its gradient written once and read three times. For each
# hidden dimension: h is written once and read twice, its gradient written and read.
OF_A_FEATURE, OF_A_HIDDEN = 10, 5

# Torch takes so many times fewer steps in a round.
TORCH_SHARE = 10

COLUMNS = (
    "problem",
    "ours, ms/step",
    "models × steps / s",
    "least on chip, ms",
    "share",
    "least through memory, ms",
    "share",
    "torch, ms/step",
    "torch / ours",
    "compiled in, s",
    "memory, GiB: planned, taken",
)


class Rates(NamedTuple):
    """What all devices of this process reach together, as measured."""

    operations: float  # per second, of a large float32 product
    bytes: float  # per second, read and written


def measure_rates(size: int) -> Rates:
    """Measure one device, and assume that the others are like it."""
    n = jax.local_device_count()
    return Rates(n * matrix_rate(size), n * memory_rate(4 * size**2))


def make_block(row: Row, memory: int) -> Block:
    """Cut the row's models into blocks, and return the first; there should be no other.

    No config is read, so that only what training itself needs has to be installed.
    """
    densities, seeds = np.linspace(0.05, 1.0, row.cells).tolist(), tuple(range(row.seeds))
    axes = (Axis("p_active", "p_active", tuple(densities)), Axis("seed", "seed", seeds))
    spec = TrainSpec.create(
        optimizer=AdamW(),
        schedule=Constant(),
        learning_rate=1e-3,
        weight_decay=0.01,
        batch_size=row.batch_size,
    )
    init = Init(
        np.float32(row.scale), ReluAutoencoder, n_features=row.n_features, n_hidden=row.n_hidden
    )

    def build(values: dict[str, Any]) -> Cell:
        features = Independent.create(values["p_active"], row.n_features)
        return Cell(TRAIN, Run(Reconstruction.create(features), init, spec))

    grid = Grid(tuple(Dimension(axis.name, (axis,)) for axis in axes))
    (program,) = make_programs(grid, build)
    block, *others = cut(program, Machine.here(memory))
    if others:
        print(f"{row.name}: in {1 + len(others)} blocks, of which the first is timed", flush=True)
    return block


def timed(loop: Any, n_steps: int, rounds: int) -> np.ndarray:
    """Return milliseconds per step, `[rounds]`, after a few steps to warm up."""
    loop.steps(max(1, n_steps // 10))
    return np.array([taken(loop, n_steps) / n_steps * 1e3 for _ in range(rounds)])


def least_times(row: Row, rates: Rates) -> tuple[float, float]:
    """Return lower bounds on the milliseconds of a step: on chip, and through memory."""
    entries = row.models * row.batch_size
    computing = (operations(row) + ELEMENTWISE * entries * row.n_features) / rates.operations
    on_chip = bytes_moved(row)
    between = OF_A_FEATURE * row.n_features + OF_A_HIDDEN * row.n_hidden
    through = on_chip + BYTES * entries * between
    on_chip, through = (max(computing, moved / rates.bytes) for moved in (on_chip, through))
    return 1e3 * on_chip, 1e3 * through


def torch_times(row: Row, n_steps: int, rounds: int) -> np.ndarray | None:
    """Time the plain loop; None if torch is not installed or its tensors do not fit."""
    torch = import_torch()
    if torch is None:
        return None
    device = "cuda" if jax.default_backend() != "cpu" and torch.cuda.is_available() else "cpu"
    how: dict[str, Any] = {"scale": row.scale, "batch_size": row.batch_size, "device": device}
    try:
        loop = TorchLoop(row.p_active(), np.ones(row.n_features), row.n_hidden, **how)
        return timed(loop, n_steps, rounds)
    except torch.cuda.OutOfMemoryError:
        print(f"{row.name}: torch runs out of memory", flush=True)
        return None
    finally:
        if device == "cuda":
            torch.cuda.empty_cache()


def spread(values: np.ndarray | None) -> str:
    """Return a median as text, with the least and the greatest value."""
    if values is None:
        return "–"
    low, middle, high = (f"{v:.3g}" for v in np.quantile(values, (0, 0.5, 1)))
    return f"{middle} ({low}–{high})"


def line(cells: Sequence[str]) -> str:
    """Return a line of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def print_row(row: Row, rates: Rates, memory: int, n_steps: int, rounds: int) -> None:
    """Measure our engine and then torch for a row, and print its line."""
    block = make_block(row, memory)
    loop = OurLoop(block)
    compiling = taken(loop, 1)
    ours = timed(loop, n_steps, rounds)
    memory_gib = f"{TRAIN.block_bytes(block) / 2**30:.3g}, {peak_gib()}"
    n = block.n_models
    del loop
    torch = torch_times(row, max(1, n_steps // TORCH_SHARE), rounds)
    middle = float(np.median(ours)) * row.models / n  # of a block that holds a part
    on_chip, through = least_times(row, rates)
    cells = (
        f"{row.name}, {block.layout.seeds * block.layout.cells:,} at a time",
        spread(ours),
        f"{n / np.median(ours) * 1e3:,.0f}",
        f"{on_chip:.3g}",
        f"{on_chip / middle:.1%}",
        f"{through:.3g}",
        f"{through / middle:.0%}",
        spread(torch),
        "–" if torch is None else f"{np.median(torch) / middle:.1f}",
        f"{compiling:.1f}",
        memory_gib,
    )
    print(line(cells), flush=True)


def peak_gib() -> str:
    """Return the peak memory in use on a device so far; only GPUs report it."""
    stats = jax.local_devices()[0].memory_stats()
    return f"{stats['peak_bytes_in_use'] / 2**30:.2f}" if stats else "–"


def rows_of(n_models: int) -> tuple[Row, ...]:
    """Return the three problems, and before them 20 → 5 with fewer models."""
    seeds = min(SEEDS, n_models)
    fewer = tuple((20, 5, part) for part in (100, 10))
    rows = (Row(n, m, max(1, n_models // part // seeds), seeds) for n, m, part in fewer + PROBLEMS)
    return tuple(dict.fromkeys(rows))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print every row."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch needs memory as well
    parser = argparse.ArgumentParser(prog="benchmarks.devices", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=500, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device-memory", type=float, metavar="GIB", help="of a block")
    given = parser.parse_args(arguments)
    if min(given.models, given.steps, given.rounds) < 1:
        parser.error("--models, --steps and --rounds are 1 at least")
    memory = memory_bytes() if given.device_memory is None else int(given.device_memory * 2**30)
    device, on_cpu = jax.local_devices()[0], jax.default_backend() == "cpu"
    torch = import_torch()
    print(
        f"jax {jax.__version__} on {jax.local_device_count()} × {device.device_kind}, torch "
        f"{'–' if torch is None else torch.__version__}; blocks of {memory / 2**30:.3g} GiB"
    )
    rates = measure_rates(2048 if on_cpu else 8192)
    print(f"measured: {rates.operations / 1e12:.3g} Top/s float32, {rates.bytes / 1e9:.4g} GB/s\n")
    print(line(COLUMNS), line(["---"] * len(COLUMNS)), sep="\n", flush=True)
    for row in rows_of(given.models):
        try:
            print_row(row, rates, memory, given.steps, given.rounds)
        except jax.errors.JaxRuntimeError as error:  # most likely it does not fit
            print(f"{row.name}: {str(error).splitlines()[0]}", flush=True)


if __name__ == "__main__":
    main()
