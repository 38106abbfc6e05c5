"""The bar and the lines of a log, without a terminal and with a clock that is set by hand."""

import pytest
from rich.console import Console

from sweeps import progress
from sweeps.progress import Bar


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_a_line_every_ten_seconds_with_what_is_left(capsys, clock):
    bar = Bar("mine")
    bar.start(models=8, cost=1000, done=0)
    for seconds in (4, 8, 12, 16, 30):
        clock[0] = 100.0 + seconds
        bar.advance(100)
    bar.finish()
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["mine:  30%, about 28 s left", "mine:  50%, about 30 s left"]


def test_what_was_finished_before_does_not_count_as_speed(capsys, clock):
    bar = Bar("mine")
    bar.start(models=8, cost=1000, done=500)
    clock[0] += 20
    bar.advance(100)
    assert capsys.readouterr().err.splitlines() == [
        "mine: resuming: 50% was finished before",
        "mine:  60%, about 80 s left",
    ]


def test_nothing_is_drawn_where_all_is_done(capsys, clock):
    bar = Bar("mine")
    bar.start(models=8, cost=1000, done=1000)
    bar.finish()
    assert capsys.readouterr().err.splitlines() == ["mine: resuming: 100% was finished before"]


def test_a_terminal_gets_a_bar_that_fills(capsys):
    bar = Bar("mine")
    bar.console = Console(force_terminal=True, width=100, file=bar.console.file)
    bar.start(models=1200, cost=1000, done=0, of="cells")
    assert bar.bar is not None
    bar.advance(250)
    (task,) = bar.bar.tasks
    assert (task.completed, task.total, task.description) == (250, 1000, "mine: 1,200 cells")
    bar.finish()
    assert bar.bar is None
