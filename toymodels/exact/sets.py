"""The expected loss where features come in sets that are active together: no sampling.

Given which sets are active, their features are independent, each on for certain, and all others are
off: a world of densities 0 and 1. So the loss is the mean of such worlds' losses (`fourier`), over
the 2^G choices of G sets, each with its probability.

Notation as in `fourier`; sets are equally large and hold neighbouring features, as in
`toymodels.features.correlated` (Elhage et al. 2022, "Correlated and Anticorrelated Features").
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from toymodels.checks import biases, count, density, matrix
from toymodels.errors import InputError
from toymodels.exact.fourier import expected_loss_of_map_fourier
from toymodels.features.correlated import require_sets
from toymodels.precision import product

MOST_SETS = 10
TERMS = 64  # of the series: two features that are on for certain smooth least


def expected_loss_in_sets(
    W: ArrayLike, b: ArrayLike, p_active: Any, n_sets: int, importance: Any = 1.0
) -> jax.Array:
    """Return the expected loss of `y = ReLU(WᵀW x + b)`, summed over features.

    Args:
        W: weights, `[M, F]`.
        b: biases, `[F]`.
        p_active: density of a set, a number or `[G]`.
        n_sets: G, sets of F / G features that are active together.
        importance: a number or `[F]`.

    Raises:
        InputError: a shape other than these, sets that cannot be equally large or more than 10, a
            density outside [0, 1], or an importance that is negative or not finite.
    """
    W, n_sets = matrix("W", W), count("n_sets", n_sets)
    b = biases(b, W.shape[1])
    require_sets(W.shape[1], n_sets)
    if n_sets > MOST_SETS:
        raise InputError(f"n_sets = {n_sets}: it takes 2^n_sets sums, give up to {MOST_SETS}.")
    p = jnp.broadcast_to(jnp.asarray(density(p_active, n_sets), W.dtype), (n_sets,))
    on = np.array(list(np.ndindex(*(2,) * n_sets)), bool)  # [2^G, G]
    chance = jnp.prod(jnp.where(on, p, 1 - p), axis=1)
    features = jnp.repeat(jnp.asarray(on, W.dtype), W.shape[1] // n_sets, axis=1)
    G = product(W.T, W)

    def given(on: jax.Array) -> jax.Array:
        return jnp.sum(expected_loss_of_map_fourier(G, b, on, importance, TERMS))

    return jnp.sum(chance * jax.vmap(given)(features))
