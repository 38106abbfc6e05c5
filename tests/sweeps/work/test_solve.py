"""Solved sweeps: the same cells by one call of the solver, stored, resumed, restored."""

import jax
import numpy as np
import pytest
import xarray as xr

from sweeps import restore, run_sweep
from sweeps.config.parse import parse
from sweeps.estimates import estimate
from sweeps.machine import Machine
from sweeps.plan import make_programs
from sweeps.work import solve as solving
from sweeps.work.solve import SOLVE, Newton
from toymodels import geometry
from toymodels.errors import InputError
from toymodels.exact import expected_loss, solve
from toymodels.measures.adversarial import Adversarial
from toymodels.streams import Stream, stream
from toymodels.training import evaluate

TABLE = {
    "name": "solved",
    "model": "relu",
    "n_features": 2,
    "n_hidden": 1,
    "estimator": "exact",
    "optimizer": "newton",
    "n_starts": 6,
    "grid": {"importance.relative": [0.5, 1.0, 2.0], "p_active": {"log": [0.05, 1.0, 4]}},
}


@pytest.fixture(scope="module")
def solved():
    return run_sweep(TABLE)


def test_solved_sweep_is_one_call_of_the_solver(solved):
    r, p = np.meshgrid(solved["relative_importance"], solved["p_active"], indexing="ij")
    importance = np.stack([np.ones_like(r), r], axis=-1)
    found = solve(np.stack([p, p], axis=-1), importance, 1, n_starts=6)
    np.testing.assert_allclose(solved["loss"], found.loss, rtol=1e-6)
    np.testing.assert_allclose(solved["runner_up_loss"], found.runner_up_loss, rtol=1e-6)
    assert solved["W"].dims == ("relative_importance", "p_active", "hidden", "feature")
    assert float(solved["difference"].max()) < 1e-4


def test_stored_cell_becomes_a_model_with_the_stored_loss(solved):
    run, model = restore(solved, relative_importance=0.5, p_active=1.0)
    stored = float(solved["loss"].sel(relative_importance=0.5, p_active=1.0))
    assert float(jax.jit(evaluate)(run, model).loss) == pytest.approx(stored, rel=1e-6)
    exact = expected_loss(model.W, model.b, run.task.features.p_active, run.task.importance)
    assert float(exact) == pytest.approx(stored, rel=1e-6)
    np.testing.assert_allclose(run.task.importance, [1, 0.5])


def test_finished_blocks_are_not_solved_again(tmp_path, monkeypatch, solved):
    monkeypatch.setattr(solving, "CELLS", {2: 5})
    cut = run_sweep(TABLE, out=tmp_path)
    xr.testing.assert_equal(cut.drop_vars("difference"), solved.drop_vars("difference"))
    blocks = sorted(tmp_path.rglob("blocks/*"))
    assert len(blocks) == 3
    next(tmp_path.rglob("result.nc")).unlink()
    blocks[1].unlink()
    calls = []
    again = solving.solve
    monkeypatch.setattr(solving, "solve", lambda *a, **k: calls.append(1) or again(*a, **k))
    assert run_sweep(TABLE, out=tmp_path).equals(cut)
    assert len(calls) == 1
    with xr.open_dataset(tmp_path / "solved.nc") as stored:
        np.testing.assert_array_equal(stored["W"], solved["W"])


def test_estimate_of_a_solved_sweep_counts_its_blocks():
    config = parse(TABLE)
    found = estimate(config)
    assert (found.models, found.programs, found.blocks) == (12, 1, 1)
    assert found.seconds > 0


def blocks_of(table):
    config = parse(table)
    (program,) = make_programs(config.grid, config.build, config.seed)
    return list(SOLVE.cut(program, Machine(2**30)))


def test_a_seed_changes_the_random_starts_alone(monkeypatch):
    """The solver hears another seed for each seed and root; the optimum is the same."""
    table = TABLE | {"n_starts": 30, "grid": {"p_active": [0.3], "seed": {"range": 2}}}
    assert [b.seed_index.tolist() for b in blocks_of(table)] == [[0], [1]]
    heard, real = [], solving.solve
    monkeypatch.setattr(solving, "solve", lambda *a, **k: heard.append(k["seed"]) or real(*a, **k))
    found = [run_sweep(table | {"seed": root}) for root in (0, 1)]
    assert len(set(heard)) == 4
    for ds in found:
        np.testing.assert_array_equal(ds.seed, [0, 1])
        np.testing.assert_allclose(ds.loss, float(found[0].loss[0, 0]), rtol=1e-5)


def test_geometry_and_world_stand_beside_the_optimum(solved):
    cell = solved.isel(relative_importance=2, p_active=3)
    for name in ("superposition", "feature_dimensionality"):
        np.testing.assert_allclose(cell[name], getattr(geometry, name)(cell.W.values), rtol=1e-5)
    np.testing.assert_allclose(cell.importance_of_feature, [1, 2])
    np.testing.assert_allclose(cell.p_active_of_feature, [1, 1])
    found = SOLVE.variables(blocks_of(TABLE)[0].program.cell(0))
    assert found == {name: solved[name].dims[2:] for name in solved}


def test_words_are_those_of_a_solver(solved):
    """`loss` of a trained sweep is "on the reporting stream", here nothing is drawn."""
    for name, variable in solved.data_vars.items():
        assert variable.attrs.get("long_name"), name
    assert "least expected loss" in solved.loss.attrs["long_name"]
    assert "other minimum" in solved.runner_up_W.attrs["long_name"]
    assert "not finite" in solved.diverged.attrs["long_name"]


def test_starts_are_counted_as_cost():
    (block,) = blocks_of(TABLE)
    assert SOLVE.cost(block) == 12 * 6
    (block,) = blocks_of({k: v for k, v in TABLE.items() if k != "n_starts"})
    assert SOLVE.cost(block) == 12 * 7  # of the first round


def test_what_one_start_alone_found_is_counted(solved):
    np.testing.assert_array_equal(solved["n_tried"], 6)
    assert SOLVE.remarks(solved) == []
    poor = solved.copy(deep=True)
    poor["n_agree"][0, :3] = 1
    poor["n_tried"][0, 0] = 1  # where one start was asked for, nothing is odd
    (said,) = SOLVE.remarks(poor)
    assert "In 2 of 11 cells one start alone found the optimum (`n_agree` is 1)" in said
    assert said.startswith(SOLVE.caption(poor)[-1].capitalize())
    assert "1 to 6 starts each" in SOLVE.caption(poor)[0]
    (alone,) = SOLVE.caption(poor[["loss", "diverged"]])  # nothing else was kept
    assert alone.endswith("cells, no sampling")


@pytest.mark.parametrize("n_starts", [0, -1, 10**9])
def test_a_number_of_starts_that_is_none_is_refused(n_starts):
    with pytest.raises(InputError, match=f"n_starts = {n_starts}"):
        Newton(n_starts)


@pytest.mark.claims  # compiles for many seconds
def test_optima_are_measured_by_what_the_config_names():
    table = {"name": "m", "n_features": 3, "n_hidden": 2, "optimizer": "newton", "p_active": 0.5}
    ds = run_sweep(table | {"measures": {"adversarial": {"n_examples": 64}}})
    run, model = restore(ds)
    found = Adversarial(n_examples=64)(run, model, stream(0, Stream.MEASURE))
    np.testing.assert_allclose(ds.vulnerability, found["vulnerability"].values, rtol=1e-5)
    assert "norm" not in ds
