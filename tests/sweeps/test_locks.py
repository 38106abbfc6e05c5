"""One process alone in a folder, or several that share it; also where there are no locks."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from sweeps import locks
from sweeps.atomic import HOST
from sweeps.locks import Held, Lock
from toymodels.errors import InputError

NONE_LIVES = 99_999_999  # more than any system's largest process number
NO_LOCKS = [errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EIO]


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks: some of NFS and FUSE."""
    monkeypatch.setattr(locks, "SECONDS_TO_TAKE_OVER", 0.0)

    def answer(number=errno.ENOTSUP):
        def flock(*_):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", flock)

    answer()
    return answer


def test_a_held_lock_is_refused_until_it_is_given_back(tmp_path):
    held = Lock(tmp_path / "lock")
    with pytest.raises(InputError, match=r"another run is working in .*--out"):
        Lock(tmp_path / "lock")
    held.close()
    Lock(tmp_path / "lock").close()


def several_and_one_exclude_each_other(path):
    shared = Lock(path, shared=True), Lock(path, shared=True)
    with pytest.raises(Held, match="another run is working in"):
        Lock(path)
    for held in shared:
        held.close()
    with Lock(path), pytest.raises(Held):
        Lock(path, shared=True)
    with Lock(path, shared=True):
        pass


def test_several_share_a_lock_and_one_that_is_alone_excludes_them(tmp_path):
    several_and_one_exclude_each_other(tmp_path / "lock")


def test_several_share_where_there_are_no_locks_too(tmp_path, no_locks):
    several_and_one_exclude_each_other(tmp_path / "lock")
    (tmp_path / "lock.held-elsewhere-1").write_text("elsewhere 1\n")
    Lock(tmp_path / "lock", shared=True).close()
    with pytest.raises(Held, match=r"process 1 on elsewhere.*remove .*lock\.held-elsewhere-1"):
        Lock(tmp_path / "lock")
    assert sorted(p.name for p in tmp_path.glob("*.held*")) == ["lock.held-elsewhere-1"]


@pytest.mark.parametrize("number", NO_LOCKS, ids=errno.errorcode.get)
def test_where_there_are_no_locks_a_file_says_who_works(tmp_path, no_locks, number):
    no_locks(number)
    held = Lock(tmp_path / "lock")
    assert held.problem == os.strerror(number)
    assert (tmp_path / "lock.held").read_text() == f"{HOST} {os.getpid()}\n"
    with pytest.raises(InputError, match=f"process {os.getpid()} on {HOST}: .*lock.held"):
        Lock(tmp_path / "lock")
    assert (tmp_path / "lock.held").exists()
    held.close()
    assert not (tmp_path / "lock.held").exists()


def test_the_sign_of_a_dead_process_is_taken_over(tmp_path, no_locks):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, NONE_LIVES):
        (tmp_path / "lock.held").write_text(f"{HOST} {pid}\n")
        Lock(tmp_path / "lock").close()


@pytest.mark.parametrize("text", ["elsewhere 1\n", "", "?", "\0\0"])
def test_a_sign_of_another_machine_or_nobody_is_refused_with_the_way_out(tmp_path, no_locks, text):
    (tmp_path / "lock.held").write_text(text)
    with pytest.raises(InputError, match=r"If it does not run any more, remove .*lock\.held"):
        Lock(tmp_path / "lock")
