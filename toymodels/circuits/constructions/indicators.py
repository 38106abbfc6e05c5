"""Rotation circuits with several indicators, and large networks that give them own neurons.

The rotation circuit of `small_circuits` with m indicators instead of one. Each is a pair of
neurons whose difference is α_j; the circuit goes by their weighted mean,

    α = Σ_j share_j α_j,   α_j' = clip(k (α - δ), 0, 1),   x = (a₂ - α₁, a₃ - α₁):

a step of gain k that is 0 up to the dead zone δ and 1 from δ + 1/k on. x is measured from the first
indicator: where that has the vector's large neurons, what leaks onto both is subtracted again.

`IndicatorDesign` is what designs share (`storage`, `copies`): they differ in `plan`, which says
which groups of neurons there are. Linsefors & Bushnaq 2025, "Rotations in Superposition", has one
indicator, k = 2, δ = 1/4, and one group; the rest is ours, for questions of its discussion.
"""

import os
from dataclasses import replace
from typing import Any, NamedTuple, Self

import jax
import numpy as np
from flax import struct
from numpy.typing import ArrayLike

from toymodels.checks import finite, number
from toymodels.circuits.assignment import Assignment
from toymodels.circuits.base import Circuit, Floats
from toymodels.circuits.constructions.grouped import (
    Group,
    GroupedNetwork,
    RotationMeans,
    grouped_network,
    simulate_grouped,
)
from toymodels.circuits.examples import (
    BLOCK_BYTES,
    LARGEST_BLOCK,
    LARGEST_CREW,
    bytes_per_example,
    draw_embedding,
    generator,
)
from toymodels.circuits.simulation import simulate_rotations
from toymodels.circuits.small_circuits import active_rotations, rotation_circuit
from toymodels.errors import InputError, require_range
from toymodels.fields import static
from toymodels.streams import Stream

# The neurons of the first indicator and of the vector; further indicators follow in pairs.
ON, VECTOR = (0, 1), (2, 3)


def circuit_with_indicators(
    angle: ArrayLike,
    shares: ArrayLike = (1.0,),
    bias: float = 1.0,
    gain: float = 2.0,
    dead_zone: float = 0.25,
) -> Circuit:
    """Make rotation circuits with m indicators, d = 2 m + 2.

    Args:
        angle: `[T]`, radians.
        shares: `[m]`, of each indicator in their mean; they sum to 1.
        bias: b >= 0, what an inactive circuit subtracts from its vector.
        gain: k, the slope of the step.
        dead_zone: δ, up to which the step is 0; (k-1) / 2k is symmetric.

    Raises:
        InputError: shares that do not sum to 1, or a step that does not reach 1 at α = 1.
    """
    shares = finite("shares", shares)
    if shares.ndim != 1 or not shares.size or abs(shares.sum() - 1) > 1e-6:
        raise InputError(f"shares = {shares}: give one for each indicator, with a sum of 1.")
    number("dead_zone", dead_zone, 0)
    one = rotation_circuit(np.atleast_1d(finite("angle", angle)), bias, gain)
    if dead_zone + 1 / gain > 1 + 1e-9:
        raise InputError(
            f"dead_zone = {dead_zone} with gain = {gain}: an active circuit does not reach 1; use "
            f"dead_zone <= {1 - 1 / gain:.4g} or a gain >= {1 / max(1 - dead_zone, 1e-9):.4g}."
        )
    more = 2 * (shares.size - 1)
    pairs = np.outer(shares, [1, -1]).ravel()
    decode = np.pad(one.decode, ((0, 0), (0, more)))
    decode[0] = [*pairs[:2], 0, 0, *pairs[2:]]
    step = [-gain * dead_zone, -gain * dead_zone - 1]
    indicators = np.zeros((more, 3), np.float32)
    indicators[:, 0] = gain
    return replace(
        one,
        weights=np.concatenate(
            [one.weights, np.broadcast_to(indicators, (*one.weights.shape[:2], more, 3))], axis=2
        ),
        shared=np.concatenate([one.shared, indicators[None]], axis=1),
        decode=decode.astype(np.float32),
        bias=np.array([[*step, -bias, -bias, *step * (shares.size - 1)]], np.float32),
    )


def active_with_indicators(
    rng: np.random.Generator, shape: tuple[int, ...], n_indicators: int = 1
) -> Floats:
    """Draw states `[*shape, 2 m + 2]` of active circuits, x uniform on the unit circle."""
    state = active_rotations(rng, shape)
    return np.concatenate([state, *[state[..., :2]] * (n_indicators - 1)], axis=-1)


class Part(NamedTuple):
    """A group of small neurons: which, on how many copies, how many for each circuit."""

    neurons: tuple[int, ...]
    n_copies: int
    redundancy: int


@struct.dataclass
class IndicatorDesign:
    """How a network of rotation circuits is drawn and run; a design adds its `plan`."""

    bias: Any  # []: b
    inhibition: Any  # []: multiplier of χ
    gain: Any  # []: k
    dead_zone: Any  # []: δ
    n_circuits: int = static()  # T
    width: int = static()  # D
    n_layers: int = static()  # L
    redundancy: int = static()  # S of the vector
    assignment: Assignment = static()

    words = (simulate_rotations,)
    errors = RotationMeans
    finite = ("mse_x_active", "mse_on_active")

    def plan(self) -> list[Part]:
        """Return the groups, the vector's first."""
        raise NotImplementedError

    def shares(self, parts: list[Part]) -> Floats:
        """Return the share of each indicator: every large neuron of a circuit counts alike."""
        held = {i // 2: p.redundancy for p in parts for i in p.neurons if i not in VECTOR}
        weights = np.array([held[j] for j in sorted(held)], float)
        return (weights / weights.sum()).astype(np.float32)

    def checked(self) -> Self:
        """Return the design.

        Raises:
            InputError: sizes or floats that are not possible; says what would be.
        """
        require_range("width", self.width, 1, 100_000)
        require_range("n_layers", self.n_layers, 1, 10_000)
        require_range("inhibition", float(self.inhibition), 0, 1e30)
        require_range("n_circuits", self.n_circuits, 1, 1_000_000)
        parts = self.plan()
        for part in parts:
            self.assignment(self.n_circuits, part.n_copies, part.redundancy)
        self._circuits(np.zeros(1), parts)
        return self

    def draw(self, key: jax.Array) -> GroupedNetwork:
        """Draw assignments and angles, and build the network of them.

        The vector's assignment is that of `rotation_network` under the same key; every other group
        has an independent one, permuted in the first layer too.
        """
        parts, groups = self.plan(), []
        for g, (neurons, n_copies, redundancy) in enumerate(parts):
            sizes = (self.assignment, self.n_circuits, n_copies, redundancy)
            if g == 0:
                held = draw_embedding(key, *sizes, self.n_layers)
            else:
                held = draw_embedding(jax.random.fold_in(key, g), *sizes, self.n_layers + 1)[1:]
            groups.append(Group(held, neurons, n_copies))
        angles = generator(key, Stream.ANGLES).uniform(0, 2 * np.pi, self.n_circuits)
        return grouped_network(self._circuits(angles, parts), groups, float(self.inhibition))

    def _circuits(self, angles: ArrayLike, parts: list[Part]) -> Circuit:
        how = float(self.bias), float(self.gain), float(self.dead_zone)
        return circuit_with_indicators(angles, self.shares(parts), *how)

    def simulate(
        self, key: jax.Array, network: GroupedNetwork, n_active: int, n_samples: int
    ) -> RotationMeans:
        """Measure errors by layer over random examples."""
        n_indicators = network.circuits.bias.shape[-1] // 2 - 1

        def states(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
            return active_with_indicators(rng, shape, n_indicators)

        return simulate_grouped(key, network, states, n_active=n_active, n_samples=n_samples)

    def sizes(self) -> tuple[int, ...]:
        """Return the sizes that angles, shuffles and examples depend on."""
        copies = [p.n_copies for p in self.plan()]
        return self.n_circuits, self.n_layers, *copies

    def n_bytes(self) -> int:
        """Return the bytes of one network, and of examples on each thread."""
        parts = self.plan()
        n_copies = sum(p.n_copies for p in parts)
        n_links = sum(p.n_copies for p in parts if set(p.neurons) - set(VECTOR)) * n_copies
        lists = 8 * self.n_layers * self.n_circuits * sum(p.redundancy for p in parts)
        d = sum(len(p.neurons) for p in parts)
        examples = LARGEST_BLOCK * bytes_per_example(self.n_circuits, n_copies, 3, d)
        crew = min(os.cpu_count() or 1, LARGEST_CREW)
        return crew * min(examples, BLOCK_BYTES) + lists + 4 * (self.n_layers + 1) * n_links

    def cost(self, n_samples: int) -> int:
        """Return about what a simulation takes, in additions of a sparse read."""
        held = self.n_circuits * sum(p.redundancy for p in self.plan())
        return self.n_layers * n_samples * (held + self.width)
