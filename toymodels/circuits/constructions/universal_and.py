"""All pairwise ANDs of sparse Boolean features in one layer of few neurons.

The universal AND of Hänni, Mendel, Vaintrob & Chan 2024 (arXiv 2408.05451), here with exact
random subsets: feature α is wired to S of n neurons, a neuron is `ReLU(Σ_α W f̂_α - 1)`, and the
AND of α and β is read as the mean over the neurons that both are wired to. A neuron with k
features on gives k - 1, so a third one is noise. Features come basis-aligned (f̂ = f) or in
superposition, `f̂ = Φᵀ Φ f` with random unit columns Φ; their claim of n ~ m^(2/3) neurons for
all m (m-1)/2 ANDs is about the second.

Axis letters: m features, n neurons, S neurons per feature, r dimensions of the input, z features
on at a time, B examples. Plain numpy on the host, as widths are what is varied.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from flax import struct
from numpy.typing import NDArray

from toymodels.checks import count, number
from toymodels.circuits.assignment import members, random_subsets
from toymodels.circuits.checks import require_copies
from toymodels.circuits.examples import draw_subsets, generator
from toymodels.circuits.forward import dense_product
from toymodels.errors import InputError
from toymodels.fields import array, static
from toymodels.streams import Stream

# Pairs that are read in each example with no feature on; twice as many with exactly one.
PAIRS_READ = 16

# Neurons that two features share on average, where a width alone is given: enough that a pair
# without any is rare, exp(-16).
SHARED_NEURONS = 16

Floats = NDArray[np.float32]


@struct.dataclass
class UniversalAnd:
    """The layer: which neurons each feature is wired to, and the features' directions."""

    wires: Any  # [m, S] neurons of each feature
    directions: Any  # [r, m] unit columns Φ; [0, m] for basis-aligned features
    n_neurons: int = static()  # n


@struct.dataclass
class AndErrors:
    """Errors of AND read-outs, `[3]`: with 0, 1 and 2 of the pair on."""

    mse: Any = array("n_on", words="mean squared error of pairs that share a neuron")
    bias: Any = array("n_on", words="mean error of pairs that share a neuron")
    worst: Any = array("n_on", words="largest |error| of all pairs read; grows with their number")
    unread: Any = array(words="share of the pairs that share no neuron")  # []


def universal_and(
    key: jax.Array, n_features: int, n_neurons: int, redundancy: int, n_dimensions: int = 0
) -> UniversalAnd:
    """Draw a layer.

    Args:
        key: of wires and directions.
        n_features: m.
        n_neurons: n.
        redundancy: S, the neurons of each feature.
        n_dimensions: r, of the superposed input; 0 for basis-aligned features.

    Raises:
        InputError: S > n, or a size below 1.
    """
    count("n_features", n_features)
    count("n_neurons", n_neurons)
    count("n_dimensions", n_dimensions, 0)
    seed = int(generator(key, Stream.WIRES).integers(2**31))
    wires = random_subsets(n_features, n_neurons, redundancy, seed=seed)
    directions = generator(key, Stream.DIRECTIONS).standard_normal(
        (n_dimensions, n_features), dtype=np.float32
    )
    lengths = np.linalg.norm(directions, axis=0) if n_dimensions else 1.0
    return UniversalAnd(wires, directions / lengths, n_neurons)


def neurons(gate: UniversalAnd, features: Floats) -> Floats:
    """Return the activations `[n, B]` for features `[m, B]`."""
    seen = features
    if gate.directions.shape[0]:
        stream = dense_product(gate.directions, features)
        seen = dense_product(np.ascontiguousarray(gate.directions.T), stream)
    return np.maximum(members(gate.wires, gate.n_neurons).T @ seen - 1, 0)


def read_and(
    gate: UniversalAnd, activations: Floats, first: NDArray[Any], second: NDArray[Any]
) -> Floats:
    """Return the read-outs `[B, K]` of the pairs `(first, second) [B, K]`; NaN where unread."""
    total = np.zeros(first.shape, np.float32)
    count = np.zeros(first.shape, np.float32)
    each = np.arange(first.shape[0])[:, None]
    wires = gate.wires[second]  # [B, K, S]
    for neuron in np.moveaxis(gate.wires[first], -1, 0):  # [B, K]
        shared = np.any(wires == neuron[..., None], axis=-1)
        total += shared * activations[neuron, each]
        count += shared
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def measure_and(key: jax.Array, gate: UniversalAnd, *, n_active: int, n_samples: int) -> AndErrors:
    """Measure the ANDs for random sets of `n_active` features that are on.

    Of each example all pairs that are on are read, and random pairs with one or none on.

    Raises:
        InputError: fewer than 2 features on, fewer than 2 off, or no examples.
    """
    m = gate.wires.shape[0]
    if not 2 <= count("n_active", n_active, None) <= m - 2:
        raise InputError(f"n_active = {n_active} of {m} features: use 2 to {m - 2}.")
    count("n_samples", n_samples)
    rng = generator(key, Stream.EXAMPLES)
    on = draw_subsets(rng, m, n_active, n_samples)
    features = np.zeros((m, n_samples), np.float32)
    features[on, np.arange(n_samples)[:, None]] = 1
    activations = neurons(gate, features)
    rows = []
    for n_on, pairs in enumerate(_pairs(rng, on, features)):
        error = read_and(gate, activations, *pairs) - (n_on == 2)
        read = error[~np.isnan(error)]
        rows.append((np.mean(read**2), np.mean(read), np.max(np.abs(read)), np.isnan(error)))
    mse, bias, worst, unread = zip(*rows, strict=True)
    share = np.mean(np.concatenate([u.ravel() for u in unread]))
    return AndErrors(np.array(mse), np.array(bias), np.array(worst), share)


def expected_and_bias(n_active: int, wired: float) -> NDArray[np.float64]:
    """Return the mean errors `[3]` of basis-aligned ANDs with 0, 1, 2 of a pair on.

    p = S/n is the chance that a feature is wired to a given neuron. None: `z p - 1 + (1-p)^z`;
    one: `(z-1) p`, the others that join it; both: `(z-2) p`.

    Raises:
        InputError: z below 1, or p outside [0, 1].
    """
    count("n_active", n_active)
    number("wired", wired, 0, 1)
    z, p = n_active, wired
    return np.array([z * p - 1 + (1 - p) ** z, (z - 1) * p, (z - 2) * p])


def expected_noise(
    n_features: int, n_neurons: int, redundancy: int, n_dimensions: int, n_active: int
) -> float:
    """Return the variance that superposed inputs add to a neuron's sum, `z (m S/n) / r`.

    A neuron sums m S/n features, each of which hears each of the z that are on with 1/r. At
    r = n and S = √(c n) it is `√c m z / n^(3/2)`, which a fixed noise turns into n ~ m^(2/3).

    Raises:
        InputError: a size below 1, or S > n.
    """
    count("n_neurons", n_neurons)
    require_copies(n_neurons, redundancy)
    sizes = {"n_features": n_features, "n_dimensions": n_dimensions, "n_active": n_active}
    for name, size in sizes.items():
        count(name, size)
    return n_active * n_features * redundancy / n_neurons / n_dimensions


def as_many_as_neurons(n_neurons: int) -> int:
    """Return n: the input has as many dimensions as the layer has neurons, features superposed."""
    return n_neurons


def basis_aligned(n_neurons: int) -> int:
    """Return 0, which stands for a dimension of its own for each feature."""
    return 0


def neurons_needed(
    key: jax.Array,
    n_features: int,
    *,
    n_active: int,
    largest_rms: float,
    n_samples: int = 200,
    dimensions: Callable[[int], int] = as_many_as_neurons,
) -> int:
    """Find the fewest neurons with which ANDs of all three kinds err by at most `largest_rms`.

    S follows the width such that two features share 16 neurons on average, `S = √(16 n)`. The
    width is found to a step of 2^(1/8) (9 %), by halving. Measured for z = 2 and m = 512 … 4096:
    n ~ m^0.4 to m^0.6 in superposition (noise alone would give 2/3, the chance (z-1) S/n of a
    third feature a constant), and no growth at all for basis-aligned features.

    Args:
        key: of layers and examples.
        n_features: m.
        n_active: z.
        largest_rms: root of the mean squared error.
        n_samples: examples per width.
        dimensions: n -> r, `as_many_as_neurons` or `basis_aligned`.

    Raises:
        InputError: not reached with `8 m` neurons, or an error that is not above 0.
    """
    count("n_features", n_features)
    number("largest_rms", largest_rms, 0)

    def good(step: int) -> bool:
        n = round(2 ** (step / 8))
        redundancy = min(n, round((SHARED_NEURONS * n) ** 0.5))
        gate = universal_and(key, n_features, n, redundancy, dimensions(n))
        found = measure_and(key, gate, n_active=n_active, n_samples=n_samples)
        return bool(np.max(found.mse) <= largest_rms**2)

    low, high = 16, round(8 * np.log2(8 * n_features))
    if not good(high):
        raise InputError(
            f"largest_rms = {largest_rms} is not reached with {8 * n_features} neurons: allow a "
            "larger error, or fewer features on at a time."
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle, high)
    return round(2 ** (high / 8))


def _pairs(
    rng: np.random.Generator, on: NDArray[np.int64], features: Floats
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs `[B, K]` with none, one, and both on."""
    n_samples, n_active = on.shape
    each = np.arange(n_samples)[:, None]
    # Features that are on get negative numbers: the largest fall on different ones that are off.
    chance = rng.random(features.T.shape) - features.T
    n_off = min(2 * PAIRS_READ, features.shape[0] - n_active)
    off = np.argpartition(-chance, n_off - 1, axis=1)[:, :n_off]
    yield off[:, : n_off // 2], off[:, n_off - n_off // 2 :]
    some = rng.integers(0, n_active, (n_samples, n_off))
    yield on[each, some], off
    first, second = np.triu_indices(n_active, 1)
    yield on[:, first], on[:, second]
