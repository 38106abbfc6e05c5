"""From a preset to the dataset behind a figure: what every `compute` shares."""

import dataclasses
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.figure import Figure
from sweeps.circuits_config import CircuitsConfig
from sweeps.parse import parse, read_toml

from sweeps.config import SweepConfig
from sweeps.run import DEFAULT_MEMORY_GIB, Report, run_in_folder, run_sweep
from toymodels.errors import InputError


def preset_config(name: str, *, fast: bool = False, overrides: Sequence[str] = ()) -> SweepConfig:
    """Read a preset, with its `[fast]` table where wanted and `key=value` texts last."""
    with resources.as_file(resources.files("sweeps.presets") / f"{name}.toml") as path:
        return parse(read_toml(path), overrides, fast)


def preset_names() -> list[str]:
    """Return the names of all presets."""
    files = resources.files("sweeps.presets").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def run_preset(
    name: str,
    *,
    out: str | Path | None = None,
    fast: bool = False,
    overrides: Sequence[str] = (),
    memory_gib: float = DEFAULT_MEMORY_GIB,
    fresh: bool = False,
    report: Report | None = None,
) -> xr.Dataset:
    """Run a preset and return its dataset, with a caption that says what was run.

    Args:
        name: the preset's.
        out: folder that keeps the run; None keeps all in memory.
        fast: the smaller version.
        overrides: texts such as "steps=500".
        memory_gib: what a block may take.
        fresh: start over.
        report: is told the progress.
    """
    config = preset_config(name, fast=fast, overrides=overrides)
    how: dict[str, Any] = {"memory_gib": memory_gib, "report": report}
    if out is None:
        dataset = run_sweep(config, **how)
    else:
        dataset = run_in_folder(config, Path(out), fresh=fresh, **how)
    dataset.attrs |= {"title": config.description, "caption": caption(dataset, fast, overrides)}
    return dataset


def refuse_overrides(name: str, overrides: Sequence[str]) -> None:
    """Refuse `key=value` texts for a figure that trains nothing; a seed changes nothing there.

    Raises:
        InputError: there is another override than `seed=…`.
    """
    left = [text for text in overrides if not text.startswith("seed=")]
    if left:
        raise InputError(
            f"{name} has nothing to set, but {', '.join(left)} was given: leave it out."
        )


def caption(dataset: xr.Dataset, fast: bool, overrides: Sequence[str]) -> str:
    """Say what was run, from the config itself."""
    run = run_of(dataset)
    if "circuits" in run:
        return _circuits_caption(dataset, run, fast, overrides)
    if run.get("optimizer") == "newton":
        return _solved_caption(dataset, run.get("n_starts", 8), fast, overrides)
    steps, batch = run.get("steps", 2000), run.get("batch_size", 1024)
    rate = run.get("learning_rate", 0.01)
    parts = [f"{dataset.sizes.get('seed', 1)} seeds"]
    parts += [f"{steps} steps of {batch} examples", f"learning rate {rate:g}"]
    diverged = int((dataset["diverged"] != 0).sum())
    if diverged:
        parts.append(f"{diverged} runs diverged and are left out")
    return joined(parts, overrides, "fewer seeds, steps or cells" if fast else "")


def joined(parts: Sequence[str], overrides: Sequence[str], smaller: str = "") -> str:
    """Join the parts of a caption, what was changed, and what a fast version has fewer of."""
    more = ["changed: " + ", ".join(overrides)] if overrides else []
    if smaller:
        more.append(f"FAST version: {smaller} than the full figure")
    return "; ".join([*parts, *more]) + "."


def _solved_caption(
    dataset: xr.Dataset, n_starts: int, fast: bool, overrides: Sequence[str]
) -> str:
    sizes = " × ".join(str(n) for n in dataset["loss"].shape)
    parts = [
        f"{sizes} cells, {n_starts} starts each, no sampling",
        f"largest relative error of the solver's own loss {float(dataset['difference'].max()):.0e}",
    ]
    return joined(parts, overrides, "fewer cells" if fast else "")


def _circuits_caption(
    dataset: xr.Dataset, run: dict[str, Any], fast: bool, overrides: Sequence[str]
) -> str:
    n_seeds = dataset.sizes.get("seed", 1)
    parts = [f"mean of {n_seeds} seeds with 95 % intervals" if n_seeds > 1 else "1 seed"]
    if "n_samples" not in dataset.coords:
        parts.append(f"{run.get('n_samples', 1000)} examples each")
    said = (
        ("width", "D"),
        ("n_circuits", "T"),
        ("redundancy", "S"),
        ("bias", "b"),
        ("n_layers", "L"),
    )
    given = {f.name: f.default for f in dataclasses.fields(CircuitsConfig)} | run
    parts += [f"{of} = {given[key]:g}" for key, of in said if key not in dataset.coords]
    n_infinite = int((dataset["diverged"] != 0).sum())
    if n_infinite:
        parts.append(f"{n_infinite} infinite cells left out")
    return joined(parts, overrides, "fewer networks, examples or seeds" if fast else "")


def require_axes(config: SweepConfig, wanted: Sequence[str]) -> None:
    """Refuse overrides that add an axis a figure cannot draw.

    Raises:
        InputError: the grid has another dimension.
    """
    for d in config.grid.dimensions:
        if d.name not in wanted:
            raise InputError(
                f"the figure draws {', '.join(wanted)}, but the grid has {d.name!r} too: give it "
                f"one value ({d.name}=…), or run the sweep with `toymodels sweep run`."
            )


def run_of(dataset: xr.Dataset) -> dict[str, Any]:
    """Return what every run of a dataset shares, as it stands in its config."""
    return json.loads(dataset.attrs["config"])["run"]


def write_caption(figure: Figure, dataset: xr.Dataset) -> None:
    """Write the dataset's title on top of a figure and its caption below."""
    if dataset.attrs.get("title"):
        figure.suptitle(dataset.attrs["title"], fontsize=10.5, fontweight="bold")
    if dataset.attrs.get("caption"):
        figure.supxlabel(dataset.attrs["caption"], fontsize=7, color="#555555", wrap=True)
