"""Parts of sweeps, computed beside processes that compute others in the same folder."""

from pathlib import Path

from sweeps.config.sweep import SweepConfig
from sweeps.parts import Part, part_from
from sweeps.progress import Bar
from sweeps.run import folder_of, part_in_folder
from sweeps.status import blocks_done
from toymodels.errors import InputError


def own_part(text: str | None, fresh: bool, cluster: str | None = None) -> Part | None:
    """Return the part that an option names, if it does.

    Raises:
        InputError: it is no part, all was to be started over, or a cluster was to do it.
    """
    if text is None:
        return None
    if fresh:
        raise InputError("--part with --fresh would clear what other parts did: leave one out.")
    if cluster is not None:
        raise InputError("--part and --cluster are two ways to share the work: leave one out.")
    return part_from(text)


def said_of_part(config: SweepConfig, out: Path, part: Part) -> str:
    """Say how far all parts are, when one is over."""
    return (
        f"{config.name}, part {part}: {blocks_done(folder_of(config, out))} are there. The last "
        "part to end joins them, or the same command without --part."
    )


def compute_parts(configs: list[SweepConfig], out: Path, part: Part, memory: float) -> bool:
    """Compute a part of each sweep; tell whether the results of all are there now."""
    whole = bool(configs)
    for config in configs:
        how = {"memory_gib": memory, "report": Bar(config.name)}
        if part_in_folder(config, out, part, **how) is None:
            print(f"  {said_of_part(config, out, part)}")
            whole = False
    return whole
