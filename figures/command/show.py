"""The verb `toymodels show`: a config with all its keys, to read, to change and to copy."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from figures.kit.compute import is_sweep, settings_of, sweep_table
from figures.kit.entry import Entry, entries
from figures.kit.settings import changed
from sweeps.config.parse import read_toml
from sweeps.config.sweep import SweepConfig
from sweeps.config.toml import inline
from sweeps.config.written import as_toml
from toymodels.errors import InputError, listed

# (file or name, overrides) -> sweep
Load = Callable[[str, tuple[str, ...]], SweepConfig]

COMMENT = re.compile(r"^(\w+) = .*?[ \t]#[ \t]*(.+)$", re.MULTILINE)


def print_config(file: str, overrides: tuple[str, ...], load: Load) -> None:
    """Print the config of a figure, of a sweep that comes with the package, or of a TOML file.

    Args:
        file: the name or the path.
        overrides: texts such as "steps=500".
        load: reads a sweep.
    """
    entry = None if Path(file).exists() else entries().get(file)
    text = as_toml(load(file, overrides)) if entry is None else _of_figure(entry, overrides, load)
    print(f"# toymodels {'sweep run' if entry is None else 'figure'} {file} KEY=VALUE …")
    print(text, end="")


def _of_figure(entry: Entry, overrides: tuple[str, ...], load: Load) -> str:
    """Return a figure's sweep as TOML, its settings in front as comments; or these alone."""
    settings, others = changed(settings_of(read_toml(entry.file)), overrides)
    lines = _settings(entry, settings)
    if not is_sweep(sweep_table(entry.source)):
        if others:
            raise InputError(f"{entry.name} has no key for {listed(others)}.")
        return "\n".join(lines or ["# It has nothing to set."]) + "\n"
    front = "".join(f"# {line}\n" for line in lines)
    return front + as_toml(load(entry.source.stem, tuple(others)))


def _settings(entry: Entry, settings: dict[str, Any]) -> list[str]:
    """Return the lines of a figure's settings, with the comments of its file."""
    told = dict(COMMENT.findall(entry.file.read_text(encoding="utf-8")))
    words = {name: f"  # {told[name]}" if name in told else "" for name in settings}
    lines = [f"{name} = {inline(value)}{words[name]}" for name, value in settings.items()]
    return ["[settings]", *lines] if lines else []
