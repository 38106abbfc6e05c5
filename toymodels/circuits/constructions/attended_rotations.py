"""Rotations that a softmax over tokens switches on, strongly or hardly.

A record as `rotations` describes it. In place of 0 or 1 the input holds evidence of every circuit:
`α_t = Σ_j a_j [token j calls t]`, where z heads look for one circuit each, among n tokens of
their own. Some tokens call the circuit that a head looks for, every other one calls another. The
weights a_j are the softmax of logits over a temperature: standard normal, raised by a margin for
tokens that call. A head writes what it attends to, so the whole state is scaled by α, x as well.

The question is of the discussion under Linsefors & Bushnaq 2025, "Rotations in Superposition"; the
law of the logits is ours.
"""

from collections.abc import Iterator
from functools import partial, reduce
from typing import Any, NamedTuple, Self

import jax
import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.circuits.assignment import Assignment, prime_steps
from toymodels.circuits.base import Inputs, Network
from toymodels.circuits.constructions.rotations import Rotations
from toymodels.circuits.examples import (
    draw_subsets,
    examples_per_block,
    generator,
    in_order,
    require_examples,
)
from toymodels.circuits.forward import Plan, plan, relu_gating, run_layers
from toymodels.circuits.measures import SWITCHED, number_of
from toymodels.circuits.small_circuits import active_rotations, run_circuits
from toymodels.errors import InputError, require_range
from toymodels.fields import array, static
from toymodels.streams import Stream


@struct.dataclass
class AttentionErrors:
    """Which circuits are on, by layer `[L+1]`, entry 0 the evidence itself.

    Alone: each circuit by itself, without the others in its neurons.
    """

    survived: Any = array("layer", words="share of called circuits whose indicator is above 1/2")
    survived_alone: Any = array("layer", words="the same of circuits that run alone")
    spurious: Any = array("layer", words="share of all others whose indicator is above 1/2")
    spurious_alone: Any = array("layer", words="the same of circuits that run alone")


class _Counts(NamedTuple):
    """Circuits that are on in a block of examples, by layer."""

    called: NDArray[np.float64]  # [L+1]
    called_alone: NDArray[np.float64]
    others: NDArray[np.float64]
    others_alone: NDArray[np.float64]


@struct.dataclass
class AttendedRotations:
    """How a network of rotation circuits and the tokens that call them are drawn, and run."""

    rotations: Rotations
    temperature: Any  # []
    margin: Any  # []
    n_tokens: int = static()
    n_calling: int = static()

    words = Rotations.words
    errors = AttentionErrors
    finite = ("survived",)

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
        n_tokens: int = 10,
        n_calling: int = 1,
        temperature: float = 1.0,
        margin: float = 4.0,
        assignment: Assignment = prime_steps,
    ) -> Self:
        """Check sizes; letters and bounds are those of `toymodels.circuits`.

        Args:
            n_tokens: n, the tokens that each head attends to.
            n_calling: how many of them call the circuit that the head looks for.
            temperature: of the softmax; low is sharp, high is broad.
            margin: what is added to the logits of tokens that call, in standard deviations.

        Raises:
            InputError: sizes that do not fit together; says what would.
        """
        require_range("n_tokens", n_tokens, 1, n_circuits)
        require_range("n_calling", n_calling, 1, n_tokens)
        require_range("temperature", temperature, 1e-6, 1e30)
        require_range("margin", margin, -1e6, 1e6)
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
        return cls(
            rotations,
            temperature=np.float64(temperature),
            margin=np.float64(margin),
            n_tokens=n_tokens,
            n_calling=n_calling,
        )

    @property
    def n_circuits(self) -> int:
        """T."""
        return self.rotations.n_circuits

    @property
    def n_named(self) -> int:
        """Circuits that a head's tokens call: its own, and another one for each other token."""
        return self.n_tokens - self.n_calling + 1

    def require_active(self, n_active: int) -> None:
        """Refuse heads whose tokens call more circuits than there are.

        Raises:
            InputError: names `n_tokens`.
        """
        if n_active * self.n_named > self.n_circuits:
            raise InputError(
                f"n_active = {n_active} heads whose n_tokens = {self.n_tokens} call {self.n_named} "
                f"circuits each need {n_active * self.n_named}, but n_circuits = "
                f"{self.n_circuits}: lower n_active or n_tokens."
            )

    def draw(self, key: jax.Array) -> Network:
        """Draw assignments and angles, and build the network of them."""
        return self.rotations.draw(key)

    def simulate(
        self, key: jax.Array, network: Network, n_active: int, n_samples: int
    ) -> AttentionErrors:
        """Count which circuits are on, on random examples of `n_active` heads each.

        Raises:
            InputError: more circuits called than there are.
        """
        require_examples(n_active, n_samples, network.n_circuits)
        self.require_active(n_active)
        blocks = self.draw_inputs(key, network, n_active, n_samples)
        counts = reduce(_add, in_order(partial(_count, plan(network), n_active), blocks))
        called = n_samples * n_active
        others = n_samples * (network.n_circuits - n_active) or np.nan
        return AttentionErrors(
            survived=counts.called / called,
            survived_alone=counts.called_alone / called,
            spurious=counts.others / others,
            spurious_alone=counts.others_alone / others,
        )

    def draw_inputs(
        self, key: jax.Array, network: Network, n_active: int, n_samples: int
    ) -> Iterator[Inputs]:
        """Draw examples block by block, the circuits that heads look for first in each."""
        rng, block = generator(key, Stream.EXAMPLES), examples_per_block(network)
        for first in range(0, n_samples, block):
            size = min(block, n_samples - first)
            named = draw_subsets(rng, network.n_circuits, n_active * self.n_named, size)
            named = rng.permuted(named, axis=1)
            evidence = self._evidence(rng.normal(size=(size, n_active, self.n_tokens)))
            evidence = np.concatenate(
                [evidence[:, :, 0], evidence[:, :, 1:].reshape(size, -1)], axis=1
            ).astype(np.float32)
            yield Inputs(named, evidence[..., None] * active_rotations(rng, named.shape))

    def _evidence(self, normal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return α `[B, z, n_named]` from logits `[B, z, n]`: the called circuit's first."""
        logits = normal.copy()
        logits[..., : self.n_calling] += self.margin
        logits = (logits - logits.max(axis=-1, keepdims=True)) / self.temperature
        weights = np.exp(logits)
        weights /= weights.sum(axis=-1, keepdims=True)
        called = weights[..., : self.n_calling].sum(axis=-1, keepdims=True)
        return np.concatenate([called, weights[..., self.n_calling :]], axis=-1)

    def sizes(self) -> tuple[Any, ...]:
        """Return what decides which random numbers are drawn."""
        return *self.rotations.sizes(), self.n_tokens, self.n_calling

    def cost(self, n_samples: int) -> int:
        """Return about what `simulate` takes, in additions of a sparse read."""
        return self.rotations.cost(n_samples)

    def n_bytes(self) -> int:
        """Return the bytes of one network, and of examples on each thread."""
        return self.rotations.n_bytes()


def _count(prepared: Plan, n_called: int, inputs: Inputs) -> _Counts:
    """Count which circuits of a block are on; the first `n_called` of each example are called."""
    network, each = prepared.network, np.arange(inputs.active.shape[0])[:, None]
    alone = run_circuits(network.circuits, inputs.active, inputs.states, network.n_layers)[..., 0]
    with np.errstate(over="ignore", invalid="ignore"):  # a network that blows up says so by NaN
        read = [layer.values[:, 0] for layer in run_layers(prepared, inputs, relu_gating)]  # [T, B]
    called = [alone[0, :, :n_called], *(a[inputs.active[:, :n_called], each] for a in read)]
    others = [number_of(alone[0, :, n_called:] > SWITCHED, alone[0])]
    others += [
        number_of(a > SWITCHED, a) - number_of(mine > SWITCHED, mine)
        for a, mine in zip(read, called[1:], strict=True)
    ]
    return _Counts(
        np.array([number_of(a > SWITCHED, a) for a in called]),
        np.sum(alone[:, :, :n_called] > SWITCHED, axis=(1, 2)).astype(float),
        np.array(others),
        np.sum(alone[:, :, n_called:] > SWITCHED, axis=(1, 2)).astype(float),
    )


def _add(one: _Counts, other: _Counts) -> _Counts:
    return _Counts(*(a + b for a, b in zip(one, other, strict=True)))
