"""What blocks are cut for: memory, and devices side by side.

A run's folder keeps it, so that whoever goes on with the run, or takes a part of it elsewhere, cuts
the same blocks.
"""

from dataclasses import dataclass

import jax

from toymodels.errors import InputError

# Packages whose numbers may differ from one version to the next.
NUMERIC = ("jax", "jaxlib", "numpy", "flax", "optax")


DEFAULT_MEMORY_GIB = 2.0


@dataclass(frozen=True)
class Machine:
    """All that the cut of a program into blocks depends on."""

    memory: int  # bytes that a block may take, on each device
    backend: str = "cpu"
    devices: int = 1

    @classmethod
    def here(cls, memory: int) -> "Machine":
        """Return this process' own machine, with so many bytes for a block."""
        return cls(memory, jax.default_backend(), jax.local_device_count())


def in_bytes(memory_gib: float) -> int:
    """Return GiB in bytes, or raise `InputError` if that is no amount of memory."""
    if not (isinstance(memory_gib, int | float) and 0 < memory_gib < 1e6):
        raise InputError(f"memory = {memory_gib!r} GiB: give a number of GiB above 0.")
    return int(memory_gib * 2**30)
