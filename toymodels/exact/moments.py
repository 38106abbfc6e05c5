"""The half-space moments behind Newton's method on the expected loss, many problems at once.

One output i of y = ReLU(G x + b) has θ = (row i of G, b_i); x̃ = (x, 1) is the input and a one, and
d = θ − (e_i, 0). Over independent features, each 0 or uniform on [0, 1],

    M = E[x̃ x̃ᵀ 1(θ·x̃ > 0)],        B = E[x_i x̃ x̃ᵀ δ(θ·x̃)],
    loss = dᵀ M d + cut,  cut = E[x_i² 1(θ·x̃ ≤ 0)],    ∂loss/∂θ = 2 M d,    ∂²loss/∂θ² = 2 (M − B).

What is active is summed over. One or two active features are integrated exactly: of the pair
(t, s) the root t*(s) = −(c + γ s)/g crosses [0, 1] on one interval of s, where all is a cubic and
two Gauss–Legendre nodes are exact; beside it t runs over all of [0, 1] or over nothing. Each
further feature is one sum over 0 (inactive) and Gauss–Legendre nodes (active), so those sums are
products with constant matrices.

Cells lie on the last axis N, which the CPU vectorises, and the output on the one before it. The
features of an output are numbered from itself: 0 is the output's own.
"""

from functools import cache, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

# A slope below this is not divided by: the interval it is divided for is then empty or everything.
LEAST_SLOPE = 1e-12

# 1/|g|, the height of δ(u) over t, counts up to here in B: beyond, float32 has no digits left.
SHARPEST = 1e3

# The two nodes of Gauss–Legendre on [0, 1], each of weight 1/2.
_GAUSS_2 = (0.5 - 0.5 / 3**0.5, 0.5 + 0.5 / 3**0.5)


class Moments(NamedTuple):
    """The moments of every output of every cell; index F of a matrix is the one of x̃."""

    M: jax.Array  # [F + 1, F + 1, F, N]
    B: jax.Array  # [F + 1, F + 1, F, N]
    cut: jax.Array  # [F, N]; not as E[x_i²] − M[0][0], which loses digits where little is cut


# Which entries some values add to, and the values `[entries, F, N]`.
Part = tuple[list[tuple[int, int]], jax.Array]


def moments(g: jax.Array, beta: jax.Array, p: jax.Array, n_nodes: int) -> Moments:
    """Return M, B and the cut of every output of every cell.

    Args:
        g: weights by feature, output and cell, `[F, F, N]`; `g[0]` is the diagonal of G.
        beta: biases, `[F, N]`.
        p: densities in the order of `g`, `[F, F, N]`.
        n_nodes: Gauss–Legendre nodes of the third and each further active feature.
    """
    F = g.shape[0]
    none_before = _exclusive_products(1 - p)  # [F + 1, F, N]
    none_after = _exclusive_products(1 - p[::-1])[::-1]
    singles, edges, cut = _singles(g, beta, p * none_before[:F] * none_after[1:])
    parts: list[Part] = [([(F, F)], none_before[F:] * (beta > 0)[None]), *singles]
    for second in range(1, F):
        more, more_edges, more_cut = _pairs(g, beta, p, second, n_nodes)
        parts, edges, cut = parts + more, edges + more_edges, cut + more_cut
    return Moments(_assemble(parts, F), _assemble(edges, F), cut)


def _assemble(parts: list[Part], F: int) -> jax.Array:
    """Add all parts to the symmetric matrices `[F + 1, F + 1, F, N]` that they belong to."""
    entries = [entry for where, _ in parts for entry in where]
    table = np.zeros((F + 1, F + 1, len(entries)), np.float32)
    for k, (a, b) in enumerate(entries):
        table[a, b, k] = table[b, a, k] = 1
    values = jnp.concatenate([value for _, value in parts])
    return jnp.tensordot(table, values, axes=1, precision=jax.lax.Precision.HIGHEST)


def _singles(
    g: jax.Array, beta: jax.Array, weight: jax.Array
) -> tuple[list[Part], list[Part], jax.Array]:
    """Return what one active feature alone adds to M, B and the cut; `weight [F, F, N]`."""
    F = g.shape[0]
    inverse = 1 / _away_from_zero(g)
    root = -beta[None] * inverse
    at = jnp.where(
        (root[0] > 0) & (root[0] < 1), root[0] * jnp.minimum(jnp.abs(inverse[0]), SHARPEST), 0
    )
    at = weight[0] * at
    root = jnp.clip(root, 0, 1)
    entries = ([(F, F)] * F, [(a, F) for a in range(F)], [(a, a) for a in range(F)])
    powers = _powers_above(root, g >= 0)
    over = [(where, weight * power) for where, power in zip(entries, powers, strict=True)]
    edge = jnp.stack([at, at * root[0], at * root[0] ** 2])
    return over, [([(F, F), (0, F), (0, 0)], edge)], weight[0] * root[0] ** 3 / 3


def _pairs(
    g: jax.Array, beta: jax.Array, p: jax.Array, second: int, n_nodes: int
) -> tuple[list[Part], list[Part], jax.Array]:
    """Return what two or more add to M, B and the cut, `second` being the second active one.

    The first is each one before it; those after it are active or not. Axes: node, first, output,
    cell.
    """
    F = g.shape[0]
    columns = [F, *range(second + 1, F)]
    values, tables = _rest(F - second - 1, n_nodes)
    weight = _rest_weights(p[second + 1 :], n_nodes)  # [nodes, F, N]
    c = jnp.broadcast_to(beta[None], weight.shape)
    if values.size:
        c += _contract(values, g[second + 1 :])
    first = p[:second] * _products_of_others(1 - p[:second]) * p[second : second + 1]
    over, at, cut = _over_pairs(c[:, None], g[None, :second], g[None, None, second])
    parts, edges = [], []
    for (t, s), table in zip(_ORDERS, (2, 1, 1, 0, 0, 0), strict=True):
        where = [_entries([a] * t + [second] * s, columns) for a in range(second)]
        inner = _contract(tables[table], over[t, s] * weight[:, None]) * first[None]
        by_row = [entry for each in zip(*where, strict=True) for entry in each]
        parts.append((by_row, inner.reshape(-1, *inner.shape[2:])))
        edges.append((where[0], _contract(tables[table], at[t, s] * weight) * first[:1]))
    return parts, edges, first[0] * jnp.sum(cut * weight, axis=0)


# The powers of t and s that a second moment may hold.
_ORDERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))


def _entries(own: list[int], columns: list[int]) -> list[tuple[int, int]]:
    """List the entries of x̃ x̃ᵀ that hold `own` and else products of `columns`, as in `_rest`."""
    if len(own) == 2:
        return [(own[0], own[1])]
    if len(own) == 1:
        return [(own[0], column) for column in columns]
    return [(a, b) for k, a in enumerate(columns) for b in columns[k:]]


def _over_pairs(
    c: jax.Array, g: jax.Array, slope: jax.Array
) -> tuple[dict[tuple[int, int], jax.Array], dict[tuple[int, int], jax.Array], jax.Array]:
    """Integrate over the unit square where u = c + g t + slope s > 0, on its edge, and outside.

    That is t^k s^m 1(u > 0) and t^{k+1} s^m δ(u), each by (k, m), and t² 1(u ≤ 0).

    Shapes: c `[nodes, 1, F, N]`, g `[1, firsts, F, N]`, slope `[1, 1, F, N]`; the first has
    `[nodes, firsts, F, N]`; the others, for the output's own t alone, which is the first of the
    firsts and has g ≥ 0, have `[nodes, F, N]`.
    """
    inverse_slope = 1 / _away_from_zero(slope)
    inverse = 1 / _away_from_zero(g)
    zero, one = -c * inverse_slope, -(c + g) * inverse_slope  # s where t* = 0, t* = 1
    low = jnp.clip(jnp.minimum(zero, one), 0, 1)
    high = jnp.clip(jnp.maximum(zero, one), 0, 1)
    rising = slope >= 0
    start, stop = jnp.where(rising, high, 0), jnp.where(rising, 1, low)  # t is all of [0, 1]
    over, at = {}, {}
    lengths = [(stop ** (k + 1) - start ** (k + 1)) / (k + 1) for k in range(3)]
    half = (high - low) / 2
    nodes = [low + 2 * node * half for node in _GAUSS_2]
    roots = [jnp.clip(-(c + slope * s) * inverse, 0, 1) for s in nodes]
    above = [_powers_above(root, g >= 0) for root in roots]
    edge = half[:, 0] * jnp.minimum(jnp.abs(inverse[:, 0]), SHARPEST)
    for k, m in _ORDERS:
        middle = sum(up[k] * s**m for up, s in zip(above, nodes, strict=True))
        over[k, m] = half * middle + lengths[m] / (k + 1)
        on_edge = [r[:, 0] ** (k + 1) * s[:, 0] ** m for r, s in zip(roots, nodes, strict=True)]
        at[k, m] = edge * sum(on_edge)
    below = half[:, 0] * sum(r[:, 0] ** 3 for r in roots) / 3
    nowhere = 1 - lengths[0][:, 0] - 2 * half[:, 0]  # of s, where t is cut on all of [0, 1]
    return over, at, below + jnp.maximum(nowhere, 0) / 3


def _powers_above(root: jax.Array, rising: jax.Array) -> list[jax.Array]:
    """Integrate t^k, k = 0, 1, 2, from the root to 1, or from 0 to it where g falls."""
    upto = (root, root**2 / 2, root**3 / 3)
    return [jnp.where(rising, 1 / (k + 1) - part, part) for k, part in enumerate(upto)]


def _away_from_zero(g: jax.Array) -> jax.Array:
    """Return g, or ±LEAST_SLOPE where it is smaller; 0 counts as positive."""
    return jnp.where(jnp.abs(g) < LEAST_SLOPE, jnp.where(g < 0, -LEAST_SLOPE, LEAST_SLOPE), g)


def _exclusive_products(q: jax.Array) -> jax.Array:
    """Return the products of the first 0, 1, …, F entries, `[F + 1, …]`."""
    return jnp.stack([reduce(jnp.multiply, q[:k], jnp.ones_like(q[0])) for k in range(len(q) + 1)])


def _products_of_others(q: jax.Array) -> jax.Array:
    """Return at each place of the first axis the product of all other entries."""
    n = q.shape[0]
    others = [[q[j] for j in range(n) if j != k] for k in range(n)]
    return jnp.stack([reduce(jnp.multiply, each, jnp.ones_like(q[0])) for each in others])


def _rest_weights(p: jax.Array, n_nodes: int) -> jax.Array:
    """Return the weight of each combination of `_rest`, `[nodes, F, N]`."""
    weights = np.polynomial.legendre.leggauss(n_nodes)[1] / 2
    total = jnp.ones((1, *p.shape[1:]), p.dtype)
    for each in p:
        axis = jnp.stack([1 - each, *(float(w) * each for w in weights)])
        total = (total[:, None] * axis[None]).reshape(-1, *p.shape[1:])
    return total


def _contract(table: np.ndarray, values: jax.Array) -> jax.Array:
    """Multiply a constant table `[rows, n]` by values `[n, …]`."""
    if table.shape == (1, 1):
        return values
    return jnp.tensordot(table, values, axes=1, precision=jax.lax.Precision.HIGHEST)


@cache
def _rest(n: int, n_nodes: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Return the values of n features at all combinations of nodes, and their products.

    The values are `[combinations, n]`; the tables hold by degree 0, 1, 2 the products of
    (1, x_1 … x_n), `[products, combinations]`, in the order of `_entries`.
    """
    nodes = (np.polynomial.legendre.leggauss(n_nodes)[0] + 1) / 2
    axis = np.array([0, *nodes])
    values = axis[
        np.indices((n_nodes + 1,) * n).reshape(n, (n_nodes + 1) ** n)
    ]  # [n, combinations]
    ones = np.ones((1, values.shape[1]))
    extended = np.concatenate([ones, values])
    squares = [a * b for k, a in enumerate(extended) for b in extended[k:]]
    tables = tuple(np.array(t, np.float32) for t in (ones, extended, squares))
    return values.T.astype(np.float32), tables
