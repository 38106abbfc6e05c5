"""Files are whole or not there, and only halves that nobody writes any more are removed."""

import errno
import os
import platform
import subprocess
import sys
import time

import pytest

from sweeps.atomic import (
    HOST,
    check_target,
    read_table,
    remove_halves,
    write_json,
    write_json_once,
    writing,
)
from toymodels.errors import InputError

NONE_LIVES = 99_999_999  # more than any system's largest process number


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})

    def fail():
        with writing(path) as beside:
            beside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert files(tmp_path) == ["a.json"]
    assert path.read_text() == '{\n  "x": 1\n}\n'


def test_a_half_says_which_process_writes_it(tmp_path):
    with writing(tmp_path / "a.json") as beside:
        beside.write_text("half")
        assert beside.name == f"a.json.{HOST}-{os.getpid()}.partial"
    assert not set(HOST) & set("./ ") and platform.node()[:5].rstrip(".-") in HOST


KEPT = [
    f"a.nc.{HOST}-{os.getpid()}.partial",  # lives
    f"a.nc.{os.getpid()}.partial",  # of an older version, lives
    f"a.nc.elsewhere-{NONE_LIVES}.partial",  # nobody here knows
    "thesis.partial",  # a user's own
    "of 2024.12.partial.txt",
    "a.partial-5.partial",
]


def test_halves_of_dead_processes_are_removed_and_no_others(tmp_path):
    (tmp_path / "inside").mkdir()
    dead = [f"a.nc.{HOST}-{NONE_LIVES}.partial", f"b.npz.{NONE_LIVES}.partial"]
    for name in [*KEPT, *dead, f"inside/{dead[0]}"]:
        (tmp_path / name).write_bytes(b"half")
    old = tmp_path / f"b.nc.elsewhere-{NONE_LIVES}.partial"
    old.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    remove_halves(tmp_path)
    assert files(tmp_path) == sorted(KEPT)


def test_a_killed_writers_half_goes_when_its_file_is_made_again(tmp_path):
    target = tmp_path / "a [1].nc"
    code = (
        "import os, pathlib, sys; from sweeps.atomic import writing\n"
        "with writing(pathlib.Path(sys.argv[1])) as beside:\n"
        "    beside.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    (half,) = files(tmp_path)
    assert half.endswith(".partial")
    check_target(tmp_path / "a 1.nc")
    assert files(tmp_path) == [half]
    check_target(target)
    assert files(tmp_path) == []


def test_a_folder_in_a_files_place_is_refused(tmp_path):
    with pytest.raises(InputError, match="a folder lies there: move it away"):
        check_target(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "NaN", "{", "[" * 100_000, "\udcff"])
def test_what_is_no_table_is_read_as_an_empty_one(tmp_path, text):
    (tmp_path / "a.json").write_text(text, errors="surrogateescape")
    assert read_table(tmp_path / "a.json") == {}
    assert read_table(tmp_path) == read_table(tmp_path / "none.json") == {}


@pytest.mark.parametrize("links", [True, False])
def test_json_is_written_once_whoever_comes_first(tmp_path, monkeypatch, links):
    if not links:

        def refuse(*_):
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "plan.json"
    assert write_json_once(path, {"blocks": 1})
    assert not write_json_once(path, {"blocks": 2})
    assert read_table(path) == {"blocks": 1}
    assert list(tmp_path.iterdir()) == [path]
