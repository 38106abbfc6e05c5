"""A start from another run's weights: step 0 is that run's end, and training goes on from there."""

import numpy as np

from sweeps import run_sweep

FIRST = {"name": "first", "model": "relu", "n_features": 4, "n_hidden": 2, "steps": 60}
FIRST |= {"grid": {"p_active": [0.1, 0.5], "seed": {"range": 2}}}


def test_training_goes_on_from_the_models_of_another_sweep():
    first = run_sweep(FIRST)
    table = {"name": "second", "model": "continued", "n_features": 4, "p_active": 0.3}
    ds = run_sweep(table | {"steps": 200, "snapshots": [0], "models": FIRST})
    assert ds.W.dims == ("p_active", "model_seed", "hidden", "feature")
    np.testing.assert_array_equal(ds.W_at_snapshot.isel(snapshot=0), first.W)
    moved = np.abs(ds.W.values - first.W.values).max(axis=(-1, -2))
    assert (moved > 1e-3).all()
    np.testing.assert_allclose(ds.p_active_of_feature, 0.3, rtol=1e-6)  # its own world
