"""Sets of features that are active together: laws of single features and of pairs."""

import jax
import numpy as np
import pytest

from sweeps import parse
from toymodels.errors import InputError
from toymodels.features.correlated import CorrelatedSets

N = 40_000


def draw(features, seed=0):
    """Draw examples `[F, N]`."""
    u = jax.random.uniform(jax.random.key(seed), (features.n_uniforms, N))
    return np.asarray(features.from_uniforms(u))


def test_members_of_a_set_are_active_together_and_sets_are_independent():
    x = draw(CorrelatedSets.create(6, 3, [0.1, 0.3, 0.5]))
    on = x > 0
    for first in (0, 2, 4):
        np.testing.assert_array_equal(on[first], on[first + 1])
    p = on.mean(axis=1)
    np.testing.assert_allclose(p, [0.1, 0.1, 0.3, 0.3, 0.5, 0.5], atol=0.01)
    both = (on[0] & on[2]).mean()
    assert both == pytest.approx(0.03, abs=4 * np.sqrt(0.03 * 0.97 / N))


def test_values_of_a_set_are_uniform_and_independent():
    x = draw(CorrelatedSets.create(2, 1, 0.4))
    values = x[:, x[0] > 0]
    np.testing.assert_allclose(values.mean(axis=1), 0.5, atol=0.01)
    np.testing.assert_allclose(values.var(axis=1), 1 / 12, atol=0.003)
    assert abs(np.corrcoef(values)[0, 1]) < 0.03


def test_one_example_is_a_column_of_the_batch():
    features = CorrelatedSets.create(4, 2, 0.5)
    u = jax.random.uniform(jax.random.key(1), (features.n_uniforms, 8))
    whole = features.from_uniforms(u)
    for i in range(8):
        np.testing.assert_array_equal(whole[:, i], features.from_uniforms(u[:, i]))


def test_a_sweep_names_them_by_kind_and_sweeps_their_density():
    table = {"name": "c", "model": "relu", "n_features": 4, "n_hidden": 2}
    table |= {"features": {"kind": "correlated", "n_sets": 2}, "grid": {"p_active": [0.1, 0.2]}}
    run = parse(table).build({"features.p_active": 0.2}).run
    assert isinstance(run.task.features, CorrelatedSets)
    np.testing.assert_array_equal(run.task.features.p_active, np.float32([0.2, 0.2]))


@pytest.mark.parametrize(("n_features", "n_sets"), [(5, 2), (4, 0), (2, 4)])
def test_sets_that_are_not_equally_large_are_refused(n_features, n_sets):
    with pytest.raises(InputError, match=f"n_sets = {n_sets} does not divide"):
        CorrelatedSets.create(n_features, n_sets)


def test_a_density_for_each_set_is_checked():
    with pytest.raises(InputError, match="n_sets = 2"):
        CorrelatedSets.create(4, 2, [0.1, 0.2, 0.3])
