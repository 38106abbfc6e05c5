"""How dense the weights of trained networks are, and whether they take few values.

Newgas 2025 reports neurons whose weights take two values, so that a pair of features is of one of
four classes to each neuron, and outputs that hear every neuron.
"""

import numpy as np

NORMAL = 4000  # neurons of normal weights, which say what is to be expected of no structure


def structure_of(W: np.ndarray, V: np.ndarray) -> dict[str, float]:
    """Return means over the neurons of `W [n, m]` and `V [O, n]`."""
    return {
        "features_heard": float(share_taking_part(W).mean()),
        "outputs_served": float(share_taking_part(V.T).mean()),
        "two_values": float(by_two_values(W).mean()),
    }


def share_taking_part(weights: np.ndarray) -> np.ndarray:
    """Return how many of each row's weights take part, `(Σ w²)² / (m Σ w⁴)`.

    1 where all are of one size, 1 / m where a single one is not zero, 1/3 of many normal numbers.
    """
    fourth = (weights.astype(float) ** 4).mean(-1)
    second = (weights.astype(float) ** 2).mean(-1)
    return second**2 / np.where(fourth > 0, fourth, 1)


def by_two_values(weights: np.ndarray) -> np.ndarray:
    """Return the share of each row's variance that the best two values in place of all explain.

    1 where a row takes two values, 2/π = 0.64 of many normal numbers.
    """
    ordered = np.sort(weights.astype(float), axis=-1)
    n = ordered.shape[-1]
    deviations = ordered - ordered.mean(-1, keepdims=True)
    below, k = np.cumsum(deviations, -1)[..., :-1], np.arange(1, n)
    total = (deviations**2).sum(-1)
    between = (below**2 * (1 / k + 1 / (n - k))).max(-1)
    return between / np.where(total > 0, total, 1)


def normal(n_features: int) -> tuple[float, float]:
    """Return the features heard and the two values' share of neurons of normal weights."""
    W = np.random.default_rng(0).standard_normal((NORMAL, n_features))
    return float(share_taking_part(W).mean()), float(by_two_values(W).mean())
