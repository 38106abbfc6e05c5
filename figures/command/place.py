"""Where and on what a command works: the output folder, and the device."""

import sys
from pathlib import Path

from sweeps.atomic import check_target, probe
from sweeps.store import provenance
from toymodels.errors import InputError


def prepare(out: Path, files: list[str]) -> None:
    """Find out before training whether the results can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe(out)
    except OSError as error:
        raise InputError(
            f"cannot write to the output folder {out}: {error.strerror}. Choose another with --out."
        ) from None
    for name in files:
        check_target(out / name)


def describe_device() -> str:
    """Say on what this runs."""
    facts = provenance()
    return f"toymodels {facts['versions']['toymodels']}, jax {facts['versions']['jax']} on " + (
        f"{facts['backend']} ({facts['device']})"
    )


def tell(text: str) -> None:
    """Print a line beside the progress."""
    print(f"  {text}", file=sys.stderr)
