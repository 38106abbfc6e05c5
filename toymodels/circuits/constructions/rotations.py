"""Conditional rotations in one network, as the post builds it: what a simulation is asked for.

Every kind of circuits that a sweep may simulate is such a record: `create` takes its settings,
`draw(key)` draws a network, `simulate(key, network, …)` measures it, `n_bytes` and `cost` say what
that takes. Floats that a sweep may vary are leaves, sizes are static. Where fewer circuits may be
active than there are, `require_active(n_active)` refuses more, with the key that allows them.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import jax
import numpy as np
from flax import struct

from toymodels.circuits.assignment import Assignment, prime_steps
from toymodels.circuits.base import Network
from toymodels.circuits.examples import (
    BLOCK_BYTES,
    LARGEST_BLOCK,
    LARGEST_CREW,
    bytes_per_example,
)
from toymodels.circuits.forward import Gating, relu_gating
from toymodels.circuits.measures import RotationErrors
from toymodels.circuits.simulation import (
    copies_of,
    rotation_network,
    simulate_network,
    simulate_rotations,
)
from toymodels.circuits.small_circuits import ROTATION_NEURONS as NEURONS
from toymodels.circuits.small_circuits import ROTATION_VALUES as VALUES
from toymodels.errors import require_range
from toymodels.fields import static


class Construction(Protocol):
    """What `sweeps` knows of circuits that it simulates."""

    words: ClassVar[tuple[Callable[..., Any], ...]]  # their docstrings tell of `create`'s settings
    errors: ClassVar[type]  # the record that `simulate` returns
    finite: ClassVar[tuple[str, ...]]  # of its errors, those that are infinite where noise grew
    n_circuits: Any  # int, T

    def draw(self, key: jax.Array) -> Any:
        """Draw a network."""
        ...

    def simulate(self, key: jax.Array, network: Any, n_active: int, n_samples: int) -> Any:
        """Measure a network, by layer."""
        ...

    def sizes(self) -> tuple[Any, ...]:
        """Return what decides which random numbers are drawn."""
        ...

    def cost(self, n_samples: int) -> int:
        """Return about what that takes, in additions of a sparse read (a few billion a second)."""
        ...

    def n_bytes(self) -> int:
        """Return the bytes of a network and its examples."""
        ...


@runtime_checkable
class Limited(Protocol):
    """Circuits of which fewer may be active than there are."""

    def require_active(self, n_active: int) -> None:
        """Refuse too many active circuits with an `InputError` that names the key to change."""
        ...


@struct.dataclass
class Rotations:
    """How a network of rotation circuits is drawn, and run."""

    bias: Any  # []
    inhibition: Any  # []
    gain: Any  # []
    n_circuits: int = static()
    width: int = static()
    redundancy: int = static()
    n_layers: int = static()
    assignment: Assignment = static()
    gating: Gating = static()

    words = (simulate_rotations,)
    errors = RotationErrors
    finite = ("mse_x_active", "mse_on_active")

    @classmethod
    def create(
        cls,
        *,
        n_circuits: int,
        width: int,
        redundancy: int = 6,
        n_layers: int = 5,
        bias: float = 1.0,
        inhibition: float = 1.0,
        gain: float = 2.0,
        assignment: Assignment = prime_steps,
        gating: Gating = relu_gating,
    ) -> Self:
        """Check sizes; letters and bounds are those of `toymodels.circuits`.

        Raises:
            InputError: sizes that do not fit together; says what would.
        """
        require_bounds(n_circuits, width, n_layers, bias, inhibition, gain)
        check_sizes(assignment, n_circuits, width, redundancy)
        return cls(
            bias=np.float64(bias),
            inhibition=np.float64(inhibition),
            gain=np.float64(gain),
            n_circuits=n_circuits,
            width=width,
            redundancy=redundancy,
            n_layers=n_layers,
            assignment=assignment,
            gating=gating,
        )

    def draw(self, key: jax.Array) -> Network:
        """Draw assignments and angles, and build the network of them."""
        return rotation_network(
            key,
            n_circuits=self.n_circuits,
            width=self.width,
            redundancy=self.redundancy,
            n_layers=self.n_layers,
            bias=float(self.bias),
            inhibition=float(self.inhibition),
            gain=float(self.gain),
            assignment=self.assignment,
        )

    def simulate(
        self, key: jax.Array, network: Network, n_active: int, n_samples: int
    ) -> RotationErrors:
        """Measure a network on random examples."""
        return simulate_network(
            key, network, n_active=n_active, n_samples=n_samples, gating=self.gating
        )

    def sizes(self) -> tuple[int, int, int]:
        """Return the sizes that angles, shuffles and examples depend on."""
        return self.n_circuits, self.width, self.n_layers

    def cost(self, n_samples: int) -> int:
        """Return about what `simulate` takes, in additions of a sparse read."""
        each = self.n_circuits * self.redundancy + self.width
        return self.n_layers * n_samples * each

    def n_bytes(self) -> int:
        """Return the bytes of one network, and of examples on each thread."""
        n_copies = self.width // NEURONS
        examples = LARGEST_BLOCK * bytes_per_example(self.n_circuits, n_copies, VALUES, NEURONS)
        crew = min(os.cpu_count() or 1, LARGEST_CREW)
        lists = 8 * self.n_layers * self.n_circuits * self.redundancy
        backgrounds = 4 * (self.n_layers + 1) * n_copies**2  # one a layer but 1, two in work
        return crew * min(examples, BLOCK_BYTES) + lists + backgrounds


def require_bounds(
    n_circuits: int, width: int, n_layers: int, bias: float, inhibition: float, gain: float
) -> None:
    """Check sizes and floats of rotation circuits, each by itself.

    Raises:
        InputError: one is out of bounds.
    """
    require_range("width", width, 1, 100_000)
    require_range("n_circuits", n_circuits, 1, 1_000_000)
    require_range("n_layers", n_layers, 1, 10_000)
    require_range("bias", bias, 0, 1e30)
    require_range("inhibition", inhibition, 0, 1e30)
    require_range("gain", gain, 1, 1e30)


@cache
def check_sizes(
    assignment: Assignment, n_circuits: int, width: int, redundancy: int, d: int = NEURONS
) -> None:
    """Let the assignment itself refuse what it cannot hold, before anything runs.

    Raises:
        InputError: it says what would fit.
    """
    assignment(n_circuits, copies_of(width, d), redundancy)
