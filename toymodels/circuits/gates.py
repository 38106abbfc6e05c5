"""Gates that rule circuits out: what is known before a computation of which it cannot need.

A gate keeps T_eff of the T circuits, as the experts of a mixture are chosen from its input, and
acts from a layer on. A neuron serves several circuits, so a gate on neurons cannot rule out a
circuit alone; one on weights can, and leaves the network of the T_eff circuits.

The idea is of the discussion under Linsefors & Bushnaq 2025, "Rotations in Superposition"; the
gates are ours. Letters as in `network`.
"""

from dataclasses import replace
from typing import Any, Protocol, Self

import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.circuits.base import Floats, Network
from toymodels.circuits.forward import NOTHING_DONE, Intervention, Plan
from toymodels.circuits.network import capped_network
from toymodels.errors import require_range
from toymodels.fields import static

# Which circuits a gate keeps, `[T_eff]`, in order.
Kept = NDArray[np.int64]

# Neurons of a rotation circuit that hold its indicator.
INDICATOR = slice(0, 2)


class Gate(Protocol):
    """What rules circuits out."""

    def apply(self, prepared: Plan, kept: Kept, inhibition: float) -> tuple[Plan, Intervention]:
        """Return what is run instead of a network, and what is done between its layers."""
        ...


class Inhibition(Intervention):
    """Take something from what some blocks of neurons receive, from a layer on."""

    def __init__(self, first: int, taken: list[Floats], blocks: slice) -> None:
        """Take `taken[l-1] [N]` in each layer l from `first` on, in some of the d blocks."""
        self.first, self.taken, self.blocks = first, taken, blocks

    def inhibit(self, layer: int, pre_activation: Floats) -> Floats:
        """Return what the neurons of a layer receive, less what is taken."""
        if layer >= self.first:
            pre_activation[:, self.blocks] -= self.taken[layer - 1][:, None, None]
        return pre_activation


@struct.dataclass
class NoGate:
    """Rule out nothing: all T circuits may switch on, though none but T_eff is ever called."""

    def apply(self, prepared: Plan, kept: Kept, inhibition: float) -> tuple[Plan, Intervention]:
        """Return the network as it is."""
        return prepared, NOTHING_DONE


@struct.dataclass
class _Inhibiting:
    """A gate that inhibits neurons.

    Attributes:
        gate_strength: γ, what is taken at most from what a neuron receives.
        gate_from: the first layer that the gate reaches.
    """

    gate_strength: Any  # []
    gate_from: int = static()

    @classmethod
    def create(cls, *, gate_strength: float = 0.4, gate_from: int = 2) -> Self:
        """Check both.

        Raises:
            InputError: a negative strength, or no layer.
        """
        require_range("gate_strength", gate_strength, 0, 1e30)
        require_range("gate_from", gate_from, 1, 10_000)
        return cls(np.float64(gate_strength), gate_from)


@struct.dataclass
class ExclusiveGate(_Inhibiting):
    """Take γ from all neurons that serve ruled-out circuits alone."""

    def apply(self, prepared: Plan, kept: Kept, inhibition: float) -> tuple[Plan, Intervention]:
        """Return the network, and what inhibits its neurons."""
        taken = [self.gate_strength * (share == 1) for share in ruled_out_shares(prepared, kept)]
        return prepared, Inhibition(self.gate_from, _floats(taken), slice(None))


@struct.dataclass
class ShareGate(_Inhibiting):
    """Take γ times the share of a neuron's circuits that are ruled out, from indicators alone.

    A shift below 1/2 leaves the step of an active circuit whole, but would shift its vector.
    """

    def apply(self, prepared: Plan, kept: Kept, inhibition: float) -> tuple[Plan, Intervention]:
        """Return the network, and what inhibits its neurons."""
        taken = [self.gate_strength * share for share in ruled_out_shares(prepared, kept)]
        return prepared, Inhibition(self.gate_from, _floats(taken), INDICATOR)


@struct.dataclass
class BlindGate(_Inhibiting):
    """Take from all indicators alike what `ShareGate` takes on average: it knows of no circuit."""

    def apply(self, prepared: Plan, kept: Kept, inhibition: float) -> tuple[Plan, Intervention]:
        """Return the network, and what inhibits its neurons."""
        shares = ruled_out_shares(prepared, kept)
        taken = [np.full_like(share, self.gate_strength * share.mean()) for share in shares]
        return prepared, Inhibition(self.gate_from, _floats(taken), INDICATOR)


@struct.dataclass
class WeightGate:
    """Take ruled-out circuits out of the weights: their own, and their links.

    From layer 2 on that is the network of the kept circuits, for layer 1 holds no others.

    Attributes:
        gate_from: the first layer whose incoming weights are those of the kept circuits.
    """

    gate_from: int = static()

    @classmethod
    def create(cls, *, gate_from: int = 2) -> Self:
        """Check the layer.

        Raises:
            InputError: a layer below 2, which weights lead into.
        """
        require_range("gate_from", gate_from, 2, 10_000)
        return cls(gate_from)

    def apply(self, prepared: Plan, kept: Kept, inhibition: float) -> tuple[Plan, Intervention]:
        """Return the network without the circuits, and nothing done between layers."""
        network, first = prepared.network, self.gate_from
        without = network_of(network, kept, inhibition).background
        background = (*network.background[: first - 2], *without[first - 2 :])
        stays = np.zeros(network.n_circuits, np.float32)
        stays[kept] = 1
        writers = [
            writer if layer < first else writer.multiply(stays).tocsr()
            for layer, writer in enumerate(prepared.writers, start=1)
        ]
        pruned = replace(network, background=background)
        return prepared._replace(network=pruned, writers=tuple(writers)), NOTHING_DONE


def network_of(network: Network, kept: Kept, inhibition: float) -> Network:
    """Return the network of some of its circuits, on the neurons that they have in it."""
    circuits = network.circuits
    few = replace(circuits, weights=circuits.weights[kept])
    return capped_network(few, network.embedding[:, kept], network.n_copies, inhibition)


def ruled_out_shares(prepared: Plan, kept: Kept) -> list[Floats]:
    """Return of each layer and neuron the share of its circuits that are ruled out, `[N]`.

    A neuron that serves none has 0.
    """
    stays = np.zeros(prepared.network.n_circuits)
    stays[kept] = 1
    found = []
    for writer in prepared.writers:
        users, still = writer @ np.ones_like(stays), writer @ stays
        found.append(np.where(users > 0, 1 - still / np.maximum(users, 1), 0))
    return found


def _floats(taken: list[Any]) -> list[Floats]:
    return [np.asarray(of_layer, np.float32) for of_layer in taken]
