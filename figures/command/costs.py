"""docs/scaling.md's table of what figures cost, from the seconds that their files state.

`python -m figures.command.costs` writes it anew.
"""

import re

from figures.command.catalogue import entries
from figures.kit.entry import FIGURES, GROUPS, Entry

PAGE = FIGURES.parent / "docs" / "scaling.md"

CORES = 2  # on which the seconds of a figure's file are measured
SECONDS_OF_A_LINE = 60  # from here on a figure has a line of its own


def table() -> list[str]:
    """Return the lines of the table: each long figure, and the sum of each group."""
    lines = ["| figures | core-hours | with `--fast` |", "|---|---|---|"]
    for group in GROUPS:
        found = [e for e in entries().values() if e.group == group]
        for e in sorted(found, key=lambda e: -e.seconds):
            if e.seconds >= SECONDS_OF_A_LINE:
                lines.append(f"| `{e.name}` | {_told([e])} |")
        if found:
            lines.append(f"| *`{group}`, all {len(found)}* | {_told(found)} |")
    return [*lines, f"| *all figures* | {_told(list(entries().values()))} |"]


def _told(found: list[Entry]) -> str:
    full, fast = sum(e.seconds for e in found), sum(e.fast_seconds for e in found)
    return f"{CORES * full / 3600:.2f} | {CORES * fast / 3600:.2f}"


def with_table(page: str) -> str:
    """Return the page with its table written anew."""
    inside = "\n".join(["<!-- costs -->", *table(), "<!-- end -->"])
    return re.sub(r"<!-- costs -->.*?<!-- end -->", lambda _: inside, page, flags=re.S)


def main() -> None:
    """Write the page."""
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
