"""What the command's verbs do: run sweeps, say how far they are, and what a report needs."""

import json
import time
from pathlib import Path
from typing import Any

from figures.command.parts import own_part, said_of_part
from figures.command.place import describe_device, prepare, tell
from figures.command.stems import stem_of_sweep
from figures.kit.compute import is_sweep, sweep_table
from figures.kit.entry import files
from sweeps.config.parse import parse, read_toml
from sweeps.config.registry import look_in
from sweeps.config.sweep import SweepConfig, config_from_json
from sweeps.differences import differences_of_runs
from sweeps.estimates import estimate
from sweeps.executors.cluster import executor_of
from sweeps.progress import Bar
from sweeps.remarks import remarks
from sweeps.run import part_in_folder, put_result, run_in_folder
from sweeps.status import blocks_done
from toymodels.errors import InputError, hint


def load(file: str, overrides: tuple[str, ...]) -> SweepConfig:
    """Read a sweep: a TOML file, or the name of a figure or sweep of the package.

    Raises:
        InputError: there is none, or it is no sweep.
    """
    is_file = Path(file).exists() and not Path(file).is_dir()
    if not is_file and file in files():
        table = sweep_table(files()[file])
        if not is_sweep(table):
            raise InputError(f"{file} is a figure without a sweep: `toymodels figure {file}`.")
        return parse(table, overrides)
    if not file.endswith(".toml") and not is_file:
        raise InputError(f"{file}: no such file or sweep.{hint(file, files())}")
    look_in(Path(file).parent)
    return parse(read_toml(file), overrides)


def run_file(
    file: str,
    overrides: tuple[str, ...],
    out: Path,
    *,
    dry_run: bool,
    memory: float,
    fresh: bool,
    part: str | None = None,
    cluster: str | None = None,
) -> None:
    """Run a sweep from a TOML file, or a part of it, or print what it would take."""
    config, own = load(file, overrides), own_part(part, fresh, cluster)
    print(f"{config.name}: {describe_device()}")
    print_axes(config)
    if dry_run:
        e = estimate(config, memory)
        print(
            f"  {e.models:,} models in {e.programs} programs and {e.blocks} blocks, "
            f"{e.memory_gib:.2g} GiB, about {e.seconds:.0f} s with compiling"
        )
        return
    path = out / f"{stem_of_sweep(config, _plain(file), overrides)}.nc"
    prepare(out, [path.name])
    print(f"  {config.grid.size:,} models")
    began = time.monotonic()
    how: dict[str, Any] = {"memory_gib": memory, "report": Bar(config.name)}
    if own is None:
        with executor_of(cluster, tell) as executor:
            dataset = run_in_folder(config, out, fresh=fresh, executor=executor, **how)
    elif (dataset := part_in_folder(config, out, own, **how)) is None:
        print(f"  {said_of_part(config, out, own)}")
        return
    put_result(config, out, path)
    print(f"  done in {time.monotonic() - began:.0f} s: {path}")
    for line in remarks(config, dataset):
        print(f"  {line}")


def _plain(file: str) -> SweepConfig | None:
    """Return what a file says by itself; None where that is no whole sweep."""
    try:
        return load(file, ())
    except InputError:
        return None


def print_axes(config: SweepConfig) -> None:
    """Print each axis of a grid with some of its values."""
    for d in config.grid.dimensions:
        for axis in d.axes:
            values = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in axis.values]
            shown = values if len(values) <= 8 else [*values[:3], "…", *values[-2:]]
            along = "" if d.name == axis.name else f" (along {d.name})"
            print(f"  {axis.name}{along}: {len(values)} values: {', '.join(shown)}")


def print_status(folder: Path) -> None:
    """Say how far each run under a folder is."""
    runs = sorted((folder / "runs").glob("*/config.json"))
    if not runs:
        raise InputError(f"{folder} holds no runs: give the folder that was --out.")
    differ = differences_of_runs(runs)
    for path in runs:
        run = path.parent
        told = f", {differ[path]}" if path in differ else ""
        print(f"{run.name}: {_state(run, path)}, {blocks_done(run)}{told}")


def _state(run: Path, path: Path) -> str:
    state = "finished" if (run / "result.nc").is_file() else "not finished"
    try:
        text = path.read_text()
        stored = json.loads(text)
        if "settings" in stored:
            return "analysis of a figure"
        if "built" in stored:
            return state
        versions = config_from_json(text).versions
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return "damaged config"
    if stored.get("versions") != versions:
        state += ", of an older version: it is computed again when asked for"
    return state
