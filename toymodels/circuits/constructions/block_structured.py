"""One active circuit without any error: memory blocks, and a layer that deletes the rest.

The block-structured construction (the LessWrong post "Block-structured computation in
superposition", of which only the opening was known here): N memory blocks of d neurons hold one
circuit's state at a time. Circuit t = (i, j) moves between block i and block j, so there are N²
circuits, one for each pair: T = (D/d)² for D = N d memory neurons. After each step all other
blocks hold stale values; a second layer clears them, told by one-hot inputs which block counts.
So a small layer takes two large ones, and 2 N neurons carry the two one-hot vectors along.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.checks import number
from toymodels.circuits.base import Circuit
from toymodels.circuits.checks import require_circuits
from toymodels.errors import InputError
from toymodels.fields import static


@struct.dataclass
class BlockStructured:
    """Weights of four kinds of large layers on `[memory N d, one-hot i N, one-hot j N]`.

    A function of one state; D' = N (d + 2).
    """

    forth: Any  # [D', D'] from block i to block j
    back: Any  # [D', D'] from block j to block i
    keep_target: Any  # [D', D'] clear all blocks but j
    keep_source: Any  # [D', D'] clear all blocks but i
    bias: Any  # [D'] of a step; clearing has none
    n_blocks: int = static()  # N
    n_neurons: int = static()  # d

    def __call__(self, state: jax.Array, small_layer: int) -> jax.Array:
        """Take the large state `[D']` through the two large layers of one small layer (from 1)."""
        odd = small_layer % 2 == 1
        step, keep = (self.forth, self.keep_target) if odd else (self.back, self.keep_source)
        return jax.nn.relu(keep @ jax.nn.relu(step @ state + self.bias))

    def write(self, circuit: Any, state: jax.Array) -> jax.Array:
        """Return the large input `[D']` for one circuit (0 … N²-1) in a state `[d]`."""
        source, target = jnp.divmod(circuit, self.n_blocks)
        blocks = jax.nn.one_hot(jnp.stack([source, target]), self.n_blocks)  # [2, N]
        memory = blocks[0][:, None] * state[None, :]
        return jnp.concatenate([memory.ravel(), blocks.ravel()])

    def read(self, circuit: Any, state: jax.Array, small_layer: int) -> jax.Array:
        """Return the circuit's state `[d]` from the large one after `small_layer` small layers."""
        source, target = jnp.divmod(circuit, self.n_blocks)
        memory = state[: self.n_blocks * self.n_neurons].reshape(self.n_blocks, self.n_neurons)
        return memory[target if small_layer % 2 == 1 else source]


def block_structured(circuits: Circuit, largest_activation: float) -> BlockStructured:
    """Build the network for T = N² circuits of one stage.

    Args:
        circuits: their biases may have any sign: what they do while inactive is cleared.
        largest_activation: of any small neuron in an active circuit. Clearing is as strong as
            the most that weights can make of it.

    Raises:
        InputError: T is not a square, circuits of several stages, or an activation that is not
            above 0.
    """
    largest_activation = number("largest_activation", largest_activation, 0)
    if largest_activation == 0:
        raise InputError(f"largest_activation = {largest_activation} must be above 0.")
    require_circuits(circuits)
    n_circuits, n_stages, d, _ = circuits.weights.shape
    n = round(n_circuits**0.5)
    if n * n != n_circuits:
        below = int(n_circuits**0.5)
        raise InputError(
            f"{n_circuits} circuits do not fill all pairs of N blocks: use N² of them, "
            f"{below**2} or {(below + 1) ** 2}."
        )
    if n_stages != 1:
        raise InputError(
            f"circuits have {n_stages} stages, but each step uses the same weights: use one stage."
        )
    own = (circuits.weights[:, 0] @ circuits.decode).reshape(n, n, d, d)  # [i, j, d, d]
    strongest = np.abs(own).sum(axis=-1).max() * largest_activation + np.abs(circuits.bias).max()
    to_target = np.einsum("ijab->jaib", own).reshape(n * d, n * d)
    to_source = np.einsum("ijab->iajb", own).reshape(n * d, n * d)
    others = np.kron(1 - np.eye(n), np.ones((d, 1)))  # [N d, N]
    nothing = np.zeros((n * d, n))
    return BlockStructured(
        forth=_with_one_hots(to_target, nothing, nothing),
        back=_with_one_hots(to_source, nothing, nothing),
        keep_target=_with_one_hots(np.eye(n * d), nothing, -strongest * others),
        keep_source=_with_one_hots(np.eye(n * d), -strongest * others, nothing),
        bias=np.concatenate([np.tile(circuits.bias[0], n), np.zeros(2 * n)]).astype(np.float32),
        n_blocks=n,
        n_neurons=d,
    )


def run_block_structured(
    network: BlockStructured, circuit: Any, state: jax.Array, n_layers: int
) -> jax.Array:
    """Run one circuit (0 … N²-1) from `state [d]`; return its states read out, `[n_layers + 1, d]`.

    `jax.vmap` over `circuit` and `state` runs a batch.
    """
    large = network.write(circuit, state)
    states = [network.read(circuit, large, 0)]
    for layer in range(1, n_layers + 1):
        large = network(large, layer)
        states.append(network.read(circuit, large, layer))
    return jnp.stack(states)


def _with_one_hots(memory: np.ndarray, by_source: np.ndarray, by_target: np.ndarray) -> np.ndarray:
    """Return `[D', D']`: the memory's weights, and the identity on the one-hot vectors."""
    n = by_source.shape[1]
    carried = np.concatenate([np.zeros((2 * n, memory.shape[1])), np.eye(2 * n)], axis=1)
    top = np.concatenate([memory, by_source, by_target], axis=1)
    return np.concatenate([top, carried]).astype(np.float32)
