"""The noise of a gradient, against means and variances known on paper."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.measures.gradient_noise import batch_variance

SIZE = 50  # of a batch
at = {"mean": jnp.float32(0.25), "slope": jnp.array([1.0, -1.0], jnp.float32)}


def loss(model, x):
    """Return the mean over a batch `[B]` of (m − x)² + 3 s₁ x."""
    return jnp.mean((model["mean"] - x) ** 2 + 3 * model["slope"][0] * x)


def draw(key):
    return jax.random.uniform(key, (SIZE,))


def test_variances_are_those_of_means_of_uniform_numbers():
    """The gradient is (2 m − 2 x̄, 3 x̄, 0), of variances (4, 9, 0)/12 B."""
    noise = jax.jit(lambda key: batch_variance(loss, draw, at, key, 4000))(jax.random.key(0))
    assert float(noise.gradient) == pytest.approx(13 / 12 / SIZE, rel=0.08)
    x = (np.arange(100_000) + 0.5) / 100_000
    assert float(noise.loss) == pytest.approx(np.var((0.25 - x) ** 2 + 3 * x) / SIZE, rel=0.08)


def test_a_key_gives_the_same_batches_again_and_one_batch_has_no_variance():
    two = [float(batch_variance(loss, draw, at, jax.random.key(1), 2).loss) for _ in range(2)]
    assert two[0] == two[1] > 0
    with pytest.raises(InputError, match=r"n_batches must be at least 2.*got 1"):
        batch_variance(loss, draw, at, jax.random.key(1), 1)
