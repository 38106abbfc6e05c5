"""Which large neurons are on: those that active circuits use, and those that switch on wrongly.

A mean field of rotation circuits in layers 1 to 3, block by block, beyond `theory`'s one active
circuit and first block. Links fall at random with density q; active circuits sit on disjoint
neurons. Derived here, for capped networks (`network.capped_network`); letters as in `theory`.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, norm

from toymodels.checks import count, number
from toymodels.circuits.checks import require_copies

Floats = npt.NDArray[np.float64]


class Links(NamedTuple):
    """The numbers of a network on which the share of neurons that are on depends."""

    n_copies: int  # N
    redundancy: int  # S
    density: float  # q
    inhibition: float  # χ


def switching_points(gain: float = 2.0, bias: float = 1.0) -> Floats:
    """Return the α from which the neurons of each block are on, `[4]`, without a vector.

    `(k-1)/(2k)` and `(k+1)/(2k)` of the two indicator neurons, `b/(1+b)` of the vector's.

    Raises:
        InputError: a gain below 1 or a negative bias.
    """
    gain, bias = number("gain", gain, 1), number("bias", bias, 0)
    gate = bias / (1 + bias)
    return np.array([(gain - 1) / (2 * gain), (gain + 1) / (2 * gain), gate, gate])


def share_on(links: Links, n_active: int, gain: float = 2.0, bias: float = 1.0) -> Floats:
    """Return the share of neurons that are on in layers 1, 2 and 3, `[3, 4 blocks]`.

    Used neurons, `u = 1 - (1 - S/N)^z`, are on. In layer 2 an unused one hears j ~ Bin(zS, q)
    neurons through links of 1/S and the others through -χ, `α = j/S - (zS - j) χ`, and in the
    vector's blocks the rotated vectors too, of variance `j / (2 S²)`. In layer 3 it hears all
    neurons of layer 2 that switched on besides, as normal noise of variance
    `N E[on²] q (1-q) (1/S + χ)²` and, by the choice of χ, mean zero.

    Args:
        links: of the network.
        n_active: z.
        gain: k.
        bias: b.

    Raises:
        InputError: a number out of range.
    """
    n, s, q, chi = links
    require_copies(n, s)
    number("density", q, 0, 1)
    number("inhibition", chi)
    n_active, gain, bias = count("n_active", n_active), number("gain", gain), number("bias", bias)
    points = switching_points(gain, bias)
    j = np.arange(n_active * s + 1)
    weight = binom.pmf(j, n_active * s, q)
    heard = j / s - (n_active * s - j) * chi
    on_squared = weight @ np.clip(gain * heard - (gain - 1) / 2, 0, 1) ** 2
    noise = np.sqrt(n * on_squared * q * (1 - q)) * (1 / s + chi)
    vectors = np.sqrt(j / 2) / s / (1 + bias)
    spread = np.stack([np.stack([0 * j, 0 * j, vectors, vectors]), np.full((4, j.size), noise)])
    above = heard - points[:, None]
    switched = norm.cdf(above / np.maximum(spread, 1e-9)) @ weight  # [2 layers, 4]
    used = 1 - (1 - s / n) ** n_active
    return used + (1 - used) * np.concatenate([np.zeros((1, 4)), switched])
