"""A process with many compiled programs lets go of them before it can compile no more."""

import jax
import pytest

from sweeps import programs
from sweeps.programs import MAPPINGS, make_room_for_programs


@pytest.mark.skipif(not MAPPINGS.exists(), reason="no such limit on this system")
def test_programs_are_let_go_of_when_a_process_nears_its_limit(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(jax, "clear_caches", lambda: called.append(1))  # other tests use theirs
    make_room_for_programs()
    assert not called
    limit = tmp_path / "max_map_count"
    limit.write_text("10\n")
    monkeypatch.setattr(programs, "MOST_MAPPINGS", limit)
    make_room_for_programs()
    assert called


def test_a_system_without_such_a_limit_keeps_all(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(jax, "clear_caches", lambda: called.append(1))
    monkeypatch.setattr(programs, "MAPPINGS", tmp_path / "none")
    make_room_for_programs()
    assert not called
