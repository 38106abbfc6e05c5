"""Texts and objects that name a cluster."""

import sys
from types import SimpleNamespace

import pytest

from sweeps.executors.base import InProcess
from sweeps.executors.cluster import executor_of
from sweeps.executors.start import environment, workers_of
from toymodels.errors import InputError


def test_texts_name_processes_or_a_scheduler(tmp_path):
    assert workers_of("local:4") == 4
    assert workers_of("tcp://host:8786") is None
    assert workers_of("there.json") is None
    (tmp_path / "local").write_text("{}")
    assert workers_of(str(tmp_path / "local")) is None


@pytest.mark.parametrize("text", ["", "4", "local", "local:", "local:0", "local:-1", "local:1e3"])
def test_texts_that_name_nothing_are_refused(text):
    with pytest.raises(InputError, match="local:N"), executor_of(text):
        pass


def test_what_is_no_cluster_is_refused(tmp_path):
    for wrong in (4, object(), str(tmp_path / "none.json")):
        with pytest.raises(InputError, match="scheduler file"), executor_of(wrong):
            pass


def test_an_executor_is_taken_as_it_is():
    own = InProcess()
    with executor_of(own) as executor:
        assert executor is own
    with executor_of(None) as executor:
        assert executor is None


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"toymodels\[cluster\]"), executor_of("local:2"):
        pass


def test_processes_share_the_cores(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert [environment(n)["NPROC"] for n in (1, 3, 8, 20)] == ["8", "2", "1", "1"]
    config = SimpleNamespace(jax_compilation_cache_dir="cache")
    monkeypatch.setattr("sweeps.executors.start.jax", SimpleNamespace(config=config))
    folders = [environment(n)["JAX_COMPILATION_CACHE_DIR"] for n in (1, 4)]
    assert folders == ["cache", "cache/2-cores"]  # as programs differ
