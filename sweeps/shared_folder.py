"""A run's folder that several processes share, each of which computes blocks of its own.

Nothing of the others is cleared. The plan is made once, by whoever comes first, and followed by
all. A block is computed under a claim, a lock of its own.
"""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sweeps.atomic import read_table, require_no_folder, write_json_once
from sweeps.folder import FILES, Cut, RunFolder, differing, machine_of
from sweeps.locks import Held, HeldBySign, Lock
from sweeps.machine import Machine
from toymodels.errors import InputError

# How long another process may take to write a plan.
SECONDS_TO_WRITE = 5.0

# What those who share a folder must agree in, and how it is called.
AGREED = {"backend": "backend", "cut": "cut", "blocks": "number of blocks"}


class SharedFolder(RunFolder):
    """The folder of one sweep, shared with others while it is open."""

    def __init__(self, path: Path, config_json: str) -> None:
        """Join in.

        Raises:
            Held: a run holds it alone.
            InputError: the folder cannot be made or written, or a folder lies where a file belongs.
        """
        self._open(path, shared=True)
        with self._preparing():
            for place in (*(path / name for name in FILES), *(path / "blocks").iterdir()):
                require_no_folder(place)
            write_json_once(path / "config.json", json.loads(config_json))

    def config_text(self) -> str:
        """Return the config that the folder is of, as JSON."""
        return json.dumps(awaited(self.path / "config.json"))

    def planned(self, cut: Cut, here: Machine) -> tuple[list[Any], dict[str, Any]]:
        """Return blocks and plan, as whoever came first has made it.

        Raises:
            InputError: a plan that cannot be read, or that cannot be followed here.
        """
        place = self.path / "plan.json"
        if not place.exists():
            blocks, plan = cut(here)
            if write_json_once(place, plan):
                return blocks, plan
        kept = awaited(place)
        try:
            blocks, plan = cut(machine_of(kept, here))
        except InputError as error:
            raise InputError(f"{place}: {error}") from None
        self._require_same(kept, plan | {"backend": here.backend})
        return blocks, kept

    def _require_same(self, kept: dict[str, Any], own: dict[str, Any]) -> None:
        """Refuse a plan by which this process would compute other numbers."""
        there = kept.get("versions")
        told = differing(there, own["versions"]) if isinstance(there, dict) else ""
        if told:
            raise InputError(
                f"{self.path} was begun with {told}: parts of one run need the same versions. "
                "Install those, or choose another --out."
            )
        for key, words in AGREED.items():
            if key in kept and kept[key] != own[key]:
                raise InputError(
                    f"{self.path} was begun with {words} {kept[key]}, here it is {own[key]}: parts "
                    "of one run need the same. Run once without --part, or choose another --out."
                )

    def claimed(self, jobs: Iterable[Any]) -> Iterator[Any]:
        """Yield the jobs that no other process has in work, and keep them from others meanwhile."""
        for job in jobs:
            with self.claim(job.number) as problem:
                if problem is not None:
                    more = f" {problem}" if isinstance(problem, HeldBySign) else ""
                    print(f"block {job.number + 1} is left to a process that has it in work.{more}")
                elif not self.has_block(*job):
                    yield job

    @contextlib.contextmanager
    def claim(self, i: int) -> Iterator[Held | None]:
        """Keep other processes from block i, or give what says that one has it in work."""
        path = self.block_path(i).with_suffix(".claim")
        try:
            claim = Lock(path)
        except Held as held:
            yield held
            return
        with claim:
            yield None
            path.unlink(missing_ok=True)


def awaited(path: Path) -> dict[str, Any]:
    """Read what another process may just be writing.

    Raises:
        InputError: it cannot be read.
    """
    began = time.monotonic()
    while not (found := read_table(path)):
        if time.monotonic() - began > SECONDS_TO_WRITE:
            raise InputError(f"{path} cannot be read: run once without --part, which mends it.")
        time.sleep(0.05)
    return found
