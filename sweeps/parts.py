"""Parts of a run: which of its blocks one of several processes computes."""

import re
from typing import NamedTuple

from toymodels.errors import InputError

MOST = 1_000_000  # parts


class Part(NamedTuple):
    """Every block whose number is `first`, modulo `of`."""

    first: int
    of: int

    def has(self, number: int) -> bool:
        """Tell whether a block is of this part."""
        return (number - self.first) % self.of == 0

    def __str__(self) -> str:
        return f"{self.first}/{self.of}"


EVERY_BLOCK = Part(0, 1)


def part_from(text: str) -> Part:
    """Return the part that "I/N" names: I from 0 to N - 1 or from 1 to N, N/N is 0/N.

    So an array of jobs may be counted from 0 or from 1; N is how many parts there are, whatever
    jobs are started again.

    Raises:
        InputError: it is no such text.
    """
    found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", str(text))
    if found is None:
        raise InputError(f"part = {text!r}: give I/N, such as 3/8, the third of eight parts.")
    index, of = int(found[1]), int(found[2])
    if not 1 <= of <= MOST:
        raise InputError(f"part = {text!r}: the number of parts, {of}, must be 1 to {MOST:,}.")
    if index > of:
        raise InputError(
            f"part = {text!r}: there are {of} parts, so give I from 1 to {of}, or from 0 to "
            f"{of - 1} (0/{of} and {of}/{of} are the same)."
        )
    return Part(index, of)
