"""What is measured of a large network: errors of its circuits, summed block by block.

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
from toymodels.circuits.base import Circuit, Floats, Inputs, Network
from toymodels.circuits.forward import (
    NOTHING_DONE,
    Gating,
    Intervention,
    Layer,
    Plan,
    run_layers,
)
from toymodels.circuits.small_circuits import run_circuits
from toymodels.fields import array

# A neuron above this counts as on (as in the post's figure of it).
ON = 1e-4

# An indicator above this says that its circuit is active.
SWITCHED = 0.5

# What several records say of the same arrays.
OF_ALL = "over all circuits and examples drawn; grows with their number"
ON_BY_BLOCK = "share of neurons that are on, by block of the small circuit's neurons"
OVERLAP = "neurons that two circuits share on average, measured"
LINKED = "share of pairs of neurons that some circuit links"
CHI = "chi, the inhibition between neurons that no circuit links"


@struct.dataclass
class CircuitErrors:
    """Errors by layer `[L+1]`, entry 0 the input; by value `[V]` or block `[d]` where it says so.

    NaN is what does not exist: errors of inactive circuits where all are active, the use of
    neurons in the input, links into the input and layer 1, χ of a network that has none.
    """

    mse_active: Any = array("layer", "value", words="mean of |read - true|^2 over active circuits")
    mse_inactive: Any = array(
        "layer", "value", words="mean of |read|^2 over inactive circuits, whose truth is 0"
    )
    worst_active: Any = array(
        "layer", "value", words=f"largest |read - true| of active circuits, {OF_ALL}"
    )
    worst_inactive: Any = array(
        "layer", "value", words=f"largest |read| of inactive circuits, {OF_ALL}"
    )
    mean_active: Any = array(
        "layer", words="mean of read - true over active circuits, of the first value"
    )
    mean_inactive: Any = array(
        "layer", words="mean of read over inactive circuits, of the first value"
    )
    dropped: Any = array("layer", words="share of active circuits whose first value is below 1/2")
    spurious: Any = array(
        "layer", words="share of inactive circuits whose first value is above 1/2"
    )
    fraction_on: Any = array("layer", "block", words=ON_BY_BLOCK)
    overlap_probability: Any = array("layer", words=OVERLAP)
    link_density: Any = array("layer", words=LINKED)
    inhibition_strength: Any = array("layer", words=CHI)


@struct.dataclass
class RotationErrors:
    """Errors of rotation circuits by layer `[L+1]`, entry 0 the input; NaN as in `CircuitErrors`.

    The indicator is α, x the vector; both as they are read out. Four blocks of neurons.
    """

    mse_x_active: Any = array(
        "layer", words="mean of |x - true x|^2 over active circuits, both components together"
    )
    mse_x_inactive: Any = array("layer", words="mean of |x|^2 over inactive circuits")
    mse_on_active: Any = array("layer", words="mean of (indicator - 1)^2 over active circuits")
    mse_on_inactive: Any = array("layer", words="mean of indicator^2 over inactive circuits")
    worst_x_active: Any = array("layer", words=f"largest |x - true x| of active circuits, {OF_ALL}")
    worst_x_inactive: Any = array("layer", words=f"largest |x| of inactive circuits, {OF_ALL}")
    worst_on_active: Any = array(
        "layer", words=f"largest |indicator - 1| of active circuits, {OF_ALL}"
    )
    worst_on_inactive: Any = array(
        "layer", words=f"largest |indicator| of inactive circuits, {OF_ALL}"
    )
    mean_on_active: Any = array("layer", words="mean of indicator - 1 over active circuits")
    mean_on_inactive: Any = array("layer", words="mean of indicator over inactive circuits")
    dropped: Any = array("layer", words="share of active circuits whose indicator is below 1/2")
    spurious: Any = array("layer", words="share of inactive circuits whose indicator is above 1/2")
    fraction_on: Any = array("layer", "block", words=ON_BY_BLOCK)
    overlap_probability: Any = array("layer", words=OVERLAP)
    link_density: Any = array("layer", words=LINKED)
    inhibition_strength: Any = array("layer", words=CHI)


class Sums(NamedTuple):
    """What a block of examples adds up to; the axis of two is (active, inactive)."""

    squares: NDArray[np.float64]  # [L, 2, V]
    largest: NDArray[np.float64]  # [L, 2, V], combined by maximum
    first: NDArray[np.float64]  # [L, 2], of the first value
    wrong_side: NDArray[np.float64]  # [L, 2], circuits whose first value is across ½
    on: NDArray[np.float64]  # [L, d], neurons


def measure_block(
    prepared: Plan, inputs: Inputs, gating: Gating, between: Intervention = NOTHING_DONE
) -> Sums:
    """Run a block of examples and sum up its errors in layers 1 … L."""
    network = prepared.network
    layers = run_layers(prepared, inputs, gating, between)
    with np.errstate(over="ignore", invalid="ignore"):  # a network that blows up says so by inf
        truth = run_circuits(network.circuits, inputs.active, inputs.states, network.n_layers)
        measured = [
            _measure_layer(network.circuits, layer, inputs.active, true)
            for layer, true in zip(layers, truth[1:], strict=True)
        ]
    return Sums(*(np.array(parts, float) for parts in zip(*measured, strict=True)))


def add(one: Sums, other: Sums) -> Sums:
    """Combine the sums of two blocks."""
    plain = (a + b for a, b in zip(one, other, strict=True))
    return Sums(*plain)._replace(largest=np.maximum(one.largest, other.largest))


def errors_from(network: Network, sums: Sums, n_samples: int, n_active: int) -> CircuitErrors:
    """Divide the sums over all blocks by the number of circuits or neurons that were counted."""
    n_inactive = network.n_circuits - n_active
    count = n_samples * np.array([n_active, n_inactive or np.nan])
    mse = sums.squares / count[:, None]
    largest = np.where(np.isnan(count)[:, None], np.nan, sums.largest)
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


def rotation_errors(errors: CircuitErrors) -> RotationErrors:
    """Name the two kinds of values of rotation circuits, the indicator and x."""
    pairs = {
        f"{measure}_{value}_{which}": getattr(errors, f"{measure}_{which}")[:, i]
        for measure in ("mse", "worst")
        for which in ("active", "inactive")
        for i, value in enumerate(("on", "x"))
    }
    return RotationErrors(
        **pairs,
        mean_on_active=errors.mean_active,
        mean_on_inactive=errors.mean_inactive,
        dropped=errors.dropped,
        spurious=errors.spurious,
        fraction_on=errors.fraction_on,
        overlap_probability=errors.overlap_probability,
        link_density=errors.link_density,
        inhibition_strength=errors.inhibition_strength,
    )


def _measure_layer(
    circuits: Circuit, layer: Layer, active: NDArray[np.int64], true: NDArray[np.float32]
) -> tuple[Any, ...]:
    on = [number_of(block > ON, block) for block in np.moveaxis(layer.activations, 1, 0)]
    return *measure_values(circuits, layer.values, active, true), on


def measure_values(
    circuits: Circuit, read: Floats, active: NDArray[np.int64], true: NDArray[np.float32]
) -> tuple[Any, ...]:
    """Sum over a block what `Sums` holds of `read [T, f, B]`, all but the neurons that are on.

    Active circuits in `read` are zeroed meanwhile, then restored.
    """
    each = np.arange(active.shape[0])[:, None]
    held = read[active, :, each]  # [B, z, f]
    read[active, :, each] = 0
    wrong = (held - true).reshape(-1, true.shape[-1], 1)  # [B z, f, 1]
    squares, largest = [], []
    for part in _parts(circuits):
        pair = [np.einsum("nvb,nvb->nb", of[:, part], of[:, part]) for of in (wrong, read)]
        squares.append([np.sum(squared) for squared in pair])  # float32, but pairwise
        largest.append([np.sqrt(np.max(squared, initial=0)) for squared in pair])
    first = [np.sum(wrong[:, 0]), np.sum(read[:, 0])]
    wrong_side = [
        number_of(held[..., 0] < SWITCHED, held[..., 0]),
        number_of(read[:, 0] > SWITCHED, read[:, 0]),
    ]
    read[active, :, each] = held
    return np.transpose(squares), np.transpose(largest), first, wrong_side


def number_of(where: NDArray[np.bool_], values: NDArray[np.float32]) -> float:
    """Count where something holds, or return NaN where values are NaN, of which nothing holds."""
    return np.nan if np.isnan(np.sum(values)) else float(np.count_nonzero(where))


def _parts(circuits: Circuit) -> list[slice]:
    """Return where each kind of value lies among the f."""
    ends = np.cumsum([length for _, length in circuits.values]).tolist()
    return [slice(end - n, end) for end, (_, n) in zip(ends, circuits.values, strict=True)]


def _above(values: NDArray[np.float64], first: float) -> NDArray[np.float64]:
    """Put an entry of the input, `first` everywhere, in front of the layers'."""
    return np.concatenate([np.full((1, *values.shape[1:]), first), values])
