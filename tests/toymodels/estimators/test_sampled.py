import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from flax import struct

from toymodels.estimators import Sampled
from toymodels.tasks import draw_batch

KEY = jax.random.key(0)


@struct.dataclass
class Sum:
    """A task of a user that only samples: the sum of two numbers."""

    shift: jax.Array

    def sample(self, key):
        x = jax.random.normal(key, (2,)) + self.shift
        return x, jnp.sum(x, keepdims=True)

    def error(self, output, target):
        return (output - target) ** 2


def test_the_loss_is_the_mean_error_over_the_batch():
    task = Sum(jnp.float32(1.0))
    u = Sampled().draw(task, KEY, 32)
    x = np.stack([task.sample(key)[0] for key in u], axis=-1)
    model = lambda x: 0.5 * jnp.sum(x, keepdims=True)  # noqa: E731
    found = Sampled().loss_per_output(task, model, u)
    np.testing.assert_allclose(found, np.mean((0.5 * x.sum(0)) ** 2, keepdims=True), rtol=1e-5)
    nothing = float(Sampled().baseline(task, u))
    assert nothing == pytest.approx(np.mean(x.sum(0) ** 2), rel=1e-5)


def test_a_batch_is_that_of_the_task():
    task = make_run().task
    np.testing.assert_array_equal(Sampled().draw(task, KEY, 8), draw_batch(task, KEY, 8))
