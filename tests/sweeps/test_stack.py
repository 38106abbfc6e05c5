import numpy as np
import pytest
from builders import make_run

from sweeps import stack
from sweeps.stack import Shared, Stack
from toymodels.models.base import FromWeights


@pytest.mark.parametrize("waiting", [2, 4096])
def test_rows_are_the_runs_that_were_added(waiting, monkeypatch):
    monkeypatch.setattr(stack, "WAITING", waiting)
    runs = [make_run(p_active=p) for p in (0.1, 0.2, 0.3, 0.4, 0.5)]
    rows = Stack(None, 0)
    assert [rows.add(run) for run in runs] == [0, 1, 2, 3, 4]
    whole = rows.rows(np.arange(5))
    p = np.array([run.task.features.p_active for run in runs])
    np.testing.assert_array_equal(whole.task.features.p_active, p)
    np.testing.assert_array_equal(rows.rows(np.array([3, 1])).task.features.p_active, p[[3, 1]])


def test_a_large_array_that_cells_share_is_kept_once():
    models = [np.full((20, 20), float(i)) for i in range(3)]
    rows = Stack(None, 0)
    for i in (0, 1, 0, 2, 2, 0):
        rows.add(make_run().replace(init=FromWeights(models[i])))
    found = rows.rows(np.arange(6)).init.model
    assert isinstance(found, Shared)
    assert found.distinct.shape == (3, 20, 20)
    assert found.shape == (6, 20, 20)
    np.testing.assert_array_equal(found[np.array([4, 1])], np.stack([models[2], models[1]]))
    np.testing.assert_array_equal(np.asarray(found)[:, 0, 0], [0, 1, 0, 2, 2, 0])
    np.testing.assert_array_equal(rows.rows(np.array([3, 5])).init.model[0], models[2])
