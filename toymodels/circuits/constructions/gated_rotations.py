"""Rotations of which a gate rules some out; only the others are ever active.

A record as `rotations` describes it; the gates stand in `toymodels.circuits.gates`. One gate for
each network: which circuits it keeps is drawn, like the network, and examples activate no others.
"""

from functools import partial, reduce
from typing import Any, NamedTuple, Self

import jax
import numpy as np
from flax import struct

from toymodels.circuits.assignment import Assignment, prime_steps
from toymodels.circuits.base import Inputs, Network
from toymodels.circuits.constructions.rotations import Rotations
from toymodels.circuits.examples import draw_blocks, generator, in_order, require_examples
from toymodels.circuits.forward import plan, relu_gating
from toymodels.circuits.gates import Gate, Kept, NoGate, network_of
from toymodels.circuits.measures import (
    RotationErrors,
    add,
    errors_from,
    measure_block,
    rotation_errors,
)
from toymodels.circuits.small_circuits import active_rotations
from toymodels.errors import InputError, require_range
from toymodels.streams import Stream


class Gated(NamedTuple):
    """A network, and which of its circuits a gate keeps."""

    network: Network
    kept: Kept  # [T_eff]


@struct.dataclass
class GatedRotations:
    """How a network of rotation circuits and its gate are drawn, and run."""

    rotations: Rotations
    share_kept: Any  # []
    gate: Gate

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
        share_kept: float = 0.25,
        assignment: Assignment = prime_steps,
        gate: Gate = NoGate(),
    ) -> Self:
        """Check sizes; letters and bounds are those of `toymodels.circuits`.

        Args:
            share_kept: T_eff / T, the share of circuits that the gate does not rule out.
            gate: how it rules the others out.

        Raises:
            InputError: sizes that do not fit together; says what would.
        """
        require_range("share_kept", share_kept, 0, 1)
        rotations = Rotations.create(
            n_circuits=n_circuits,
            width=width,
            redundancy=redundancy,
            n_layers=n_layers,
            bias=bias,
            inhibition=inhibition,
            gain=gain,
            assignment=assignment,
        )
        return cls(rotations, np.float64(share_kept), gate)

    @property
    def n_circuits(self) -> int:
        """T."""
        return self.rotations.n_circuits

    @property
    def n_kept(self) -> int:
        """T_eff, the circuits that the gate does not rule out."""
        return max(1, round(float(self.share_kept) * self.n_circuits))

    def require_active(self, n_active: int) -> None:
        """Refuse more active circuits than the gate keeps.

        Raises:
            InputError: names `share_kept`.
        """
        if n_active > self.n_kept:
            raise InputError(
                f"n_active = {n_active} circuits cannot be active: share_kept = "
                f"{float(self.share_kept):g} of n_circuits = {self.n_circuits} keeps "
                f"{self.n_kept}; lower n_active or raise share_kept."
            )

    def draw(self, key: jax.Array) -> Gated:
        """Draw a network, and which circuits the gate keeps: a smaller share of the same."""
        order = generator(key, Stream.GATES).permutation(self.n_circuits)
        return Gated(self.rotations.draw(key), np.sort(order[: self.n_kept]))

    def simulate(
        self, key: jax.Array, network: Gated, n_active: int, n_samples: int
    ) -> RotationErrors:
        """Measure a network on random examples of kept circuits.

        Raises:
            InputError: more circuits active than the gate keeps.
        """
        self.require_active(n_active)
        whole, kept = network
        inhibition = float(self.rotations.inhibition)
        few = network_of(whole, kept, inhibition)
        require_examples(n_active, n_samples, few.n_circuits)
        blocks = (
            Inputs(kept[inputs.active], inputs.states)
            for inputs in draw_blocks(key, few, active_rotations, n_active, n_samples)
        )
        prepared, between = self.gate.apply(plan(whole), kept, inhibition)
        measure = partial(measure_block, prepared, gating=relu_gating, between=between)
        sums = reduce(add, in_order(measure, blocks))
        return rotation_errors(errors_from(prepared.network, sums, n_samples, n_active))

    def sizes(self) -> tuple[Any, ...]:
        """Return what decides which random numbers are drawn."""
        return *self.rotations.sizes(), float(self.share_kept)

    def cost(self, n_samples: int) -> int:
        """Return about what `simulate` takes, in additions of a sparse read."""
        return self.rotations.cost(n_samples)

    def n_bytes(self) -> int:
        """Return the bytes of the network with that of the kept circuits, and of examples."""
        return 2 * self.rotations.n_bytes()
