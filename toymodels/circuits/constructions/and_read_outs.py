"""How well any layer's neurons tell all pairwise ANDs: fitted read-outs, and what none can pass.

A read-out is linear: answers `V [h; 1]` for neurons `h [n, B]`, `V [O, n+1]`, with the bias last.
Errors are balanced: the mean over ANDs that are on and the mean over those that are off weigh the
same. That is what `toymodels.tasks.universal_and` with `class_balance = 1` trains for.

Axis letters: m features, O = m (m-1) / 2 pairs, n neurons, s features on at a time, B examples.
"""

from itertools import combinations
from math import comb

import jax
import numpy as np
from numpy.typing import NDArray

from toymodels.checks import count
from toymodels.circuits.assignment import members
from toymodels.circuits.constructions.universal_and import UniversalAnd
from toymodels.circuits.examples import draw_subsets, generator
from toymodels.errors import InputError
from toymodels.streams import Stream
from toymodels.tasks.universal_and import pairs

# A fitted read-out has this share of the neurons' mean square added to each of them, which tells
# apart neurons that are copies of one another.
RIDGE = 1e-6

Floats = NDArray[np.float32]


def examples_of_and(key: jax.Array, n_features: int, n_active: int, most: int = 20_000) -> Floats:
    """Return all examples `[m, B]` of `n_active` features, or `most` random ones if there are more.

    Raises:
        InputError: fewer than 2 active features or more than there are, or no examples.
    """
    count("n_features", n_features, 2)
    count("n_active", n_active, 2, n_features)
    n = comb(n_features, n_active)
    if n <= count("most", most):
        active = np.array(list(combinations(range(n_features), n_active)))
    else:
        n = most
        active = draw_subsets(generator(key, Stream.EXAMPLES), n_features, n_active, n)
    features = np.zeros((n_features, n), np.float32)
    features[active, np.arange(n)[:, None]] = 1
    return features


def ands_of(features: Floats) -> Floats:
    """Return the AND of each pair, `[O, B]`, for Boolean `features [m, B]`."""
    first, second = pairs(features.shape[0])
    return features[first] * features[second]


def own_read_out(gate: UniversalAnd) -> Floats:
    """Return the construction's read-out `[O, n+1]`: means over the neurons that a pair shares.

    A pair that shares none is answered 0.
    """
    wires = members(gate.wires, gate.n_neurons).toarray()
    first, second = pairs(wires.shape[0])
    shared = wires[first] * wires[second]
    means = shared / np.maximum(shared.sum(1, keepdims=True), 1)
    return np.concatenate([means, np.zeros_like(means[:, :1])], axis=1)


def fitted_read_out(neurons: Floats, ands: Floats) -> Floats:
    """Return the read-out `[O, n+1]` of the least balanced squared error.

    Args:
        neurons: `[n, B]`.
        ands: `[O, B]`, each on in some of the examples.
    """
    h = np.ascontiguousarray(with_one(neurons).T, np.float64)  # [B, n+1]: rows are selected
    n_examples, on = len(h), ands > 0
    share = on.mean()
    weight_on, weight_off = 0.5 / share, 0.5 / (1 - share)
    gram = weight_off * (h.T @ h) / n_examples
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    read_out = np.empty((len(ands), len(gram)), np.float32)
    for row, of_pair in zip(read_out, on, strict=True):
        some = h[of_pair]
        more = (weight_on - weight_off) * (some.T @ some) / n_examples
        row[:] = np.linalg.solve(gram + more, weight_on * some.sum(0) / n_examples)
    return read_out


def with_one(neurons: Floats) -> Floats:
    """Return `[n+1, B]`: the neurons `[n, B]` and a row of ones, which the bias multiplies."""
    return np.concatenate([neurons, np.ones_like(neurons[:1])])


def balanced_error(answers: Floats, ands: Floats) -> tuple[float, float]:
    """Return the mean squared errors of ANDs that are on, and of those that are off."""
    squared, on = (answers - ands) ** 2, ands > 0
    return float(squared[on].mean()), float(squared[~on].mean())


def least_error(n_features: int, n_active: int, n_neurons: int) -> float:
    """Return a balanced error below which no n neurons with a linear read-out come.

    Their answers `[O, all examples]` have rank r = n + 1 at most. With ā the mean answer where an
    AND is on, `⟨answers, truth⟩ ≤ ‖answers‖ √S_r`, where S_r sums the r largest eigenvalues of
    `truth truthᵀ / B`; what is on counts (1 - ā)² at least, and `‖answers‖²` must be somewhere:

        error ≥ κ / (2 + 2κ),    κ = (K² / S_r - K) / (O - K),    K = s (s-1) / 2.

    It is derived here and not in a paper; at s = 2 it is the Welch bound.

    Raises:
        InputError: fewer than 4 features, fewer than 2 of them active, or all; or no neuron.
    """
    m, s = count("n_features", n_features, 4), count("n_active", n_active, 2)
    if s >= m:
        raise InputError(f"n_active = {s} of {m} features: all ANDs are on, use 2 to {m - 1}.")
    rank = count("n_neurons", n_neurons) + 1
    two, three, four = (comb(s, k) / comb(m, k) for k in (2, 3, 4))
    # Pairs by how many features they share: the eigenvalues of the Johnson scheme J(m, 2).
    eigenvalues = (
        two + 2 * (m - 2) * three + comb(m - 2, 2) * four,
        two + (m - 4) * three - (m - 3) * four,
        two - 2 * three + four,
    )
    n_pairs, left, total = comb(m, 2), rank, 0.0
    for value, multiplicity in zip(eigenvalues, (1, m - 1, n_pairs - m), strict=True):
        total += value * min(left, multiplicity)
        left -= min(left, multiplicity)
    on = comb(s, 2)
    k = max(on**2 / total - on, 0.0) / (n_pairs - on)
    return k / (2 + 2 * k)
