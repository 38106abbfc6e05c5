"""What the command's verbs do: list, make figures, run sweeps, say how far they are."""

import dataclasses
import json
import time
from pathlib import Path

from figures.catalogue import CATALOGUE, QUICK, Entry
from figures.recipe import preset_config, preset_names
from sweeps.config import RESULT_VERSION, SweepConfig
from sweeps.named import hint
from sweeps.parse import parse, read_toml
from sweeps.progress import Bar
from sweeps.run import check_target, estimate, run_sweep
from sweeps.store import open_dataset, provenance, save_dataset, writing
from toymodels.errors import InputError


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


def print_list(as_json: bool) -> None:
    """Print one line per figure and sweep."""
    if as_json:
        sweeps = [{"name": n, "title": preset_config(n).description} for n in preset_names()]
        figures = [dataclasses.asdict(entry) for entry in CATALOGUE]
        print(json.dumps({"figures": figures, "sweeps": sweeps}, indent=2))
        return
    width = max(len(name) for name in [*(e.name for e in CATALOGUE), *preset_names()])
    print("figures                    toymodels figure NAME")
    for e in CATALOGUE:
        times = f"{e.seconds:>4} s, --fast {e.fast_seconds:>3} s"
        print(f"  {e.name:<{width}}  {times}  {e.paper}: {e.section}")
    print("sweeps                     toymodels sweep run NAME")
    for name in preset_names():
        config = preset_config(name)
        print(f"  {name:<{width}}  {config.grid.size:>6,} models  {config.description}")


def choose(names: tuple[str, ...], group: str | None) -> list[Entry]:
    """Return the entries that names and a group stand for."""
    known = {entry.name: entry for entry in CATALOGUE}
    for name in names:
        if name not in known:
            raise InputError(
                f"no figure {name!r}.{hint(name, known)} There are {', '.join(known)}."
            )
    if group is None:
        chosen = list(dict.fromkeys(names))
    elif names:
        raise InputError("give figures by name or a group of them, not both.")
    else:
        chosen = [e.name for e in CATALOGUE if group in ("all", e.group)]
        chosen = list(QUICK) if group == "quick" else chosen
    if not chosen:
        there = f"group {group!r} has none yet. " if group else ""
        raise InputError(f"no figure to make: {there}Name one of {', '.join(known)}.")
    return [known[name] for name in chosen]


def make_figures(names: tuple[str, ...], wanted: Wanted, group: str | None = None) -> None:
    """Make the figures that are named, and say where they are."""
    import matplotlib as mpl

    mpl.use("Agg")
    entries = choose(names, group)
    formats = _formats(wanted.format)
    if wanted.source and len(entries) != 1:
        raise InputError("--from draws one figure: name just one.")
    for entry in entries:
        stem = f"{entry.name}.fast" if wanted.fast else entry.name
        _prepare(wanted.out, [f"{stem}.{ending}" for ending in (*formats, "nc")])
    for entry in entries:
        _make(entry, wanted, formats)


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


def _make(entry: Entry, wanted: Wanted, formats: list[str]) -> None:
    import matplotlib.pyplot as plt

    from figures import style

    module, began = entry.module(), time.monotonic()
    stem = f"{entry.name}.fast" if wanted.fast else entry.name
    if wanted.source:
        dataset = open_dataset(wanted.source)
    else:
        print(f"{entry.name}: {entry.title}. {entry.paper}: {entry.section}.")
        seconds = entry.fast_seconds if wanted.fast else entry.seconds
        print(f"  {describe_device()}; about {seconds} s on two cores.")
        dataset = module.compute(
            out=wanted.out,
            fast=wanted.fast,
            overrides=wanted.overrides,
            memory_gib=wanted.memory,
            fresh=wanted.fresh,
            report=Bar(entry.name),
        )
        save_dataset(dataset, wanted.out / f"{stem}.nc")
    with plt.rc_context(style.paper()):
        try:
            figure = module.draw(dataset)
        except (KeyError, ValueError) as error:
            if wanted.source is None:
                raise
            raise InputError(
                f"{wanted.source} is not a dataset of {entry.name} ({error})."
            ) from None
        paths = [wanted.out / f"{stem}.{ending}" for ending in formats]
        for path, ending in zip(paths, formats, strict=True):
            with writing(path) as beside:
                figure.savefig(beside, format=ending)
        plt.close(figure)
    made = [*paths, *([] if wanted.source else [wanted.out / f"{stem}.nc"])]
    print(f"  done in {time.monotonic() - began:.0f} s: {'  '.join(map(str, made))}")


def describe_device() -> str:
    """Say on what this runs."""
    facts = provenance()
    return f"toymodels {facts['versions']['toymodels']}, jax {facts['versions']['jax']} on " + (
        f"{facts['backend']} ({facts['device']})"
    )


def _load(file: str, overrides: tuple[str, ...]) -> SweepConfig:
    if file in preset_names() and not Path(file).exists():
        return preset_config(file, overrides=overrides)
    if not file.endswith(".toml") and not Path(file).exists():
        raise InputError(f"{file}: no such file or preset.{hint(file, preset_names())}")
    return parse(read_toml(file), overrides)


def run_file(
    file: str, overrides: tuple[str, ...], out: Path, *, dry_run: bool, memory: float, fresh: bool
) -> None:
    """Run a sweep from a TOML file, or print what it would take."""
    config = _load(file, overrides)
    print(f"{config.name}: {describe_device()}")
    for d in config.grid.dimensions:
        for axis in d.axes:
            values = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in axis.values]
            shown = values if len(values) <= 8 else [*values[:3], "…", *values[-2:]]
            along = "" if d.name == axis.name else f" (along {d.name})"
            print(f"  {axis.name}{along}: {len(values)} values: {', '.join(shown)}")
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
    print_diverged(dataset)


def print_diverged(dataset) -> None:
    """Name the cells that diverged."""
    from sweeps.results import diverged_cells

    n = int((dataset["diverged"] != 0).sum())
    if n:
        print(f"  {n} of {dataset['diverged'].size} runs diverged (marked in `diverged`):")
        for label in diverged_cells(dataset):
            print(f"    {label}")


def print_status(folder: Path) -> None:
    """Say how far each run under a folder is."""
    runs = sorted((folder / "runs").glob("*/config.json"))
    if not runs:
        raise InputError(f"{folder} holds no runs: give the folder that was --out.")
    for path in runs:
        run = path.parent
        blocks = len(list((run / "blocks").glob("*.npz")))
        state = "finished" if (run / "result.nc").exists() else "not finished"
        try:
            stored = json.loads(path.read_text())
        except ValueError:
            stored, state = {}, "damaged config"
        if stored.get("result_version", RESULT_VERSION) != RESULT_VERSION:
            state += ", of an older version: it is computed again when asked for"
        print(f"{run.name}: {state}, {blocks} blocks")


def print_doctor() -> None:
    """Print what a report needs."""
    import os

    import jax

    facts = provenance()
    for name, version in facts["versions"].items():
        print(f"{name:<12} {version}")
    for name in ("python", "platform", "processor", "backend"):
        print(f"{name:<12} {facts[name]}")
    print(f"{'devices':<12} {', '.join(map(str, jax.devices()))}")
    print(f"{'cores':<12} {os.cpu_count()}")
    print(f"{'cache':<12} {os.environ.get('JAX_COMPILATION_CACHE_DIR')}")
