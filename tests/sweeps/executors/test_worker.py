"""One block on its way: sent, opened, computed, and kept where the run's folder is seen."""

import dataclasses
import importlib
import pickle
import sys

import jax
import numpy as np
import pytest
from builders import make_table

from sweeps import parse
from sweeps.executors.cluster import probe
from sweeps.executors.worker import (
    Failed,
    folders_of_modules,
    is_seen,
    opened,
    run_block,
    send,
    versions_here,
)
from sweeps.folder import RunFolder
from sweeps.machine import Machine
from sweeps.packed import Output, pack
from sweeps.plan import make_programs
from toymodels.fields import Field


class Doubling:
    """A kind of work that takes no time."""

    name, version = "doubling", 3

    def run(self, block, advance):
        return Output({"twice": Field(2.0 * block.points, (), "twice")}, {})

    def resume(self, block, advance, checkpoint):
        return self.run(block, advance)


@pytest.fixture(scope="module")
def block():
    config = parse(make_table())
    (program,) = make_programs(config.grid, config.build)
    block = next(program.work.cut(program, Machine(2**30)))
    return dataclasses.replace(block, program=dataclasses.replace(program, work=Doubling()))


@pytest.fixture(scope="module")
def arrays(block):
    return pack(block, Doubling().run(block, None))


def assert_same(found, arrays):
    assert set(found) == set(arrays)
    for name in arrays:
        np.testing.assert_array_equal(found[name], arrays[name])


def test_a_block_that_is_not_kept_comes_back(block, arrays):
    sent = pickle.loads(pickle.dumps(send(0, block, None)))
    assert_same(run_block(sent, "here"), arrays)


def test_a_block_is_written_where_the_probe_is_the_drivers(block, arrays, tmp_path):
    with RunFolder(tmp_path, "{}") as folder, probe(folder) as place:
        assert is_seen(place)
        assert run_block(send(3, block, place), "here") is None
        assert_same(folder.load_block(3, block), arrays)
    assert not is_seen(place)


def test_a_block_comes_back_where_the_same_path_is_another_folder(block, arrays, tmp_path):
    with RunFolder(tmp_path, "{}") as folder, probe(folder) as place:
        other = place._replace(content="of another disk")
        assert_same(run_block(send(0, block, other), "here"), arrays)
        assert not folder.has_files(1)


def test_a_block_comes_back_where_it_cannot_be_written(block, arrays, tmp_path):
    with RunFolder(tmp_path, "{}") as folder, probe(folder) as place:
        folder.block_path(0).mkdir()
        assert_same(run_block(send(0, block, place), "here"), arrays)


def test_other_versions_are_refused_before_a_block_is_opened(block):
    sent = send(0, block, None)._replace(block=b"no pickle")
    with pytest.raises(Failed, match="UnpicklingError"):
        run_block(sent, "here")
    sent = sent._replace(versions=versions_here() | {"jax": "0.1"})
    with pytest.raises(Failed, match=r"it has jax \S+ instead of 0.1") as told:
        run_block(sent, "tcp://there:1")
    assert pickle.loads(pickle.dumps(told.value)).worker == "tcp://there:1"


def test_another_version_of_a_kind_of_work_is_refused(block):
    sent = send(0, block, None)._replace(work=("doubling", 4))
    with pytest.raises(Failed, match="version 3, here 4"):
        run_block(sent, "here")


def test_what_the_driver_set_of_jax_holds_on_the_worker(block):
    sent, name = send(0, block, None), "jax_default_matmul_precision"
    assert sent.settings["jax_enable_x64"] is False
    try:
        run_block(sent._replace(settings={name: "highest"}), "here")
        assert getattr(jax.config, name) == "highest"
    finally:
        run_block(sent, "here")
    assert getattr(jax.config, name) is None


def test_a_record_of_a_script_is_known_to_jax_where_it_arrives(block, monkeypatch):
    tracked = "cloudpickle.cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID"

    class Outer:
        @jax.tree_util.register_dataclass
        @dataclasses.dataclass(frozen=True)
        class Init:
            scale: float
            n: int = dataclasses.field(default=3, metadata={"static": True})

    run = block.program.run.replace(init=Outer.Init(np.ones(3)))
    own = dataclasses.replace(block, program=dataclasses.replace(block.program, run=run))
    sent = send(0, own, None)
    monkeypatch.setattr(tracked, {})  # as elsewhere, where no class is known yet
    found = opened(sent.block).program.run.init
    assert type(found) is not Outer.Init
    assert jax.tree.leaves(found)[0].shape == (3,)
    assert type(found).__qualname__ == Outer.Init.__qualname__


def test_code_of_the_user_that_changed_since_it_was_imported_is_refused(
    block, tmp_path, monkeypatch
):
    module, record = tmp_path / "changing.py", "import flax\n@flax.struct.dataclass\nclass Init:\n"
    module.write_text(record + "    scale: float\n    def twice(self): return 2 * self.scale\n")
    monkeypatch.syspath_prepend(tmp_path)
    changing = importlib.import_module("changing")
    run = block.program.run.replace(init=changing.Init(np.ones(3)))
    own = dataclasses.replace(block, program=dataclasses.replace(block.program, run=run))
    sent = send(0, own, None)
    run_block(sent, "here")
    module.write_text(record + "    scale: float\n    def twice(self): return 3 * self.scale  \n")
    importlib.reload(changing)
    with pytest.raises(Failed, match=r"its changing.Init is not .* restart the workers"):
        run_block(sent, "here")


def test_folders_of_modules_are_those_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path), str(tmp_path / "none")])
    found = folders_of_modules()
    assert str(tmp_path) in found
    assert not [folder for folder in found if "site-packages" in folder or "none" in folder]
