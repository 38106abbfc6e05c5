"""The expected loss of a small ReLU autoencoder, without sampling.

    L_i = I_i E[(x_i − ReLU(z_i))²],  z = G x + b,  G = WᵀW or any F × F matrix,

for independent features, each uniform on [0, 1] with probability `p_active` and else 0. What is
active is summed over. For each output the features are sorted by |G_ij|. The two largest active
ones are integrated exactly: over the second the rest is a cubic on each of three pieces, where
the kink of the ReLU meets all, a part or nothing of the range of the first. Any other feature is
a sum over Gauss–Legendre nodes, with one more node for "inactive"; what is summed has continuous
second derivatives. So one or two active features are exact up to rounding. Every term is ≥ 0:
nothing cancels, and a loss far below E[x²] is as accurate as a large one.

Sources: the loss of Elhage et al. 2022, "Toy Models of Superposition", section "Demonstrating
Superposition"; `toymodels.exact.oracle` computes the same along another path.
"""

import itertools
from functools import cache, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from toymodels.checks import biases, density, importances, matrix, square
from toymodels.diverged import nan_unless_finite
from toymodels.errors import InputError
from toymodels.precision import TINY, product

# Gauss–Legendre nodes of the third, fourth, … largest weight, for each F: fewer where a weight is
# smaller, and where they have to be multiplied with more others.
NODES = {1: (), 2: (), 3: (16,), 4: (10, 5), 5: (8, 5, 4), 6: (8, 4, 3, 3)}
LARGEST_F = max(NODES)

# Terms of one model that are worked on side by side: on a CPU more of them leave the cache
# (F = 6 took twice the time with all outputs at once).
TERMS_TOGETHER = 512


def expected_loss(W: ArrayLike, b: ArrayLike, p_active: Any, importance: Any) -> jax.Array:
    """Return the expected loss of `y = ReLU(WᵀW x + b)`: `expected_loss_per_feature`, summed."""
    return jnp.sum(expected_loss_per_feature(W, b, p_active, importance))


def expected_loss_per_feature(
    W: ArrayLike, b: ArrayLike, p_active: Any, importance: Any
) -> jax.Array:
    """Return the expected loss of each feature, `[F]`, under `y = ReLU(WᵀW x + b)`.

    Args:
        W: weights, `[M, F]`.
        b: biases, `[F]`.
        p_active: density, a number or `[F]`.
        importance: a number or `[F]`.

    Raises:
        InputError: more than 6 features, a shape other than these, a density outside [0, 1], or an
            importance that is negative or not finite.
    """
    W = matrix("W", W)
    return expected_loss_of_map(product(W.T, W), b, p_active, importance)


def expected_loss_of_map(G: ArrayLike, b: ArrayLike, p_active: Any, importance: Any) -> jax.Array:
    """Return the expected loss of each feature, `[F]`, under `y = ReLU(G x + b)`, `G [F, F]`.

    An untied model has `G = V W`. First and second derivatives by `G` and `b` are right where
    they exist. Relative error below 1e-4 in float32. NaN where a weight is not finite.

    Raises:
        InputError: as `expected_loss_per_feature`.
    """
    G = square("G", G)
    n_features = G.shape[0]
    b = biases(b, n_features)
    if n_features > LARGEST_F:
        raise InputError(
            f"the expected loss was asked for with n_features = {n_features}, but its cost grows "
            f"sixfold with each feature and it stops at {LARGEST_F}: estimate the loss from "
            'samples instead (estimator = "stratified" or "sampled").'
        )
    p = jnp.broadcast_to(jnp.asarray(density(p_active, n_features), G.dtype), (n_features,))
    weight = jnp.asarray(importances(importance, n_features), G.dtype)
    return nan_unless_finite((G, b), weight * _loss_of_outputs(G, b, p))


@jax.jit
def _loss_of_outputs(G: jax.Array, b: jax.Array, p: jax.Array) -> jax.Array:
    n = G.shape[0]
    rows = (G, b, jnp.eye(n, dtype=G.dtype))
    return jax.lax.map(
        lambda row: _loss_of_output(row[0], row[1], row[2], p),
        rows,
        batch_size=outputs_together(n),
    )


def n_terms(n_features: int) -> int:
    """Return the terms of the sum behind one output."""
    return _table(n_features).nodes.shape[1]


def outputs_together(n_features: int) -> int:
    """Return how many outputs of one model are worked on side by side."""
    return min(n_features, max(1, TERMS_TOGETHER // n_terms(n_features)))


def _loss_of_output(g: jax.Array, b: jax.Array, own: jax.Array, p: jax.Array) -> jax.Array:
    """Return E[(x_i − ReLU(g·x + b))²]; `own [F]` is 1 at i, all arguments but `b []` are `[F]`."""
    table = _table(g.shape[0])
    largest_first = _sorting(jnp.abs(g))
    g, own, p = (product(largest_first, values) for values in (g, own, p))
    chance = jnp.prod(table.active * p[:, None] + table.inactive * (1 - p[:, None]), axis=0)
    of_nodes, g1, g2 = (product(g, where) for where in table[:3])
    x, own1, own2 = (product(own, where) for where in table[:3])
    return jnp.sum(chance * mean_over_square(b + of_nodes, g1, g2, x, own1, own2))


@jax.custom_jvp
def mean_over_square(
    c: jax.Array, g1: jax.Array, g2: jax.Array, x: jax.Array, own1: jax.Array, own2: jax.Array
) -> jax.Array:
    """Return the mean of (x + own·u − ReLU(c + g·u))² over u in the unit square, |g1| ≥ |g2|.

    Elementwise and exact. Differentiable in `c` and `g`; `x` and `own` (0 or 1) are constants.
    """
    return _with_slopes(c, g1, g2, x, own1, own2)[0]


@mean_over_square.defjvp
def _mean_over_square_jvp(primals: Any, tangents: Any) -> Any:
    """Differentiate under the integral: what is left to JAX would move the kinks, by 1 / g."""
    mean, *slopes = _with_slopes(*primals)
    return mean, sum(slope * d for slope, d in zip(slopes, tangents[:3], strict=True))


def _with_slopes(c: Any, g1: Any, g2: Any, x: Any, own1: Any, own2: Any) -> tuple[jax.Array, ...]:
    """Return `mean_over_square` and its derivatives by c, g1 and g2.

    Between `near` and `far` the kink crosses the range of the first variable, outside it does not.
    As |g1| ≥ |g2| the one is 0 or the other 1: there is one piece outside. The pieces are fixed
    under a further derivative: across them all is continuous.
    """
    slope = jax.lax.stop_gradient(jnp.where(jnp.abs(g2) > TINY, g2, TINY))
    ends = [jnp.clip(-jax.lax.stop_gradient(end) / slope, 0, 1) for end in (c, c + g1)]
    near, far = jnp.minimum(*ends), jnp.maximum(*ends)
    outside = jnp.where(near > 0, 0.0, far), jnp.where(near > 0, near, 1.0)
    pieces = [_on_rectangle(c, (g1, g2), x, (own1, own2), *outside)]
    for node, weight in _gauss(2):
        u = near + (far - near) * node
        mean, by_c, by_g1 = _on_line(c + g2 * u, g1, x + own2 * u, own1)
        share = weight * (far - near)
        pieces.append((share * mean, share * by_c, share * by_g1, share * by_c * u))
    return tuple(reduce(jnp.add, parts) for parts in zip(*pieces, strict=True))


def _on_rectangle(
    c: Any, g: tuple[Any, Any], x: Any, own: tuple[Any, Any], low: Any, high: Any
) -> tuple[jax.Array, ...]:
    """Integrate where z has one sign: u1 in [0, 1], u2 in [low, high]; and the slopes."""
    (g1, g2), (own1, own2) = g, own
    mid, length = (low + high) / 2, high - low
    on = jnp.where(c + g1 / 2 + g2 * mid > 0, 1.0, 0.0)
    slope1, slope2 = own1 - on * g1, (own2 - on * g2) * length
    error = x - on * c + slope1 / 2 + (own2 - on * g2) * mid
    by_c = -2 * on * length * error
    by_g1 = by_c / 2 - on * length * slope1 / 6
    by_g2 = by_c * mid - on * length * slope2 * length / 6
    return length * (error**2 + (slope1**2 + slope2**2) / 12), by_c, by_g1, by_g2


def _on_line(c: Any, g: Any, x: Any, own: Any) -> tuple[jax.Array, ...]:
    """Integrate (x + own·v − ReLU(c + g·v))² over v in [0, 1], and the slopes by c and g."""
    root = jnp.clip(-c / jnp.where(jnp.abs(g) > TINY, g, 1.0), 0, 1)
    rising = g > 0
    low, high = jnp.where(rising, root, 0.0), jnp.where(rising, 1.0, root)
    mid, length, slope = (low + high) / 2, high - low, own - g
    error = x - c + slope * mid
    mid_off, length_off = jnp.where(rising, root, 1 + root) / 2, 1 - length
    mean = length * (error**2 + (slope * length) ** 2 / 12)
    mean += length_off * ((x + own * mid_off) ** 2 + (own * length_off) ** 2 / 12)
    by_c = -2 * length * error
    return mean, by_c, by_c * mid - slope * length**3 / 6


def _sorting(size: jax.Array) -> jax.Array:
    """Return the permutation matrix `[F, F]` that puts the largest first; cheaper than a sort."""
    n = size.shape[0]
    mine, other = size[:, None], size[None, :]
    first_of_equal = np.tri(n, k=-1, dtype=bool)
    rank = jnp.sum((other > mine) | ((other == mine) & first_of_equal), axis=1)
    return (rank[None, :] == np.arange(n)[:, None]).astype(size.dtype)


class _Table(NamedTuple):
    """One column for each term of the sum; rows are features, the largest weight first.

    A term is a largest and a second active feature and a node for each one after those. A single
    active feature has no second one, and the term for none has neither.
    """

    nodes: np.ndarray  # [F, N]
    first: np.ndarray  # [F, N], 1 at the largest active feature
    second: np.ndarray  # [F, N]
    active: np.ndarray  # [F, N], 1 if active, times the weight of the node
    inactive: np.ndarray  # [F, N], 1 if inactive


@cache
def _table(n_features: int) -> _Table:
    none = [(0.0, 0, 0, 0.0, 1)]
    ones = [(0.0, 1, 0, 1.0, 0)]
    twos = [(0.0, 0, 1, 1.0, 0)]
    terms = [none * n_features]
    for first in range(n_features):
        before = none * first
        terms.append([*before, *ones, *none * (n_features - first - 1)])
        for second in range(first + 1, n_features):
            head = [*before, *ones, *none * (second - first - 1), *twos]
            rests = _rests(NODES[n_features][: n_features - second - 1])
            terms += [[*head, *rest] for rest in rests]
    return _Table(*np.array(terms).transpose(2, 1, 0))


def _rests(n_nodes: tuple[int, ...]) -> list:
    """Return every combination of the nodes of features that have so many each."""
    choices = [
        [(0.0, 0, 0, 0.0, 1), *((node, 0, 0, weight, 0) for node, weight in _gauss(k))]
        for k in n_nodes
    ]
    return list(itertools.product(*choices))


@cache
def _gauss(n: int) -> list[tuple[float, float]]:
    """Return the nodes and weights of Gauss–Legendre on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return [(float(x + 1) / 2, float(w) / 2) for x, w in zip(nodes, weights, strict=True)]
