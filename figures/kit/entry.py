"""The figures that there are, as their files say: light, so that a list of them is quick.

A figure is a pair in its group's folder: `NAME.toml` says what is run and where it is from,
`NAME.py` what is drawn. The TOML file is a sweep, or has `[settings]` for a figure that needs none,
and its front matter. `python -m figures.command.gallery NAME` then draws the figure for the gallery
and writes GALLERY.md and the README's tables.

    [figure]
    title = "Features in two dimensions"        what it is, in lists
    cite = "elhage2022"                         its source, a key of papers.toml
    section = "Introduction (F1)"               where in the source
    says = "…"                                  what the source says
    question = "…?"                             what it answers: it is a finding (FINDINGS.md)
    seconds = 11                                measured on 2 cores of a cloud EPYC, whole process
    fast_seconds = 6
    order = 10                                  place in its group
    quick = true                                belongs to what `make figures` makes
    axes = ["p_active", "seed"]                 dimensions of the grid that it can draw
    draws = "superposition"                     the module, if it is another one's too
    sweep = "rotations-sweep"                   the file of the sweep, if it is another one's too
    beside = ["linear-dictionaries"]            files of more sweeps, handed to it as parts
    version = 1                                 raised when the same sweep gives another analysis
    [figure.requires]                           keys of the run that it cannot draw otherwise
    n_features = 2
    "features.kind" = "one_active"              a path stands in quotes
    [fast]                                      what --fast changes
    [tiny]                                      what the tests change
"""

import importlib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from toymodels.errors import InputError, hint, listed

FIGURES = Path(__file__).parents[1]
GROUPS = ("toy-models", "exact", "circuits", "lenses", "questions", "neighbours")


@dataclass(frozen=True)
class Entry:
    """The front matter of one figure."""

    name: str
    group: str
    title: str
    cite: str
    section: str
    says: str
    seconds: int
    fast_seconds: int
    axes: tuple[str, ...] = ()
    order: int = 100
    quick: bool = False
    draws: str = ""
    sweep: str = ""
    beside: tuple[str, ...] = ()
    question: str = ""
    version: int = 1
    requires: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def paper(self) -> str:
        """The source, in words."""
        return papers()[self.cite]["name"]

    @property
    def file(self) -> Path:
        """Its own file."""
        return path_of(self.name)

    @property
    def source(self) -> Path:
        """The file that says what is run."""
        return path_of(self.sweep or self.name)

    @property
    def module_name(self) -> str:
        """The module that draws it."""
        stem = (self.draws or self.name).replace("-", "_")
        return f"figures.{self.group.replace('-', '_')}.{stem}"

    def module(self) -> ModuleType:
        """Import the module that draws it."""
        return importlib.import_module(self.module_name)

    def stem(self, version: str = "") -> str:
        """Return what its files are called."""
        return f"{self.name}.{version}" if version else self.name


@cache
def papers() -> dict[str, dict[str, str]]:
    """Return the sources: key -> name and BibTeX."""
    return tomllib.loads((FIGURES / "papers.toml").read_text(encoding="utf-8"))


@cache
def files() -> dict[str, Path]:
    """Return the TOML files of all groups by name."""
    found = [p for g in GROUPS for p in sorted((FIGURES / g.replace("-", "_")).glob("*.toml"))]
    return {path.stem: path for path in found}


@cache
def entries() -> dict[str, Entry]:
    """Return all figures by name: group by group, in their order."""
    found = []
    for name, path in files().items():
        front = tomllib.loads(path.read_text(encoding="utf-8")).get("figure")
        if front is not None:
            group = path.parent.name.replace("_", "-")
            front |= {key: tuple(front.get(key, ())) for key in ("axes", "beside")}
            found.append(Entry(name=name, group=group, **front))
    found.sort(key=lambda e: (GROUPS.index(e.group), e.order, e.name))
    return {entry.name: entry for entry in found}


def entry_of(name: str) -> Entry:
    """Return a figure by name.

    Raises:
        InputError: there is none of this name.
    """
    known = entries()
    if name not in known:
        raise InputError(f"no figure {name!r}.{hint(name, known)} There are {listed(known)}.")
    return known[name]


def path_of(name: str) -> Path:
    """Return the file of a figure or of a sweep that comes with the package."""
    if name not in files():
        raise InputError(f"{name}: no such figure or sweep.{hint(name, files())}")
    return files()[name]
