"""What run folders say: how far a run is, and why one is run again."""

import contextlib
import json
from pathlib import Path
from typing import Any

from sweeps.atomic import read_table
from sweeps.checkpoint import said_of
from sweeps.config.sweep import SweepConfig, config_from_json


def blocks_done(run: Path) -> str:
    """Say how many blocks of a run are finished, and how far the one in work is.

    "3 of 12 blocks, block 4 at step 600 of 2,000"; the total is not known of a run that an older
    version began.
    """
    inside = sorted((run / "blocks").glob("*"))
    done = sum(path.suffix == ".npz" for path in inside)
    total = read_table(run / "plan.json").get("blocks")
    known = type(total) is int and total >= done
    counted = f"{done} of {total} blocks" if known else f"{done} blocks"
    for path in inside:
        half = path.suffix == ".checkpoint" and not path.with_suffix(".npz").exists()
        if half and path.stem.isdecimal() and (said := said_of(path)):
            counted += f", block {int(path.stem) + 1} at {said}"
    return counted


def say_if_outdated(config: SweepConfig, runs: Path) -> None:
    """Say why a sweep that an older version has run is run again."""
    for path in runs.glob(f"{config.name}-*/config.json"):
        with contextlib.suppress(OSError, ValueError, LookupError, AttributeError, TypeError):
            text = path.read_text()
            if config_from_json(text).identity() != config.identity():
                continue
            stored = json.loads(text)
            old = stored.get("versions", stored.get("result_version"))
            if old != config.versions:
                print(
                    f"{path.parent.name} holds numbers of version {_said(old)}; they changed with "
                    f"version {_said(config.versions)} and are computed again."
                )


def say_if_built_otherwise(about: dict[str, Any], run: Path) -> None:
    """Say that a grid of this name, axes and seed was built by other code or of other numbers."""
    if run.exists():
        return
    for path in run.parent.glob(f"{about['name']}-*/config.json"):
        kept = read_table(path)
        same = all(kept.get(k) == about.get(k) for k in ("grid", "seed", "keep"))
        if "built" in kept and same:
            print(
                f"{path.parent.name} was built otherwise, by other code or of other numbers; it "
                f"stays, this is computed in {run.name}, and {about['name']}.nc will be of this."
            )


def _said(versions: Any) -> str:
    if not isinstance(versions, dict):
        return str(versions)
    return ", ".join(f"{version} ({name})" for name, version in versions.items())
