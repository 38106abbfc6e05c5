"""The model that computes absolute values in superposition."""

import jax
from flax import struct

from toymodels.measures.balanced import balanced_neurons
from toymodels.models.autoencoders import UntiedAutoencoder


@struct.dataclass
class AbsoluteValueModel(UntiedAutoencoder):
    """`y = ReLU(V h + b)` with neurons `h = ReLU(W x)` (Elhage et al. 2022, "Computation").

    `W` and `V` are the paper's W₁ and W₂. A neuron may be rescaled: row m of `W` by any a > 0 and
    column m of `V` by 1/a give the same function. What is measured has both at one length.
    """

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x)`."""
        return jax.nn.relu(super().encode(x))

    def columns(self) -> jax.Array:
        """Return the directions by which features are measured: `balanced_neurons(W, V)`."""
        return balanced_neurons(self.W, self.V)
