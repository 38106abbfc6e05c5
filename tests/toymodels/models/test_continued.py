"""A start from another run's weights: step 0 is that run's end, and training goes on from there."""

import numpy as np
import pytest

from sweeps import run_sweep

FIRST = {"name": "first", "model": "relu", "n_features": 4, "n_hidden": 2, "steps": 60}
FIRST |= {"grid": {"p_active": [0.1, 0.5], "seed": {"range": 2}}}


@pytest.mark.claims  # compiles for many seconds
def test_training_goes_on_from_the_models_of_another_sweep():
    first = run_sweep(FIRST)
    table = {"name": "second", "model": "continued", "n_features": 4}
    world = {"grid": {"p_active": [0.3, 0.4]}}
    ds = run_sweep(table | world | {"steps": 200, "snapshots": [0], "models": FIRST})
    assert ds.W.dims == ("model_p_active", "model_seed", "p_active", "hidden", "feature")
    assert (int(ds.steps), int(ds.model_steps), int(ds.model_n_features)) == (200, 60, 4)
    np.testing.assert_array_equal(ds.W_at_snapshot.isel(snapshot=0, p_active=1), first.W)
    moved = np.abs(ds.W.isel(p_active=0).values - first.W.values).max(axis=(-1, -2))
    assert (moved > 1e-3).all()
    own = ds.p_active_of_feature.isel(model_p_active=0, model_seed=0, feature=0)
    np.testing.assert_allclose(own, ds.p_active, rtol=1e-6)  # its own world
