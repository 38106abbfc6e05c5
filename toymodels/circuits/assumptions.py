"""What small circuits must satisfy to be held in superposition, and circuits of your own.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section "Assumptions") ask five things:
few circuits are active at a time, inactive circuits absorb small noise, inactive circuits hold
zero everywhere, all circuits have the same biases, and active circuits do not amplify noise.
Each is a number here, and an error says which of them fails.

Earlier work asked for a sixth, uncorrelated weights of different circuits. It is not needed: what
circuits share is held apart (`Circuit.shared`).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toymodels.checks import count, finite, number
from toymodels.circuits.base import Circuit
from toymodels.errors import InputError

# "z ≪ N" is read as: at most one in ten.
LARGEST_LOAD = 0.1

# The last layer up to which the growth of noise is followed.
LAYERS_FOLLOWED = 8


class Assumptions(NamedTuple):
    """The numbers behind the assumptions on the circuits themselves."""

    largest_bias: float  # <= 0: inactive circuits hold zero
    absorbed_noise: float  # largest |noise| on a state that an inactive circuit removes
    growth: float  # largest factor by which noise that passed a layer grows in later ones


def custom_circuits(
    weights: ArrayLike,
    biases: ArrayLike,
    states: ArrayLike,
    *,
    n_active: int,
    n_copies: int,
    decode: ArrayLike | None = None,
    noise: float = 1e-3,
    tolerance: float = 1e-3,
) -> Circuit:
    """Make T circuits from the weights of any small MLP, after checking the five assumptions.

    Args:
        weights: `[T, P, d, f]`, stage p of circuit t computes `ReLU(weights[t, p] @ Q a + bias)`;
            layers beyond P start over.
        biases: `[P, d]`, or `[T, P, d]` with equal rows.
        states: `[T, d]`, a state of each circuit while it is active.
        n_active: z, how many are to be active at a time.
        n_copies: N, the copies of each neuron in the network that they are to live in.
        decode: Q `[f, d]`; without it f = d and Q is the identity, so that `weights` are the MLP's.
        noise: the |noise| on each small neuron that an inactive circuit must absorb.
        tolerance: how far above 1 the growth of noise in an active circuit may be.

    Raises:
        InputError: shapes that do not fit, or an assumption fails; says which.
    """
    weights, biases, states = (
        finite(name, a).astype(np.float32)
        for name, a in (("weights", weights), ("biases", biases), ("states", states))
    )
    count("n_active", n_active)
    if weights.ndim != 4:
        raise InputError(f"weights have shape {weights.shape}: give [circuits, stages, d, f].")
    n_circuits, n_stages, d, f = weights.shape
    q = np.eye(d) if decode is None else finite("decode", decode)
    q = q.astype(np.float32)
    _require_shape("decode", q, (f, d))
    _require_shape("states", states, (n_circuits, d))
    if biases.ndim == 3:
        _require_shape("biases", biases, (n_circuits, n_stages, d))
        biases = _require_equal_biases(biases)
    _require_shape("biases", biases, (n_stages, d))
    check_load(n_active, n_copies)
    circuits = Circuit(weights, weights.mean(axis=0), q, biases, values=(("value", f),))
    check_circuits(circuits, states, noise=noise, tolerance=tolerance)
    return circuits


def check_circuits(
    circuits: Circuit, states: NDArray[Any], *, noise: float, tolerance: float
) -> Assumptions:
    """Check the assumptions that concern the circuits alone, from active states `[T, d]`.

    Returns:
        The measured numbers.

    Raises:
        InputError: an assumption fails; names the first, its number and what would pass.
    """
    found = Assumptions(
        largest_bias=float(np.max(circuits.bias)),
        absorbed_noise=absorbed_noise(circuits),
        growth=noise_growth(circuits, states),
    )
    number("noise", noise, 0)
    number("tolerance", tolerance, 0)
    if found.largest_bias > 0:
        raise InputError(
            "assumption fails: inactive circuits hold zero. A bias of "
            f"{found.largest_bias:g} switches them on: every bias must be <= 0."
        )
    if found.absorbed_noise < noise:
        raise InputError(
            f"assumption fails: inactive circuits absorb small noise. They absorb at most "
            f"{found.absorbed_noise:g} on each neuron, but {noise:g} is asked for: lower the "
            "biases, or ask for less noise."
        )
    if found.growth > 1 + tolerance:
        raise InputError(
            "assumption fails: active circuits do not amplify noise. It grows by a factor "
            f"{found.growth:.4g} within {LAYERS_FOLLOWED} layers; at most {1 + tolerance:g} is "
            "allowed: make the map between layers norm-preserving, or give values a step."
        )
    return found


def check_load(n_active: int, n_copies: int) -> None:
    """Check that few circuits are active at a time, z <= N / 10.

    Raises:
        InputError: more are active; says how many would pass.
    """
    count("n_active", n_active)
    count("n_copies", n_copies)
    most = int(LARGEST_LOAD * n_copies)
    if n_active > most:
        raise InputError(
            f"assumption fails: few circuits are active. n_active = {n_active} is more than a "
            f"tenth of n_copies = {n_copies} copies of each neuron: use n_active <= {most}, or a "
            "wider network."
        )


def absorbed_noise(circuits: Circuit) -> float:
    """Return the largest ε such that noise of at most ε on each neuron leaves a circuit at zero.

    `min (-β_i / Σ_j |(M Q)_ij|)` over neurons, stages and circuits; negative where β > 0.
    """
    reach = np.abs(circuits.weights @ circuits.decode).sum(axis=-1)  # [T, P, d]
    bias = np.broadcast_to(circuits.bias, reach.shape)
    moved = reach > 0
    margin = (0 - bias[moved]) / reach[moved]  # 0 - 0, as -0 would be printed with its sign
    return float(np.min(margin, initial=np.inf))


def noise_growth(circuits: Circuit, states: NDArray[Any]) -> float:
    """Return the largest growth of noise inside active circuits after the layer it comes in at.

    Follows the Jacobian of the values `Q a` along the noiseless run from `states [T, d]`:
    `max ‖Q J_l … J_k‖ / ‖Q J_k‖` over k and l > k. Neurons at zero pass nothing on.
    """
    n_stages = circuits.bias.shape[0]
    jacobians, state = [], states
    for layer in range(LAYERS_FOLLOWED):
        stage = layer % n_stages
        own = circuits.weights[:, stage] @ circuits.decode  # [T, d, d]
        pre = np.matmul(own, state[..., None])[..., 0] + circuits.bias[stage]
        jacobians.append(own * (pre > 0)[..., None])
        state = np.maximum(pre, 0)
    growth = 0.0
    for first in range(min(n_stages, LAYERS_FOLLOWED - 1)):
        through = jacobians[first]
        start = _norms(circuits.decode @ through)
        for later in jacobians[first + 1 :]:
            through = later @ through
            end = _norms(circuits.decode @ through)
            growth = max(growth, float(np.max(end / np.where(start > 0, start, 1.0))))
    return growth


def _norms(matrices: NDArray[Any]) -> NDArray[Any]:
    return np.linalg.norm(matrices, ord=2, axis=(-2, -1))


def _require_shape(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}, but the weights ask for {shape}.")


def _require_equal_biases(biases: NDArray[Any]) -> NDArray[Any]:
    differs = np.flatnonzero(np.any(biases != biases[:1], axis=(1, 2)))
    if differs.size:
        raise InputError(
            "assumption fails: all circuits have the same biases. Circuit "
            f"{differs[0]} differs from circuit 0: move the difference into the weights, for "
            "example onto a neuron that is 1 in every active circuit."
        )
    return biases[0]
