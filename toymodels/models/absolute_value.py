"""The model that computes absolute values in superposition."""

import jax
from flax import struct

from toymodels.models.autoencoders import UntiedAutoencoder


@struct.dataclass
class AbsoluteValueModel(UntiedAutoencoder):
    """`y = ReLU(V h + b)` with neurons `h = ReLU(W x)` (Elhage et al. 2022, "Computation").

    `W` and `V` are the paper's W₁ and W₂. A neuron may be rescaled: row m of `W` by any a > 0 and
    column m of `V` by 1/a give the same function.
    """

    def encode(self, x: jax.Array) -> jax.Array:
        """Return `h = ReLU(W x)`."""
        return jax.nn.relu(super().encode(x))
