"""What a task may leave out, and what then stands in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_run
from flax import struct

from toymodels.tasks import draw_batch, interpret, mean_error
from toymodels.tasks.base import baseline, outputs_of

KEY = jax.random.key(0)


@struct.dataclass
class Doubled:
    """A task of a user: one key per example, no uniforms."""

    factor: jax.Array

    def sample(self, key):
        x = jax.random.normal(key, (2,))
        return x, self.factor * x

    def error(self, output, target):
        assert output.ndim == 1
        return jnp.abs(output - target)


@struct.dataclass
class WithBaseline(Doubled):
    """Learning nothing is to answer the mean."""

    outputs = "side"

    def baseline(self, targets):
        return jnp.sum(jnp.mean(jnp.abs(targets - targets.mean(-1, keepdims=True)), axis=-1))


MINE = Doubled(jnp.array(2.0))


def test_a_task_with_only_sample_gets_a_key_per_example():
    u = draw_batch(MINE, KEY, 5)
    assert u.shape == (5,)
    x, target = interpret(MINE, u)
    assert x.shape == (2, 5)
    np.testing.assert_array_equal(target, 2 * x)
    np.testing.assert_array_equal(x[:, 3], MINE.sample(u[3])[0])


@pytest.mark.parametrize("task", [MINE, make_run(2).task])
def test_mean_error_is_the_mean_over_the_examples(task):
    outputs, targets = jax.random.normal(KEY, (2, 2, 6))
    each = [task.error(outputs[:, i], targets[:, i]) for i in range(6)]
    np.testing.assert_allclose(mean_error(task, outputs, targets), np.mean(each, 0), rtol=1e-5)


def test_learning_nothing_is_the_answer_zero_unless_the_task_says_otherwise():
    targets = jax.random.normal(KEY, (2, 50)) + 3
    assert float(baseline(MINE, targets)) == pytest.approx(float(jnp.abs(targets).mean(-1).sum()))
    own = float(baseline(WithBaseline(jnp.array(2.0)), targets))
    around = np.abs(targets - np.mean(targets, -1, keepdims=True)).mean(-1).sum()
    assert own == pytest.approx(float(around), rel=1e-5)
    assert own < float(baseline(MINE, targets)) / 2


def test_outputs_have_a_name():
    assert outputs_of(make_run().task) == "feature"
    assert outputs_of(MINE) == "output"
    assert outputs_of(WithBaseline(jnp.array(2.0))) == "side"
