"""The records that all modules of this package share: circuits, the network, its inputs.

Axis letters as in the package's docstring; P stages of a circuit: layer l uses stage (l-1) mod P.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.fields import static

Floats = NDArray[np.float32]


@struct.dataclass
class Circuit:
    """One small circuit, a function of one state; with a leading axis on `weights`, T of them.

    It reads the values `Q a` of its state a, and its next state is `ReLU(M Q a + β)`.
    """

    weights: Any  # [P, d, f] or [T, P, d, f]: M
    shared: Any  # [P, d, f]: the mean of M over circuits
    decode: Any  # [f, d]: Q
    bias: Any  # [P, d]: β
    # Names and lengths of what the f values are, in their order: (("on", 1), ("x", 2)).
    values: tuple[tuple[str, int], ...] = static()

    def __call__(self, state: jax.Array, layer: int = 1) -> jax.Array:
        """Take the state `[d]` of one circuit through its layer number `layer` (from 1)."""
        stage = (layer - 1) % self.bias.shape[0]
        read = jnp.asarray(self.decode) @ state
        return jax.nn.relu(jnp.asarray(self.weights)[stage] @ read + self.bias[stage])

    @property
    def axes(self) -> "Circuit":
        """What `jax.vmap` takes as `in_axes` of T circuits; `weights` alone has the axis T."""
        return replace(self, weights=0, shared=None, decode=None, bias=None)


@struct.dataclass
class Network:
    """The large network, as `network` describes it.

    Entry l of an axis `[L-1]` leads from layer l+1 to layer l+2.
    """

    circuits: Circuit
    embedding: Any  # [L, T, S] int32: the copies that serve each circuit
    background: tuple[jax.Array, ...]  # L-1 of [N, N]
    offset_weights: Any  # []: c of the u that ΔM writes with
    offset_readout: Any  # []: c of the u that is read out with
    link_density: Any  # [L-1]: share of neuron pairs that some circuit links
    inhibition: Any  # [L-1]: χ, NaN where there is none
    n_copies: int = static()  # N

    @property
    def width(self) -> int:
        """D = d N."""
        return self.circuits.bias.shape[-1] * self.n_copies

    @property
    def n_layers(self) -> int:
        """L, the large layers; the input is not one."""
        return self.embedding.shape[0]

    @property
    def n_circuits(self) -> int:
        """T."""
        return self.embedding.shape[1]

    @property
    def redundancy(self) -> int:
        """S, the copies that serve one circuit."""
        return self.embedding.shape[2]


class Inputs(NamedTuple):
    """What the network is given in a block of examples."""

    active: NDArray[np.int64]  # [B, z] which circuits
    states: Floats  # [B, z, d] the state of each
