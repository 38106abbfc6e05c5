"""How much two processes gain on two cores: the same sweep by one process, by one on both, by two.

Whole commands are timed, as a shell would see them: `toymodels sweep run FILE --part I/2`. Their
programs were compiled before, by a part that is not timed; each way has a folder of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

CORES = 2


class Sweep(NamedTuple):
    """A sweep of a few blocks of equal cost, about a minute of one core in all."""

    n_features: int
    n_hidden: int
    steps: int
    cells: int = 1024  # a block holds 2,048 models
    seeds: int = 8

    @property
    def name(self) -> str:
        """What the row is called."""
        models = self.cells * self.seeds
        return f"{self.n_features}→{self.n_hidden} × {models:,}, {self.steps:,} steps"

    def text(self) -> str:
        """Return the sweep as TOML."""
        return (
            f'name = "parts"\nmodel = "relu"\nn_features = {self.n_features}\n'
            f"n_hidden = {self.n_hidden}\nsteps = {self.steps}\nevaluation_size = 4096\n[grid]\n"
            f"p_active = {{ log = [0.01, 1.0, {self.cells}] }}\nseed = {{ range = {self.seeds} }}\n"
        )


SWEEPS = (Sweep(2, 1, 2500), Sweep(20, 5, 150))


class Timed(NamedTuple):
    """Seconds of the wall clock, and of all processors."""

    wall: float
    cpu: float


def run(file: Path, out: Path, parts: Sequence[str], cores: Sequence[set[int]]) -> Timed:
    """Run parts of a sweep at the same time, each on its own cores; "" is the whole sweep."""
    before, began = os.times(), time.perf_counter()
    children, said = [], file.with_name("said.txt")
    for part, own in zip(parts, cores, strict=True):
        asked = [sys.executable, "-m", "toymodels", "sweep", "run", str(file), "--out", str(out)]
        asked += ["--part", part] if part else []
        code = (
            "import os, sys; os.sched_setaffinity(0, map(int, sys.argv[1].split(','))); "
            "os.execv(sys.argv[2], sys.argv[2:])"
        )
        on = ",".join(map(str, own))
        command = [sys.executable, "-c", code, on, *asked]
        with open(said, "a") as told:
            children.append(subprocess.Popen(command, stdout=told, stderr=told))
    codes = [child.wait() for child in children]
    if any(codes):
        raise SystemExit(f"a part of the sweep failed:\n{said.read_text()}")
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Timed(time.perf_counter() - began, cpu)


def measure(sweep: Sweep, folder: Path) -> dict[str, Timed]:
    """Return the times of each way to run a sweep."""
    file, cores = folder / "parts.toml", sorted(os.sched_getaffinity(0))[:CORES]
    file.write_text(sweep.text())
    alone, both, each = {cores[0]}, set(cores), [{core} for core in cores]
    parts = [f"{i}/{len(cores)}" for i in range(len(cores))]
    run(file, folder / "one", [f"0/{10**6}"], [alone])
    run(file, folder / "all", [f"0/{10**6}"], [both])
    found = {"one process, one core": run(file, folder / "first", [""], [alone])}
    found["one process, two cores"] = run(file, folder / "second", [""], [both])
    found["two processes, a core each"] = run(file, folder / "third", parts, each)
    found["a start with nothing left to do"] = run(file, folder / "first", [""], [alone])
    return found


def print_parts(sweeps: Sequence[Sweep] = SWEEPS) -> None:
    """Measure and print a table; efficiency is relative to one process on one core."""
    if len(os.sched_getaffinity(0)) < CORES:
        raise SystemExit(f"this needs {CORES} cores.")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n")
    print(
        "| sweep | how | wall, s | processors, s | efficiency |\n|---|---|---|---|---|", flush=True
    )
    for sweep in sweeps:
        with tempfile.TemporaryDirectory() as inside:
            found = measure(sweep, Path(inside))
        base = next(iter(found.values())).wall
        for i, (how, took) in enumerate(found.items()):
            efficiency = f"{base / took.wall / (1 if i == 0 else CORES):.0%}" if i < 3 else ""
            cells = sweep.name, how, f"{took.wall:.1f}", f"{took.cpu:.1f}", efficiency
            print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f} after")
