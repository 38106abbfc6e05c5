"""The large network's layers on many inputs, without ever forming a D × D matrix.

A circuit reads f values of itself, `(1/S) Σ_s Q A[n_s]`; that is both the read-out and what its
own weights act on. So a layer is three things on `values [N, f, B]`: a sparse read of every
circuit (T S additions per column), its own small matrix, and a sparse write back; plus one dense
N × N product for the shared weights, which for rotations see α alone. For d = 4 that product is
1/16 of the dense layer, and the read-out comes free.

The sparse part is scipy on the host: a program compiled per size takes longer to compile than a
sweep over sizes takes to run. The dense product is XLA's: numpy's spins its threads, 40 times
slower for N = 250 when another process holds a core.

B is the examples of a block; the other letters as in `network`.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from toymodels.circuits.assignment import members
from toymodels.circuits.base import Circuit, Floats, Inputs, Network

# (pre-activation with bias [N, d, B], neurons of active circuits [N, B]) -> activation [N, d, B]
Gating = Callable[[Floats, NDArray[np.bool_]], Floats]


class Layer(NamedTuple):
    """What one layer computes from a block of examples."""

    activations: Floats  # [N, d, B]
    values: Floats  # [T, f, B] read out of every circuit; the next layer is computed from them


class Stage(NamedTuple):
    """The circuits' weights of one stage; `own` is cut to the part that is not zero."""

    shared: Floats  # [d, f]
    shared_values: tuple[int, ...]  # which of the f values it reads at all
    own: Floats  # [T, i, k]: M_t - shared
    own_rows: slice  # which i of the d neurons they write to
    own_values: slice  # which k of the f values they read


class Plan(NamedTuple):
    """A network prepared for many blocks."""

    network: Network
    readers: tuple[Any, ...]  # per layer, sparse [T, N], 1/S where a circuit holds a neuron
    writers: tuple[Any, ...]  # per layer, sparse [N, T], 1 there
    stages: tuple[Stage, ...]


def plan(network: Network) -> Plan:
    """Prepare a network for `run_layers`: sparse matrices per layer, weights per stage."""
    held = [members(layer, network.n_copies) for layer in network.embedding]
    return Plan(
        network=network,
        readers=tuple(of_layer * np.float32(1 / network.redundancy) for of_layer in held),
        writers=tuple(of_layer.T for of_layer in held),
        stages=tuple(_stage(network.circuits, i) for i in range(network.circuits.bias.shape[0])),
    )


def relu_gating(pre_activation: Floats, used: NDArray[np.bool_]) -> Floats:
    """Cut at zero: the network itself."""
    return np.maximum(pre_activation, 0, out=pre_activation)


def ideal_gating(pre_activation: Floats, used: NDArray[np.bool_]) -> Floats:
    """Keep exactly the neurons of active circuits, uncut: no neuron ever switches on wrongly.

    What the published error theory assumes ("Rotations in Superposition", section 6).
    """
    pre_activation *= used[:, None, :]
    return pre_activation


class Intervention:
    """What is done to a block of examples between the layers; this one does nothing.

    Layers count from 1. A kind of its own overrides one of the two.
    """

    def inhibit(self, layer: int, pre_activation: Floats) -> Floats:
        """Return what the neurons of a layer `[N, d, B]` receive after all, bias included."""
        return pre_activation

    def clean(self, layer: int, values: Floats) -> Floats | None:
        """Return clean values `[T, f, B]` of a layer that the next is written from, or None.

        The layer that is written from them receives what layer 1 does from the input: nothing
        but what the circuits themselves send.
        """
        return None


NOTHING_DONE = Intervention()


def run_layers(
    prepared: Plan,
    inputs: Inputs,
    gating: Gating = relu_gating,
    between: Intervention = NOTHING_DONE,
) -> Iterator[Layer]:
    """Run a block of examples and yield layers 1 … L, one after the other."""
    network = prepared.network
    stages = network.circuits.bias.shape[0]
    pre = _write_active(network, inputs)
    for layer in range(network.n_layers):
        pre += network.circuits.bias[layer % stages][:, None]
        pre = between.inhibit(layer + 1, pre)
        activations = gating(pre, used_neurons(network, inputs.active, layer))
        columns = np.matmul(network.circuits.decode, activations)  # [N, f, B]
        read = read_circuits(prepared, layer + 1, columns)
        values = _shift(network, read, columns, network.offset_readout)
        yield Layer(activations, values)
        if layer + 1 < network.n_layers:
            clean = between.clean(layer + 1, values)
            if clean is None:
                pre = next_layer(prepared, layer + 2, columns, read)
            else:
                pre = write_circuits(prepared, layer + 2, clean)


def used_neurons(network: Network, active: NDArray[np.int64], layer: int) -> NDArray[np.bool_]:
    """Return which copies `[N, B]` serve an active circuit in layer number `layer + 1`."""
    used = np.zeros((network.n_copies, active.shape[0]), bool)
    held = network.embedding[layer][active]  # [B, z, S]
    used[held, np.arange(active.shape[0])[:, None, None]] = True
    return used


def _write_active(network: Network, inputs: Inputs) -> Floats:
    """Return what layer 1 receives, `Σ_active (M_t Q a_t) ⊗ e_t`, `[N, d, B]`."""
    circuits, (active, states) = network.circuits, inputs
    read = states @ circuits.decode.T  # [B, z, f]
    pushed = np.matmul(circuits.weights[active, 0], read[..., None])[..., 0]  # [B, z, d]
    n_examples, n_active, d = pushed.shape
    pre = np.zeros((network.n_copies, d, n_examples), np.float32)
    each = np.arange(n_examples)
    for i in range(n_active):
        for held in network.embedding[0][active[:, i]].T:  # [B]: one neuron of each example
            pre[held, :, each] += pushed[:, i]
    return pre


def read_circuits(prepared: Plan, layer: int, columns: Floats) -> Floats:
    """Average every circuit's copies in layer number `layer`, `[N, f, B] -> [T, f, B]`."""
    return sparse_product(prepared.readers[layer - 1], columns)


def next_layer(prepared: Plan, layer: int, columns: Floats, read: Floats) -> Floats:
    """Return what layer number `layer` (from 2) receives, without its bias.

    Args:
        prepared: the network.
        layer: the layer that receives.
        columns: `[N, f, B]`, the values on each copy in the layer before.
        read: `[T, f, B]`, those of each circuit, from `read_circuits`.

    Returns:
        `[N, d, B]`.
    """
    stage = prepared.stages[(layer - 1) % len(prepared.stages)]
    background = prepared.network.background[layer - 2]
    n_copies, _, n_examples = columns.shape
    terms = [
        stage.shared[:, j, None] * dense_product(background, columns[:, j])[:, None]
        for j in stage.shared_values
    ]
    nothing = (n_copies, stage.shared.shape[0], n_examples)
    pre = reduce(np.add, terms) if terms else np.zeros(nothing, np.float32)
    if stage.own.size:
        pushed = np.matmul(stage.own, read[:, stage.own_values])  # [T, i, B]
        written = sparse_product(prepared.writers[layer - 1], pushed)
        network = prepared.network
        sent = network.redundancy * pushed
        pre[:, stage.own_rows] += _shift(network, written, sent, network.offset_weights)
    return pre


def write_circuits(prepared: Plan, layer: int, values: Floats) -> Floats:
    """Return what layer number `layer` receives from values alone, `Σ_t (M_t v_t) ⊗ e_t`.

    Args:
        prepared: the network.
        layer: the layer that receives.
        values: `[T, f, B]`, v.

    Returns:
        `[N, d, B]`, without the bias.
    """
    weights = prepared.network.circuits.weights
    return sparse_product(
        prepared.writers[layer - 1],
        np.matmul(weights[:, (layer - 1) % weights.shape[1]], values),
    )


def dense_product(matrix: jax.Array | Floats, columns: Floats) -> Floats:
    """Multiply matrices by XLA: `[n, k]` by `[k, B]`."""
    return np.asarray(_product(matrix, columns))


@jax.jit
def _product(matrix: jax.Array, columns: jax.Array) -> jax.Array:
    return jax.numpy.matmul(matrix, columns, precision=jax.lax.Precision.HIGHEST)


def _shift(network: Network, read: Floats, columns: Floats, offset: float) -> Floats:
    """Turn what was read, or written, with `e/S` into what `(1/S + c) e - c 1` gives.

    `columns` are what stands on the other side of e, one for each neuron or circuit.
    """
    if offset == 0:
        return read
    scale = np.float32(1 + offset * network.redundancy)
    return scale * read - np.float32(offset) * columns.sum(axis=0)


def sparse_product(matrix: Any, stack: Floats) -> Floats:
    """Apply a sparse matrix to the first axis of `[n, v, B]`."""
    return (matrix @ stack.reshape(stack.shape[0], -1)).reshape(-1, *stack.shape[1:])


def _stage(circuits: Circuit, i: int) -> Stage:
    shared = circuits.shared[i]
    own = circuits.weights[:, i] - shared
    rows, values = _span(own.any(axis=(0, 2))), _span(own.any(axis=(0, 1)))
    return Stage(
        shared=shared,
        shared_values=tuple(np.flatnonzero(shared.any(axis=0)).tolist()),
        own=np.ascontiguousarray(own[:, rows, values]),
        own_rows=rows,
        own_values=values,
    )


def _span(marked: NDArray[np.bool_]) -> slice:
    """Return the shortest slice that covers all marks."""
    at = np.flatnonzero(marked)
    return slice(int(at[0]), int(at[-1]) + 1) if at.size else slice(0, 0)
