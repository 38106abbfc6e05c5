"""What the command's verbs do: make figures, run sweeps, say how far they are."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

from figures.command.catalogue import choose
from figures.kit.compute import Drawable, has_seed, is_sweep, planned, sweep_table
from figures.kit.entry import Entry, files
from sweeps.config.parse import parse, read_toml
from sweeps.config.registry import look_in
from sweeps.config.sweep import SweepConfig, config_from_json
from sweeps.progress import Bar
from sweeps.remarks import remarks
from sweeps.run import check_target, estimate, run_sweep
from sweeps.store import open_dataset, provenance, save_dataset, writing
from toymodels.errors import InputError, hint


@dataclasses.dataclass(frozen=True)
class Wanted:
    """How figures are to be made."""

    fast: bool
    out: Path
    overrides: tuple[str, ...]
    source: Path | None
    format: str
    memory: float
    fresh: bool

    @property
    def version(self) -> str:
        """The version of the figures' files."""
        return "fast" if self.fast else ""

    def for_entry(self, entry: Entry, n_chosen: int) -> tuple[str, ...]:
        """Return the overrides of one figure; among several, a seed goes where there is one."""
        if n_chosen == 1 or has_seed(entry):
            return self.overrides
        return tuple(text for text in self.overrides if not text.startswith("seed="))


def make_figures(names: tuple[str, ...], wanted: Wanted, group: str | None = None) -> None:
    """Make the figures that are named, and say where they are."""
    import matplotlib as mpl

    mpl.use("Agg")
    chosen = choose(names, group)
    formats = _formats(wanted.format)
    if wanted.source and len(chosen) != 1:
        raise InputError("--from draws one figure: name just one.")
    for entry in chosen:
        if not wanted.source:
            planned(entry, wanted.version, wanted.for_entry(entry, len(chosen)))
        stem = entry.stem(wanted.version)
        _prepare(wanted.out, [f"{stem}.{ending}" for ending in (*formats, "nc")])
    for entry in chosen:
        _make(entry, wanted, formats, wanted.for_entry(entry, len(chosen)))


def _formats(text: str) -> list[str]:
    formats = [part.strip() for part in text.split(",") if part.strip()]
    for part in formats or [text]:
        if part not in ("png", "pdf", "svg"):
            raise InputError(f"format = {part!r}: give png, pdf or svg, with commas between.")
    return formats


def _prepare(out: Path, files: list[str]) -> None:
    """Find out before training whether the results can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with writing(out / ".toymodels-probe") as beside:
            beside.write_bytes(b"")
        (out / ".toymodels-probe").unlink()
    except OSError as error:
        raise InputError(
            f"cannot write to the output folder {out}: {error.strerror}. Choose another with --out."
        ) from None
    for name in files:
        check_target(out / name)


def _make(entry: Entry, wanted: Wanted, formats: list[str], overrides: tuple[str, ...]) -> None:
    began, stem = time.monotonic(), entry.stem(wanted.version)
    dataset = _dataset(entry, wanted, overrides)
    paths = [wanted.out / f"{stem}.{ending}" for ending in formats]
    draw_into(entry, dataset, paths, wanted.source)
    if not wanted.source:
        save_dataset(dataset, wanted.out / f"{stem}.nc")
    made = [*paths, *([] if wanted.source else [wanted.out / f"{stem}.nc"])]
    print(f"  {dataset.attrs.get('claim', '')}")
    print(f"  done in {time.monotonic() - began:.0f} s: {'  '.join(map(str, made))}")


def _dataset(entry: Entry, wanted: Wanted, overrides: tuple[str, ...]) -> Any:
    if wanted.source:
        return open_dataset(wanted.source)
    seconds = entry.fast_seconds if wanted.fast else entry.seconds
    title = f" with {', '.join(overrides)}" if overrides else f": {entry.title}"
    print(f"{entry.name}{title}. {entry.paper}: {entry.section}.")
    print(f"  {describe_device()}; about {seconds} s on two cores if nothing is stored.")
    return Drawable(entry).compute(
        out=wanted.out,
        fast=wanted.fast,
        overrides=overrides,
        memory_gib=wanted.memory,
        fresh=wanted.fresh,
        report=Bar(entry.name),
    )


def draw_into(entry: Entry, dataset: Any, paths: list[Path], source: Path | None = None) -> None:
    """Draw a dataset into files.

    Raises:
        InputError: the dataset, from a file of the user's, is not one of this figure.
    """
    import matplotlib.pyplot as plt

    from figures.kit import style

    with plt.rc_context(style.paper()):
        try:
            figure = Drawable(entry).draw(dataset)
        except (KeyError, ValueError, AttributeError) as error:
            if source is None:
                raise
            raise InputError(f"{source} is not a dataset of {entry.name} ({error}).") from None
        for path in paths:
            with writing(path) as beside:
                figure.savefig(beside, format=path.suffix[1:])
            figure.set_layout_engine("none")  # it is laid out now: once is enough
        plt.close(figure)


def describe_device() -> str:
    """Say on what this runs."""
    facts = provenance()
    return f"toymodels {facts['versions']['toymodels']}, jax {facts['versions']['jax']} on " + (
        f"{facts['backend']} ({facts['device']})"
    )


def load(file: str, overrides: tuple[str, ...]) -> SweepConfig:
    """Read a sweep: a TOML file, or the name of a figure or sweep of the package.

    Raises:
        InputError: there is none, or it is no sweep.
    """
    if not Path(file).exists() and file in files():
        table = sweep_table(files()[file])
        if not is_sweep(table):
            raise InputError(f"{file} is a figure without a sweep: `toymodels figure {file}`.")
        return parse(table, overrides)
    if not file.endswith(".toml") and not Path(file).exists():
        raise InputError(f"{file}: no such file or sweep.{hint(file, files())}")
    look_in(Path(file).parent)
    return parse(read_toml(file), overrides)


def run_file(
    file: str, overrides: tuple[str, ...], out: Path, *, dry_run: bool, memory: float, fresh: bool
) -> None:
    """Run a sweep from a TOML file, or print what it would take."""
    config = load(file, overrides)
    print(f"{config.name}: {describe_device()}")
    print_axes(config)
    if dry_run:
        e = estimate(config, memory)
        print(
            f"  {e.models:,} models in {e.programs} programs and {e.blocks} blocks, "
            f"{e.memory_gib:.2g} GiB, about {e.seconds:.0f} s with compiling"
        )
        return
    _prepare(out, [f"{config.name}.nc"])
    print(f"  {config.grid.size:,} models")
    began = time.monotonic()
    bar = Bar(config.name)
    dataset = run_sweep(config, out=out, memory_gib=memory, fresh=fresh, report=bar)
    print(f"  done in {time.monotonic() - began:.0f} s: {out / f'{config.name}.nc'}")
    for line in remarks(config, dataset):
        print(f"  {line}")


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
    for path in runs:
        run = path.parent
        blocks = len(list((run / "blocks").glob("*.npz")))
        print(f"{run.name}: {_state(run, path)}, {blocks} blocks")


def _state(run: Path, path: Path) -> str:
    state = "finished" if (run / "result.nc").exists() else "not finished"
    try:
        text = path.read_text()
        stored = json.loads(text)
        if "settings" in stored:
            return "analysis of a figure"
        versions = config_from_json(text).versions
    except (ValueError, KeyError, TypeError, AttributeError):
        return "damaged config"
    if stored.get("versions") != versions:
        state += ", of an older version: it is computed again when asked for"
    return state
