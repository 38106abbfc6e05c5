"""Whoever raises the version of a kind of work says in the changelog what changed.

    **Results change** (train 4, solve 3): why.

names kinds of work and the versions that their numbers have from then on; the newest line that
names a kind names the version of today. A new kind begins with version 1.
"""

import re

import pytest
from builders import ROOT

from sweeps.config.registry import NAMES, find

MARK = re.compile(r"\*\*Results change\*\* \(([^)]*)\):\s*(\S.*)")


def newest_versions(text):
    """Return kind of work -> version, from the first line that names it."""
    found = {}
    for inside, _ in MARK.findall(text):
        for part in inside.split(","):
            kind, version = part.split()
            found.setdefault(kind, int(version))
    return found


@pytest.mark.parametrize("work", NAMES["work"])
def test_the_version_of_a_kind_of_work_is_named_with_what_changed(work):
    named = newest_versions((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert named.get(work, 1) == find("work", work).version


def test_the_newest_line_that_names_a_kind_counts():
    text = """
- **Results change** (train 4): a new default.
- something else
- **Results change** (train 3, solve 3): another.
"""
    assert newest_versions(text) == {"train": 4, "solve": 3}
