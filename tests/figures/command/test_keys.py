"""docs/keys.md is of these docstrings, and leaves nothing out."""

import itertools

from figures.command import keys
from sweeps.config.registry import NAMES
from sweeps.config.schema import HANDED, every_key


def test_the_page_is_current():
    """Else run `make keys`."""
    assert keys.PAGE.read_text(encoding="utf-8") == keys.page()


def test_the_page_has_every_name_and_every_key():
    text = keys.page()
    for name in (name for family in NAMES.values() for name in family):
        assert f"| `{name}` |" in text
    for key in set(every_key()) - {*HANDED}:
        assert f"`{key}`" in text or f".{key}`" in text, key


def test_tables_hold_as_many_cells_in_each_row():
    lines = [line.replace("\\|", "") for line in keys.page().splitlines()]
    for before, line in itertools.pairwise(lines):
        if before.startswith("|") and line.startswith("|"):
            assert before.count("|") == line.count("|"), line
