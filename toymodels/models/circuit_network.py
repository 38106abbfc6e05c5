"""A deep ReLU network that runs circuits, built by hand or not, and trained.

    A¹ = ReLU(E x + b¹),   A^l = ReLU(W^l A^{l-1} + b^l),   y = U A^L

Input and output are as
`toymodels.tasks.circuits` has them; `toymodels.models.circuit_start` says how it starts. Letters as
in `toymodels.circuits`; R circuits that arrays have room for.
"""

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
from flax import struct

from toymodels.errors import InputError
from toymodels.fields import along_first_axis, array, static
from toymodels.models.base import Model


@struct.dataclass
class CircuitNetwork(Model):
    """The network; where layers are tied, one W and one b serve all of them."""

    E: jax.Array = array("neuron", "input", words="embedding of the circuits' inputs")  # [D, f R]
    W: jax.Array = array("link_layer", "neuron", "from_neuron", words="weights")  # [L-1 | 1, D, D]
    b: jax.Array = array("bias_layer", "neuron", words="biases")  # [L | 1, D]
    U: jax.Array = array("output", "neuron", words="read-out of the circuits")  # [f R, D]
    # Both [L-1 | 1, D, D] or [1, 1, 1]: where all weights are trained W holds them all.
    links: jax.Array = array("link_layer_", "neuron_", "from_neuron_", words="1 where W counts")
    background: jax.Array = array(
        "link_layer_", "neuron_", "from_neuron_", words="inhibition between unlinked neurons"
    )
    # Where the construction holds each circuit, and how it is read there.
    copies: jax.Array = array("bias_layer", "circuit", "copy", words="of N")  # [L | 1, R, S]
    Q: jax.Array = array("value", "block", words="values that a small state holds")  # [f, d]
    inhibition: jax.Array = array("link_layer", words="multiple of the background")
    bias_scale: jax.Array = array("bias_layer", words="multiple of biases")
    link_scale: jax.Array = array("scaled_layer", words="multiple of links, last of the read-out")
    n_layers: int = static()
    trainable: tuple[str, ...] = static()  # names of leaves

    def __call__(self, x: jax.Array) -> jax.Array:
        """Answer `x [f R]`, or a batch `[f R, B]`."""
        held = self.weights()
        return held.link_scale[-1] * (held.U @ self.activations(x)[-1])

    def activations(self, x: jax.Array) -> list[jax.Array]:
        """Return the neurons of layers 1 … L, each `[D]` or `[D, B]`."""
        held = self.weights()
        found = [self._cut(held.E @ x, held, 0)]
        for layer in range(1, self.n_layers):
            W = held.W[min(layer - 1, held.W.shape[0] - 1)]
            found.append(self._cut(W @ found[-1], held, layer))
        return found

    def read(self, neurons: list[jax.Array]) -> list[jax.Array]:
        """Return what circuits hold in layers 1, …, each `[f R, B]`, of neurons `[D, B]`.

        Inner layers are read as in the construction, the mean over a circuit's copies; a network
        that started at random may hold it in another way there. The last is read by U.
        """
        held, inner = self.weights(), []
        for layer, A in enumerate(neurons[:-1]):
            i = min(layer, self.copies.shape[0] - 1)
            blocks = A.reshape(self.Q.shape[1], -1, A.shape[1])  # [d, N, B]
            means = jnp.mean(blocks[:, self.copies[i].astype(jnp.int32)], axis=2)  # [d, R, B]
            inner.append(jnp.einsum("fd,drb->frb", self.Q, means).reshape(-1, A.shape[1]))
        return [*inner, held.link_scale[-1] * (held.U @ neurons[-1])]

    def weights(self) -> "CircuitNetwork":
        """Return the network with its scalars multiplied into W and b, and fixed what is fixed."""
        free = {n: leaf if n in self.trainable else _fixed(leaf) for n, leaf in _leaves(self)}
        scale = free["link_scale"][: self.W.shape[0], None, None]
        W = scale * free["links"] * free["W"]
        W = W + free["inhibition"][:, None, None] * free["background"]
        return replace(self, **free | {"W": W, "b": free["b"] * free["bias_scale"][:, None]})

    def _cut(self, received: jax.Array, held: "CircuitNetwork", layer: int) -> jax.Array:
        b = held.b[min(layer, held.b.shape[0] - 1)]
        return jax.nn.relu(received + along_first_axis(b, received))

    @property
    def fixed_leaves(self) -> tuple[str, ...]:
        """Names of leaves that training leaves as they are, weight decay included."""
        return tuple(name for name, _ in _leaves(self) if name not in self.trainable)

    def longer(self, n_layers: int) -> "CircuitNetwork":
        """Return a network of more or fewer layers with the same weights.

        Raises:
            InputError: layers that are not tied.
        """
        if self.b.shape[0] != 1 and n_layers != self.n_layers:
            raise InputError(
                f"n_layers = {n_layers}: only tied layers make a longer chain than {self.n_layers}."
            )
        return replace(self, n_layers=n_layers)


def _leaves(model: CircuitNetwork) -> list[tuple[str, jax.Array]]:
    names = [field.name for field in fields(model) if field.metadata.get("pytree_node", True)]
    return [(name, getattr(model, name)) for name in names]


def _fixed(leaf: jax.Array) -> jax.Array:
    return jax.lax.stop_gradient(leaf)
