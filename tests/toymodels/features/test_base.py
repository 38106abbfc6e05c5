"""What a user's own kind of features needs: `n_uniforms`, `from_uniforms`, and no more."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import struct

from toymodels.features import Features, SignedUniform, Uniform
from toymodels.fields import along_first_axis, array, static
from toymodels.losses import estimate_loss_per_output
from toymodels.models import LinearAutoencoder
from toymodels.tasks import Reconstruction


@struct.dataclass
class Together(Features):
    """All features are active at once or none is; fifteen lines of a user."""

    p_active: jax.Array = array()
    n_features: int = static(default=3)

    @property
    def n_uniforms(self):
        return 1 + self.n_features

    def from_uniforms(self, u):
        on = u[:1] < along_first_axis(self.p_active, u)
        return jnp.where(on, u[1:], 0.0)


@pytest.mark.parametrize("batch", [(), (5,)])
def test_features_of_a_user_take_one_example_or_a_batch(batch):
    u = jax.random.uniform(jax.random.key(0), (4, *batch))
    x = Together(jnp.float32(0.5)).from_uniforms(u)
    np.testing.assert_array_equal(x, np.where(u[0] < 0.5, u[1:], 0))


def test_features_of_a_user_have_the_loss_of_their_closed_form():
    """The answer 0 loses E[x²] = p / 3 per feature; the best constant loses the variance."""
    task = Reconstruction.create(Together(jnp.float32(0.4)), 1.0)
    for bias, wanted in ((0.0, 0.4 / 3), (0.2, 0.4 / 3 - 0.04)):
        model = LinearAutoencoder(jnp.zeros((1, 3)), jnp.full(3, bias, jnp.float32))
        found = estimate_loss_per_output(task, model, jax.random.key(1), 2**17, 2**15)
        np.testing.assert_allclose(found, wanted, rtol=0.02)


def test_distributions_are_inverse_distribution_functions():
    q = jnp.linspace(0, 1, 5)
    np.testing.assert_allclose(Uniform()(q), q)
    np.testing.assert_allclose(SignedUniform()(q), [-1, -0.5, 0, 0.5, 1])
