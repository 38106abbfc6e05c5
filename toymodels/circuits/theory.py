"""Expected errors: the published estimates, exact first-layer values, a mean field.

Plain numpy in float64; `layer`, `n_active` and the other numbers broadcast. Notation: t is the
overlap constant, b the bias of rotation circuits, q the link density, χ the inhibition, k the gain.

Sources: `overlap_constant` to `interference` are Linsefors & Bushnaq 2025, "Rotations in
Superposition" (section 6 and appendix). They hold while no unused neuron is switched on. The
first layer and the mean field of neurons that switch on are derived here.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from toymodels.checks import count, finite, number
from toymodels.circuits.assignment import Indices, largest_overlap, usage
from toymodels.circuits.checks import as_list, require_share, sizes
from toymodels.errors import InputError

Floats = npt.NDArray[np.float64]


def overlap_constant(
    n_circuits: npt.ArrayLike, n_copies: npt.ArrayLike, redundancy: npt.ArrayLike
) -> Floats:
    """Return `t = d/D - 1/(S T) = 1/N - 1/(S T)`, the mean of `(e_t · e_u / S)²`, t ≠ u.

    Raises:
        InputError: a number below 1, or shapes that do not broadcast.
    """
    T, N, S = sizes(1, 1, 1, n_circuits=n_circuits, n_copies=n_copies, redundancy=redundancy)
    return 1 / N - 1 / (S * T)


def mse_inactive(overlap: npt.ArrayLike, n_active: npt.ArrayLike) -> Floats:
    """Return `z t`, the error of α and of x in inactive circuits, the same in every layer.

    Raises:
        InputError: a number that is not finite, or z below 1.
    """
    t, z = sizes(-np.inf, 1, overlap=overlap, n_active=n_active)
    return z * t


class Strength(NamedTuple):
    """Mean squared length of what a circuit's weights make of its active state."""

    own: float  # |Δw a|²
    shared: float  # |w̄ a|²
    whole: float  # |w a|²


def rotation_strength(bias: float = 1.0) -> Strength:
    """Return the strengths of the vector part of a rotation circuit.

    Raises:
        InputError: a negative bias.
    """
    bias = number("bias", bias, 0)
    shared = 2 * (1 + bias) ** 2
    return Strength(own=1.0, shared=shared, whole=1 + shared)


def mse_active(
    layer: npt.ArrayLike,
    overlap: npt.ArrayLike,
    n_circuits: npt.ArrayLike,
    n_active: npt.ArrayLike,
    strength: Strength,
) -> Floats:
    """Return the error of active circuits in layer l = 1, 2, ….

    `(l-1) T t² (z |Δw a|² + (z-1) |w̄ a|²) + l t (z-1) |w a|²`: a circuit's own signal and that of
    others come back through the weights of inactive circuits, and others overlap with it. With
    `rotation_strength(b)` it is the error of x in rotation circuits; that of their α is zero.

    Args:
        layer: l.
        overlap: t of `overlap_constant`.
        n_circuits: T.
        n_active: z.
        strength: of the small circuits.

    Raises:
        InputError: a number that is not finite, l, T or z below 1, or shapes that do not broadcast.
    """
    given = {"layer": layer, "overlap": overlap, "n_circuits": n_circuits, "n_active": n_active}
    L, t, T, z = sizes(1, -np.inf, 1, 1, **given)
    returned = T * t**2 * (z * strength.own + (z - 1) * strength.shared)
    return (L - 1) * returned + L * t * (z - 1) * strength.whole


def interference(
    n_circuits: npt.ArrayLike, n_copies: npt.ArrayLike, redundancy: npt.ArrayLike
) -> Floats:
    """Return `T t² + t`, what one layer adds to a circuit that hears another of unit strength.

    The appendix's estimate of the mean over t < v of the squared difference between
    `e_t W e_v / S` and its ideal; of own or shared weights of size 1. Both: twice as much.

    Raises:
        InputError: as `overlap_constant`.
    """
    t = overlap_constant(n_circuits, n_copies, redundancy)
    return finite("n_circuits", n_circuits) * t**2 + t


class FirstLayer(NamedTuple):
    """Errors of layer 1, exact in expectation over examples; α of active circuits has none."""

    mse_x_active: float
    mse_x_inactive: float
    mse_on_inactive: float


def first_layer(assignment: Indices, n_copies: int, n_active: int, bias: float = 1.0) -> FirstLayer:
    """Return the errors of rotation circuits in layer 1 for one assignment, exactly.

    A neuron that serves j >= 1 active circuits holds α = 1 and `x = Σ R x_u + (j-1) (1+b)`. The
    numbers j on the neurons of one circuit are hypergeometric, disjoint because two circuits
    share at most one neuron, and the directions of the x_u are independent and uniform. For one
    active circuit the inactive errors are `p / S²`, p the measured overlap probability; for two,
    the active one is `(1 + 2 (1+b)²) p / S²`.

    Args:
        assignment: `[T, S]` of layer 1.
        n_copies: N.
        n_active: z, from 1 to T - 1.
        bias: b.

    Raises:
        InputError: two circuits share more than one neuron, or z outside 1 … T - 1.
    """
    bias, assignment = number("bias", bias, 0), as_list(assignment, n_copies)
    n_circuits, redundancy = assignment.shape
    if largest_overlap(assignment, n_copies) > 1:
        raise InputError(
            "two circuits of this assignment share more than one neuron, so layer 1 has no closed "
            "form here: use prime_steps or transversal."
        )
    n_active = count("n_active", n_active, None)
    if not 1 <= n_active < n_circuits:
        raise InputError(f"n_active = {n_active}: use 1 to {n_circuits - 1}, so that some idle.")
    twice = 2 * (1 + bias) ** 2
    others = (usage(assignment, n_copies)[assignment] - 1).astype(
        float
    )  # [T, S] circuits beside this one
    near = others.sum(axis=1)
    met, met_twice = _moments(near, n_circuits - 1, n_active - 1)
    active = met + twice * (met + met_twice)
    on, x = _idle_circuit(others, n_circuits - 1, n_active, twice)
    mean = [float(np.mean(of)) / redundancy**2 for of in (active, x, on)]
    return FirstLayer(*mean)


def _idle_circuit(others: Floats, pool: int, drawn: int, twice: float) -> tuple[Floats, Floats]:
    """Return `S²` times the expected α̂² and |x̂|² of each idle circuit, `[T]`.

    With j the active circuits on a neuron, α = 1 - [j = 0] and the common part of x is
    g = j - 1 + [j = 0], times (1+b) in both components.
    """
    n = others
    both = n[:, :, None] + n[:, None, :]
    pairs = ~np.eye(n.shape[1], dtype=bool)
    none, none_of_both = _none(n, pool, drawn), _none(both, pool, drawn)
    mean, falling = _moments(n, pool, drawn)
    on_on = 1 - none[:, :, None] - none[:, None, :] + none_of_both
    on = np.sum(1 - none, axis=1) + np.sum(on_on * pairs, axis=(1, 2))
    g_squared = falling - mean + 1 - none  # E[(j-1)²] less the 1 at j = 0
    product = n[:, :, None] * n[:, None, :] * drawn * (drawn - 1) / max(pool * (pool - 1), 1)
    # E[[j_n = 0] j_m]: with none of n's circuits drawn, m's are drawn from the rest.
    rest = np.maximum(pool - n, 1)
    silent = (none * drawn / rest)[:, :, None] * n[:, None, :]
    silent -= none[:, :, None]
    g_g = product - mean[:, :, None] - mean[:, None, :] + 1
    g_g += silent + silent.transpose(0, 2, 1) + none_of_both
    x = np.sum(mean + twice * g_squared, axis=1) + twice * np.sum(g_g * pairs, axis=(1, 2))
    return on, x


def _moments(marked: Floats, pool: int, drawn: int) -> tuple[Floats, Floats]:
    """Return E[j] and E[j (j-1)] of a hypergeometric j."""
    mean = drawn * marked / pool
    return mean, mean * (marked - 1) * (drawn - 1) / max(pool - 1, 1)


def _none(marked: Floats, pool: int, drawn: int) -> Floats:
    """Return the probability that none of the `marked` of a pool is drawn."""
    i = np.arange(drawn)
    left = np.maximum(pool - marked[..., None] - i, 0)
    return np.prod(left / (pool - i), axis=-1)


class Worst(NamedTuple):
    """Largest possible errors of layer 1."""

    x_active: float
    x_inactive: float
    on_inactive: float


def first_layer_worst(n_active: int, redundancy: int, bias: float = 1.0) -> Worst:
    """Return bounds on the errors of layer 1 where two circuits share at most one neuron.

    Active x: `(z-1) (√2 (1+b) + 1) / S`. Inactive: `z / S` for α and, with all active circuits on
    one neuron, `(z + √2 (1+b) (z-1)) / S` for x, which takes a neuron that serves z + 1 circuits.

    Raises:
        InputError: z or S below 1, or a negative bias.
    """
    n_active, redundancy = count("n_active", n_active), count("redundancy", redundancy)
    bias = number("bias", bias, 0)
    common = np.sqrt(2) * (1 + bias) * (n_active - 1)
    return Worst(
        x_active=float(common + n_active - 1) / redundancy,
        x_inactive=float(common + n_active) / redundancy,
        on_inactive=n_active / redundancy,
    )


def expected_link_density(
    n_circuits: npt.ArrayLike, n_copies: npt.ArrayLike, redundancy: npt.ArrayLike
) -> Floats:
    """Return `q = 1 - exp(-T S²/N²)`, the share of neuron pairs that some circuit links.

    Raises:
        InputError: a number below 1, or shapes that do not broadcast.
    """
    T, N, S = sizes(1, 1, 1, n_circuits=n_circuits, n_copies=n_copies, redundancy=redundancy)
    return -np.expm1(-T * (S / N) ** 2)


def expected_inhibition(link_density: npt.ArrayLike, redundancy: npt.ArrayLike) -> Floats:
    """Return `q / ((1-q) S)`, what χ would be if links fell at random.

    The measured χ is 1.10 to 1.15 times this: neurons that many circuits use are linked more.

    Raises:
        InputError: a share of links outside [0, 1), or S below 1.
    """
    q, S = sizes(0, 1, link_density=link_density, redundancy=redundancy)
    require_share(q)
    return q / ((1 - q) * S)


class Switching(NamedTuple):
    """The mean field of neurons that no active circuit uses, in layer 2 with z = 1."""

    threshold: npt.NDArray[np.int64]  # fewest links to the active circuit that switch a neuron on
    probability: Floats  # that one is on
    on_squared: Floats  # mean square of α on it, zero where off
    noise_variance: Floats  # of what layer 3 hears of all such neurons


def spurious_switching(
    n_copies: npt.ArrayLike,
    redundancy: int,
    link_density: npt.ArrayLike,
    inhibition: npt.ArrayLike,
    gain: float = 2.0,
) -> Switching:
    """Return the share of unused neurons that switch on, and the noise they make a layer later.

    An unused neuron hears j ~ Bin(S, q) of the active circuit's S neurons through links of 1/S and
    the others through -χ. It receives `α = j/S - (S-j) χ` and gives the step of gain k, which is
    on where α exceeds `(k-1)/(2k)`. Layer 3 adds up N such neurons: variance
    `N E[α²] q (1-q) (1/S + χ)²`, which grows with N at fixed T/N² and S. That is why the errors run
    away ("seizure").

    Args:
        n_copies: N.
        redundancy: S.
        link_density: q.
        inhibition: χ.
        gain: k.

    Raises:
        InputError: a number out of range, or shapes that do not broadcast.

    Derived here; the tests compare it with measured shares.
    """
    redundancy, gain = count("redundancy", redundancy), number("gain", gain, 1)
    given = {"link_density": link_density, "inhibition": inhibition, "n_copies": n_copies}
    q, chi, n = np.broadcast_arrays(*sizes(0, -np.inf, 1, **given))
    require_share(q)
    j = np.arange(redundancy + 1)
    heard = j / redundancy - (redundancy - j) * chi[..., None]
    on = np.clip(gain * heard - (gain - 1) / 2, 0.0, 1.0)
    weight = binom.pmf(j, redundancy, q[..., None])
    on_squared = np.sum(weight * on**2, axis=-1)
    return Switching(
        threshold=np.sum(on == 0, axis=-1),
        probability=np.sum(weight * (on > 0), axis=-1),
        on_squared=on_squared,
        noise_variance=n * on_squared * q * (1 - q) * (1 / redundancy + chi) ** 2,
    )
