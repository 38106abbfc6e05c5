"""Make figures: what is missing is computed, then drawn, and the files are named and told."""

import contextlib
import dataclasses
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from figures.command.animating import MOVING, animate_into, require_animations
from figures.command.catalogue import choose
from figures.command.parts import compute_parts, own_part
from figures.command.place import describe_device, prepare, tell
from figures.command.stems import mark_of, stem_of_dataset, with_changes
from figures.kit.compute import Drawable, has_seed, has_version, planned, sweeps_of
from figures.kit.entry import Entry
from sweeps.config.sweep import config_from_json
from sweeps.differences import make_room
from sweeps.executors.base import Executor
from sweeps.executors.cluster import executor_of
from sweeps.identity import digest
from sweeps.progress import Bar
from sweeps.store import open_dataset, save_dataset, writing
from toymodels.errors import InputError, listed


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
    part: str | None = None  # "I/N", of the sweeps
    cluster: str | None = None  # where blocks are computed

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
    require_animations(chosen, formats)
    if wanted.source and len(chosen) != 1:
        raise InputError("--from draws one figure: name just one.")
    if wanted.source and (wanted.overrides or wanted.fast):
        told = listed([*wanted.overrides, *(["--fast"] if wanted.fast else [])])
        raise InputError(f"--from only draws what is in the file: leave out {told}.")
    part = own_part(wanted.part, wanted.fresh, wanted.cluster)
    if wanted.source and (part or wanted.cluster):
        option = "--part" if part else "--cluster"
        raise InputError(f"--from only draws what is in the file: leave out {option}.")
    jobs = [_job(entry, wanted, len(chosen)) for entry in chosen]
    runs = [sweeps_of(job.entry, wanted.version, job.overrides) for job in jobs if part]
    if part and not any(runs):
        raise InputError(
            f"--part: {listed(job.entry.name for job in jobs)} runs no sweep, which has parts: "
            "leave it out."
        )
    for job in jobs:
        prepare(wanted.out, [f"{job.stem}.{ending}" for ending in (*formats, "nc")])
    if part:
        for job, run in zip(jobs, runs, strict=True):
            if not run:
                print(f"{job.entry.name} runs no sweep: the same command without --part makes it.")
        whole = [compute_parts(run, wanted.out, part, wanted.memory) for run in runs]
        jobs = [job for job, ready in zip(jobs, whole, strict=True) if ready]
    with executor_of(wanted.cluster, tell) as executor:
        for job in jobs:
            _make(job, wanted, formats, executor)


class Job(NamedTuple):
    """One figure that is to be made."""

    entry: Entry
    stem: str  # of its files
    overrides: tuple[str, ...] = ()
    dataset: Any = None  # where there is one already


def _job(entry: Entry, wanted: Wanted, n_chosen: int) -> Job:
    """Plan a figure and name its files, or open the dataset that it is drawn from."""
    if wanted.source:
        dataset = _opened(entry, wanted.source)
        stem = _stem_of(entry, wanted.source, dataset, wanted.out)
        return Job(entry, stem, (), dataset)
    overrides = wanted.for_entry(entry, n_chosen)
    plan, plain = (planned(entry, wanted.version, texts) for texts in (overrides, ()))
    if plan.identity() == plain.identity():
        return Job(entry, entry.stem(wanted.version))
    stem = with_changes(entry.stem(wanted.version), overrides, digest(plan.identity()))
    return Job(entry, stem, overrides)


def _stem_of(entry: Entry, source: Path, dataset: Any, out: Path) -> str:
    """Name the pictures of a dataset from a file; those of a preset only where it is one."""
    for version in ("", "fast"):
        stem = entry.stem(version)
        if source.name.removesuffix(".nc") == stem:
            plain = _is_plain(entry, version, dataset.attrs)
            return stem if plain else f"{entry.name}.{mark_of(dataset.attrs)}"
    return stem_of_dataset(entry.name, source, dataset.attrs, out)


def _is_plain(entry: Entry, version: str, attrs: Any) -> bool:
    """Tell whether attributes are those of a dataset of the preset as it is now."""
    said = version if has_version(entry, version) else ""
    if (attrs.get("changed"), attrs.get("version")) != ("", said):
        return False
    config = planned(entry, version).config
    if config is None:
        return True
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        text = attrs["config"]
        same = config_from_json(text).identity() == config.identity()
        return same and json.loads(text).get("versions") == config.versions
    return False


def _opened(entry: Entry, source: Path) -> Any:
    """Open a dataset of a figure.

    Raises:
        InputError: it cannot be read, or says that it is another figure's.
    """
    dataset = open_dataset(source)
    said = dataset.attrs.get("figure", entry.name)
    if said != entry.name:
        raise InputError(
            f"{source} is not a dataset of {entry.name} but of {said}: "
            f"`toymodels figure {said} --from {source}`."
        )
    return dataset


def _formats(text: str) -> list[str]:
    formats = [part.strip() for part in text.split(",") if part.strip()]
    for part in formats or [text]:
        if part not in ("png", "pdf", "svg", *MOVING):
            raise InputError(
                f"format = {part!r}: give png, pdf, svg, gif or mp4, with commas between."
            )
    return formats


def _make(job: Job, wanted: Wanted, formats: list[str], executor: Executor | None) -> None:
    began, source = time.monotonic(), job.dataset
    dataset = _computed(job, wanted, executor) if source is None else source
    paths = [wanted.out / f"{job.stem}.{ending}" for ending in formats]
    draw_into(job.entry, dataset, paths, wanted.source)
    if source is None:
        paths.append(wanted.out / f"{job.stem}.nc")
        config = planned(job.entry, wanted.version, job.overrides).config
        if config is not None:
            make_room(paths[-1], config, job.entry.name)
        save_dataset(dataset, paths[-1])
    print(f"  {dataset.attrs.get('claim', '')}")
    print(f"  done in {time.monotonic() - began:.0f} s: {'  '.join(map(str, paths))}")


def _computed(job: Job, wanted: Wanted, executor: Executor | None) -> Any:
    entry, overrides = job.entry, job.overrides
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
        executor=executor,
    )


def draw_into(entry: Entry, dataset: Any, paths: list[Path], source: Path | None = None) -> None:
    """Draw a dataset into files.

    Raises:
        InputError: the dataset, from a file of the user's, is not one of this figure.
    """
    import matplotlib.pyplot as plt

    moving = [path for path in paths if path.suffix[1:] in MOVING]
    try:
        figure = Drawable(entry).draw(dataset)
    except Exception as error:  # whatever a file that is none of ours may lead to
        if source is None:
            raise
        if isinstance(error, InputError):
            raise InputError(f"{source}: {error}") from None
        raise InputError(f"{source} is not a whole dataset of {entry.name}: {error}") from None
    for path in (path for path in paths if path not in moving):
        with writing(path) as beside:
            figure.savefig(beside, format=path.suffix[1:])
        figure.set_layout_engine("none")  # it is laid out now: once is enough
    plt.close(figure)
    for path in moving:  # what takes longest comes last
        animate_into(entry, dataset, path)
