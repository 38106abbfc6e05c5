"""A large network in which groups of small neurons have copies and assignments of their own.

The construction of `toymodels.circuits.network` gives every small neuron the same N copies and one
assignment. Here the d small neurons fall into groups: group g has `N_g` copies of each of its
neurons, and circuit t holds `S_g` of them, e_t^g. With Q_g the columns of Q for its neurons, and
M_t = shared + ΔM_t, the weights from group g in layer l-1 into neuron i of group h in layer l are

    shared_i Q_g ⊗ background^hg + Σ_t ΔM_t,i Q_g ⊗ e_t^h (e_t^g)ᵀ / S_g,

where `background^hg [N_h, N_g]` is 1/S_g where any circuit links two copies and -χ elsewhere, with
χ such that two circuits hear nothing of each other on average. One group of all neurons is
`capped_network` with `inhibition_over_all_pairs`. A circuit reads `Σ_g Q_g (1/S_g) e_t^g · A_g`.

Linsefors & Bushnaq 2025, "Rotations in Superposition", has one group; several are ours, for a
question of the discussion under it. Letters as in `toymodels.circuits`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from toymodels.checks import number
from toymodels.circuits.assignment import members
from toymodels.circuits.base import Circuit, Floats, Inputs
from toymodels.circuits.checks import as_embedding, require_circuits
from toymodels.circuits.examples import DrawStates, draw_blocks, in_order, require_examples
from toymodels.circuits.forward import dense_product, sparse_product
from toymodels.circuits.measures import Sums, add, measure_values
from toymodels.circuits.network import inhibition_over_all_pairs
from toymodels.circuits.small_circuits import run_circuits
from toymodels.errors import InputError
from toymodels.fields import array, static


@struct.dataclass
class Group:
    """Small neurons that share copies and an assignment."""

    embedding: Any  # [L, T, S_g] int32: the copies that serve each circuit
    neurons: tuple[int, ...] = static()  # which of the d
    n_copies: int = static()  # N_g


@struct.dataclass
class GroupedNetwork:
    """The large network; D = Σ_g N_g d_g."""

    circuits: Circuit
    groups: tuple[Group, ...]
    # Per layer from 2, per group: [Σ_h N_h, N_g] into all groups, or None where nothing shared
    # is read of that group.
    background: tuple[tuple[Any, ...], ...]

    @property
    def width(self) -> int:
        """D."""
        return sum(g.n_copies * len(g.neurons) for g in self.groups)

    @property
    def n_copies(self) -> int:
        """The copies of all groups together."""
        return sum(g.n_copies for g in self.groups)

    @property
    def n_layers(self) -> int:
        """L, the large layers; the input is not one."""
        return self.groups[0].embedding.shape[0]

    @property
    def n_circuits(self) -> int:
        """T."""
        return self.groups[0].embedding.shape[1]


@struct.dataclass
class RotationMeans:
    """Mean errors of rotation circuits by layer `[L+1]`, entry 0 the input; α is the indicator.

    NaN is what does not exist: errors of inactive circuits where all are active.
    """

    mse_x_active: Any = array(
        "layer", words="mean of |x - true x|^2 over active circuits, both components together"
    )
    mse_x_inactive: Any = array("layer", words="mean of |x|^2 over inactive circuits")
    mse_on_active: Any = array("layer", words="mean of (indicator - 1)^2 over active circuits")
    mse_on_inactive: Any = array("layer", words="mean of indicator^2 over inactive circuits")
    dropped: Any = array("layer", words="share of active circuits whose indicator is below 1/2")
    spurious: Any = array("layer", words="share of inactive circuits whose indicator is above 1/2")


def grouped_network(
    circuits: Circuit, groups: Sequence[Group], inhibition: float = 1.0
) -> GroupedNetwork:
    """Make the network of circuits whose small neurons are divided into groups.

    Args:
        circuits: T circuits.
        groups: every small neuron is in one of them.
        inhibition: χ is multiplied by this.

    Raises:
        InputError: neurons that are in no group or in several, assignments of another number of
            circuits or layers, or beyond a group's copies.
    """
    number("inhibition", inhibition)
    n_circuits, d = require_circuits(circuits), circuits.bias.shape[-1]
    if sorted(i for g in groups for i in g.neurons) != list(range(d)):
        raise InputError(
            f"groups = {[g.neurons for g in groups]}: put each of the neurons 0 to {d - 1} of a "
            "circuit into one group."
        )
    groups = tuple(
        replace(g, embedding=as_embedding(g.embedding, n_circuits, g.n_copies)) for g in groups
    )
    layers = {len(g.embedding) for g in groups}
    if len(layers) > 1:
        raise InputError(f"the groups' embeddings have {sorted(layers)} layers: give them equal.")
    background = [
        tuple(
            _background(groups, source, layer, inhibition) if of.any() else None
            for source, of in zip(groups, _shared_reads(circuits, groups), strict=True)
        )
        for layer in range(1, layers.pop())
    ]
    return GroupedNetwork(circuits, groups, tuple(background))


def _shared_reads(circuits: Circuit, groups: Sequence[Group]) -> list[Floats]:
    """Return per group what shared weights read of its neurons, `[P, d, d_g]`."""
    return [circuits.shared @ circuits.decode[:, list(g.neurons)] for g in groups]


def _background(groups: Sequence[Group], source: Group, layer: int, inhibition: float) -> jax.Array:
    """Return what leads from a group of the layer before into all groups, `[Σ_h N_h, N_g]`."""
    held, parts = source.embedding[layer - 1], []
    for group in groups:
        target = group.embedding[layer]
        links = np.zeros((group.n_copies, source.n_copies), np.float32)
        links[target[:, :, None], held[:, None, :]] = 1
        chi = np.float64(inhibition * inhibition_over_all_pairs(links, held, target))
        links *= 1 / held.shape[1] + chi
        links -= chi
        parts.append(links)
    return jnp.asarray(np.concatenate(parts))


class _Prepared(NamedTuple):
    """A network prepared for many blocks; sparse matrices per layer and group."""

    network: GroupedNetwork
    readers: list[list[Any]]  # [T, N_g], 1/S_g where a circuit holds a copy
    writers: list[list[Any]]  # [N_g, T], 1 there


def _prepare(network: GroupedNetwork) -> _Prepared:
    held = [
        [members(g.embedding[layer], g.n_copies) for g in network.groups]
        for layer in range(network.n_layers)
    ]
    shares = [np.float32(1 / g.embedding.shape[2]) for g in network.groups]
    return _Prepared(
        network,
        [[one * share for one, share in zip(row, shares, strict=True)] for row in held],
        [[one.T for one in row] for row in held],
    )


def run_grouped(network: GroupedNetwork, inputs: Inputs) -> Iterator[Floats]:
    """Run a block of examples and yield what circuits read, `[T, f, B]`, of layers 1 … L."""
    return _run(_prepare(network), inputs)


def _run(prepared: _Prepared, inputs: Inputs) -> Iterator[Floats]:
    network = prepared.network
    circuits, groups = network.circuits, network.groups
    n_stages = circuits.bias.shape[0]
    pre = _first_layer(network, inputs)
    for layer in range(network.n_layers):
        columns = []  # per group [N_g, f, B]
        for group, received in zip(groups, pre, strict=True):
            own = list(group.neurons)
            activation = np.maximum(received + circuits.bias[layer % n_stages, own, None], 0)
            columns.append(np.matmul(circuits.decode[:, own], activation))
        read = reduce(np.add, map(sparse_product, prepared.readers[layer], columns))
        yield read
        if layer + 1 < network.n_layers:
            pre = _next_layer(prepared, layer + 1, columns, read)


def _first_layer(network: GroupedNetwork, inputs: Inputs) -> list[Floats]:
    """Return what layer 1 receives, `Σ_active (M_t Q a_t) ⊗ e_t`, per group `[N_g, d_g, B]`."""
    circuits, (active, states) = network.circuits, inputs
    read = states @ circuits.decode.T  # [B, z, f]
    pushed = np.matmul(circuits.weights[active, 0], read[..., None])[..., 0]  # [B, z, d]
    each, pre = np.arange(active.shape[0]), []
    for group in network.groups:
        own = list(group.neurons)
        received = np.zeros((group.n_copies, len(own), active.shape[0]), np.float32)
        for i in range(active.shape[1]):
            for held in group.embedding[0][active[:, i]].T:  # [B]: one copy of each example
                received[held, :, each] += pushed[:, i, own]
        pre.append(received)
    return pre


def _next_layer(
    prepared: _Prepared, layer: int, columns: list[Floats], read: Floats
) -> list[Floats]:
    """Return what layer number `layer + 1` receives, per group, without its bias."""
    network = prepared.network
    circuits = network.circuits
    stage = layer % circuits.bias.shape[0]
    shared = circuits.shared[stage]
    own = circuits.weights[:, stage] - shared  # [T, d, f]
    values = np.flatnonzero(shared.any(axis=0))
    sources = [
        (matrix, column)
        for matrix, column in zip(network.background[layer - 1], columns, strict=True)
        if matrix is not None
    ]
    heard = {
        v: reduce(np.add, [dense_product(matrix, column[:, v]) for matrix, column in sources])
        for v in values
    }
    pre, first = [], 0
    for group, writer in zip(network.groups, prepared.writers[layer], strict=True):
        rows = list(group.neurons)
        received = np.zeros((group.n_copies, len(rows), read.shape[2]), np.float32)
        for v, product in heard.items():
            received += shared[rows, v, None] * product[first : first + group.n_copies, None]
        if own[:, rows].any():
            received += sparse_product(writer, np.matmul(own[:, rows], read))
        pre.append(received)
        first += group.n_copies
    return pre


def simulate_grouped(
    key: jax.Array,
    network: GroupedNetwork,
    draw_states: DrawStates,
    *,
    n_active: int,
    n_samples: int,
) -> RotationMeans:
    """Run random examples through a network of rotation circuits and measure their errors.

    Args:
        key: of the examples; those of `simulate_rotations` under the same key and sizes.
        network: from `grouped_network`, of circuits that hold an indicator and a vector.
        draw_states: `(generator, shape) -> [*shape, d]`, states of active circuits.
        n_active: z, drawn without replacement.
        n_samples: examples.

    Raises:
        InputError: z outside 1 … T, or no examples.
    """
    require_examples(n_active, n_samples, network.n_circuits)
    prepared, sizes = _prepare(network), cast("Any", network)  # it has those of a Network
    blocks = draw_blocks(key, sizes, draw_states, n_active, n_samples)
    sums = reduce(add, in_order(lambda inputs: _measure(prepared, inputs), blocks))
    counts = n_samples * np.array([n_active, (network.n_circuits - n_active) or np.nan])
    mse, wrong_side = sums.squares / counts[:, None], sums.wrong_side / counts  # [L, 2, V], [L, 2]
    exact = np.zeros_like(mse[:1]), np.zeros_like(wrong_side[:1])
    mse, wrong_side = np.concatenate([exact[0], mse]), np.concatenate([exact[1], wrong_side])
    return RotationMeans(
        mse_x_active=mse[:, 0, 1],
        mse_x_inactive=mse[:, 1, 1],
        mse_on_active=mse[:, 0, 0],
        mse_on_inactive=mse[:, 1, 0],
        dropped=wrong_side[:, 0],
        spurious=wrong_side[:, 1],
    )


def _measure(prepared: _Prepared, inputs: Inputs) -> Sums:
    """Run a block of examples and sum up its errors in layers 1 … L."""
    circuits, n_layers = prepared.network.circuits, prepared.network.n_layers
    with np.errstate(over="ignore", invalid="ignore"):  # a network that blows up says so by inf
        truth = run_circuits(circuits, inputs.active, inputs.states, n_layers)
        layers = [
            (*measure_values(circuits, read, inputs.active, true), [])
            for read, true in zip(_run(prepared, inputs), truth[1:], strict=True)
        ]
    return Sums(*(np.array(parts, float) for parts in zip(*layers, strict=True)))
