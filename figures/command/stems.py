"""What the files of figures and sweeps are called.

NAME and NAME.fast are of the presets as they are. Where something differs the name says what,
NAME.steps=500; where that would be long or odd, by the first digits of a hash.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures.kit.entry import entries
from sweeps.config.sweep import SweepConfig
from sweeps.differences import attributes
from sweeps.identity import digest

LONGEST = 80  # letters
HASH = 8  # digits
OF_A_SWEEP = "sweep"  # stands in the name of a result whose plain name is a figure's
# Signs of TOML that say nothing which is not clear without them, and that of "module:Name".
LEFT_OUT = str.maketrans({":": "."} | dict.fromkeys("[]{}\"'+ \t"))
READABLE = re.compile(r"[A-Za-z0-9_=.,-]+")


def with_changes(stem: str, overrides: Sequence[str], mark: str) -> str:
    """Return a name that says what differs.

    Args:
        stem: of what does not differ.
        overrides: texts such as "steps=500".
        mark: hexadecimal digits of what is run, for names that texts would make long or odd.
    """
    pairs = (text.partition("=") for text in overrides)
    values = {key.strip(): value for key, _, value in pairs}  # the last one counts
    said = ",".join(f"{key}={value.translate(LEFT_OUT)}" for key, value in values.items())
    found = f"{stem}.{said}"
    nested = any(value.count("[") > 1 for value in values.values())
    if nested or not READABLE.fullmatch(said) or len(found) > LONGEST:
        return f"{stem}.{mark[:HASH]}"
    return found


def stem_of_sweep(config: SweepConfig, plain: SweepConfig | None, overrides: Sequence[str]) -> str:
    """Return what a sweep's result is called.

    Args:
        config: what is run.
        plain: what the file says by itself; None where that is no whole sweep.
        overrides: what differs.
    """
    stem = f"{config.name}.{OF_A_SWEEP}" if config.name in entries() else config.name
    names = ("name", "description")  # which change no number
    told = [text for text in overrides if text.partition("=")[0].strip() not in names]
    if not told or (plain is not None and plain.identity() == config.identity()):
        return stem
    return with_changes(stem, told, config.hash())


def stem_of_dataset(name: str, file: Path, attrs: Any, out: Path) -> str:
    """Return what pictures of a figure's dataset from a file are called: as the file, or after it.

    Args:
        name: of the figure.
        file: of the dataset.
        attrs: of the dataset.
        out: where pictures go; one beside another dataset's file is not replaced.
    """
    stem = file.name.removesuffix(".nc")
    if not stem.startswith(f"{name}."):
        return f"{name}.from-{stem}"
    beside = attributes(out / f"{stem}.nc")
    same = beside is None or mark_of(beside) == mark_of(attrs)
    return stem if same else f"{stem}.{mark_of(attrs)}"


def mark_of(attrs: Any) -> str:
    """Return digits that tell datasets of figures apart."""
    told = ("figure", "config", "caption", "claim")
    return digest([str(attrs.get(name, "")) for name in told])[:HASH]
