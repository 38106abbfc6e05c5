"""How spurious switching grows from layer to layer: a mean field of inactive circuits.

`theory.spurious_switching` stops at the noise of layer 3. Here the whole distribution of an
inactive circuit's indicator is carried on, so that "up to which load x = T/N² do indicators stay
quiet through L layers" has an answer for any N. Derived here, for rotation circuits in capped
networks whose neurons all serve c = TS/N circuits, two of which share one neuron at most. Letters
as in `theory`.

An inactive circuit reads X_l, the mean of its S neurons. In the next layer each of them hears

    α = X_l + j/S - (zS - j) χ + σ_l g,      g normal, of its own,

and gives the step `clip(k α - (k-1)/2, 0, 1)`; X_{l+1} is the mean of S such steps. Here j is how
many of the zS active neurons the c - 1 other circuits of the neuron hold; a circuit that shares a
neuron with an active one has that neuron on, and hears it in X_l alone. What other inactive
circuits say is the noise. It has mean zero by the choice of χ, and variance

    σ_l² = N q (1-q) (1/S + χ)² (c-1)/c S Var X_l,

where S Var X is E[on²] - E[on]² of single neurons as long as those of a circuit are independent,
and up to S times that when they go together, as they do once X_l feeds on itself.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from toymodels.checks import count, number
from toymodels.circuits.checks import require_copies, require_share
from toymodels.circuits.switching import Links
from toymodels.circuits.theory import expected_inhibition, expected_link_density

Floats = npt.NDArray[np.float64]

# Values of a step that are told apart.
_BINS = 64
_VALUES = np.arange(_BINS + 1) / _BINS

# A search goes up by this factor, then halves so often.
_STEP = 1.25
_HALVINGS = 7


def spurious_by_layer(
    links: Links, n_active: int = 1, n_layers: int = 4, gain: float = 2.0
) -> Floats:
    """Return the expected share of inactive circuits that read above ½, `[L]`, layers 1 … L.

    Args:
        links: of the network.
        n_active: z.
        n_layers: L.
        gain: k.

    Raises:
        InputError: a number out of range.
    """
    n, s, q, chi = links
    require_copies(n, s)
    require_share(np.array(number("density", q, 0)))
    number("inhibition", chi)
    n_active, n_layers = count("n_active", n_active), count("n_layers", n_layers)
    gain = number("gain", gain, 1)
    others, meeting = _meeting(links)
    met = min(n_active * meeting, 1.0)
    chances = np.array([1 - met, met])  # of no neuron in common with an active circuit, and of one
    reads = [np.eye(s * _BINS + 1)[used * _BINS] for used in (0, 1)]  # of X, from 0 to 1
    shares, noise = [chances @ [_above_half(of) for of in reads]], 0.0
    for _ in range(n_layers - 1):
        steps = np.stack([_heard(links, n_active * s - used, noise, gain) for used in (0, 1)])
        weight = chances[:, None] * [_merged(of, s) for of in reads]  # [used, X]
        mean, square = np.tensordot(_VALUES, steps, (0, 1)), np.tensordot(_VALUES**2, steps, (0, 1))
        varied = np.sum(weight * mean**2) - np.sum(weight * mean) ** 2
        own = np.sum(weight * (square - mean**2)) + s * max(varied, 0.0)
        noise = np.sqrt(others / (others + 1) * n * q * (1 - q) * own) * (1 / s + chi)
        each = np.moveaxis(steps, 1, -1)  # [used, X, step]
        reads = [np.einsum("ux,uxs->s", weight, _sums(each, s, used)) for used in (0, 1)]
        shares.append(chances @ [_above_half(of) for of in reads])
    return np.array(shares)


def critical_load(
    n_copies: int,
    redundancy: int,
    n_active: int = 1,
    n_layers: int = 4,
    share: float = 1e-3,
    inhibition: float = 1.0,
) -> float:
    """Return the x = T/N² at which `spurious_by_layer` first passes a share in the last layer.

    Of a network whose links are `theory.expected_link_density` and `expected_inhibition`. NaN
    where the share is passed at T = N already, infinity where it is not before most pairs of
    neurons are linked.

    Args:
        n_copies: N.
        redundancy: S.
        n_active: z.
        n_layers: L.
        share: of inactive circuits that read above ½.
        inhibition: multiplier of χ.

    Raises:
        InputError: a number out of range.
    """
    require_copies(n_copies, redundancy)
    share, inhibition = number("share", share, 0, 1), number("inhibition", inhibition, 0)

    def is_quiet(load: float) -> bool:
        q = float(expected_link_density(load * n_copies**2, n_copies, redundancy))
        chi = inhibition * float(expected_inhibition(q, redundancy))
        links = Links(n_copies, redundancy, q, chi)
        return bool(spurious_by_layer(links, n_active, n_layers)[-1] <= share)

    low, high = 1 / n_copies, _STEP / n_copies
    if not is_quiet(low):
        return np.nan
    while is_quiet(high):
        if high * redundancy**2 > 1:
            return np.inf
        low, high = high, high * _STEP
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if is_quiet(middle) else (low, middle)
    return float(np.sqrt(low * high))


def _meeting(links: Links) -> tuple[float, float]:
    """Return with how many others a circuit shares a neuron, and how probable each of them is.

    T is taken from the density of links. Each neuron serves TS/N circuits, one of them this.
    """
    n, s, q, _ = links
    circuits = max(-np.log1p(-q) * (n / s) ** 2, 1.0)
    others = max(circuits * s / n - 1, 0.0)
    return others, min(s * others / max(circuits - 1, 1.0), 1.0)


def _linked(n_sources: int, draws: float, chance: float) -> Floats:
    """Return how probable 0, 1, … different sources are, `[n_sources + 1]`.

    Of so many draws, not a whole number, each is one of the sources with a chance.
    """
    j = np.arange(n_sources + 1)
    rise = chance * (1 - j / max(n_sources, 1))
    step = np.diag(1 - rise) + np.diag(rise[:-1], 1)
    whole, part = divmod(draws, 1)
    at = np.linalg.matrix_power(step, int(whole))[0]
    return (1 - part) * at + part * at @ step


def _heard(links: Links, n_sources: int, noise: float, gain: float) -> Floats:
    """Return how probable each step is given X, `[_BINS + 1, X]`."""
    others, chance = _meeting(links)
    j = np.arange(n_sources + 1)
    alpha = j / links.redundancy - (n_sources - j) * links.inhibition
    of_each = min(chance * n_sources / links.redundancy, 1.0)
    return _steps(_VALUES[:, None] + alpha, noise, gain) @ _linked(n_sources, others, of_each)


def _steps(means: Floats, noise: float, gain: float) -> Floats:
    """Return how probable each value of a step is, `[_BINS + 1, …]`, for normal inputs."""
    edges = (np.arange(_BINS) + 0.5) / _BINS
    points = (edges + (gain - 1) / 2) / gain
    below = ndtr((points.reshape(-1, *[1] * means.ndim) - means) / max(noise, 1e-9))
    return np.diff(below, axis=0, prepend=0, append=1)


def _sums(chances: Floats, n: int, ones: int) -> Floats:
    """Return how probable sums of n values are, `ones` of them 1, `[…, values] -> […, sums]`."""
    size = n * _BINS + 1
    one = np.exp(-2j * np.pi * np.arange(size // 2 + 1) * _BINS / size)
    sums = np.fft.irfft(np.fft.rfft(chances, size) ** (n - ones) * one**ones, size)
    return np.maximum(sums, 0)  # rounding


def _merged(sums: Floats, n: int) -> Floats:
    """Return the means of n values on the values themselves, shared between neighbours."""
    at = np.arange(sums.size) / n
    below = np.floor(at).astype(int)
    part = at - below
    size = (sums.size - 1) // n + 2
    merged = np.zeros(size)
    np.add.at(merged, below, sums * (1 - part))
    np.add.at(merged, below + 1, sums * part)
    return merged[:-1]


def _above_half(sums: Floats) -> float:
    return float(np.sum(sums[sums.size // 2 + 1 :]))
