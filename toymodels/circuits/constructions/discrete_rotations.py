"""Rotations whose vector may take m values only, cleaned between layers or by the circuit itself.

A record as `rotations` describes it; what is particular of it stands in
`toymodels.circuits.discrete`.
"""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, Self

import jax
import numpy as np
from flax import struct

from toymodels.circuits.assignment import Assignment, prime_steps
from toymodels.circuits.base import Circuit, Network
from toymodels.circuits.constructions.rotations import Rotations, check_sizes, require_bounds
from toymodels.circuits.discrete import (
    QUARTERS,
    Cleaning,
    CleanUp,
    discrete_angles,
    draw_values,
    sign_circuit,
    snap,
)
from toymodels.circuits.examples import draw_blocks, draw_embedding, generator, in_order
from toymodels.circuits.forward import plan, relu_gating
from toymodels.circuits.measures import (
    RotationErrors,
    add,
    errors_from,
    measure_block,
    rotation_errors,
)
from toymodels.circuits.network import capped_network
from toymodels.circuits.simulation import copies_of
from toymodels.circuits.small_circuits import rotation_circuit
from toymodels.errors import InputError, require_range
from toymodels.fields import static
from toymodels.streams import Stream

# (angle [T], bias, gain) -> T circuits that hold α and x
SmallCircuit = Callable[[Any, float, float], Circuit]


@struct.dataclass
class DiscreteRotations:
    """How a network of rotations by multiples of 2π/m is drawn, run and cleaned."""

    rotations: Rotations  # its sizes and floats alone; the circuits are `small_circuit`'s
    n_values: int = static()
    clean_every: int = static()
    cleaning: Cleaning = static()
    small_circuit: SmallCircuit = static()

    words = Rotations.words
    errors = RotationErrors
    finite = Rotations.finite

    @classmethod
    def create(  # noqa: D417 - the others are told of by `words`
        cls,
        *,
        n_circuits: int,
        width: int,
        redundancy: int = 6,
        n_layers: int = 5,
        bias: float = 1.0,
        inhibition: float = 1.0,
        gain: float = 2.0,
        n_values: int = QUARTERS,
        clean_every: int = 0,
        assignment: Assignment = prime_steps,
        cleaning: Cleaning = snap,
        small_circuit: SmallCircuit = rotation_circuit,
    ) -> Self:
        """Check sizes; letters and bounds are those of `toymodels.circuits`.

        Args:
            n_values: m, the values that the vector may take; 0 for any angle.
            clean_every: c, layers from one ideal clean-up to the next; 0 for none.
            cleaning: what an ideal clean-up puts right.
            small_circuit: how a circuit holds its vector, in d = 4 or d = 6 neurons.

        Raises:
            InputError: sizes that do not fit together; says what would.
        """
        require_bounds(n_circuits, width, n_layers, bias, inhibition, gain)
        require_range("n_values", n_values, 0, 1_000_000)
        require_range("clean_every", clean_every, 0, 10_000)
        if small_circuit is sign_circuit and n_values != QUARTERS:
            raise InputError(
                f"n_values = {n_values}: circuits that hold two signs tell {QUARTERS} values "
                "apart, no other number."
            )
        d = small_circuit(np.zeros(1), 1.0, 2.0).bias.shape[-1]
        check_sizes(assignment, n_circuits, width, redundancy, d)
        rotations = Rotations(
            bias=np.float64(bias),
            inhibition=np.float64(inhibition),
            gain=np.float64(gain),
            n_circuits=n_circuits,
            width=width,
            redundancy=redundancy,
            n_layers=n_layers,
            assignment=assignment,
            gating=relu_gating,
        )
        return cls(
            rotations,
            n_values=n_values,
            clean_every=clean_every,
            cleaning=cleaning,
            small_circuit=small_circuit,
        )

    @property
    def n_circuits(self) -> int:
        """T."""
        return self.rotations.n_circuits

    def draw(self, key: jax.Array) -> Network:
        """Draw assignments and angles, and build the network of them."""
        of = self.rotations
        uniform = generator(key, Stream.ANGLES).uniform(size=of.n_circuits)
        angles = discrete_angles(uniform, self.n_values)
        circuits = self.small_circuit(angles, float(of.bias), float(of.gain))
        n_copies = copies_of(of.width, circuits.bias.shape[-1])
        sizes = (of.n_circuits, n_copies, of.redundancy, of.n_layers)
        embedding = draw_embedding(key, of.assignment, *sizes)
        return capped_network(circuits, embedding, n_copies, float(of.inhibition))

    def simulate(
        self, key: jax.Array, network: Network, n_active: int, n_samples: int
    ) -> RotationErrors:
        """Measure a network on random examples; a layer is measured before it is cleaned."""
        states = partial(draw_values, circuit=network.circuits, n_values=self.n_values)
        blocks = draw_blocks(key, network, states, n_active, n_samples)
        clean = CleanUp(self.cleaning, self.clean_every, self.n_values)
        measure = partial(measure_block, plan(network), gating=relu_gating, between=clean)
        sums = reduce(add, in_order(measure, blocks))
        return rotation_errors(errors_from(network, sums, n_samples, n_active))

    def sizes(self) -> tuple[Any, ...]:
        """Return what decides which random numbers are drawn."""
        return *self.rotations.sizes(), self.small_circuit

    def cost(self, n_samples: int) -> int:
        """Return about what `simulate` takes, in additions of a sparse read."""
        return self.rotations.cost(n_samples)

    def n_bytes(self) -> int:
        """Return about the bytes of one network, and of examples on each thread."""
        return self.rotations.n_bytes()
