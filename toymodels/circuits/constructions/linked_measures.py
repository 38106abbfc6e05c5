"""What is measured of circuits that lead to each other: errors of all circuits in every layer.

The truth follows from the connections alone: a circuit is active where enough of its predecessors
are, and its vector is the sum of what they bring. The small circuits run by themselves
(`linked.run_alone`) are compared with it too: where they fail, no large network can help.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from flax import struct

from toymodels.circuits.assignment import overlap_probability
from toymodels.circuits.base import Floats, Inputs
from toymodels.circuits.constructions.linked import LinkedNetwork, Sparse, run_alone, run_linked
from toymodels.circuits.measures import CHI, LINKED, OF_ALL, OVERLAP, SWITCHED
from toymodels.fields import array

# Rows of a rotation circuit's neurons that hold the vector, and of its values.
VECTOR_NEURONS, VECTOR_VALUES = slice(2, 4), slice(1, 3)


@struct.dataclass
class LinkedErrors:
    """Errors by layer `[L+1]`, entry 0 the input; NaN where there is nothing of the kind."""

    mse_x_active: Any = array(
        "layer", words="mean of |x - true x|^2 over active circuits, both components together"
    )
    mse_x_inactive: Any = array("layer", words="mean of |x|^2 over inactive circuits")
    mse_x_alone: Any = array(
        "layer", words="mean of |x - true x|^2 over active circuits, run without the large network"
    )
    mse_on_active: Any = array("layer", words="mean of (indicator - 1)^2 over active circuits")
    mse_on_inactive: Any = array("layer", words="mean of indicator^2 over inactive circuits")
    worst_x_active: Any = array("layer", words=f"largest |x - true x| of active circuits, {OF_ALL}")
    dropped: Any = array("layer", words="share of active circuits whose indicator is below 1/2")
    spurious: Any = array("layer", words="share of inactive circuits whose indicator is above 1/2")
    active: Any = array("layer", words="circuits that should be active, mean over examples")
    connections: Any = array("layer", words="connections into the layer")
    overlap_probability: Any = array("layer", words=OVERLAP)
    link_density: Any = array("layer", words=LINKED)
    inhibition_strength: Any = array("layer", words=CHI)


class Sums(NamedTuple):
    """What a block adds up to; the axis of three is (active, inactive, active run alone)."""

    squares: Floats  # [L+1, 3, 2]: of the indicator and of x
    largest: Floats  # [L+1], combined by maximum
    wrong_side: Floats  # [L+1, 2]
    active: Floats  # [L+1]


def measure_linked(network: LinkedNetwork, matrices: tuple[Sparse, ...], inputs: Inputs) -> Sums:
    """Run a block of examples of rotation circuits and sum up its errors; the input is exact.

    Args:
        network: the network.
        matrices: `as_matrices` of its connections.
        inputs: the examples.
    """
    active, states = inputs
    decode, each = network.circuits.decode, np.arange(len(active))[:, None]
    values = np.zeros((network.n_circuits, len(decode), len(active)), np.float32)
    values[active, :, each] = states @ decode.T
    layers = zip(
        intended(network, matrices, values),
        run_linked(network, matrices, values),
        run_alone(network, matrices, values),
        strict=True,
    )
    rows = [_compare(values, values, values), *(_compare(*layer) for layer in layers)]
    return Sums(*(np.array(part, float) for part in zip(*rows, strict=True)))


def intended(
    network: LinkedNetwork, matrices: tuple[Sparse, ...], values: Floats
) -> Iterator[Floats]:
    """Yield what all circuits should hold in layers 1 … L, `[T, f, B]`, by logic alone.

    A circuit is active where at least `network.needed` of those that start it are; then its
    vector is the sum of what is brought to it, and otherwise zero.
    """
    n_circuits, f, n = values.shape
    turns = network.circuits.weights[:, 0, VECTOR_NEURONS, VECTOR_VALUES]
    turned = np.matmul(turns, values[:, VECTOR_VALUES])
    values = np.concatenate([values[:, :1], turned], axis=1)
    yield values
    for own, starts in matrices:
        on = starts @ values[:, 0] > network.needed - SWITCHED
        brought = (own @ values.reshape(n_circuits * f, n)).reshape(n_circuits, -1, n)
        values = np.zeros_like(values)
        values[:, 0] = on
        values[:, VECTOR_VALUES] = brought[:, VECTOR_NEURONS] * on[:, None]
        yield values


def add_linked(one: Sums, other: Sums) -> Sums:
    """Combine the sums of two blocks."""
    plain = Sums(*(a + b for a, b in zip(one, other, strict=True)))
    return plain._replace(largest=np.maximum(one.largest, other.largest))


def linked_errors(network: LinkedNetwork, sums: Sums, n_samples: int) -> LinkedErrors:
    """Divide the sums over all blocks by the number of circuits that were counted."""
    n_inactive = n_samples * network.n_circuits - sums.active
    active, inactive = (np.where(n > 0, n, np.nan) for n in (sums.active, n_inactive))
    into = [np.size(c.source) for c in network.connections]
    overlap = [overlap_probability(layer, network.n_copies) for layer in network.embedding]
    return LinkedErrors(
        mse_x_active=sums.squares[:, 0, 1] / active,
        mse_x_inactive=sums.squares[:, 1, 1] / inactive,
        mse_x_alone=sums.squares[:, 2, 1] / active,
        mse_on_active=sums.squares[:, 0, 0] / active,
        mse_on_inactive=sums.squares[:, 1, 0] / inactive,
        worst_x_active=np.where(np.isnan(active), np.nan, sums.largest),
        dropped=sums.wrong_side[:, 0] / active,
        spurious=sums.wrong_side[:, 1] / inactive,
        active=sums.active / n_samples,
        connections=np.array([np.nan, np.nan, *into]),
        overlap_probability=np.array([np.nan, *overlap]),
        link_density=np.array([np.nan, np.nan, *network.link_density]),
        inhibition_strength=np.array([np.nan, np.nan, *network.inhibition]),
    )


def _compare(true: Floats, read: Floats, alone: Floats) -> tuple[Any, ...]:
    """Sum over a block: what the network holds, and what the circuits alone do, less the truth."""
    on = true[:, 0] > SWITCHED  # [T, B]
    large, by_itself = _squares(read - true), _squares(alone - true)
    squares = [
        np.sum(of, axis=(1, 2), where=where)
        for of, where in ((large, on), (large, ~on), (by_itself, on))
    ]
    across = (read[:, 0] > SWITCHED) != on
    wrong_side = np.array([np.sum(across & on), np.sum(across & ~on)], float)
    wrong_side[np.isnan(np.sum(read[:, 0]))] = np.nan
    return squares, np.sqrt(np.max(large[1], initial=0, where=on)), wrong_side, np.sum(on)


def _squares(wrong: Floats) -> Floats:
    """Return the squares of the indicator's error and of the vector's, `[2, T, B]`."""
    return np.stack([wrong[:, 0] ** 2, np.sum(wrong[:, VECTOR_VALUES] ** 2, axis=1)])
