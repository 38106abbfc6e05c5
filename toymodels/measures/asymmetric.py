"""The asymmetric motif: two features in one neuron, told apart by how strongly it reads them.

A neuron of `y = f(V ReLU(W x) + b)` that reads feature a with 2 and feature b with -1/2, and
writes them back with 1/2 and 2, gives either back rightly. What is left is that a, alone, also
raises b's output, by 2 * 2 = 4, much more than b raises that of a. A second neuron that is on with
a lowers the output of b: positive interference becomes negative, which the output's ReLU cuts
(Elhage et al. 2022, "Computation in Superposition").

The rule here is of products of weights on paths from an input to an output. No rescaling of a
neuron changes them, so it makes no difference whether a model was rescaled before. numpy, float64.

Notation: W is the encoder [M neurons, F features], V the decoder [F, M]; V_bk W_ka is what feature
a adds to output b through neuron k when k is on.
"""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike

from toymodels.checks import Floats, finite_matrix, number
from toymodels.errors import InputError

RATIO = 2.0
"""From this ratio on a neuron reads one feature much more strongly than the other."""

TOLERANCE = 0.25
"""So near to 1 is what a neuron gives back of a feature."""

CANCELLED = 0.5
"""At least this share of what the stronger feature does to the weaker one's output is undone."""


class Motif(NamedTuple):
    """Two features that share a neuron asymmetrically, and the neuron that keeps them apart."""

    neuron: int
    strong: int  # feature that the neuron reads more strongly
    weak: int
    inhibitor: int  # neuron that is on with `strong` and lowers the output of `weak`
    ratio: float  # of the neuron's two weights, above 1
    interference: float  # what `strong` adds to the output of `weak` through `neuron`, > 0
    inhibition: float  # what it adds through `inhibitor`, < 0


def asymmetric_motifs(
    W: ArrayLike,
    V: ArrayLike,
    ratio: float = RATIO,
    tolerance: float = TOLERANCE,
    cancelled: float = CANCELLED,
) -> list[Motif]:
    """Find the asymmetric motifs of a layer of neurons.

    Neuron k and features a, b are one where

    - `|W_ka| > ratio |W_kb|`;
    - k gives the size of both back: `|W_ka| V_ak` and `|W_kb| V_bk` are 1 within `tolerance`;
    - another neuron l is on with a as k is, `W_la W_ka > 0`, and lowers b: `V_bl < 0` undoes at
      least the share `cancelled` of what a does to b through k,
      `|W_la V_bl| >= cancelled |W_ka| V_bk`. It is the neuron that undoes most.

    Args:
        W: encoder, [M, F].
        V: decoder, [F, M].
        ratio: the least ratio of the two weights, from 1.
        tolerance: how far from 1 a product of the weights in and out may be.
        cancelled: least share of the interference that the second neuron undoes, from 0.

    Returns:
        One for each neuron and pair of features, by neuron.

    Raises:
        InputError: W or V is no finite matrix, V is not of the shape of W.T, or a number is out of
            range.
    """
    W, V = finite_matrix("W", W), finite_matrix("V", V, "[features, hidden]")
    if V.shape != W.shape[::-1]:
        raise InputError(
            f"W has shape {W.shape} and V {V.shape}: give the encoder W as [neurons, features] and "
            "the decoder V as [features, neurons]."
        )
    ratio, tolerance = number("ratio", ratio, 1), number("tolerance", tolerance, 0, 1)
    cancelled = number("cancelled", cancelled, 0)
    given_back = np.abs(np.abs(W) * V.T - 1) <= tolerance  # [M, F]
    found = []
    for k, features in enumerate(given_back):
        held = np.flatnonzero(features).tolist()
        for a, b in ((a, b) for a in held for b in held if abs(W[k, a]) > ratio * abs(W[k, b])):
            interference = abs(W[k, a]) * abs(V[b, k])
            through, other = _inhibition(W, V, k, a, b)
            if through < 0 and -through >= cancelled * interference:
                size = float(abs(W[k, a] / W[k, b]))
                found.append(Motif(k, a, b, other, size, float(interference), through))
    return found


def _inhibition(W: Floats, V: Floats, k: int, a: int, b: int) -> tuple[float, int]:
    """Return the most negative path from a to b through a neuron that is on with a as k is."""
    through = np.where(W[:, a] * W[k, a] > 0, np.abs(W[:, a]) * V[b], np.inf)
    through[k] = np.inf
    other = int(np.argmin(through))
    return float(through[other]), other
