"""The costs on docs/scaling.md are those that figures' files state."""

import re

import pytest

from figures.command import costs
from figures.kit.entry import entries


def test_the_page_is_current():
    """Else run `python -m figures.command.costs`."""
    page = costs.PAGE.read_text(encoding="utf-8")
    assert page.count("<!-- costs -->") == 1
    assert page == costs.with_table(page)


def test_groups_sum_to_all_figures():
    rows = [line.strip("| ").split(" | ") for line in costs.table()[2:]]
    groups = [float(cost) for name, cost, _ in rows if re.match(r"\*`[\w-]+`, all", name)]
    hours = sum(e.seconds for e in entries().values()) * 2 / 3600
    assert rows[-1][0] == "*all figures*"
    assert float(rows[-1][1]) == pytest.approx(hours, abs=0.005)
    assert sum(groups) == pytest.approx(hours, abs=0.005 * len(groups))
