import pytest

from sweeps.work import timing
from sweeps.work.timing import extrapolated, twice


def test_programs_that_are_not_timed_take_what_their_weight_says(monkeypatch):
    timed = []

    def measure(blocks):
        timed.append(blocks)
        return 2.0, 10.0 * len(blocks)

    programs = [[1], [1, 2, 3], [1, 2]]
    assert extrapolated(programs, len, measure) == 3 * 2 + 60  # pyright: ignore
    assert timed == [[1, 2, 3], [1, 2], [1]]
    monkeypatch.setattr(timing, "TIMING_SECONDS", -1)
    timed.clear()
    assert extrapolated(programs, len, measure) == pytest.approx(3 * 2 + 60)  # pyright: ignore
    assert timed == [[1, 2, 3]]


def test_quick_work_is_done_twice_and_long_work_once(monkeypatch):
    calls = []
    once, each = twice(lambda: calls.append(1))
    assert len(calls) == 2
    assert 0 <= once < 0.1
    assert 0 < each < 0.1
    monkeypatch.setattr(timing, "TIMING_SECONDS", 0)
    monkeypatch.setattr(timing.time, "monotonic", iter([0, 7]).__next__)
    monkeypatch.setattr(timing, "TIMING_SECONDS", 1e-9)
    assert twice(lambda: None) == (0.0, 7)
