"""What one layer adds to a circuit that should hear nothing: the appendix's experiment.

Linsefors & Bushnaq 2025, "Rotations in Superposition", appendix: circuits that hold a single
number, with weights that are shared, their own, or both, and no ReLU.
"""

import numpy as np
from numpy.typing import ArrayLike

from toymodels.checks import finite, number
from toymodels.circuits.base import Circuit, Network
from toymodels.circuits.forward import next_layer, plan, read_circuits
from toymodels.errors import InputError

# Circuits that send at a time.
_COLUMNS = 256


def scalar_circuits(own: ArrayLike, shared: float) -> Circuit:
    """Make circuits of one neuron that multiply by `shared + own[t]`, `own [T]` of mean zero.

    Raises:
        InputError: weights that are not finite, or of another shape.
    """
    number("shared", shared)
    own = finite("own", own)
    if own.ndim != 1 or not own.size:
        raise InputError(f"own has shape {own.shape}: give one weight for each circuit, [T].")
    weights = own.astype(np.float32)[:, None, None, None] + np.float32(shared)
    return Circuit(
        weights=weights,
        shared=np.full((1, 1, 1), shared, np.float32),
        decode=np.eye(1, dtype=np.float32),
        bias=np.zeros((1, 1), np.float32),
        values=(("value", 1),),
    )


def measure_interference(network: Network) -> float:
    """Measure the interference that the weights into layer 2 add, for `scalar_circuits`.

    The mean over t < v of the square of `(1/S) e_tᵀ W e_v - (1/S) (e_t · e_v) w_t`: what circuit t
    reads in layer 2 when v sends 1 in layer 1, less what their overlap in layer 1 alone would give.
    As published, only pairs t < v count. Layer 1 holds the list in its order, so with prime steps
    that is up to 7 % less than the mean over t ≠ v. `theory.interference` estimates it for weights
    of size 1. O(N² T) operations.

    Raises:
        InputError: circuits of more than one neuron, a single circuit, or a single layer.
    """
    sizes = network.n_circuits, network.n_layers
    if network.circuits.bias.shape[-1] != 1 or min(sizes) < 2:
        raise InputError(
            f"a network of {sizes[0]} circuits of {network.circuits.bias.shape[-1]} neurons in "
            f"{sizes[1]} layers: give at least 2 `scalar_circuits` in at least 2 layers."
        )
    prepared, n_circuits = plan(network), network.n_circuits
    weights = network.circuits.weights.reshape(n_circuits, 1)
    total = 0.0
    for first in range(0, n_circuits, _COLUMNS):
        senders = np.arange(first, min(first + _COLUMNS, n_circuits))
        sent = np.zeros((network.n_copies, 1, senders.size), np.float32)
        sent[network.embedding[0][senders].T, 0, np.arange(senders.size)] = 1
        overlap = read_circuits(prepared, 1, sent)
        received = next_layer(prepared, 2, sent, overlap)
        heard = read_circuits(prepared, 2, received)[:, 0] - weights * overlap[:, 0]
        total += float(np.sum(np.square(heard) * (np.arange(n_circuits)[:, None] < senders)))
    return total / (n_circuits * (n_circuits - 1) / 2)
