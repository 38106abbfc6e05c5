"""How far a run is, from what lies in its folder; whole runs are in `test_resume.py`."""

import json

import pytest

from sweeps.status import blocks_done


@pytest.fixture
def run(tmp_path):
    (tmp_path / "blocks").mkdir()
    for i in (0, 1, 5):
        (tmp_path / "blocks" / f"{i:05d}.npz").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"memory_bytes": 1, "blocks": 12}, "3 of 12 blocks"),
        ({"memory_bytes": 1}, "3 blocks"),  # of an older version
        ({"blocks": 2}, "3 blocks"),
        ({"blocks": "x"}, "3 blocks"),
        ({"blocks": True}, "3 blocks"),
        ([], "3 blocks"),
        (None, "3 blocks"),
    ],
)
def test_blocks_are_counted_among_all_where_that_is_known(run, plan, said):
    (run / "plan.json").write_text(json.dumps(plan))
    assert blocks_done(run) == said


def test_a_folder_without_blocks_has_none(tmp_path):
    assert blocks_done(tmp_path) == "0 blocks"
    (tmp_path / "blocks").write_text("a file")
    (tmp_path / "plan.json").mkdir()
    assert blocks_done(tmp_path) == "0 blocks"


def test_what_cannot_be_read_of_a_block_in_work_is_left_out(run):
    for name in ("00002.checkpoint", "00005.checkpoint", "mine.checkpoint"):
        (run / "blocks" / name).write_bytes(b"x")
    assert blocks_done(run) == "3 blocks"
