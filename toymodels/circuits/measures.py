"""What is measured of a large network: errors of every circuit, in sums that blocks add up to.

Noise measures of Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6): values read
off the network against those of the circuit run alone; for an inactive circuit against zero.
Layer 0 is the input, which is exact. V kinds of values (`Circuit.values`), the first of them an
indicator where there is one; other letters as in `network`.
"""

from typing import Any, NamedTuple

import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.circuits.assignment import overlap_probability
from toymodels.circuits.forward import Gating, Inputs, Layer, Plan, run_layers
from toymodels.circuits.network import Network
from toymodels.circuits.small_circuits import Circuit, run_circuits

# A neuron above this counts as on (as in the post's figure of it).
ON = 1e-4

# An indicator above this says that its circuit is active.
SWITCHED = 0.5


@struct.dataclass
class CircuitErrors:
    """Errors per layer and kind of value. Without inactive circuits theirs are NaN."""

    mse_active: Any  # [L+1, V] mean of |read - true|² over examples and active circuits
    mse_inactive: Any  # [L+1, V] the same over inactive ones, whose truth is 0
    worst_active: Any  # [L+1, V] the largest |read - true|
    worst_inactive: Any  # [L+1, V]
    mean_active: Any  # [L+1] of read - true, first value only
    mean_inactive: Any  # [L+1]
    dropped: Any  # [L+1] share of active circuits whose first value is below ½
    spurious: Any  # [L+1] share of inactive circuits whose first value is above ½
    fraction_on: Any  # [L+1, d] share of neurons above 1e-4 in each block; NaN for the input
    overlap_probability: Any  # [L+1] neurons that two circuits share, measured; NaN for the input
    link_density: Any  # [L+1] share of linked neuron pairs; NaN below layer 2
    inhibition_strength: Any  # [L+1] χ; NaN below layer 2 and where there is none


class Sums(NamedTuple):
    """What a block of examples adds up to; the axis of two is (active, inactive)."""

    squares: NDArray[np.float64]  # [L, 2, V]
    largest: NDArray[np.float64]  # [L, 2, V], combined by maximum
    first: NDArray[np.float64]  # [L, 2], of the first value
    wrong_side: NDArray[np.float64]  # [L, 2], circuits whose first value is across ½
    on: NDArray[np.float64]  # [L, d], neurons


def measure_block(prepared: Plan, inputs: Inputs, gating: Gating) -> Sums:
    """Run a block of examples and sum up its errors in layers 1 … L."""
    network = prepared.network
    with np.errstate(over="ignore", invalid="ignore"):  # a network that blows up says so by inf
        truth = run_circuits(network.circuits, inputs.active, inputs.states, network.n_layers)
        layers = [
            _measure_layer(network.circuits, layer, inputs.active, true)
            for layer, true in zip(run_layers(prepared, inputs, gating), truth[1:], strict=True)
        ]
    return Sums(*(np.array(parts, float) for parts in zip(*layers, strict=True)))


def add(one: Sums, other: Sums) -> Sums:
    """Combine the sums of two blocks."""
    plain = (a + b for a, b in zip(one, other, strict=True))
    return Sums(*plain)._replace(largest=np.maximum(one.largest, other.largest))


def errors_from(network: Network, sums: Sums, n_samples: int, n_active: int) -> CircuitErrors:
    """Divide the sums over all blocks by what was counted."""
    n_inactive = network.n_circuits - n_active
    count = n_samples * np.array([n_active, n_inactive or np.nan])
    mse = sums.squares / count[:, None]
    largest = sums.largest + 0 * count[:, None]  # NaN where nothing was counted
    mean, wrong_side = sums.first / count, sums.wrong_side / count
    overlap = [overlap_probability(layer, network.n_copies) for layer in network.embedding]
    return CircuitErrors(
        mse_active=_above(mse[:, 0], 0.0),
        mse_inactive=_above(mse[:, 1], 0.0),
        worst_active=_above(largest[:, 0], 0.0),
        worst_inactive=_above(largest[:, 1], 0.0),
        mean_active=_above(mean[:, 0], 0.0),
        mean_inactive=_above(mean[:, 1], 0.0),
        dropped=_above(wrong_side[:, 0], 0.0),
        spurious=_above(wrong_side[:, 1], 0.0),
        fraction_on=_above(sums.on / (n_samples * network.n_copies), np.nan),
        overlap_probability=_above(np.array(overlap), np.nan),
        link_density=_above(_above(network.link_density, np.nan), np.nan),
        inhibition_strength=_above(_above(network.inhibition, np.nan), np.nan),
    )


def _measure_layer(
    circuits: Circuit, layer: Layer, active: NDArray[np.int64], true: NDArray[np.float32]
) -> tuple[Any, ...]:
    """Sum over a block; what `layer.values` holds of active circuits is put back after use."""
    read, each = layer.values, np.arange(active.shape[0])[:, None]
    held = read[active, :, each]  # [B, z, f]
    read[active, :, each] = 0
    wrong = (held - true).reshape(-1, true.shape[-1], 1)  # [B z, f, 1]
    squares, largest = [], []
    for part in _parts(circuits):
        pair = [np.einsum("nvb,nvb->nb", of[:, part], of[:, part]) for of in (wrong, read)]
        squares.append([np.sum(squared) for squared in pair])  # float32, but pairwise
        largest.append([np.sqrt(np.max(squared, initial=0)) for squared in pair])
    first = [np.sum(wrong[:, 0]), np.sum(read[:, 0])]
    wrong_side = [np.sum(held[..., 0] < SWITCHED), np.count_nonzero(read[:, 0] > SWITCHED)]
    on = [np.count_nonzero(block > ON) for block in np.moveaxis(layer.activations, 1, 0)]
    read[active, :, each] = held
    return np.transpose(squares), np.transpose(largest), first, wrong_side, on


def _parts(circuits: Circuit) -> list[slice]:
    """Return where each kind of value lies among the f."""
    ends = np.cumsum([length for _, length in circuits.values]).tolist()
    return [slice(end - n, end) for end, (_, n) in zip(ends, circuits.values, strict=True)]


def _above(values: NDArray[np.float64], first: float) -> NDArray[np.float64]:
    """Put a layer with `first` everywhere before the others."""
    return np.concatenate([np.full((1, *values.shape[1:]), first), values])
