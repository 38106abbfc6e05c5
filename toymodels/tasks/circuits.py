"""Run T small circuits of which z are active: rotations of vectors, or Booleans that stay.

The input holds what every circuit is given, `[f T]`: value v of circuit t at `v T + t`, zero where
a circuit is inactive; the target is what it holds after L layers. The first value is the
on-indicator α, 1 where a circuit is active ("Rotations in Superposition", sections 3 and 6).

Numbers of circuits and of active ones are leaves below their `room`, which is a size: so cells of
all T and z are one program. Letters as in `toymodels.circuits`; R circuits fit, Z active at once.

    loss = (1-β) Σ_t e_t / T + β (Σ_active e_t / z + λ Σ_inactive e_t / (T-z)),   e_t = Σ_v |err|^q

averaged over examples: β = 0, q = 2 is the plain squared error, β = 1 balances the classes.
"""

from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.errors import InputError, require_range
from toymodels.fields import array, static
from toymodels.tasks.base import UniformTask

# A target above this is an active circuit's.
SWITCHED = 0.5


def angles_of(n_circuits: int) -> NDArray[np.float32]:
    """Return what circuits turn by in each layer, `[T]`: the same in every run, uniform in [0, 2π).

    Raises:
        InputError: fewer than 1 circuit.
    """
    require_range("n_circuits", n_circuits, 1, 1_000_000)
    return np.random.default_rng(0).uniform(0, 2 * np.pi, n_circuits).astype(np.float32)


@struct.dataclass
class CircuitTask(UniformTask):
    """What tasks of circuits share: which circuits are active, and how errors are weighed."""

    n_circuits: Any = array(words="T, small circuits")  # []
    n_active: Any = array(words="z, circuits that are active at once")  # []
    class_balance: Any = array(words="weight of the class-balanced loss")  # []
    inactive_weight: Any = array(words="weight of inactive circuits in it")  # []
    exponent: Any = array(words="power q of the error")  # []
    n_layers: Any = array(words="L, layers")  # []
    angles: Any = array("circuit", words="what circuits turn by in a layer")  # [R]
    room: int = static()
    room_active: int = static()

    outputs = "output"
    values: ClassVar[int]  # f

    @classmethod
    def create(
        cls,
        *,
        n_circuits: int,
        n_active: int = 1,
        n_layers: int = 3,
        room: int = 0,
        room_active: int = 0,
        class_balance: float = 1.0,
        inactive_weight: float = 1.0,
        exponent: float = 2.0,
    ) -> Self:
        """Make the task.

        Args:
            n_circuits: T, small circuits.
            n_active: z, circuits that are active at once.
            n_layers: L, layers; each turns a rotation circuit once.
            room: circuits that arrays have room for, or 0 for n_circuits. Cells of equal room are
                one program, whatever their n_circuits.
            room_active: likewise for n_active.
            class_balance: β, 0 for the mean over all circuits, 1 for that over active ones plus
                that over inactive ones.
            inactive_weight: λ, weight of inactive circuits in the balanced loss.
            exponent: q, power of the error, at least 1.

        Raises:
            InputError: more active circuits than circuits, or more of either than there is room.
        """
        require_range("n_circuits", n_circuits, 1, 100_000)
        require_range("n_active", n_active, 1, n_circuits)
        require_range("n_layers", n_layers, 1, 10_000)
        require_range("class_balance", class_balance, 0, 1)
        require_range("inactive_weight", inactive_weight, 0, 1e30)
        require_range("exponent", exponent, 1, 100)
        room = room_for("room", room, "n_circuits", n_circuits)
        return cls(
            n_circuits=np.float32(n_circuits),
            n_active=np.float32(n_active),
            class_balance=np.float32(class_balance),
            inactive_weight=np.float32(inactive_weight),
            exponent=np.float32(exponent),
            n_layers=np.float32(n_layers),
            angles=angles_of(room),
            room=room,
            room_active=room_for("room_active", room_active, "n_active", n_active),
        )

    @property
    def n_uniforms(self) -> int:
        """U: which circuit and which state, for each of Z."""
        return 2 * self.room_active

    def from_uniforms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Turn `u [2 Z]` into `(input [f R], target [f R])`, or a batch on the last axis."""
        which, state = u[: self.room_active], u[self.room_active :]
        held = self.active(which)  # [R, Z, …], which of them each circuit is
        pairs = self.states(2 * jnp.pi * state)
        joined = [jnp.concatenate([_placed(held, v) for v in values]) for values in pairs]
        return joined[0], joined[1]

    def active(self, u: jax.Array) -> jax.Array:
        """Draw z different circuits from `u [Z, …]`: one-hot `[R, Z, …]`, zero beyond z."""
        order = jnp.arange(self.room).reshape(-1, *(1,) * (u.ndim - 1))
        found, columns = [], []
        for i in range(self.room_active):
            circuit = jnp.floor(u[i] * jnp.maximum(self.n_circuits - i, 1)).astype(jnp.int32)
            for taken in _sorted(found):  # the i-th of those that are left
                circuit = circuit + (circuit >= taken)
            found.append(circuit)
            columns.append((order == circuit[None]) & (i < self.n_active))
        return jnp.stack(columns, axis=1).astype(u.dtype)

    def states(self, phase: jax.Array) -> tuple[list[jax.Array], list[jax.Array]]:
        """Return what active circuits are given and are to hold, f of `[R, Z, …]` or `[Z, …]`.

        Args:
            phase: `[Z, …]`, uniform in [0, 2π).
        """
        raise NotImplementedError

    def error(self, output: jax.Array, target: jax.Array) -> jax.Array:
        """Return the weighed error of each output, `[f R]`; 0 for circuits that are not there."""
        size = jnp.abs(output - target) ** self.exponent
        size = size.reshape(self.values, self.room, *output.shape[1:])
        T, z, balance = self.n_circuits, self.n_active, self.class_balance
        on = target[: self.room] > SWITCHED
        there = (jnp.arange(self.room) < T).reshape(-1, *(1,) * (output.ndim - 1))
        balanced = jnp.where(on, 1 / z, self.inactive_weight / jnp.maximum(T - z, 1))
        weight = jnp.where(there, (1 - balance) / T + balance * balanced, 0.0)
        return (size * weight[None]).reshape(output.shape)


@struct.dataclass
class RotationTask(CircuitTask):
    """Turn each active circuit's unit vector by its own angle in every layer: f = 3, (α, x)."""

    values = 3

    def states(self, phase: jax.Array) -> tuple[list[jax.Array], list[jax.Array]]:
        """Return (1, x) and (1, R_t^L x), `x = (cos, sin)` of the phase."""
        turn = (self.n_layers * self.angles).reshape(-1, *(1,) * phase.ndim)
        after = phase[None] + turn
        one = jnp.ones_like(phase)
        return [one, jnp.cos(phase), jnp.sin(phase)], [one, jnp.cos(after), jnp.sin(after)]


@struct.dataclass
class StepTask(CircuitTask):
    """Keep which circuits are active: f = 1, the indicator α."""

    values = 1

    def states(self, phase: jax.Array) -> tuple[list[jax.Array], list[jax.Array]]:
        """Return 1 and 1."""
        return [jnp.ones_like(phase)], [jnp.ones_like(phase)]


def room_for(name: str, room: int, of: str, n: int) -> int:
    """Return a room, `n` where it is 0.

    Raises:
        InputError: less room than there must be.
    """
    require_range(name, room, 0, 100_000)
    if 0 < room < n:
        raise InputError(f"{name} = {room} does not hold {of} = {n}: give {n} or more, or 0.")
    return room or n


def _placed(held: jax.Array, values: jax.Array) -> jax.Array:
    """Put values `[Z, …]` or `[R, Z, …]` where circuits hold them, `[R, …]`."""
    return jnp.sum(held * (values if values.ndim == held.ndim else values[None]), axis=1)


def _sorted(circuits: list[jax.Array]) -> list[jax.Array]:
    return list(jnp.sort(jnp.stack(circuits), axis=0)) if circuits else []
