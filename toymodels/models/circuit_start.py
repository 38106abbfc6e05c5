"""How a network of circuits starts: from the construction, from random weights, or from both.

E of the construction writes `M_t a_t ⊗ e_t` into layer 1, W is that of
`toymodels.circuits.network`, and U reads the mean over a circuit's copies. Letters as in
`toymodels.circuits`; R circuits that arrays have room for.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.circuits.assignment import Assignment, prime_steps
from toymodels.circuits.base import Circuit, Network
from toymodels.circuits.examples import draw_embedding, generator
from toymodels.circuits.network import capped_network, dense_network
from toymodels.circuits.simulation import copies_of
from toymodels.circuits.small_circuits import rotation_circuit, step_circuits
from toymodels.errors import InputError, require_range
from toymodels.fields import static
from toymodels.models.circuit_network import CircuitNetwork
from toymodels.streams import Stream
from toymodels.tasks.circuits import angles_of, room_for

# What each word of `trainable` lets training change. "links" changes weights between neurons that
# some circuit links, and leaves the background as it is.
TRAINABLE = {
    "all": ("W", "b"),
    "links": ("W", "b"),
    "scalars": ("inhibition", "bias_scale", "link_scale"),
}


@struct.dataclass
class CircuitStart:
    """How a circuit network starts; drawn on the host, as a construction is."""

    n_circuits: Any  # []
    construction: Any  # [], how much of the construction
    noise: Any  # [], of random weights, in He's standard deviations
    bias: Any  # []
    inhibition: Any  # []
    random_embedding: Any  # [], 0 or 1
    small: Callable[[np.ndarray, float], Circuit] = static()  # (angles, b) -> T circuits
    width: int = static()
    redundancy: int = static()
    n_layers: int = static()
    room: int = static()
    trainable: str = static()
    more: tuple[str, ...] = static()  # leaves that are trained besides
    tied: bool = static()
    assignment: Assignment = static()

    def draw(self, key: jax.Array) -> CircuitNetwork:
        """Draw the network."""
        network = self.network(key)
        rng = generator(key, Stream.WEIGHTS)
        n_weights = 1 if self.tied else self.n_layers - 1
        plain, links = dense_network(network), np.ones((1, 1, 1))
        W = float(self.construction) * np.asarray(plain.W)[:n_weights]
        background = np.zeros((1, 1, 1))
        if self.trainable != "all":
            links = links_of(network)[:n_weights]
            background = W * (1 - links)
        W = links * W
        W = W + links * float(self.noise) * (2 / self.width) ** 0.5 * rng.normal(size=W.shape)
        b = float(self.construction) * np.asarray(plain.B)[: 1 if self.tied else self.n_layers]
        E, U = embedding_of(network, self.room), readout_of(network, self.room)
        held = np.zeros((len(b), self.room, self.redundancy))
        held[:, : network.n_circuits] = network.embedding[: len(b)]
        if self.random_embedding:
            there = np.flatnonzero(np.arange(E.shape[1]) % self.room < network.n_circuits)
            size = E[:, there].std()
            E[:, there] = rng.normal(size=(len(E), len(there))) * size  # the same in any room
        f32 = [jnp.asarray(a, jnp.float32) for a in (E, W, b, U, links, background, held)]
        return CircuitNetwork(
            *f32,
            Q=jnp.asarray(network.circuits.decode),
            inhibition=jnp.ones(n_weights),
            bias_scale=jnp.ones(len(b)),
            link_scale=jnp.ones(n_weights + 1),  # the read-out's too
            n_layers=self.n_layers,
            trainable=(*TRAINABLE[self.trainable], *self.more),
        )

    def network(self, key: jax.Array) -> Network:
        """Draw the construction that the start is made of."""
        n_circuits = int(self.n_circuits)
        circuits = self.small(angles_of(n_circuits), float(self.bias))
        n_copies = copies_of(self.width, circuits.bias.shape[-1])
        sizes = (n_circuits, n_copies, self.redundancy, self.n_layers)
        held = draw_embedding(key, self.assignment, *sizes)
        if self.tied:
            held = np.repeat(held[:1], self.n_layers, axis=0)
        return capped_network(circuits, held, n_copies, float(self.inhibition))


def _rotations(angles: np.ndarray, bias: float) -> Circuit:
    return rotation_circuit(angles, bias)


def _steps(angles: np.ndarray, bias: float) -> Circuit:
    return step_circuits(len(angles))


class RotationNetwork:
    """The name by which a config trains a network of rotation circuits."""

    small = staticmethod(_rotations)
    has_bias: ClassVar[bool] = True

    @classmethod
    def start(
        cls,
        *,
        n_circuits: int,
        width: int,
        n_layers: int = 3,
        redundancy: int = 4,
        room: int = 0,
        init: Literal["construction", "random"] = "construction",
        init_noise: float = 0.0,
        trainable: Literal["all", "links", "scalars"] = "all",
        embedding: Literal["construction", "random", "trained"] = "construction",
        readout: Literal["fixed", "trained"] = "fixed",
        layer_weights: Literal["own", "tied"] = "own",
        bias: float = 1.0,
        inhibition: float = 1.0,
        assignment: Assignment = prime_steps,
    ) -> CircuitStart:
        """Say how a run's network starts.

        Args:
            n_circuits: T, small circuits.
            width: D, neurons of a layer.
            n_layers: L, layers; each turns a rotation circuit once.
            redundancy: S, large neurons of each small one.
            room: circuits that arrays have room for, or 0 for n_circuits.
            init: "construction", the network built by hand; or "random", He's normal weights
                between layers, zero biases, with the construction's embedding and read-out.
            init_noise: normal numbers added to a construction's W, in He's standard deviations.
            trainable: "all" weights and biases; of W only the "links", between neurons that serve
                one circuit; or three "scalars" a layer: they multiply inhibition, biases and links
                (the read-out counts as links of its own, with tied layers too).
            embedding: of the inputs: the construction's, fixed random normal numbers of its size,
                or the construction's to be trained.
            readout: the construction's, fixed or to be trained.
            layer_weights: each layer's "own", or "tied", the same for all.
            bias: b of rotation circuits, which silences inactive ones; others have none to set.
            inhibition: multiplier of χ in the construction.
            assignment: which neurons serve which circuit.

        Raises:
            InputError: sizes that do not fit together, a random start of what is no network of
                links, or the bias of circuits that have none to set.
        """
        require_range("n_circuits", n_circuits, 1, 100_000)
        require_range("width", width, 1, 100_000)
        require_range("n_layers", n_layers, 2, 10_000)
        require_range("init_noise", init_noise, 0, 1e30)
        require_range("bias", bias, 0, 1e30)
        require_range("inhibition", inhibition, 0, 1e30)
        if init == "random" and trainable != "all":
            raise InputError(
                f'trainable = "{trainable}" keeps the links of a construction: a random start has '
                'none; use trainable = "all" or init = "construction".'
            )
        if bias != 1 and not cls.has_bias:
            raise InputError(
                f"bias = {bias} is of rotation circuits: step circuits have no such number; leave "
                'it out, or use model = "rotations".'
            )
        d = cls.small(angles_of(1), 1.0).bias.shape[-1]
        assignment(n_circuits, copies_of(width, d), redundancy)
        more = [name for name, how in (("E", embedding), ("U", readout)) if how == "trained"]
        built = float(init == "construction")
        return CircuitStart(
            n_circuits=np.float32(n_circuits),
            construction=np.float32(built),
            noise=np.float32(init_noise if built else 1.0),
            bias=np.float32(bias),
            inhibition=np.float32(inhibition),
            random_embedding=np.float32(embedding == "random"),
            small=cls.small,
            width=width,
            redundancy=redundancy,
            n_layers=n_layers,
            room=room_for("room", room, "n_circuits", n_circuits),
            trainable=trainable,
            more=tuple(more),
            tied=layer_weights == "tied",
            assignment=assignment,
        )


class StepNetwork(RotationNetwork):
    """The name by which a config trains a network of step circuits."""

    small = staticmethod(_steps)
    has_bias = False


def embedding_of(network: Network, room: int) -> np.ndarray:
    """Return E `[D, f R]`: column (v, t) writes what value v of circuit t makes of layer 1."""
    circuits, held = network.circuits, network.embedding[0]
    d, f = circuits.weights.shape[-2:]
    E = np.zeros((d, network.n_copies, f, room), np.float32)
    for t in range(network.n_circuits):
        E[:, held[t], :, t] = circuits.weights[t, 0]
    return E.reshape(d * network.n_copies, f * room)


def readout_of(network: Network, room: int) -> np.ndarray:
    """Return U `[f R, D]`: row (v, t) averages the copies of circuit t in the last layer."""
    decode, held = network.circuits.decode, network.embedding[-1]
    f, d = decode.shape
    U = np.zeros((f, room, d, network.n_copies), np.float32)
    for t in range(network.n_circuits):
        U[:, t, :, held[t]] = decode / network.redundancy
    return U.reshape(f * room, d * network.n_copies)


def links_of(network: Network) -> np.ndarray:
    """Return `[L-1, D, D]`: 1 between neurons that some circuit links, else 0."""
    d, found = network.circuits.bias.shape[-1], []
    for source, target in pairwise(network.embedding):
        linked = np.zeros((network.n_copies, network.n_copies), np.float32)
        linked[target[:, :, None], source[:, None, :]] = 1
        found.append(np.kron(np.ones((d, d), np.float32), linked))
    return np.stack(found)
