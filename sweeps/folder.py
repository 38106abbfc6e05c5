"""A run's folder: one atomic file per finished block, the plan that they follow, and a lock.

It is `runs/NAME-HASH/` with `config.json`, `provenance.json`, `plan.json`, `blocks/*.npz` and
`result.nc`. One process works in it alone; or several share it, see `sweeps.shared_folder`, and
then one that is alone joins and clears. Every file is written beside and renamed, so that what is
there is whole, and arrays are sealed, so that what was damaged since is seen.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from sweeps.atomic import check_target, probe, read_table, remove_halves, write_json
from sweeps.checkpoint import Checkpoint
from sweeps.locks import Lock
from sweeps.machine import Machine
from sweeps.packed import cut_of, is_of
from sweeps.sealed import load_arrays, save_arrays
from toymodels.errors import InputError

# What is written into a run's folder beside its blocks.
FILES = ("config.json", "plan.json", "provenance.json", "result.nc")

# Machine -> the blocks that are cut for it, and the plan that says how.
Cut = Callable[[Machine], tuple[list[Any], dict[str, Any]]]


class BlockFiles:
    """The blocks in a run's folder, for whoever the process that holds its lock has sent one."""

    def __init__(self, path: Path) -> None:
        """Take the path of the run's folder."""
        self.path = path

    def files(self) -> "BlockFiles":
        """Return the same without a lock, by a path that holds in any process."""
        return BlockFiles(self.path.resolve())

    def block_path(self, i: int) -> Path:
        """Return where block i is kept."""
        return self.path / "blocks" / f"{i:05d}.npz"

    def checkpoint(self, i: int, block: Any) -> Checkpoint:
        """Return the place of what is done of block i."""
        return Checkpoint(self.block_path(i).with_suffix(".checkpoint"), block)

    def save_block(self, i: int, arrays: dict[str, np.ndarray]) -> None:
        """Keep a finished block, in the place of its checkpoint."""
        save_arrays(self.block_path(i), arrays)
        self.block_path(i).with_suffix(".checkpoint").unlink(missing_ok=True)


class RunFolder(BlockFiles):
    """The folder of one sweep, held by this process alone while it is open."""

    def __init__(self, path: Path, config_json: str, fresh: bool = False) -> None:
        """Take the folder's lock and prepare it.

        Args:
            path: of the folder.
            config_json: what is run.
            fresh: clear what is there.

        Raises:
            Held: another run holds it.
            InputError: the folder cannot be made or written, or a folder lies where a file belongs.
        """
        self._open(path)
        with self._preparing():
            self._prepare(json.loads(config_json), fresh)

    def _open(self, path: Path, shared: bool = False) -> None:
        """Make the folder and take its lock, with others or alone."""
        super().__init__(path)
        try:
            (path / "blocks").mkdir(parents=True, exist_ok=True)
            probe(path / "blocks")
            self._lock = Lock(path / "lock", shared)
        except OSError as error:
            raise InputError(
                f"cannot write to the output folder {path}: {error.strerror} "
                f"({error.filename}). Choose another with --out."
            ) from None
        if self._lock.problem:
            print(
                f"{path}: this file system has no locks ({self._lock.problem}); files called "
                ".held say who is working there."
            )

    @contextlib.contextmanager
    def _preparing(self) -> Iterator[None]:
        """Give the lock back where the folder cannot be prepared."""
        try:
            yield
        except OSError as error:
            self.close()
            raise InputError(
                f"cannot prepare {self.path}: {error.strerror} ({error.filename}). Move the folder "
                "away, or choose another --out."
            ) from None
        except InputError:
            self.close()
            raise

    def _prepare(self, config: dict[str, Any], fresh: bool) -> None:
        for name in FILES:
            check_target(self.path / name)
        if fresh:
            shutil.rmtree(self.path / "blocks")
            (self.path / "blocks").mkdir()
            for name in ("result.nc", "plan.json"):
                (self.path / name).unlink(missing_ok=True)
        for inside in (self.path / "blocks").iterdir():
            if inside.is_dir():
                check_target(inside)
            elif inside.suffix in (".claim", ".held"):
                inside.unlink()
        remove_halves(self.path)
        if not config or read_table(self.path / "config.json") != config:
            write_json(self.path / "config.json", config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        self._lock.close()

    def claimed(self, jobs: Iterable[Any]) -> Iterable[Any]:
        """Return the jobs that this process may compute: all, as it is alone."""
        return jobs

    def has_block(self, i: int, block: Any) -> bool:
        """Tell whether block i is finished, whole and cut as `block` is."""
        return self.load_block(i, block, tuple(cut_of(block))) is not None

    def has_files(self, n_blocks: int) -> bool:
        """Tell whether there is a file of each block, of whatever is in it."""
        there = set(os.listdir(self.path / "blocks"))  # asks a network file system again
        return all(self.block_path(i).name in there for i in range(n_blocks))

    def load_block(
        self, i: int, block: Any = None, names: tuple[str, ...] | None = None
    ) -> dict[str, np.ndarray] | None:
        """Return finished block i, or None where there is none that can be read.

        Args:
            i: its number.
            block: how it should have been cut; another one counts as none.
            names: of the arrays that are read, all if left out.
        """
        try:
            arrays = load_arrays(self.block_path(i), names)
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive raises whatever zip and numpy come upon
            said = str(error) if isinstance(error, InputError) else type(error).__name__
            print(f"block {i + 1} cannot be read ({said}); it is computed again.")
            return None
        return arrays if block is None or is_of(block, arrays) else None

    def machine(self, here: Machine) -> Machine:
        """Return the machine that earlier blocks were cut for; else the one that is here."""
        path = self.path / "plan.json"
        if not self._begun():
            return here
        kept = read_table(path)
        if is_amount(kept.get("memory_bytes")):
            return machine_of(kept, here)
        print(f"{path} cannot be read; blocks that were cut as they would be now are kept.")
        return here

    def planned(self, cut: Cut, here: Machine) -> tuple[list[Any], dict[str, Any]]:
        """Return blocks and plan: as earlier blocks were cut, where there are some.

        Args:
            cut: returns both for a machine.
            here: this process' own machine.
        """
        machine = self.machine(here)
        try:
            blocks, plan = cut(machine)
        except InputError:
            if machine == here:
                raise
            blocks, plan = cut(here)  # no block was ever cut by this: the plan was damaged
        self.keep_plan(plan)
        return blocks, plan

    def _begun(self) -> list[Path]:
        """Return the files of blocks, finished or not."""
        inside = (self.path / "blocks").iterdir()
        return [path for path in inside if path.suffix in (".npz", ".checkpoint")]

    def keep_plan(self, plan: dict[str, Any]) -> None:
        """Keep how the run is cut; remove blocks of another cut, and halves of finished ones."""
        kept = read_table(self.path / "plan.json") if self._begun() else {}
        earlier = kept.get("earlier_versions") or kept.get("versions")
        if isinstance(earlier, dict) and (told := differing(earlier, plan.get("versions", {}))):
            print(f"{self.path}: blocks of {told}, are kept; --fresh would compute them again.")
            plan["earlier_versions"] = earlier
        for path in self._begun():
            finished = path.suffix != ".npz" and path.with_suffix(".npz").exists()
            if finished or not (path.stem.isdecimal() and int(path.stem) < plan["blocks"]):
                path.unlink()
        write_json(self.path / "plan.json", plan)


def machine_of(plan: dict[str, Any], here: Machine) -> Machine:
    """Return the machine of a plan; an older version names no backend, and used one device."""
    backend = plan.get("backend")
    return Machine(
        plan["memory_bytes"] if is_amount(plan.get("memory_bytes")) else here.memory,
        backend if isinstance(backend, str) else here.backend,
        plan["devices"] if is_amount(plan.get("devices")) else 1,
    )


def is_amount(value: Any) -> bool:
    """Tell whether a value from a file is a whole number above 0."""
    return type(value) is int and 0 < value < 2**63


def differing(there: dict[str, Any], here: dict[str, Any]) -> str:
    """Say how versions there differ from those here: "jax 0.9.0, here 0.10.2", or nothing."""
    return ", ".join(
        f"{name} {there.get(name)}, here {here[name]}"
        for name in here
        if there.get(name) != here[name]
    )
