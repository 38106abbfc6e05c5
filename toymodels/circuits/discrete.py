"""Rotations by multiples of 2π/m, and ways to clean what they hold between layers.

A vector that may only be one of m values can be put right; any other is as good as its error. The
m values are the m-th roots of unity, turned by half a step: of unit length, at the angles
`(j + 1/2) 2π/m`. For m = 4 they are (±1, ±1) / √2, whose two components are signs, and a circuit
of six neurons cleans them by itself in every layer (`sign_circuit`).

The question is of Linsefors & Bushnaq 2025, "Rotations in Superposition"; circuits and cleaning
are ours. Axis letters as in `small_circuits`; m values, 0 for a continuous angle.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toymodels.checks import count, finite
from toymodels.circuits.base import Circuit, Floats
from toymodels.circuits.forward import Intervention
from toymodels.circuits.measures import SWITCHED
from toymodels.circuits.small_circuits import require_bias_and_gain, rotations
from toymodels.errors import InputError

# Of a sign circuit: two neurons for the indicator and two for each sign; α and both components.
SIGN_NEURONS, SIGN_VALUES = 6, 3

# Values (n_values) that the two signs of a sign circuit tell apart.
QUARTERS = 4

# (values [T, 3, B], m) -> clean values [T, 3, B]
Cleaning = Callable[[Floats, int], Floats]


def discrete_angles(uniform: ArrayLike, n_values: int) -> NDArray[np.float64]:
    """Return angles of rotations that map the m values onto themselves, from numbers in [0, 1).

    Raises:
        InputError: numbers that are not finite, or a negative m.
    """
    uniform, m = finite("uniform", uniform), count("n_values", n_values, 0)
    return 2 * np.pi * (np.floor(m * uniform) / m if m else uniform)


def value_angles(uniform: ArrayLike, n_values: int) -> NDArray[np.float64]:
    """Return angles of the m values, `(j + 1/2) 2π/m`, from numbers in [0, 1).

    Raises:
        InputError: as `discrete_angles`.
    """
    half = np.pi / n_values if count("n_values", n_values, 0) else 0.0
    return discrete_angles(uniform, n_values) + half


def snap(values: Floats, n_values: int) -> Floats:
    """Switch every circuit on or off, and put x on the nearest of the m values: all that can be.

    Args:
        values: `[T, 3, B]`, α and x as read out; x of a circuit that is off becomes 0.
        n_values: m; with 0, a continuous angle, x stays as it is.
    """
    on = values[:, :1] > SWITCHED
    x = values[:, 1:]
    if n_values:
        step = 2 * np.pi / n_values
        angle = (np.floor(np.arctan2(x[:, 1], x[:, 0]) / step) + 0.5) * step
        x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.where(on, np.concatenate([np.ones_like(on, np.float32), x], axis=1), 0).astype(
        np.float32
    )


def switch(values: Floats, n_values: int) -> Floats:
    """Switch every circuit on or off, and leave x of those that are on as it is read out."""
    return snap(values, 0)


class CleanUp(Intervention):
    """Clean the values of all circuits in every c-th layer, by a rule that is ideal.

    The next layer is written from clean values, as layer 1 is from the input: what the circuits
    of one layer do to each other is gone. It stands outside of the network and costs no neurons.
    """

    def __init__(self, cleaning: Cleaning, every: int, n_values: int) -> None:
        """Clean after layers c, 2c, …; never with c = 0."""
        self.cleaning, self.every, self.n_values = cleaning, every, n_values

    def clean(self, layer: int, values: Floats) -> Floats | None:
        """Return clean values in every c-th layer."""
        if self.every and layer % self.every == 0:
            return self.cleaning(values, self.n_values)
        return None


def sign_circuit(angle: ArrayLike, bias: float = 1.0, gain: float = 2.0) -> Circuit:
    """Make the conditional rotation by quarter turns that cleans its two signs itself, d = 6.

    `α = a₀ - a₁` as in `rotation_circuit`, and `x = (a₂ - a₃ - α, a₄ - a₅ - α) / √2`. With
    u = √2 R x, signs where all is clean, and gain k, one layer is

        a₂' = ReLU(k u₀ + (1+b) α - b),   a₃' = ReLU(k u₀ + (1+b) α - b - 2),

    and the same with u₁: `a₂' - a₃' - α = clip(k u₀, -1, 1)` for α = 1, which removes noise on a
    sign where |u₀| > 1/k, and 0 for α = 0.

    Args:
        angle: `[]` for one circuit or `[T]`; radians, multiples of π/2.
        bias: b >= 0, what an inactive circuit subtracts.
        gain: k >= 1, the slope of both steps.

    Raises:
        InputError: angles that are no quarter turns, a negative bias or a gain below 1.
    """
    require_bias_and_gain(bias, gain)
    turns = finite("angle", angle) / (np.pi / 2)
    if np.any(np.abs(turns - np.round(turns)) > 1e-6):
        raise InputError("angle: a sign circuit turns by multiples of π/2, so that signs stay.")
    rotation = rotations(np.round(turns) * np.pi / 2)
    sizes = (SIGN_NEURONS, SIGN_VALUES)
    shared = np.zeros((1, *sizes), np.float32)
    shared[0, :, 0] = gain, gain, *[1 + bias] * 4
    weights = np.broadcast_to(shared, (*rotation.shape[:-2], 1, *sizes)).copy()
    weights[..., 0, 2:6, 1:3] = gain * np.sqrt(2) * np.repeat(rotation, 2, axis=-2)
    half = 1 / np.sqrt(2)
    decode = [
        [1, -1, 0, 0, 0, 0],
        [-half, half, half, -half, 0, 0],
        [-half, half, 0, 0, half, -half],
    ]
    beta = [[-(gain - 1) / 2, -(gain + 1) / 2, -bias, -bias - 2, -bias, -bias - 2]]
    values = (("on", 1), ("x", 2))
    return Circuit(
        weights, shared, np.array(decode, np.float32), np.array(beta, np.float32), values
    )


def draw_values(
    rng: np.random.Generator, shape: tuple[int, ...], circuit: Circuit, n_values: int
) -> Floats:
    """Draw states `[*shape, d]` of active circuits that hold α = 1 and one of the m values of x.

    Circuits read nothing of a state but its values: this is the shortest state with these.
    """
    angle = value_angles(rng.uniform(size=shape), n_values)
    values = np.stack([np.ones(shape), np.cos(angle), np.sin(angle)], axis=-1)
    return (values @ np.linalg.pinv(circuit.decode.astype(float)).T).astype(np.float32)
