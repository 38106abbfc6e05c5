"""Circuits in random, nearly orthogonal directions: why unsuppressed noise grows with depth.

The read-in of the first "Circuits in Superposition" post: circuit t writes its state into a
stream of width D through a random frame `E_t [D, d]` and reads it back with the same frame. Every
other circuit adds `E_tᵀ E_u s_u`, of mean square `|s_u|² d / D`. Where inactive circuits do not
suppress it, each layer multiplies the energy of all T circuits by `1 + (T-1) d/D`, which is more
than two in superposition: the error that its successor corrects. Frames are drawn afresh for
every layer. Of the first post only the opening was known here; the mechanism is derived.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
from flax import struct

from toymodels.checks import count
from toymodels.circuits.base import Circuit, Floats
from toymodels.circuits.checks import require_circuits
from toymodels.circuits.examples import DrawStates, draw_subsets, generator
from toymodels.circuits.forward import dense_product
from toymodels.circuits.small_circuits import rotations
from toymodels.errors import InputError
from toymodels.fields import array
from toymodels.streams import Stream


@struct.dataclass
class EmbeddingErrors:
    """Errors of what circuits read of themselves, by layer `[L+1]`, entry 0 the input read back."""

    mse_active: Any = array("layer", words="mean of |read - true state|^2 over active circuits")
    mse_inactive: Any = array(
        "layer", words="mean of |read|^2 over inactive circuits, whose true state is 0"
    )
    energy: Any = array("layer", words="sum of |written|^2 over all circuits, mean over examples")


def linear(pre_activation: Floats) -> Floats:
    """Leave all as it is: inactive circuits suppress nothing."""
    return pre_activation


def relu(pre_activation: Floats) -> Floats:
    """Cut at zero, as small circuits with an on-indicator do."""
    return np.maximum(pre_activation, 0)


def linear_rotations(angle: npt.ArrayLike) -> Circuit:
    """Make circuits that rotate a vector by `angle [T]` and have no indicator, d = 2."""
    weights = rotations(angle)[:, None]
    zeros = np.zeros((1, 2), np.float32)
    return Circuit(weights, 0 * weights[0], np.eye(2, dtype=np.float32), zeros, (("x", 2),))


def unit_vectors(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw states `[*shape, 2]` of active linear rotations, uniform on the unit circle."""
    angle = rng.uniform(0, 2 * np.pi, shape)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)


def simulate_random_embedding(
    key: jax.Array,
    circuits: Circuit,
    draw_states: DrawStates,
    *,
    width: int,
    n_active: int,
    n_layers: int,
    n_samples: int,
    activation: Callable[[Floats], Floats] = linear,
) -> EmbeddingErrors:
    """Run T circuits through a stream of width D and measure what each reads of itself.

    Args:
        key: of frames and examples.
        circuits: T circuits.
        draw_states: `(generator, shape) -> [*shape, d]`, states of active circuits.
        width: D.
        n_active: z.
        n_layers: L.
        n_samples: examples, all in memory at once.
        activation: `linear`, or `relu` for circuits that suppress noise while inactive.

    Returns:
        Errors by layer, `[L+1]` each.

    Raises:
        InputError: D < d, z outside 1 … T - 1, or no examples.
    """
    n_circuits, d = require_circuits(circuits), circuits.bias.shape[-1]
    count("n_layers", n_layers, 0)
    _require(n_circuits, d, width, n_active, n_samples)
    rng, rng_frames = generator(key, Stream.EXAMPLES), generator(key, Stream.FRAMES)
    active = draw_subsets(rng, n_circuits, n_active, n_samples)
    is_active = np.zeros((n_circuits, 1, n_samples), bool)
    is_active[active, :, np.arange(n_samples)[:, None]] = True
    true = np.zeros((n_circuits, d, n_samples), np.float32)
    true[active, :, np.arange(n_samples)[:, None]] = draw_states(rng, active.shape)
    written, rows = true, []
    for layer in range(n_layers + 1):
        read = _through_stream(rng_frames, written, width)
        energy = np.sum(np.square(written), dtype=float) / n_samples
        squared = np.square(read - true).sum(axis=1, keepdims=True)
        rows.append((np.mean(squared[is_active]), np.mean(squared[~is_active]), energy))
        written = _step(circuits, read, layer, activation)
        true = np.where(is_active, _step(circuits, true, layer, activation), 0)
    return EmbeddingErrors(*np.array(rows).T)


def expected_errors(
    n_circuits: int, width: int, d: int, n_active: int, n_layers: int
) -> EmbeddingErrors:
    """Return the expected errors of linear circuits that preserve lengths, with |state| = 1.

    Over random frames. A circuit of energy P that shares the stream with Ω reads
    `P + (d/D) (Ω - P)`, and that is what it writes next: Ω grows by `1 + (T-1) d/D` per layer.

    Raises:
        InputError: a number that is not whole or out of range.
    """
    count("n_layers", n_layers, 0)
    _require(count("n_circuits", n_circuits), count("d", d), width, n_active, n_samples=1)
    leak = d / width
    active, inactive, energy = 1.0, 0.0, float(n_active)
    rows = []
    for _ in range(n_layers + 1):
        active, inactive = (p + leak * (energy - p) for p in (active, inactive))
        rows.append((active - 1, inactive, energy))
        energy = n_active * active + (n_circuits - n_active) * inactive
    return EmbeddingErrors(*np.array(rows).T)


def _through_stream(rng: np.random.Generator, written: Floats, width: int) -> Floats:
    """Write all circuits' `[T, d, B]` into one stream and read them back, by new frames."""
    n_circuits, d, n_examples = written.shape
    frames, _ = np.linalg.qr(rng.standard_normal((n_circuits, width, d), dtype=np.float32))
    flat = np.ascontiguousarray(frames.transpose(1, 0, 2).reshape(width, n_circuits * d))
    stream = dense_product(flat, written.reshape(n_circuits * d, n_examples))
    return dense_product(flat.T, stream).reshape(written.shape)


def _step(
    circuits: Circuit, states: Floats, layer: int, activation: Callable[[Floats], Floats]
) -> Floats:
    """Take every circuit through its layer, `[T, d, B]`."""
    stage = layer % circuits.bias.shape[0]
    own = circuits.weights[:, stage] @ circuits.decode
    return activation(np.matmul(own, states) + circuits.bias[stage][:, None])


def _require(n_circuits: int, d: int, width: int, n_active: int, n_samples: int) -> None:
    if count("width", width) < d:
        raise InputError(f"width = {width} cannot hold frames of d = {d} directions: use >= {d}.")
    if not 1 <= count("n_active", n_active, None) < n_circuits:
        raise InputError(f"n_active = {n_active}: use 1 to {n_circuits - 1}, so that some idle.")
    count("n_samples", n_samples)
