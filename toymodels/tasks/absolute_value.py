"""Give back the absolute value of each feature."""

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.tasks.reconstruction import Reconstruction


@struct.dataclass
class AbsoluteValue(Reconstruction):
    """Answer `|x_i|`, weighted by importance (Elhage et al. 2022, "Computation").

    It takes features with `values = "signed_uniform"` to make it more than reconstruction.
    """

    def target(self, x: jax.Array) -> jax.Array:
        """Return `|x|`."""
        return jnp.abs(x)
