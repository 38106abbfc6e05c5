"""What a sweep of very many small models costs beside its training, and what two processes gain.

    python -m benchmarks.scale [--models 10000 …] [--cells seeds …] [--folder DIR]
    python -m benchmarks.scale --parts

The first plans sweeps of 2→1, joins their blocks, and opens the results. Only the models of the
first block are trained; all other blocks hold copies of its numbers. Each stage runs in a process
of its own, whose time and peak memory are printed. The second trains the same sweeps by one process
and by two (`benchmarks.parts`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sweeps.computation import Computation
    from sweeps.config.sweep import SweepConfig

SIZES = (10_000, 100_000, 1_000_000)
SEEDS = 10
CELLS = ("seeds", "grid", "draws")  # cells × 10 seeds; a grid of cells; cells that share no value
KEEP = ["loss", "norm"]


class Row(NamedTuple):
    """A sweep: how many models, what cells they are, and whether few variables are kept."""

    models: int
    cells: str  # one of `CELLS`
    keep: bool

    @property
    def name(self) -> str:
        """What the row is called."""
        words = {
            "seeds": f"{self.models // SEEDS:,} cells × {SEEDS} seeds",
            "grid": f"{self.models:,} cells of a grid",
            "draws": f"{self.models:,} cells drawn at random",
        }
        return words[self.cells] + (f", `keep = {json.dumps(KEEP)}`" if self.keep else "")

    def table(self) -> dict[str, Any]:
        """Return the sweep's config; batches and evaluation are small, which changes no shape."""
        table: dict[str, Any] = {
            "name": "scale",
            "model": "relu",
            "n_features": 2,
            "n_hidden": 1,
            "batch_size": 16,
            "evaluation_size": 64,
        }
        table |= {"keep": KEEP} if self.keep else {}
        if self.cells == "draws":
            return table | {"zip": {"draw": _drawn(self.models)}}
        seeds = SEEDS if self.cells == "seeds" else 1
        n = self.models // seeds
        side = max(i for i in range(1, int(n**0.5) + 1) if n % i == 0)
        axes = {
            "p_active": {"log": [0.01, 1.0, side]},
            "importance.relative": {"log": [0.1, 10.0, n // side]},
            "seed": {"range": seeds},
        }
        return table | {"grid": axes}


def _drawn(n: int) -> dict[str, list[float]]:
    """Return a density and an importance for each of n cells."""
    import numpy as np

    rng = np.random.default_rng(0)
    p_active, relative = 10.0 ** rng.uniform([[-2], [-1]], [[0], [1]], (2, n))
    return {"p_active": p_active.tolist(), "importance.relative": relative.tolist()}


def rows(sizes: Sequence[int], cells: Sequence[str]) -> list[Row]:
    """Return the rows of the table."""
    return [Row(n, how, keep=how == "draws") for n in sizes for how in cells]


def planned(row: Row) -> tuple["SweepConfig", "Computation"]:
    """Return a sweep and its computation, with programs built."""
    from sweeps.computation import Computation
    from sweeps.config.parse import parse
    from sweeps.machine import DEFAULT_MEMORY_GIB, in_bytes
    from sweeps.progress import Quiet

    config = parse(row.table())
    memory = in_bytes(DEFAULT_MEMORY_GIB)
    keep = config.keep
    return config, Computation(config.grid, config.build, config.seed, memory, Quiet(), keep)


def plan(row: Row, out: Path) -> dict[str, Any]:
    """Build the programs and cut them."""
    _, work = planned(row)
    return {"blocks": len(work.jobs())}


def write(row: Row, out: Path) -> dict[str, Any]:
    """Write all block files, with the numbers of the first; its time is not printed."""
    from sweeps.executors.base import InProcess
    from sweeps.folder import RunFolder
    from sweeps.packed import cut_of
    from sweeps.run import folder_of

    config, work = planned(row)
    with RunFolder(folder_of(config, out), config.as_json()) as folder:
        jobs = work.jobs(folder)
        ((_, arrays),) = InProcess().run(jobs[:1], None, lambda cost: None)
        for i, block in jobs:
            folder.save_block(i, (arrays or {}) | cut_of(block))
    return {}


def look(row: Row, out: Path) -> dict[str, Any]:
    """Plan, and see which blocks are there, as a resumed run does first."""
    from sweeps.folder import RunFolder
    from sweeps.run import folder_of

    config, work = planned(row)
    with RunFolder(folder_of(config, out), config.as_json()) as folder:
        jobs = work.jobs(folder)
        began = time.perf_counter()
        found = sum(folder.has_block(*job) for job in jobs)
        return {"inner": time.perf_counter() - began, "blocks": found}


def join(row: Row, out: Path) -> dict[str, Any]:
    """Run the sweep, all blocks of which are there: plan, look, join, and write the result."""
    from sweeps import run_sweep

    dataset = run_sweep(row.table(), out=out)
    assert dataset["loss"].size == row.models
    return {"bytes": (out / "scale.nc").stat().st_size}


def whole(row: Row, out: Path) -> dict[str, Any]:
    """Open the result as `toymodels` does, which reads all of its bytes, and take a mean."""
    from sweeps.store import open_dataset

    return {"mean": float(open_dataset(out / "scale.nc")["loss"].mean())}


def lazily(row: Row, out: Path) -> dict[str, Any]:
    """Open the result lazily and take a slice: the losses at the first value of an axis."""
    import xarray as xr

    with xr.open_dataset(out / "scale.nc", chunks={}) as dataset:
        losses = dataset["loss"]
        return {"values": losses.isel({losses.dims[0]: 0}).values.size}


STAGES = {f.__name__: f for f in (plan, write, look, join, whole, lazily)}


def peak_bytes() -> int:
    """Return the largest memory of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():  # `getrusage` would count the peak of the parent process as well
        (line,) = (t for t in status.read_text().splitlines() if t.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_process(stage: str, row: Row, out: Path) -> dict[str, Any]:
    """Run a stage in a process of its own."""
    given = [stage, json.dumps(row), str(out)]
    command = [sys.executable, "-m", "benchmarks.scale", "--stage", *given]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def stage_here(stage: str, row: Row, out: Path) -> dict[str, Any]:
    """Run a stage in this process; return its seconds without imports, its memory with them."""
    import dask.array  # noqa: F401 - these imports, too, are not part of the stage
    import h5netcdf  # noqa: F401
    import jax

    from sweeps.config.parse import every_key

    jax.devices()
    every_key()
    began, processor = time.perf_counter(), time.process_time()
    found = STAGES[stage](row, out)
    seconds = {"wall": time.perf_counter() - began, "cpu": time.process_time() - processor}
    return seconds | {"peak": peak_bytes()} | found


HEAD = (
    "models",
    "plan",
    "see which blocks are there",
    "plan, see, join",
    "result, MB (bytes a model)",
    "open whole",
    "open lazily, a slice",
)


def measured(row: Row, folder: Path) -> list[str]:
    """Return a line of the table."""
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        found = {stage: in_process(stage, row, Path(inside)) for stage in STAGES}

    def told(stage: str) -> str:
        of = found[stage]
        return f"{of['wall']:.2g} / {of['cpu']:.2g}, {of['peak'] / 2**30:.2f}"

    size, blocks = found["join"]["bytes"], found["look"]["blocks"]
    looked = f"{found['look']['inner']:.2g} s of {blocks} blocks"
    result = f"{size / 1e6:,.3g} ({size / row.models:.0f})"
    return [row.name, told("plan"), looked, told("join"), result, told("whole"), told("lazily")]


def print_table(table: Sequence[Row], folder: Path) -> None:
    """Measure and print every row."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("seconds of the wall / of processors, without imports; then GiB, with imports\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    for row in table:
        print(f"| {' | '.join(measured(row, folder))} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--models", type=int, nargs="+", default=SIZES)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument("--folder", type=Path, default=None, help="a disk with room for 3 GB")
    parser.add_argument("--parts", action="store_true", help="one process and two")
    parser.add_argument("--stage", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if any(n < SEEDS or n % SEEDS for n in given.models):
        parser.error(f"--models: give multiples of {SEEDS}, the number of seeds")
    if given.stage:
        stage, row, out = given.stage
        print(json.dumps(stage_here(stage, Row(*json.loads(row)), Path(out))))
    elif given.parts:
        from benchmarks.parts import print_parts

        print_parts()
    else:
        print_table(rows(given.models, given.cells), given.folder or Path(tempfile.gettempdir()))


if __name__ == "__main__":
    main()
