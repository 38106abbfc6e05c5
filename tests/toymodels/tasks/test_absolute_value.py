"""The absolute-value task: targets, which estimators treat it, and that it can be learned."""

import jax
import numpy as np
import pytest

from sweeps import run_sweep
from toymodels.errors import InputError
from toymodels.features import Independent, SignedUniform
from toymodels.tasks.absolute_value import AbsoluteValue

TABLE = {
    "name": "abs",
    "task": "absolute_value",
    "model": "absolute_value",
    "n_features": 3,
    "n_hidden": 6,
    "features": {"p_active": 0.3, "values": "signed_uniform"},
}


def test_targets_are_absolute_values_and_the_error_counts_importance():
    task = AbsoluteValue.create(Independent.create(0.5, 2, SignedUniform()), [1.0, 0.5])
    x, target = task.from_uniforms(jax.random.uniform(jax.random.key(0), (2, 50)))
    assert (np.asarray(x) < 0).any()
    np.testing.assert_array_equal(target, np.abs(x))
    np.testing.assert_allclose(task.error(0 * target, target)[1], 0.5 * np.asarray(x)[1] ** 2)


def test_estimators_of_reconstruction_refuse_it():
    with pytest.raises(InputError, match='knows the task "reconstruction", not AbsoluteValue'):
        run_sweep(TABLE | {"model": "relu", "estimator": "exact"})


@pytest.mark.claims
def test_two_neurons_for_each_feature_learn_it():
    """The best of a few seeds is close to 0; answering 0 would lose p/3 for each feature."""
    ds = run_sweep(TABLE | {"steps": 1500, "grid": {"seed": {"range": 6}}})
    assert float(ds.loss.min()) < 0.05 * 3 * 0.3 / 3
    assert not ds.diverged.any()
