"""Circuits that start, stop and feed each other: a network from lists of connections.

In `network` each circuit leads to itself: what layer l+1 does with circuit t comes from circuit t
of layer l. Here each layer has a list of connections (t → u) instead. A connection may start u,
then u is active where t was, and it may bring u something of its own, such as t's vector, rotated.
A circuit that no connection starts stops. With the shared weights M̄ and ΔM of each connection,

    W = M̄ Q ⊗ background + (1/S) Σ_(t→u) ΔM_tu Q ⊗ e_u^l (e_t^{l-1})ᵀ.

`background [N, N]` is 1/S where a connection that starts links two neurons, from one of t to one
of u, and -χ elsewhere. χ makes u hear nothing on average of circuits that do not start it. So it
is these pairs (t, u) that the mean runs over, and the share of linked pairs grows with the number
E of such connections, `q = 1 - exp(-E S²/N²)`, not with T. With the connections t → t alone all
of this is the capped network of `network`.

Where a circuit needs two active predecessors (AND), every bias is lowered by what one brings.
The small circuits alone do the same without the large network: `run_alone`.

Discussed, not done, under Linsefors & Bushnaq 2025, "Rotations in Superposition"; built here.
Letters as in the package; E connections of a layer.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from flax import struct

from toymodels.checks import count, number
from toymodels.circuits.assignment import Indices, members, usage
from toymodels.circuits.base import Circuit, Floats
from toymodels.circuits.checks import as_embedding, require_circuits
from toymodels.circuits.forward import dense_product, sparse_product
from toymodels.errors import InputError
from toymodels.fields import static


@struct.dataclass
class Connections:
    """What leads from the circuits of one layer to those of the next."""

    source: Any  # [E] int: t
    target: Any  # [E] int: u
    own: Any  # [E, d, f]: ΔM, what it brings beyond the shared weights
    starts: Any  # [E] bool: whether it brings those, too


@struct.dataclass
class LinkedNetwork:
    """A large network whose circuits lead to each other; built by `linked_network`."""

    circuits: Circuit  # of layer 1, whose weights the input passes; and what all share
    embedding: Any  # [L, T, S] int32
    connections: tuple[Connections, ...]  # L-1, into layers 2 … L
    background: tuple[Any, ...]  # L-1 of [N, N]
    link_density: Any  # [L-1]
    inhibition: Any  # [L-1]: χ
    n_copies: int = static()  # N
    needed: int = static(default=1)  # active predecessors that start a circuit

    @property
    def n_layers(self) -> int:
        """L, the large layers; the input is not one."""
        return self.embedding.shape[0]

    @property
    def n_circuits(self) -> int:
        """T."""
        return self.embedding.shape[1]


class Sparse(NamedTuple):
    """A layer's connections as matrices; values of all circuits are stacked, `[T f]`."""

    own: Any  # [T d, T f]: ΔM
    starts: Any  # [T, T]


def linked_network(
    circuits: Circuit,
    embedding: Indices,
    n_copies: int,
    connections: tuple[Connections, ...],
    *,
    needed: int = 1,
    inhibition: float = 1.0,
) -> LinkedNetwork:
    """Make the large network of circuits that lead to each other.

    Args:
        circuits: T circuits of one stage, the first value of each its indicator. Their own
            weights act on the input alone.
        embedding: `[L, T, S]`.
        n_copies: N.
        connections: into layers 2 … L.
        needed: how many active predecessors start a circuit: 1 for OR, 2 for AND.
        inhibition: χ is multiplied by this.

    Raises:
        InputError: shapes that do not fit, circuits of several stages, connections between
            circuits that are not there, or the same one twice.
    """
    n_circuits = require_circuits(circuits)
    embedding = as_embedding(embedding, n_circuits, n_copies)
    number("inhibition", inhibition)
    count("needed", needed)
    if circuits.bias.shape[0] != 1:
        raise InputError(
            f"circuits have {circuits.bias.shape[0]} stages, but connections say what each layer "
            "does: use circuits of one stage."
        )
    if len(connections) != len(embedding) - 1:
        raise InputError(
            f"there are connections into {len(connections)} layers, but {len(embedding)} layers "
            f"need them into {len(embedding) - 1}: all but the first."
        )
    background, density, chi = [], [], []
    alive = np.arange(n_circuits)  # circuits that may be active
    for layer, of_layer in enumerate(connections):
        _require(of_layer, circuits)
        links = np.zeros((n_copies, n_copies), np.float32)
        source, target = embedding[layer], embedding[layer + 1]
        some = np.asarray(of_layer.starts, bool)
        out_of, into = (np.asarray(ends)[some] for ends in (of_layer.source, of_layer.target))
        links[target[into][:, :, None], source[out_of][:, None, :]] = 1
        density.append(np.count_nonzero(links) / links.size)
        started, reached = np.unique(into), np.isin(out_of, alive).sum()
        chi.append(inhibition * _balanced(links, source[alive], target[started], int(reached)))
        alive = started
        background.append(np.where(links > 0, 1 / embedding.shape[2], -chi[-1]).astype(np.float32))
    return LinkedNetwork(
        circuits=circuits,
        embedding=embedding,
        connections=tuple(connections),
        background=tuple(background),
        link_density=np.array(density),
        inhibition=np.array(chi),
        n_copies=n_copies,
        needed=needed,
    )


def as_matrices(connections: Connections, n_circuits: int) -> Sparse:
    """Return the connections of a layer as sparse matrices."""
    own = np.asarray(connections.own)
    source, target = np.asarray(connections.source), np.asarray(connections.target)
    _, d, f = own.shape
    edge, i, j = np.nonzero(own)
    at = (target[edge] * d + i, source[edge] * f + j)
    shape = (n_circuits * d, n_circuits * f)
    starts = np.asarray(connections.starts, bool)
    ones = np.ones(np.count_nonzero(starts), np.float32)
    square = (n_circuits, n_circuits)
    return Sparse(
        own=scipy.sparse.csr_array((own[edge, i, j], at), shape=shape),
        starts=scipy.sparse.csr_array((ones, (target[starts], source[starts])), shape=square),
    )


def run_linked(
    network: LinkedNetwork, matrices: tuple[Sparse, ...], values: Floats
) -> Iterator[Floats]:
    """Run the large network and yield what is read out of every circuit, layer by layer.

    Args:
        network: the network.
        matrices: `as_matrices` of its connections.
        values: `[T, f, B]`, what all circuits hold in the input; zeros where inactive.

    Yields:
        `[T, f, B]` of layers 1 … L.
    """
    circuits, n_copies = network.circuits, network.n_copies
    held = [members(layer, n_copies) for layer in network.embedding]
    scale = np.float32(1 / network.embedding.shape[2])
    shared = circuits.shared[0]
    pre = sparse_product(held[0].T, np.matmul(circuits.weights[:, 0], values))
    for layer, of_layer in enumerate(held):
        pre += _bias(network, layer)
        columns = np.matmul(circuits.decode, np.maximum(pre, 0))  # [N, f, B]
        read = sparse_product(of_layer * scale, columns)
        yield read
        if layer + 1 < network.n_layers:
            pushed = _stacked(matrices[layer].own, read, shared.shape[0])
            pre = sparse_product(held[layer + 1].T, pushed)
            for j in np.flatnonzero(shared.any(axis=0)):
                heard = dense_product(network.background[layer], columns[:, j])
                pre += shared[:, j, None] * heard[:, None]


def run_alone(
    network: LinkedNetwork, matrices: tuple[Sparse, ...], values: Floats
) -> Iterator[Floats]:
    """Run the small circuits by themselves, as `run_linked`: no large network, no noise."""
    circuits = network.circuits
    shared, decode = circuits.shared[0], circuits.decode
    pre = np.matmul(circuits.weights[:, 0], values)
    for layer in range(network.n_layers):
        read = np.matmul(decode, np.maximum(pre + _bias(network, layer), 0))
        yield read
        if layer + 1 < network.n_layers:
            pre = _stacked(matrices[layer].own, read, shared.shape[0])
            pre += np.matmul(shared, sparse_product(matrices[layer].starts, read))


def _bias(network: LinkedNetwork, layer: int) -> Floats:
    """Return the biases `[d, 1]` of layer number `layer + 1`."""
    bias = network.circuits.bias[0]
    if layer:
        bias = bias - (network.needed - 1) * network.circuits.shared[0][:, 0]
    return bias[:, None]


def _balanced(links: Floats, source: Indices, target: Indices, n_starting: int) -> float:
    """Return the χ that makes circuits hear nothing, on average, of those that start others.

    As `network.inhibition_over_all_pairs`: of the `P = S² (T² - E)` pairs of neurons whose
    circuits are not connected, U are linked nevertheless, and `S χ = U / (P - U)`.

    Args:
        links: `[N, N]`, 1 where a connection that starts links two neurons, else 0.
        source: `[.., S]` of the circuits that may be active in the layer before.
        target: `[.., S]` of the circuits that may be started.
        n_starting: connections among them.
    """
    redundancy = target.shape[1]
    into, out_of = (usage(e, links.shape[0]).astype(float) for e in (target, source))
    linked = into @ links.astype(float) @ out_of - n_starting * redundancy**2
    pairs = float(redundancy) ** 2 * (len(source) * len(target) - n_starting)
    return linked / (pairs - linked) / redundancy if pairs > linked else 0.0


def _require(connections: Connections, circuits: Circuit) -> None:
    """Check the shapes of a layer's connections, and that each is there once."""
    n_circuits, _, d, f = circuits.weights.shape
    ends = np.stack([np.asarray(connections.source), np.asarray(connections.target)])
    n = ends.shape[1]
    found = np.shape(connections.own), np.shape(connections.starts)
    if found != ((n, d, f), (n,)):
        raise InputError(
            f"connections have own weights of shape {found[0]} and starts {found[1]}: give "
            f"{(n, d, f)} and {(n,)} for {n} connections."
        )
    if n and not 0 <= ends.min() <= ends.max() < n_circuits:
        raise InputError(
            f"connections name circuits {ends.min()} to {ends.max()}, but there are {n_circuits}: "
            f"use 0 to {n_circuits - 1}."
        )
    if np.unique(ends[0].astype(np.int64) * n_circuits + ends[1]).size < n:
        raise InputError("connections name a pair of circuits twice: add up their weights.")


def _stacked(matrix: Any, values: Floats, d: int) -> Floats:
    """Apply a sparse matrix `[T d, T f]` to `[T, f, B]`."""
    n_circuits, _, n_examples = values.shape
    return (matrix @ values.reshape(-1, n_examples)).reshape(n_circuits, d, n_examples)
