import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from toymodels.errors import InputError
from toymodels.features import OneActive, SignedUniform, Uniform

N = 40_000


@pytest.mark.parametrize(("values", "low"), [(Uniform(), 0.0), (SignedUniform(), -1.0)])
def test_one_feature_is_active_each_as_often_and_uniform(values, low):
    x = np.asarray(jax.vmap(OneActive(6, values).sample)(jax.random.split(jax.random.key(0), N)))
    assert np.all((x != 0).sum(1) <= 1) and np.mean((x != 0).sum(1)) > 0.999  # the value may be 0
    share = (x != 0).mean(0)
    np.testing.assert_array_less(abs(share - 1 / 6), 5 * np.sqrt(5 / 36 / N))
    for i in range(6):
        assert stats.kstest(x[x[:, i] != 0, i], stats.uniform(low, 1 - low).cdf).pvalue > 1e-3


def test_feature_and_value_are_read_from_one_number():
    features = OneActive.create(4)
    assert features.n_uniforms == 1
    np.testing.assert_allclose(features.p_active, 0.25)
    x = features.from_uniforms(jnp.array([0.625]))
    np.testing.assert_allclose(x, [0, 0, 0.5, 0])
    X = features.from_uniforms(jnp.array([[0.625, 0.0, 0.1]]))
    np.testing.assert_allclose(X, [[0, 0, 0.4], [0, 0, 0], [0.5, 0, 0], [0, 0, 0]], rtol=1e-6)


def test_a_world_without_features_is_refused():
    with pytest.raises(InputError, match="n_features = 0"):
        OneActive.create(0)
