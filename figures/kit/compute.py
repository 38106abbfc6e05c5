"""From a figure's file to the dataset behind it: run, analyse, store; a second call only reads.

A module that draws has

    analyse(dataset) -> dataset        what it computes beyond the sweep (may be left out)
    claim(dataset) -> str              one sentence, from the numbers
    draw(dataset, axes=None) -> Figure
    caption(dataset) -> list[str]      more parts of the caption (may be left out)
    check(plan)                        refuses what it cannot draw (may be left out)
    verdict(dataset) -> str            the answer to its question, of `figures.kit.verdict`, where
                                       its source says something that can fail
    finding(dataset) -> str            more sentences, for FINDINGS.md (may be left out)
    animate(dataset) -> FuncAnimation  the same as it moves, for gif and mp4 (may be left out)
    WORDS = {name: …}                  what the analysis' own variables are (may be left out)

and where the analysis takes many seconds, `parts(dataset) -> {name: function}`: each part is
computed by a function without arguments that returns a dataset, and stored as it is done; then
`analyse(dataset, parts)` joins what they returned.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.analysis import Keeper, analysed
from figures.kit.belonging import drawing
from figures.kit.caption import joined, parts_of_caption, said_of, write_caption
from figures.kit.entry import files, path_of
from figures.kit.overrides import texts_of
from figures.kit.required import require_drawable
from figures.kit.settings import changed
from sweeps.config.parse import parse, read_toml
from sweeps.config.sweep import SweepConfig
from sweeps.executors.base import Executor
from sweeps.identity import digest
from sweeps.run import (
    DEFAULT_MEMORY_GIB,
    Quiet,
    Report,
    folder_of,
    run_in_folder,
    run_sweep,
)
from toymodels.errors import InputError, listed


@dataclass(frozen=True)
class Plan:
    """What a figure is going to run."""

    config: SweepConfig | None
    settings: dict[str, Any]

    def identity(self) -> list[Any]:
        """Return what decides every number."""
        return [self.config and self.config.identity(), self.settings]


@dataclass(frozen=True)
class Drawable:
    """One figure: `compute(...)` gives the dataset, `draw(dataset)` the picture."""

    entry: Any  # figures.kit.entry.Entry

    def compute(
        self,
        *,
        out: str | Path | None = None,
        fast: bool = False,
        overrides: Sequence[str] = (),
        memory_gib: float = DEFAULT_MEMORY_GIB,
        fresh: bool = False,
        report: Report | None = None,
        version: str = "",
        executor: Executor | None = None,
        **changes: Any,
    ) -> xr.Dataset:
        """Run the figure's sweep and its analysis, or take what is stored.

        Args:
            out: folder that keeps both; None keeps all in memory.
            fast: the smaller version.
            overrides: texts such as "steps=500".
            memory_gib: what a block of the sweep may take.
            fresh: start over.
            report: is told the progress.
            version: "fast", or "tiny" for tests.
            executor: where blocks of the sweep are computed; None is this process.
            changes: overrides as values: steps=500, **{"grid.seed.range": 4}.

        Raises:
            InputError: a mistake in an override, or what the figure cannot draw.
        """
        version = "fast" if fast else version
        overrides = (*overrides, *texts_of(changes))
        plan = planned(self.entry, version, overrides)
        place = None if out is None else Path(out).expanduser()
        how = {"memory_gib": memory_gib, "fresh": fresh, "report": report or Quiet()}
        how["executor"] = executor
        dataset, folder = _run(self.entry, plan, place, how)
        module = self.entry.module()
        configs = _beside(self.entry, version, overrides)
        what = [plan.settings, {name: config.hash() for name, config in configs.items()}]
        keeper = folder and Keeper(folder, self.entry, what, _about(plan, self.entry))
        beside = {n: partial(_dataset, config, place, how) for n, config in configs.items()}
        result = analysed(module, dataset, keeper, how["report"], beside)
        words = parts_of_caption(plan.config, module, dataset, result)
        said = version if has_version(self.entry, version) else ""
        result.attrs |= {"figure": self.entry.name, "caption": joined(words, overrides, said)}
        result.attrs |= {"changed": ", ".join(overrides), "version": said}
        return result.assign_attrs(said_of(module, result))

    def analyse(self, dataset: xr.Dataset, **beside: xr.Dataset) -> xr.Dataset:
        """Compute what the figure shows beyond its sweep, from the sweep's dataset.

        Args:
            dataset: of the sweep.
            beside: datasets of the sweeps beside it, by name with underscores.
        """
        named = {name.replace("_", "-"): lambda d=d: d for name, d in beside.items()}
        return analysed(self.entry.module(), dataset, None, Quiet(), named)

    def claim(self, dataset: xr.Dataset) -> str:
        """Return the sentence that the numbers say."""
        return self.entry.module().claim(dataset)

    def draw(self, dataset: xr.Dataset, axes: Any = None, *, ax: Any = None) -> Figure:
        """Draw a dataset, into a new figure or into your own axes.

        Args:
            dataset: what `compute` returned.
            axes: your own axes, by panel name or in the panels' order; they get no caption.
            ax: old name of `axes`, kept for one version.

        Raises:
            InputError: axes that are not the figure's panels, or a dataset that is not its own.
        """
        axes = ax if axes is None else axes
        with drawing(self.entry, dataset), style.applied():
            figure = self.entry.module().draw(dataset, axes)
            if axes is None:
                write_caption(figure, dataset)
        return figure


def planned(entry: Any, version: str = "", overrides: Sequence[str] = ()) -> Plan:
    """Say what a figure is going to run, and refuse what it cannot draw before anything runs.

    Raises:
        InputError: a mistake in an override, another axis, a key that the figure requires, or what
            its module's `check` refuses.
    """
    table = read_toml(entry.source)
    settings, for_sweep = changed(settings_of(read_toml(entry.file), version), overrides)
    if not is_sweep(table):
        if for_sweep:
            raise InputError(
                f"{entry.name} has no key for {listed(for_sweep)}. "
                + (f"It has {listed(settings)}." if settings else "It has nothing to set.")
            )
        return _checked(entry, Plan(None, settings))
    config = parse(sweep_table(entry.source), for_sweep, version)
    own = parse(sweep_table(entry.source), (), version)
    require_drawable(entry, config, own)
    return _checked(entry, Plan(config, settings))


def identity_of(entry: Any, overrides: Sequence[str] = ()) -> str:
    """Name what decides a figure's numbers: settings, sweeps, versions of work and analysis."""
    plan = planned(entry, "", overrides)
    beside = {name: config.hash() for name, config in _beside(entry, "", overrides).items()}
    what = [plan.config and plan.config.hash(), plan.settings, beside]
    return f"v{entry.version}-{digest(what)}"


def sweeps_of(entry: Any, version: str = "", overrides: Sequence[str] = ()) -> list[SweepConfig]:
    """Return what a figure runs: its own sweep, and those that it shows beside it."""
    own = planned(entry, version, overrides).config
    beside = _beside(entry, version, overrides).values()
    return [*([] if own is None else [own]), *beside]


def _checked(entry: Any, plan: Plan) -> Plan:
    """Let the module refuse what it alone knows that it cannot draw, before anything runs."""
    check = getattr(entry.module(), "check", None)
    if check is not None:
        check(plan)
    return plan


def settings_of(table: dict[str, Any], version: str = "") -> dict[str, Any]:
    """Return the settings of a file, with those of a version put in."""
    changes = table.get(version, {}).get("settings", {})
    return table.get("settings", {}) | changes


def has_version(entry: Any, version: str) -> bool:
    """Tell whether a version of a figure differs from the full one."""
    return any(version in read_toml(path) for path in (entry.file, entry.source))


def has_seed(entry: Any) -> bool:
    """Tell whether a figure has anything random that a root seed would change."""
    return is_sweep(read_toml(entry.source)) or "seed" in settings_of(read_toml(entry.file))


def is_sweep(table: dict[str, Any]) -> bool:
    """Tell whether a figure's file has a sweep, and not settings alone."""
    return bool(set(table) - {"name", "description", "figure", "settings", "fast", "tiny"})


def sweep_table(path: Path) -> dict[str, Any]:
    """Return the sweep of a figure's file, called after the file."""
    table: dict[str, Any] = {"name": path.stem} | read_toml(path)
    for version in ("fast", "tiny"):
        if version in table:
            table[version] = {k: v for k, v in table[version].items() if k != "settings"}
    models = table.get("models")
    if isinstance(models, str) and models in files():
        table["models"] = sweep_table(path_of(models))
    return {k: v for k, v in table.items() if k != "settings"}


def _run(
    entry: Any, plan: Plan, out: Path | None, how: dict[str, Any]
) -> tuple[xr.Dataset, Path | None]:
    """Return the dataset of the sweep with the settings, and the folder that keeps it."""
    if plan.config is None:
        dataset = xr.Dataset(attrs={"name": entry.name})
        folder = out and out / "runs" / f"{entry.name}-{digest(plan.settings)}"
    else:
        dataset = _dataset(plan.config, out, how)
        folder = out and folder_of(plan.config, out)
    if folder and how["fresh"]:
        shutil.rmtree(folder / "analysis", ignore_errors=True)
    return dataset.assign_coords({k: _coordinate(k, v) for k, v in plan.settings.items()}), folder


def _beside(entry: Any, version: str, overrides: Sequence[str]) -> dict[str, SweepConfig]:
    """Return the sweeps that a figure shows beside its own, on the same models and root seed."""
    shared = [text for text in overrides if text.startswith(("models.", "seed="))]
    return {name: parse(sweep_table(path_of(name)), shared, version) for name in entry.beside}


def _dataset(config: SweepConfig, out: Path | None, how: dict[str, Any]) -> xr.Dataset:
    """Return the dataset of a sweep, run in memory or in its folder."""
    if out is None:
        shared = {name: how[name] for name in ("memory_gib", "report")}
        return run_sweep(config, cluster=how["executor"], **shared)
    return run_in_folder(config, out, **how)


def _about(plan: Plan, entry: Any) -> str:
    if plan.config is not None:
        return plan.config.as_json()
    return json.dumps({"name": entry.name, "settings": plan.settings, "version": entry.version})


def _coordinate(name: str, value: Any) -> Any:
    return ((name,), np.array(value)) if isinstance(value, list) else value
