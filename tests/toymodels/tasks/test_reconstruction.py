import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.features import Independent
from toymodels.tasks import Reconstruction, draw_batch, interpret

KEY = jax.random.key(0)


def task(p=0.5, importance=1.0, n=3):
    return Reconstruction.create(Independent.create(p, n), importance, n)


def test_target_of_a_reconstruction_is_its_input():
    x, target = task().sample(KEY)
    np.testing.assert_array_equal(x, target)
    np.testing.assert_array_equal(x, task().features.sample(KEY))


def test_error_is_importance_times_the_square():
    got = task(importance=[1.0, 0.5, 0.0]).error(jnp.array([0.0, 1, 5]), jnp.array([2.0, 3, 7]))
    np.testing.assert_allclose(got, [4, 2, 0])


def test_one_importance_is_shared_by_all_features():
    np.testing.assert_array_equal(task(importance=0.25).importance, np.float32([0.25] * 3))


def test_batch_of_uniforms_is_read_with_the_batch_last():
    u = draw_batch(task(), KEY, 8)
    assert u.shape == (3, 8)
    x, target = interpret(task(), u)
    assert x.shape == target.shape == (3, 8)
    for i in range(8):
        np.testing.assert_array_equal(x[:, i], task().features.from_uniforms(u[:, i]))


def test_randomness_depends_on_sizes_alone():
    one, other = draw_batch(task(0.1, 2.0), KEY, 8), draw_batch(task(0.9, 0.0), KEY, 8)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "bad", [-1.0, float("nan"), float("inf"), [1.0, -0.5, 1.0], [1, 2, float("nan")], 1e300]
)
def test_importance_that_is_no_weight_is_refused(bad):
    with pytest.raises(InputError, match=r"importance = .*negative, infinite or NaN"):
        task(importance=bad)


def test_importance_of_another_length_is_refused():
    with pytest.raises(InputError, match="n_features = 3"):
        task(importance=[1.0, 1.0])
