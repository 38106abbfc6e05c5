"""One large network that holds T small circuits: its weights, from index lists alone.

Block layout of Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 5): large neuron
`i N + n` is copy n of small neuron i, D = d N. In layer l circuit t holds the neurons
`embedding[l-1, t]` of every block; e_t is the 0/1 vector `[N]` of them. With M_t = shared + ΔM_t
(see `small_circuits`), for l >= 2,

    W = shared Q ⊗ background + Σ_t ΔM_t Q ⊗ u_t^l (e_t^{l-1})ᵀ,   u_t = (1/S + c) e_t - c 1.

Three ways to fill in `background [N, N]`, the only dense part, and c:

    capped    1/S where any circuit links two neurons, else -χ;  c = 0
    balanced  Σ_t u_t^l (e_t^{l-1})ᵀ with a c that cancels the mean overlap
    split     the same background, but c = 0 for ΔM

The read-out of circuit t is `u_t · A` in every block: its mean over S neurons where c = 0.

Layer 1 receives `Σ_active M_t Q a_t ⊗ e_t^1` as it is. Axis letters as in `small_circuits`; L
layers, N copies, S copies per circuit, D large neurons.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.checks import count, number
from toymodels.circuits.assignment import Indices, balanced_overlap, members, usage
from toymodels.circuits.base import Circuit, Floats, Network
from toymodels.circuits.checks import as_embedding, require_circuits
from toymodels.errors import InputError

# All of (links [N, N], source [T, S], target [T, S]): source of the layer before, target of the
# layer. `Balance` returns χ; `Link` marks linked pairs in place; `Fill` turns links into the
# background in place, and returns its χ or NaN.
Balance = Callable[[NDArray[Any], Indices, Indices], float]
Link = Callable[[Floats, Indices, Indices], None]
Fill = Callable[[Floats, Indices, Indices], float]

# Circuits whose rows of links are summed at a time.
_ROWS = 256

# A dense network above this would not fit beside its gradient on the machines we plan for.
LARGEST_DENSE = 2**31  # bytes of all its weights


def inhibition_over_ordered_pairs(links: NDArray[Any], source: Indices, target: Indices) -> float:
    """Return the χ that makes circuits t hear nothing of circuits u on average, t < u.

    `S χ = U / (P - U)`: of the P = S² T (T-1) / 2 neuron pairs (one of t in the layer, one of u
    in the layer before), U are linked. This is what the authors' code does. It weighs late
    circuits of the list more, which matters where the layer before holds the list in its order:
    χ into layer 2 is up to 2 % larger than over all pairs, the error of active α 8 % larger.

    Args:
        links: `[N, N]`, 1 where any circuit links two neurons, else 0.
        source: `[T, S]` of the layer before.
        target: `[T, S]` of the layer.
    """
    n_circuits, redundancy = target.shape
    before = np.zeros(links.shape[0], np.float32)  # linked to any circuit of earlier blocks
    linked = 0.0
    for first in range(0, n_circuits, _ROWS):
        rows = slice(first, first + _ROWS)
        heard = np.cumsum(members(target[rows], links.shape[0]) @ links, axis=0)  # [rows, N]
        linked += np.sum(before[source[rows]], dtype=float)
        linked += np.sum(np.take_along_axis(heard[:-1], source[rows][1:], axis=1), dtype=float)
        before += heard[-1]
    return _inhibition(linked, redundancy**2 * n_circuits * (n_circuits - 1) / 2, redundancy)


def inhibition_over_all_pairs(links: NDArray[Any], source: Indices, target: Indices) -> float:
    """Return the χ of `inhibition_over_ordered_pairs` for all t ≠ u, as the post writes it.

    It does not depend on the order of the circuits. Arguments as there, but the two layers may
    differ in copies and redundancy.
    """
    (n_circuits, own), redundancy = target.shape, source.shape[1]
    into, out_of = (
        usage(e, n).astype(float) for e, n in zip((target, source), links.shape, strict=True)
    )
    linked = into @ links @ out_of - n_circuits * own * redundancy
    return _inhibition(linked, own * redundancy * n_circuits * (n_circuits - 1), redundancy)


def capped_network(
    circuits: Circuit,
    embedding: Indices,
    n_copies: int,
    inhibition: float = 1.0,
    balance: Balance = inhibition_over_ordered_pairs,
) -> Network:
    """Make the network of the post: capped links, and inhibition -χ everywhere else.

    Args:
        circuits: T circuits.
        embedding: `[L, T, S]`.
        n_copies: N.
        inhibition: χ is multiplied by this.
        balance: which pairs of circuits χ balances; the default is the authors' code,
            `inhibition_over_all_pairs` their text.

    Raises:
        InputError: an assignment of another shape or number of circuits, or beyond the N copies.
    """
    embedding = as_embedding(embedding, require_circuits(circuits), n_copies)
    number("inhibition", inhibition)
    redundancy = embedding.shape[2]

    def fill(links: Floats, source: Indices, target: Indices) -> float:
        chi = np.float64(
            inhibition * balance(links, source, target)
        )  # float64: rounded once, below
        links *= 1 / redundancy + chi
        links -= chi
        return chi

    return _linked_network(circuits, embedding, n_copies, _link_once, fill)


def balanced_network(circuits: Circuit, embedding: Indices, n_copies: int) -> Network:
    """Make the uncapped network whose writing and reading vectors cancel the mean overlap.

    `c = p / ((S-p) S)` with `p = S (TS/N - 1) / (T-1)`, the overlap probability of a list that
    uses all neurons equally: then `u_t · e_v` is zero on average for two different circuits, and
    one for a circuit with itself.

    Raises:
        InputError: as `split_network`.

    Source: code of "Rotations in Superposition", its first variant of the weights.
    """
    network = split_network(circuits, embedding, n_copies)
    return replace(network, offset_weights=network.offset_readout)


def split_network(circuits: Circuit, embedding: Indices, n_copies: int) -> Network:
    """Make the network whose shared weights are those of `balanced_network`, the rest with c = 0.

    Raises:
        InputError: as `capped_network`, or circuits that use all N copies: no c tells them apart.

    Source: code of "Rotations in Superposition", its second variant of the weights.
    """
    embedding = as_embedding(embedding, require_circuits(circuits), n_copies)
    _, n_circuits, redundancy = embedding.shape
    p = balanced_overlap(n_circuits, n_copies, redundancy)
    if p >= redundancy:
        raise InputError(
            f"redundancy = {redundancy} gives every circuit all n_copies = {n_copies} copies of "
            f"each neuron, so that none can be told from another: use at most {n_copies - 1}."
        )
    offset = p / ((redundancy - p) * redundancy)

    def fill(links: Floats, source: Indices, target: Indices) -> float:
        links *= 1 / redundancy + offset
        links -= np.float32(offset) * usage(source, n_copies).astype(np.float32)
        return np.nan

    network = _linked_network(circuits, embedding, n_copies, _count_links, fill)
    return replace(network, offset_readout=offset)


def _linked_network(
    circuits: Circuit, embedding: Indices, n_copies: int, link: Link, fill: Fill
) -> Network:
    """Make a network with c = 0, its backgrounds linked by `link` and scaled by `fill`."""
    background, density, chi = [], [], []
    for source, target in pairwise(embedding):
        links = np.zeros((n_copies, n_copies), np.float32)
        link(links, source, target)
        density.append(np.count_nonzero(links) / links.size)
        chi.append(fill(links, source, target))
        background.append(jnp.asarray(links))
    return Network(
        circuits=circuits,
        embedding=embedding,
        background=tuple(background),
        offset_weights=0.0,
        offset_readout=0.0,
        link_density=np.array(density),
        inhibition=np.array(chi),
        n_copies=n_copies,
    )


def _link_once(links: Floats, source: Indices, target: Indices) -> None:
    links[target[:, :, None], source[:, None, :]] = 1


def _count_links(links: Floats, source: Indices, target: Indices) -> None:
    np.add.at(links, (target[:, :, None], source[:, None, :]), 1)


def dense_weights(network: Network, layer: int) -> NDArray[np.float32]:
    """Return W `[D, D]` that leads into `layer` (2 … L), written out: O(D²) memory.

    Raises:
        InputError: no such layer.
    """
    count("layer", layer, 2, network.n_layers)
    circuits, n_copies = network.circuits, network.n_copies
    stage = (layer - 1) % circuits.bias.shape[0]
    target, source = network.embedding[layer - 1], network.embedding[layer - 2]
    redundancy, offset = target.shape[1], network.offset_weights
    shared = circuits.shared[stage] @ circuits.decode
    own = (circuits.weights[:, stage] - circuits.shared[stage]) @ circuits.decode  # [T, d, d]
    d = shared.shape[0]
    W = np.einsum("ij,nm->injm", shared, np.asarray(network.background[layer - 2]))
    for t in range(network.n_circuits):
        write = np.full(n_copies, -offset, np.float32)
        write[target[t]] += 1 / redundancy + offset
        W[:, :, :, source[t]] += np.einsum("ij,n->inj", own[t], write)[..., None]
    return np.ascontiguousarray(W.reshape(d * n_copies, d * n_copies))


@struct.dataclass
class DenseNetwork:
    """The large network as an ordinary MLP, a function of ONE input: the definition, in JAX."""

    W: jax.Array  # [L-1, D, D]
    B: jax.Array  # [L, D]

    def __call__(self, pre_activation: jax.Array) -> jax.Array:
        """Return all activations `[L, D]` from what layer 1 receives, `[D]`."""
        activations = [jax.nn.relu(pre_activation + self.B[0])]
        for weights, bias in zip(self.W, self.B[1:], strict=True):
            activations.append(jax.nn.relu(weights @ activations[-1] + bias))
        return jnp.stack(activations)


def dense_network(network: Network) -> DenseNetwork:
    """Write the whole network out as a `DenseNetwork`, to train it or to check by.

    Raises:
        InputError: the weights would take more than 2 GiB.
    """
    size = 4 * (network.n_layers - 1) * network.width**2
    if size > LARGEST_DENSE:
        raise InputError(
            f"a dense network of width {network.width} and {network.n_layers} layers takes "
            f"{size / 2**30:.1f} GiB, more than {LARGEST_DENSE / 2**30:.0f}: the simulation does "
            "not need it; or use a smaller width."
        )
    layers = [dense_weights(network, layer) for layer in range(2, network.n_layers + 1)]
    stages = np.arange(network.n_layers) % network.circuits.bias.shape[0]
    bias = np.repeat(network.circuits.bias[stages], network.n_copies, axis=-1)
    weights = np.array(layers, np.float32).reshape(-1, network.width, network.width)
    return DenseNetwork(W=jnp.asarray(weights), B=jnp.asarray(bias))


def _inhibition(linked: float, pairs: float, redundancy: int) -> float:
    if pairs <= linked:  # one circuit, or no pair left without a link: nothing to inhibit
        return 0.0
    return float(linked / (pairs - linked) / redundancy)
