"""Compiled programs that a long sweep leaves behind, and room for more of them.

On Linux each takes tens of mappings of memory, a training program with its measures about a
thousand, and a process may have 65,530 (`vm.max_map_count`): beyond, LLVM cannot compile, and the
process dies.
"""

from pathlib import Path

import jax

MAPPINGS = Path("/proc/self/maps")
MOST_MAPPINGS = Path("/proc/sys/vm/max_map_count")

# From this share of what a process may have on, programs are let go of.
LARGEST_SHARE = 0.4


def make_room_for_programs() -> None:
    """Let go of all compiled programs if there are many.

    One that runs again is compiled again, or read from the cache on disk.
    """
    try:
        with open(MAPPINGS, "rb") as mappings:
            n = sum(1 for _ in mappings)
        most = int(MOST_MAPPINGS.read_text())
    except (OSError, ValueError):  # another system, which has no such limit
        return
    if n >= LARGEST_SHARE * most:
        jax.clear_caches()
