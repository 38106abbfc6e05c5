"""One hidden layer of ReLU neurons and a linear read-out: what computes with few neurons.

`OneHiddenLayer` is the model of compressed computation (Bhagat et al. 2026, arXiv 2606.14673); with
biases it is what learns the universal AND.
"""

from typing import Any, Self

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.errors import require_range
from toymodels.fields import along_first_axis, array, static
from toymodels.measures.balanced import balanced_neurons
from toymodels.models.base import Model, normal
from toymodels.precision import product


@struct.dataclass
class MlpInit:
    """How a one-hidden-layer model starts: `MlpInit(...)(key)` draws it."""

    gain: Any  # [], in units of He's standard deviation
    model: type = static()
    n_features: int = static()
    n_hidden: int = static()
    n_outputs: int = static()

    def __call__(self, key: jax.Array) -> Any:
        """Draw a model."""
        return self.model.init(key, self)


@struct.dataclass
class OneHiddenLayer(Model):
    """`y = V ReLU(W x)`, without biases.

    A neuron may be rescaled: row m of `W` by any a > 0 and column m of `V` by 1/a give the same
    function. What is measured has both at one length.
    """

    W: jax.Array = array("hidden", "feature", words="weights into the neurons")  # [M, F]
    V: jax.Array = array("output", "hidden", words="weights out of the neurons")  # [O, M]

    @classmethod
    def start(
        cls, n_features: int, n_hidden: int, n_outputs: int = 0, init_gain: float = 1.0
    ) -> MlpInit:
        """Say how a run's model starts: normal weights of `init_gain` times He's √(2 / inputs).

        Args:
            n_features: F, inputs.
            n_hidden: M, neurons.
            n_outputs: O, or 0 for as many as inputs.
            init_gain: multiple of He's standard deviation.

        Raises:
            InputError: a size below 1 or a negative gain.
        """
        require_range("n_features", n_features, 1, 1_000_000)
        require_range("n_hidden", n_hidden, 1, 1_000_000)
        require_range("n_outputs", n_outputs, 0, 1_000_000)
        require_range("init_gain", init_gain, 0, 1e30)
        return MlpInit(
            jnp.float32(init_gain),
            cls,
            n_features=n_features,
            n_hidden=n_hidden,
            n_outputs=n_outputs or n_features,
        )

    @classmethod
    def init(cls, key: jax.Array, sizes: MlpInit) -> Self:
        """Draw `W` and `V`."""
        return cls(*draw_weights(key, sizes))

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x)`."""
        return jax.nn.relu(self.W @ x)

    def decode(self, h: jax.Array) -> jax.Array:
        """Return `y = V h`."""
        return self.V @ h

    def columns(self) -> jax.Array:
        """Return the directions by which features are measured: `balanced_neurons(W, V)`."""
        return balanced_neurons(self.W, self.V)

    def maps_of_rays(self) -> jax.Array:
        """Return `G [2, O, F]`: of `x_j = ±v` alone it makes `v G_j`, the first G for +v.

        Without biases a neuron's ReLU has no kink but at 0, so every ray is answered linearly.
        """
        on = jax.nn.relu(jnp.stack([self.W, -self.W]))  # [2, M, F]
        return jax.vmap(product, in_axes=(None, 0))(self.V, on)


@struct.dataclass
class BiasedOneHiddenLayer(OneHiddenLayer):
    """`y = V ReLU(W x + c) + b`."""

    c: jax.Array = array("hidden", words="biases of the neurons")  # [M]
    b: jax.Array = array("output", words="biases of the outputs")  # [O]

    @classmethod
    def init(cls, key: jax.Array, sizes: MlpInit) -> Self:
        """Draw `W` and `V`; biases start at zero."""
        W, V = draw_weights(key, sizes)
        return cls(W, V, c=jnp.zeros(sizes.n_hidden), b=jnp.zeros(sizes.n_outputs))

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x + c)`."""
        h = self.W @ x
        return jax.nn.relu(h + along_first_axis(self.c, h))

    def decode(self, h: jax.Array) -> jax.Array:
        """Return `y = V h + b`."""
        y = self.V @ h
        return y + along_first_axis(self.b, y)

    def columns(self) -> jax.Array:
        """Return the directions by which features are measured: `balanced_neurons(W, V)`."""
        return balanced_neurons(self.W, self.V)


def draw_weights(key: jax.Array, sizes: MlpInit) -> tuple[jax.Array, jax.Array]:
    """Draw `W [M, F]` and `V [O, M]`, normal, `gain` times He's √(2 / inputs)."""
    key_in, key_out = jax.random.split(key)
    n_inputs, n_hidden = sizes.n_features, sizes.n_hidden
    W = normal(key_in, (n_hidden, n_inputs), sizes.gain * (2 / n_inputs) ** 0.5)
    return W, normal(key_out, (sizes.n_outputs, n_hidden), sizes.gain * (2 / n_hidden) ** 0.5)
