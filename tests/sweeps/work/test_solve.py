"""Solved sweeps: the same cells by one call of the solver, stored, resumed, restored."""

import numpy as np
import pytest
import xarray as xr
from sweeps.solving import SolveSpec

from sweeps import restore, run_sweep, solving
from sweeps.config.parse import parse
from sweeps.run import cut_sheet, estimate
from toymodels.exact import expected_loss, solve
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
    assert float(evaluate(run, model).loss) == pytest.approx(stored, rel=1e-6)
    exact = expected_loss(model.W, model.b, run.task.features.p_active, run.task.importance)
    assert float(exact) == pytest.approx(stored, rel=1e-6)


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


def test_a_seed_changes_the_random_starts_alone():
    table = TABLE | {"n_starts": 30, "grid": {"p_active": [0.3], "seed": {"range": 2}}}
    found = run_sweep(table)
    np.testing.assert_allclose(found["loss"][0, 0], found["loss"][0, 1], rtol=1e-5)
    sheet = solving_sheet(table)
    assert [b.seed_index.tolist() for b in cut_sheet(sheet, 2**30)] == [[0], [1]]
    assert isinstance(sheet.run.spec, SolveSpec)


def solving_sheet(table):
    from sweeps.plan import make_sheets

    config = parse(table)
    (sheet,) = make_sheets(config.grid, config.build, config.describe, config.seed)
    return sheet
