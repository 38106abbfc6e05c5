"""Rotation circuits that hand their vectors over to each other, and how they disturb each other.

Where circuit t leads to u, u's vector is t's, rotated by an angle of that connection: `x_u = R_tu
x_t` where u is started, and nothing where it is not. `graphs` says which lead to which. What a
network should hold follows from that alone: u is active where enough of its predecessors are, and
its vector is the sum of what they bring. Errors are differences to this.
"""

import os
from functools import reduce
from typing import Any, NamedTuple, Self

import jax
import numpy as np
import numpy.typing as npt
from flax import struct

from toymodels.circuits.assignment import Assignment, prime_steps
from toymodels.circuits.base import Inputs
from toymodels.circuits.checks import sizes
from toymodels.circuits.constructions.graphs import (
    GATES,
    Edges,
    Graph,
    draw_active,
    draw_edges,
    require_graph,
)
from toymodels.circuits.constructions.linked import (
    Connections,
    LinkedNetwork,
    as_matrices,
    linked_network,
)
from toymodels.circuits.constructions.linked_measures import (
    VECTOR_NEURONS,
    VECTOR_VALUES,
    LinkedErrors,
    add_linked,
    linked_errors,
    measure_linked,
)
from toymodels.circuits.constructions.rotations import check_sizes
from toymodels.circuits.examples import (
    BLOCK_BYTES,
    LARGEST_BLOCK,
    LARGEST_CREW,
    bytes_per_example,
    draw_embedding,
    generator,
    in_order,
    require_examples,
)
from toymodels.circuits.simulation import copies_of
from toymodels.circuits.small_circuits import (
    ROTATION_NEURONS,
    ROTATION_VALUES,
    active_rotations,
    rotation_circuit,
    rotations,
)
from toymodels.errors import require_range
from toymodels.fields import static
from toymodels.streams import Stream

# A neuron that holds 1 + cos a and receives cos b besides keeps this share of it in the mean square
# over both angles, as the ReLU cuts the sum: E[(max(cos a + cos b, -1) - cos a)²] / E[cos² b].
CUT = 0.825


class DrawnNetwork(NamedTuple):
    """A network, and the graph that it was drawn from."""

    network: LinkedNetwork
    edges: tuple[Edges, ...]  # into layers 2 … L


@struct.dataclass
class LinkedRotations:
    """How a network of rotation circuits that lead to each other is drawn, and run."""

    bias: Any  # []
    inhibition: Any  # []
    n_circuits: int = static()
    width: int = static()
    redundancy: int = static()
    n_layers: int = static()
    graph: str = static()
    in_degree: int = static()
    assignment: Assignment = static()

    words = ()
    errors = LinkedErrors
    finite = ("mse_x_inactive", "mse_on_inactive")

    @classmethod
    def create(
        cls,
        *,
        n_circuits: int,
        width: int,
        redundancy: int = 6,
        n_layers: int = 5,
        graph: Graph = "routed",
        in_degree: int = 1,
        bias: float = 1.0,
        inhibition: float = 1.0,
        assignment: Assignment = prime_steps,
    ) -> Self:
        """Check sizes; letters and bounds are those of `toymodels.circuits`.

        Args:
            n_circuits: T, small circuits in the network.
            width: D, neurons of a layer of the network, a multiple of 4.
            redundancy: S, the large neurons of each small one.
            n_layers: L, layers that errors are measured at.
            graph: which circuits lead to which.
            in_degree: k, connections into a circuit; gates have 2, "own" and "routed" 1.
            bias: b, which silences inactive circuits.
            inhibition: multiplier of χ, the inhibition between circuits; 1 balances it.
            assignment: which neurons serve which circuit, a function of T, N and S.

        Raises:
            InputError: sizes that do not fit together; says what would.
        """
        require_range("width", width, 1, 100_000)
        require_range("n_circuits", n_circuits, 1, 1_000_000)
        require_range("n_layers", n_layers, 1, 10_000)
        require_range("bias", bias, 0, 1e30)
        require_range("inhibition", inhibition, 0, 1e30)
        require_graph(graph, n_circuits, in_degree)
        check_sizes(assignment, n_circuits, width, redundancy)
        return cls(
            bias=np.float64(bias),
            inhibition=np.float64(inhibition),
            n_circuits=n_circuits,
            width=width,
            redundancy=redundancy,
            n_layers=n_layers,
            graph=graph,
            in_degree=in_degree,
            assignment=assignment,
        )

    def draw(self, key: jax.Array) -> DrawnNetwork:
        """Draw assignments, angles and connections, and build the network of them."""
        angles, wires = generator(key, Stream.ANGLES), generator(key, Stream.CONNECTIONS)
        T, N = self.n_circuits, copies_of(self.width, ROTATION_NEURONS)
        circuits = rotation_circuit(angles.uniform(0, 2 * np.pi, T), float(self.bias))
        edges = draw_edges(wires, self.graph, T, self.in_degree, self.n_layers - 1)
        network = linked_network(
            circuits,
            draw_embedding(key, self.assignment, T, N, self.redundancy, self.n_layers),
            N,
            tuple(_turning(angles, of_layer) for of_layer in edges),
            needed=GATES.get(self.graph, 1),
            inhibition=float(self.inhibition),
        )
        return DrawnNetwork(network, edges)

    def simulate(
        self, key: jax.Array, network: DrawnNetwork, n_active: int, n_samples: int
    ) -> LinkedErrors:
        """Measure a network on random examples.

        Two active circuits of a gate are the predecessors of one circuit. With one active every
        circuit gets its turn before any gets a second.

        Raises:
            InputError: z outside 1 … T, or no examples.
        """
        require_examples(n_active, n_samples, self.n_circuits)
        large, edges = network
        matrices = tuple(as_matrices(c, self.n_circuits) for c in large.connections)
        rng = generator(key, Stream.EXAMPLES)
        active = draw_active(rng, self.graph, edges, self.n_circuits, n_active, n_samples)
        states, cuts = active_rotations(rng, active.shape), range(0, n_samples, self._block)
        size = self._block
        blocks = [Inputs(active[i : i + size], states[i : i + size]) for i in cuts]
        with np.errstate(over="ignore", invalid="ignore"):  # noise that grows says so by inf
            parts = in_order(lambda inputs: measure_linked(large, matrices, inputs), blocks)
            sums = reduce(add_linked, parts)
        return linked_errors(large, sums, n_samples)

    def sizes(self) -> tuple[Any, ...]:
        """Return what angles, connections and examples depend on."""
        return self.n_circuits, self.width, self.n_layers, self.graph, self.in_degree

    def cost(self, n_samples: int) -> int:
        """Return about what `simulate` takes, in additions of a sparse read."""
        each = self.n_circuits * (2 * self.redundancy + 20 + 4 * self.in_degree) + 4 * self.width
        return self.n_layers * n_samples * each

    def n_bytes(self) -> int:
        """Return the bytes of one network, and of examples on each thread."""
        crew = min(os.cpu_count() or 1, LARGEST_CREW)
        wires = 64 * self.n_layers * self.n_circuits * max(self.in_degree, 2)
        lists = 8 * self.n_layers * self.n_circuits * self.redundancy
        n_copies = self.width // ROTATION_NEURONS
        backgrounds = 4 * (self.n_layers + 2) * n_copies**2
        return crew * self._block * self._each + wires + lists + backgrounds

    @property
    def _block(self) -> int:
        """Examples that run together."""
        return max(1, min(LARGEST_BLOCK, BLOCK_BYTES // self._each))

    @property
    def _each(self) -> int:
        """Bytes of an example: the network's, and twice as much for the circuits alone."""
        n_copies = self.width // ROTATION_NEURONS
        return 3 * bytes_per_example(self.n_circuits, n_copies, ROTATION_VALUES, ROTATION_NEURONS)


def expected_error(
    layer: npt.ArrayLike,
    overlap: npt.ArrayLike,
    connections: npt.ArrayLike,
    in_degree: npt.ArrayLike = 1,
    out_degree: npt.ArrayLike = 1,
) -> npt.NDArray[np.float64]:
    """Return the error of x of the active circuit in layer l, with one active at a time.

    `(l-1) (E t² + (k_in - 1) t + CUT (k_out - 1) t)`: what the active circuit s sends reaches its
    successor v through each connection (t → u) as much as s overlaps with t and u with v. Of the E
    connections most overlap at both ends, t² in the mean square. Those that share their source or
    their target with the one in use overlap at one end alone, t. Where the source is shared, a
    whole vector falls on one neuron, which the ReLU cuts; it cuts less of the other noise, which is
    left out (measured: 3 to 15 %). With one connection in and out and E = T this is the published
    `(l-1) T t²`.

    Args:
        layer: l.
        overlap: t of `theory.overlap_constant`.
        connections: E of a layer.
        in_degree: k_in, connections into each active circuit.
        out_degree: k_out, connections out of each active circuit.

    Raises:
        InputError: a number below 1 or not finite, or shapes that do not broadcast.

    Derived here from section 6 of "Rotations in Superposition".
    """
    given = {"layer": layer, "overlap": overlap, "connections": connections}
    given |= {"in_degree": in_degree, "out_degree": out_degree}
    L, t, E, into, out = sizes(1, -np.inf, 1, 1, 1, **given)
    return (L - 1) * (E * t**2 + (into - 1 + CUT * (out - 1)) * t)


def _turning(rng: np.random.Generator, edges: Edges) -> Connections:
    """Give each connection that brings a vector a rotation of its own."""
    n = edges.source.size
    own = np.zeros((n, ROTATION_NEURONS, ROTATION_VALUES), np.float32)
    own[:, VECTOR_NEURONS, VECTOR_VALUES] = rotations(rng.uniform(0, 2 * np.pi, n))
    own *= edges.brings[:, None, None]
    return Connections(edges.source, edges.target, own, edges.starts)
