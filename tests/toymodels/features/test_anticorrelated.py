"""Sets of features of which one is active at a time: laws, conventions of density, refusals."""

import jax
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.features.anticorrelated import AnticorrelatedSets

N = 40_000


def draw(features, seed=0):
    """Draw examples `[F, N]`."""
    u = jax.random.uniform(jax.random.key(seed), (features.n_uniforms, N))
    return np.asarray(features.from_uniforms(u))


def test_one_member_of_an_active_set_is_on_each_as_often_as_the_others():
    on = draw(AnticorrelatedSets.create(6, 2, [0.3, 1.0])) > 0
    counts = on.reshape(2, 3, N).sum(axis=1)
    assert set(np.unique(counts[0])) == {0, 1}
    assert np.mean(counts[1] == 1) > 0.9999  # a value may be exactly 0
    np.testing.assert_allclose(on.mean(axis=1), [0.1] * 3 + [1 / 3] * 3, atol=0.01)
    both = (on[0] & on[3]).mean()
    assert both == pytest.approx(0.1 / 3, abs=4 * np.sqrt(0.033 / N))


def test_values_are_uniform_whichever_member_is_on():
    x = draw(AnticorrelatedSets.create(3, 1, 0.6))
    for row in x:
        values = row[row > 0]
        assert values.mean() == pytest.approx(0.5, abs=0.015)
        assert values.var() == pytest.approx(1 / 12, abs=0.004)


def test_a_density_of_features_is_that_of_each_feature():
    x = draw(AnticorrelatedSets.create(4, 2, 0.2, density_of="feature"))
    np.testing.assert_allclose((x > 0).mean(axis=1), 0.2, atol=0.01)
    with pytest.raises(InputError, match=r"p_active = 0\.6 of each feature"):
        AnticorrelatedSets.create(4, 2, 0.6, density_of="feature")


def test_density_zero_gives_nothing_and_a_column_of_the_batch_is_one_example():
    features = AnticorrelatedSets.create(4, 2, [0.0, 0.5])
    u = jax.random.uniform(jax.random.key(1), (features.n_uniforms, 200))
    whole = np.asarray(features.from_uniforms(u))
    assert not whole[:2].any()
    for i in range(4):
        np.testing.assert_array_equal(whole[:, i], features.from_uniforms(u[:, i]))


def test_antipodal_pairs_lose_nothing():
    """The members of a pair are never on at once, so that y = ReLU(Wᵀ W x) is exact."""
    x = draw(AnticorrelatedSets.create(4, 2, 0.7))
    W = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])
    np.testing.assert_allclose(np.maximum(W.T @ (W @ x), 0), x, atol=1e-6)
