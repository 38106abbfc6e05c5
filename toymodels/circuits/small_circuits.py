"""The small circuits that one large network is to hold, and how each of them runs alone.

A circuit is an MLP of width d with ReLU after every layer. It reads f values of itself, `Q a`
with `decode` Q `[f, d]`, and computes its next state from them, `a' = ReLU(M Q a + β)`. All
circuits share Q, β and the mean `shared` of M; the rest of M is their own.

The rotation circuit (Linsefors & Bushnaq 2025, "Rotations in Superposition", sections 3 and 5)
holds an on-indicator α and a vector x: α = 1 and |x| = 1 where it is active, all zero where it
is not. It rotates x by its own angle in every layer.

Axis letters: T circuits, P stages (layer l uses stage (l-1) mod P), d small neurons, f values.
The builders are plain numpy on the host, so that no size is ever compiled for; a circuit itself
is a pytree and a function of ONE state: `jax.vmap(run, in_axes=(circuits.axes, 0))` takes T.
"""

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from toymodels.checks import as_floats, count, finite, number, numbers
from toymodels.circuits.base import Circuit, Floats
from toymodels.errors import InputError

# Of a rotation circuit: d, two neurons for the indicator and two for the vector; and f, the
# values that it reads of itself (α and both components of x).
ROTATION_NEURONS, ROTATION_VALUES = 4, 3


def run_circuit(circuit: Circuit, state: jax.Array, n_layers: int) -> jax.Array:
    """Run one circuit alone and return its states, `[n_layers + 1, d]`, the first as given.

    Raises:
        InputError: a state that is not `[d]`, or several circuits at once.
    """
    count("n_layers", n_layers, 0)
    state, d = numbers("state", state), circuit.bias.shape[-1]
    if np.ndim(circuit.weights) != 3 or state.shape != (d,):
        raise InputError(
            f"weights have shape {np.shape(circuit.weights)} and the state {state.shape}: give one "
            f"circuit, [stages, d, f], and its state, [{d}]; several go through jax.vmap with "
            "in_axes=(circuits.axes, 0)."
        )
    states = [as_floats(state)]
    for layer in range(1, n_layers + 1):
        states.append(circuit(states[-1], layer))
    return jnp.stack(states)


def run_circuits(circuit: Circuit, members: NDArray, states: NDArray, n_layers: int) -> NDArray:
    """Run many circuits alone, on the host, and return the values that they hold.

    Args:
        circuit: T circuits.
        members: `[...]` which of the T circuits.
        states: `[..., d]` the state each starts in.
        n_layers: how many layers.

    Returns:
        `[n_layers + 1, ..., f]`, the values `Q a`, the first those of `states`.
    """
    values = [states @ circuit.decode.T]
    for layer in range(n_layers):
        stage = layer % circuit.bias.shape[0]
        own = circuit.weights[members, stage]  # [..., d, f]
        pre = np.matmul(own, values[-1][..., None])[..., 0] + circuit.bias[stage]
        values.append(np.maximum(pre, 0) @ circuit.decode.T)
    return np.stack(values)


def rotation_circuit(angle: ArrayLike, bias: float = 1.0, gain: float = 2.0) -> Circuit:
    """Make the conditional rotation with two indicator neurons, d = 4.

    `α = a₀ - a₁`, `x = (a₂ - α, a₃ - α)`. In one layer

        α' = ReLU(kα - (k-1)/2) - ReLU(kα - (k+1)/2),   a₂,₃' = ReLU(R x + (1+b) α - b):

    a step that is 0 below α = (k-1)/(2k) and 1 above (k+1)/(2k), which removes noise on α, and a
    rotation for α = 1 that is 0 for α = 0.

    Args:
        angle: `[]` for one circuit or `[T]`; radians.
        bias: b >= 0, what an inactive circuit subtracts from its vector.
        gain: k >= 1, the slope of the step.

    Raises:
        InputError: a negative bias or a gain below 1: inactive circuits would switch on.

    Source: "Rotations in Superposition", section 3 (k = 2, b = 1).
    """
    require_bias_and_gain(bias, gain)
    rotation = rotations(angle)
    sizes = (ROTATION_NEURONS, ROTATION_VALUES)
    weights = np.zeros((*rotation.shape[:-2], 1, *sizes), np.float32)
    weights[..., 0, 0:2, 0] = gain
    weights[..., 0, 2:4, 0] = 1 + bias
    weights[..., 0, 2:4, 1:3] = rotation
    shared = np.zeros((1, *sizes), np.float32)
    shared[0, :, 0] = gain, gain, 1 + bias, 1 + bias
    decode = np.array([[1, -1, 0, 0], [-1, 1, 1, 0], [-1, 1, 0, 1]], np.float32)
    beta = np.array([[-(gain - 1) / 2, -(gain + 1) / 2, -bias, -bias]], np.float32)
    return Circuit(weights, shared, decode, beta, values=(("on", 1), ("x", 2)))


def rotation_circuit_one_indicator(angle: ArrayLike, bias: float = 1.0) -> Circuit:
    """Make the conditional rotation with one indicator neuron, d = 3: unstable.

    `α = a₀`, `α' = ReLU((1+b) α - b)`: noise on an active α grows by 1 + b in each layer.

    Args:
        angle: `[]` for one circuit or `[T]`; radians.
        bias: b >= 0.

    Raises:
        InputError: a negative bias.

    Source: code of "Rotations in Superposition", the variant with d = 3.
    """
    require_bias_and_gain(bias, 1.0)
    rotation = rotations(angle)
    weights = np.zeros((*rotation.shape[:-2], 1, 3, 3), np.float32)
    weights[..., 0, :, 0] = 1 + bias
    weights[..., 0, 1:3, 1:3] = rotation
    shared = np.zeros((1, 3, 3), np.float32)
    shared[0, :, 0] = 1 + bias
    decode = np.array([[1, 0, 0], [-1, 1, 0], [-1, 0, 1]], np.float32)
    beta = np.full((1, 3), -bias, np.float32)
    return Circuit(weights, shared, decode, beta, values=(("on", 1), ("x", 2)))


def step_circuits(n_circuits: int, gain: float = 2.0) -> Circuit:
    """Make T circuits that hold a Boolean and clean it in every layer, d = 2.

    `α = a₀ - a₁` and the step of `rotation_circuit`, without a vector. All T are the same.

    Raises:
        InputError: fewer than 1 circuit, or a gain below 1.

    Source: code of "Rotations in Superposition", the step circuits of its talk.
    """
    count("n_circuits", n_circuits)
    require_bias_and_gain(0.0, gain)
    shared = np.full((1, 2, 1), gain, np.float32)
    weights = np.broadcast_to(shared, (n_circuits, 1, 2, 1))
    beta = np.array([[-(gain - 1) / 2, -(gain + 1) / 2]], np.float32)
    return Circuit(weights, shared, np.array([[1, -1]], np.float32), beta, values=(("on", 1),))


def rotation_states(x: ArrayLike, gain: float = 2.0) -> Floats:
    """Return the state `[..., 4]` of an active rotation circuit that holds `x [..., 2]`.

    Raises:
        InputError: vectors of another length or not finite, or a gain below 1.
    """
    x = _vectors(x)
    require_bias_and_gain(0.0, gain)
    return np.concatenate([_indicator(x.shape[:-1], gain), x + 1], axis=-1)


def active_rotations(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw states `[*shape, 4]` of active rotation circuits, x uniform on the unit circle.

    Valid for any gain: a circuit reads only α and x of its state.
    """
    angle = rng.uniform(0, 2 * np.pi, shape)
    return rotation_states(np.stack([np.cos(angle), np.sin(angle)], axis=-1))


def rotation_states_one_indicator(x: ArrayLike) -> Floats:
    """Return the state `[..., 3]` of an active circuit with one indicator that holds `x`.

    Raises:
        InputError: vectors of another length than 2, or not finite.
    """
    x = _vectors(x)
    return np.concatenate([np.ones((*x.shape[:-1], 1), np.float32), x + 1], axis=-1)


def _vectors(x: ArrayLike) -> Floats:
    x = finite("x", x)
    if x.shape[-1:] != (2,):
        raise InputError(f"x has shape {x.shape}: give vectors of two components, [..., 2].")
    return x.astype(np.float32)


def step_states(shape: tuple[int, ...], gain: float = 2.0) -> Floats:
    """Return the state `[*shape, 2]` of active step circuits."""
    return _indicator(shape, gain)


def _indicator(shape: tuple[int, ...], gain: float) -> Floats:
    return np.broadcast_to(np.array([(gain + 1) / 2, (gain - 1) / 2], np.float32), (*shape, 2))


def rotations(angle: ArrayLike) -> Floats:
    """Return the matrices `[..., 2, 2]` that turn by `angle [...]`.

    Raises:
        InputError: an angle that is not finite, or more than one axis of them.
    """
    angle = finite("angle", angle)
    if angle.ndim > 1 or not angle.size:
        raise InputError(f"angle has shape {angle.shape}: give one angle, or one a circuit, [T].")
    cos, sin = np.cos(angle), np.sin(angle)
    rows = [np.stack([cos, -sin], axis=-1), np.stack([sin, cos], axis=-1)]
    return np.stack(rows, axis=-2).astype(np.float32)


def require_bias_and_gain(bias: float, gain: float) -> None:
    """Raise InputError for a negative bias, or a gain below 1."""
    bias, gain = number("bias", bias), number("gain", gain)
    if not bias >= 0:
        raise InputError(f"bias = {bias} switches inactive circuits on: use a bias >= 0.")
    if not gain >= 1:
        raise InputError(f"gain = {gain} switches inactive circuits on: use a gain >= 1.")
