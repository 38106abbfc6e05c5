"""Blocks that several processes share: one plan, each block once, joined by one that is alone."""

import json

import jax
import numpy as np
import pytest
import xarray as xr
from builders import Ear, make_table

from sweeps import parse, run_part, run_sweep
from sweeps.folder import RunFolder
from sweeps.locks import Held
from sweeps.machine import Machine
from sweeps.packed import cut_of, is_of
from sweeps.plan import make_programs, narrowed
from sweeps.run import folder_of
from sweeps.shared_folder import SharedFolder
from sweeps.work import layout
from sweeps.work.engine import start_block
from toymodels.errors import InputError

TABLE = make_table(
    name="shared", steps=20, grid={"p_active": [0.1, 0.3, 0.5, 0.7, 0.9], "seed": [0, 1]}
)
CONFIG = parse(TABLE)


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Blocks of one cell and both seeds."""
    monkeypatch.setattr(layout, "CPU_BLOCK", 2)


@pytest.fixture(scope="module")
def whole():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CPU_BLOCK", 2)
        return run_sweep(TABLE)


def numbers_of(leaf):
    is_key = jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return jax.random.key_data(leaf) if is_key else leaf


def blocks_in(out):
    return sorted(int(p.stem) for p in out.glob("runs/*/blocks/*.npz"))


def test_parts_compute_their_own_blocks_and_the_last_one_joins(tmp_path, whole):
    ear = Ear()
    assert run_part(TABLE, "1/2", out=tmp_path, report=ear) is None
    assert blocks_in(tmp_path) == [1, 3]
    assert (ear.heard, ear.steps) == ([(4, 80, 0)], 80)
    assert run_part(TABLE, "1/2", out=tmp_path) is None  # a part that is done does nothing
    joined = run_part(TABLE, "2/2", out=tmp_path)
    assert joined is not None
    xr.testing.assert_equal(joined, whole)
    for name in whole:
        np.testing.assert_array_equal(joined[name], whole[name])
    assert (tmp_path / "shared.nc").exists()
    xr.testing.assert_identical(run_part(TABLE, "1/2", out=tmp_path), joined)


def test_the_call_without_a_part_computes_what_is_missing_and_joins(tmp_path, whole):
    run_part(TABLE, "0/3", out=tmp_path)
    ear = Ear()
    xr.testing.assert_equal(run_sweep(TABLE, out=tmp_path, report=ear), whole)
    assert ear.heard == [(10, 200, 80)]


def test_a_block_that_another_process_has_in_work_is_left_to_it(tmp_path, capsys):
    path = folder_of(CONFIG, tmp_path)
    with SharedFolder(path, CONFIG.as_json()) as folder, folder.claim(1) as problem:
        assert problem is None
        assert run_part(TABLE, "1/2", out=tmp_path) is None
    assert blocks_in(tmp_path) == [3]
    assert "block 2 is left to a process that has it in work" in capsys.readouterr().out
    assert run_part(TABLE, "1/2", out=tmp_path) is None
    assert blocks_in(tmp_path) == [1, 3]
    assert not list(path.rglob("*.claim"))


def test_nobody_joins_or_clears_while_a_part_is_at_work(tmp_path, capsys):
    path = folder_of(CONFIG, tmp_path)
    with SharedFolder(path, CONFIG.as_json()):
        for fresh in (False, True):
            with pytest.raises(Held, match="another run is working in"):
                run_sweep(TABLE, out=tmp_path, fresh=fresh)
        half = path / "blocks" / "00000.npz.other-host-1.partial"
        half.write_bytes(b"half")
        for i in (1, 2):  # of parts that end while others work none joins
            assert run_part(TABLE, f"{i}/2", out=tmp_path) is None
        assert half.exists()
    (path / "blocks" / "00000.npz").unlink()
    with RunFolder(path, CONFIG.as_json()):
        assert run_part(TABLE, "2/2", out=tmp_path) is None
    assert "is left as it is: another run is working in" in capsys.readouterr().out
    assert not (path / "blocks" / "00000.npz").exists()


def test_who_comes_first_decides_how_all_cut(tmp_path, whole, monkeypatch):
    run_part(TABLE, "1/2", out=tmp_path, memory_gib=0.5)
    plan = folder_of(CONFIG, tmp_path) / "plan.json"
    first = plan.read_text()
    joined = run_part(TABLE, "2/2", out=tmp_path, memory_gib=1e-5)
    xr.testing.assert_equal(joined, whole)
    assert json.loads(first)["memory_bytes"] == 2**29
    assert plan.read_text() == first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"versions": {"jax": "0.0.1"}}, "was begun with jax 0.0.1, here .*need the same versions"),
        ({"cut": "0123456789"}, "was begun with cut 0123456789, here it is"),
        ({"backend": "gpu"}, "was begun with backend gpu, here it is cpu"),
        ({"memory_bytes": 3}, r"plan\.json: memory = .* does not hold one model"),
    ],
)
def test_a_part_that_would_give_other_numbers_is_refused(tmp_path, change, said):
    run_part(TABLE, "1/2", out=tmp_path)
    plan = folder_of(CONFIG, tmp_path) / "plan.json"
    plan.write_text(json.dumps(json.loads(plan.read_text()) | change))
    with pytest.raises(InputError, match=said):
        run_part(TABLE, "2/2", out=tmp_path)


def test_a_run_that_goes_on_with_other_versions_says_so(tmp_path, capsys):
    run_part(TABLE, "1/2", out=tmp_path)
    plan = folder_of(CONFIG, tmp_path) / "plan.json"
    begun = json.loads(plan.read_text())
    plan.write_text(json.dumps(begun | {"versions": begun["versions"] | {"jax": "0.0.1"}}))
    run_sweep(TABLE, out=tmp_path)
    assert "blocks of jax 0.0.1, here " in capsys.readouterr().out
    assert json.loads(plan.read_text())["earlier_versions"]["jax"] == "0.0.1"


def test_another_sweeps_folder_is_refused(tmp_path):
    run_part(TABLE, "1/2", out=tmp_path)
    path = folder_of(CONFIG, tmp_path) / "config.json"
    path.write_text(path.read_text().replace("0.3", "0.4"))
    with pytest.raises(InputError, match="is of another sweep"):
        run_part(TABLE, "2/2", out=tmp_path)


def test_a_narrowed_block_starts_from_the_same_numbers(monkeypatch):
    """And has the same shape: so the same program goes on from there to the same end."""
    monkeypatch.setattr(layout, "CPU_BLOCK", 4)
    (program,) = make_programs(CONFIG.grid, CONFIG.build, keep=("loss",))
    *_, block = program.work.cut(program, Machine(2**30))  # its last cell is padding
    small = narrowed(block)
    assert small.program.points.shape == (2, 1) and block.points.shape == (2, 2)
    assert small.program.keep == ("loss",)
    assert cut_of(small).keys() == cut_of(block).keys() and is_of(small, cut_of(block))
    first, second = (jax.tree.leaves(start_block(b)) for b in (block, small))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(*map(numbers_of, (one, other)))
