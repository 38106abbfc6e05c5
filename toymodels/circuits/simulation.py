"""Simulate circuits in superposition: draw a network and examples, measure errors per layer.

Experiments of Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6). `examples` draws
what is random, `measures` says what is measured.
"""

from functools import reduce
from typing import Any

import jax
import numpy as np
from flax import struct

from toymodels.checks import count
from toymodels.circuits.assignment import Assignment, prime_steps
from toymodels.circuits.base import Network
from toymodels.circuits.examples import (
    DrawStates,
    draw_blocks,
    draw_embedding,
    generator,
    in_order,
    require_examples,
)
from toymodels.circuits.forward import Gating, plan, relu_gating, run_layers
from toymodels.circuits.measures import (
    CircuitErrors,
    RotationErrors,
    add,
    errors_from,
    measure_block,
    rotation_errors,
)
from toymodels.circuits.network import capped_network
from toymodels.circuits.small_circuits import (
    ROTATION_NEURONS,
    active_rotations,
    rotation_circuit,
    run_circuits,
)
from toymodels.errors import InputError
from toymodels.fields import array
from toymodels.streams import Stream

# Dimensions of what is followed through the layers: z active circuits of each example.
_PATH = ("example", "of_active", "layer")


@struct.dataclass
class Trajectories:
    """What active rotation circuits hold, and what the network's read-out says they hold."""

    active: Any = array("example", "of_active", words="which circuits are active")  # [n, z]
    true_x: Any = array(*_PATH, "component", words="x of the circuit run alone")  # [n, z, L+1, 2]
    estimated_x: Any = array(*_PATH, "component", words="x as read out")  # [n, z, L+1, 2]
    true_on: Any = array(*_PATH, words="indicator of the circuit run alone")  # [n, z, L+1]
    estimated_on: Any = array(*_PATH, words="indicator as read out")  # [n, z, L+1]


def simulate_rotations(
    key: jax.Array,
    *,
    n_circuits: int,
    width: int,
    redundancy: int,
    n_active: int,
    n_layers: int,
    n_samples: int,
    bias: float = 1.0,
    inhibition: float = 1.0,
    gain: float = 2.0,
    assignment: Assignment = prime_steps,
    gating: Gating = relu_gating,
) -> RotationErrors:
    """Run T conditional rotations in one network of width D and measure their errors.

    Args:
        key: decides angles, assignment per layer (and a random one's list), and examples.
        n_circuits: T, small circuits in the network.
        width: D, neurons of a layer of the network, a multiple of 4.
        redundancy: S, the large neurons of each small one.
        n_active: z, circuits that are active at a time.
        n_layers: L, layers that errors are measured at.
        n_samples: examples; with z = 1 every circuit gets its turn before any gets a second.
        bias: b, which silences inactive circuits.
        inhibition: multiplier of χ, the inhibition between circuits; 1 is the authors'.
        gain: k, the slope of the indicator's step, at least 1.
        assignment: which neurons serve which circuit, a function of T, N and S.
        gating: what each layer does to what a neuron receives.

    Returns:
        Errors per layer, `[n_layers + 1]` each.

    Raises:
        InputError: a size or float that is not possible; says what would be.

    Source: "Rotations in Superposition"; b = 1, k = 2, inhibition 1, prime steps are published.
    """
    network = rotation_network(
        key,
        n_circuits=n_circuits,
        width=width,
        redundancy=redundancy,
        n_layers=n_layers,
        bias=bias,
        inhibition=inhibition,
        gain=gain,
        assignment=assignment,
    )
    return simulate_network(key, network, n_active=n_active, n_samples=n_samples, gating=gating)


def simulate_network(
    key: jax.Array,
    network: Network,
    *,
    n_active: int,
    n_samples: int,
    gating: Gating = relu_gating,
) -> RotationErrors:
    """Measure a network that `rotation_network` has drawn, as `simulate_rotations` does.

    One network then serves several numbers of active circuits. Arguments as there.

    Raises:
        InputError: z outside 1 … T, or no examples.
    """
    errors = simulate_circuits(
        key, network, active_rotations, n_active=n_active, n_samples=n_samples, gating=gating
    )
    return rotation_errors(errors)


def rotation_network(
    key: jax.Array,
    *,
    n_circuits: int,
    width: int,
    redundancy: int,
    n_layers: int,
    bias: float = 1.0,
    inhibition: float = 1.0,
    gain: float = 2.0,
    assignment: Assignment = prime_steps,
) -> Network:
    """Draw the network of `simulate_rotations`, with the arguments of that.

    Raises:
        InputError: a size or float that is not possible; says what would be.
    """
    n_circuits, n_copies = count("n_circuits", n_circuits), copies_of(width, ROTATION_NEURONS)
    embedding = draw_embedding(key, assignment, n_circuits, n_copies, redundancy, n_layers)
    angles = generator(key, Stream.ANGLES).uniform(0, 2 * np.pi, n_circuits)
    return capped_network(rotation_circuit(angles, bias, gain), embedding, n_copies, inhibition)


def rotation_trajectories(
    key: jax.Array,
    network: Network,
    *,
    n_active: int,
    n_samples: int,
    gating: Gating = relu_gating,
) -> Trajectories:
    """Follow active circuits of `rotation_network` through the layers, true and as read out.

    The examples are the first `n_samples` of `simulate_rotations` with the same key.

    Raises:
        InputError: z outside 1 … T, or no examples.
    """
    require_examples(n_active, n_samples, network.n_circuits)
    prepared, parts = plan(network), []
    for inputs in draw_blocks(key, network, active_rotations, n_active, n_samples):
        true = run_circuits(network.circuits, inputs.active, inputs.states, network.n_layers)
        each = np.arange(inputs.active.shape[0])[:, None]
        layers = run_layers(prepared, inputs, gating)
        read = np.stack([true[0], *(layer.values[inputs.active, :, each] for layer in layers)])
        parts.append((inputs.active, np.moveaxis(true, 0, 2), np.moveaxis(read, 0, 2)))
    active, true, read = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Trajectories(active, true[..., 1:], read[..., 1:], true[..., 0], read[..., 0])


def simulate_circuits(
    key: jax.Array,
    network: Network,
    draw_states: DrawStates,
    *,
    n_active: int,
    n_samples: int,
    gating: Gating = relu_gating,
) -> CircuitErrors:
    """Run random examples through any large network and measure its circuits in every layer.

    Args:
        key: of the examples.
        network: from `capped_network` or its siblings.
        draw_states: `(generator, shape) -> [*shape, d]`, states of active circuits.
        n_active: z, drawn without replacement.
        n_samples: examples.
        gating: `relu_gating`, or `ideal_gating`.

    Raises:
        InputError: z outside 1 … T, or no examples.
    """
    require_examples(n_active, n_samples, network.n_circuits)
    prepared = plan(network)
    blocks = draw_blocks(key, network, draw_states, n_active, n_samples)
    sums = reduce(add, in_order(lambda inputs: measure_block(prepared, inputs, gating), blocks))
    return errors_from(network, sums, n_samples, n_active)


def copies_of(width: int, d: int) -> int:
    """Return N = D / d.

    Raises:
        InputError: D is not a multiple of d.
    """
    count("width", width, None)
    if width < d or width % d:
        near = sorted({max(d, width // d * d), (width // d + 1) * d})
        raise InputError(
            f"width = {width} is not divisible by d = {d}, the neurons of a small circuit: use "
            f"{' or '.join(map(str, near))}."
        )
    return width // d


blocks_of = copies_of  # old name, kept for one version
