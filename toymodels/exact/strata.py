"""The expected loss split by k, the number of active features: k ≤ 1 in closed form, k ≥ 2 sampled.

For independent features, active with probability `p_active` and then uniform on [0, 1],

    L = P(k = 0) L₀ + Σ_j P(only j is active) L₁ⱼ + P(k ≥ 2) E[loss | k ≥ 2]

(Elhage et al. 2022, "Mathematical Understanding", group the loss in the same way). The first two
terms are one-dimensional integrals; only the last is sampled, from the law of x given k ≥ 2. The
estimate of the loss, and of its gradient, has no bias at any density. In sparse worlds, where
nearly all examples of a plain batch hold no feature or one, it has far less variance.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from toymodels.precision import TINY


class Strata(NamedTuple):
    """Probabilities of the strata, and of what is drawn in the last one."""

    none: jax.Array  # [], P(k = 0)
    one: jax.Array  # [F], P(i active and no other)
    several: jax.Array  # [], P(k >= 2)
    accompanied: jax.Array  # [F], P(some other than i active)
    first: jax.Array  # [F], P(i active | none before i, k >= 2)
    second: jax.Array  # [F], P(i active | one before i, k >= 2)


def strata(p_active: Any) -> Strata:
    """Split independent features of density `p_active [F]` by the number of active ones.

    Nothing cancels, and products are sums of logarithms (200 factors 1 - p, each rounded, are off
    by 1e-5): float32 keeps its relative accuracy at any density, 0 and 1 included.
    """
    p = jnp.asarray(p_active)
    log_q = jnp.log1p(-p)
    zero = jnp.zeros_like(log_q[:1])
    log_before = jnp.cumsum(jnp.append(zero, log_q[:-1]))
    log_after = jnp.cumsum(jnp.append(zero, log_q[:0:-1]))[::-1]
    none_before, any_before = jnp.exp(log_before), -jnp.expm1(log_before)
    any_after, any_from = -jnp.expm1(log_after), -jnp.expm1(log_after + log_q)
    two_from = _tails(p * any_after, log_q)  # [F], P(at least two active among i, i + 1, …)
    return Strata(
        none=jnp.exp(jnp.sum(log_q)),
        one=none_before * p * jnp.exp(log_after),
        several=two_from[0],
        accompanied=any_before + none_before * any_after,
        first=p * any_after / jnp.where(two_from > 0, two_from, 1.0),
        second=p / jnp.where(any_from > 0, any_from, 1.0),
    )


def _tails(a: jax.Array, log_q: jax.Array) -> jax.Array:
    """Return t with `t_i = a_i + q_i t_{i+1}` and 0 past the end, in log F steps."""

    def join(later: tuple, earlier: tuple) -> tuple:
        (a_later, log_later), (a_earlier, log_earlier) = later, earlier
        return a_earlier + jnp.exp(log_earlier) * a_later, log_earlier + log_later

    return jax.lax.associative_scan(join, (a, log_q), reverse=True)[0]


def closed_part(law: Strata, none: jax.Array, one: jax.Array) -> jax.Array:
    """Return `E[(y_i - x_i)²; k <= 1]`, `[F]`, from what `…_at_most_one` returns."""
    return law.none * none + jnp.sum(one * law.one[None, :], axis=1)


def linear_at_most_one(G: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return what `clipped_at_most_one` does, for `y = G x + b`, `G [F, F]`."""
    tilt = jnp.eye(b.size, dtype=G.dtype) - G
    return b**2, (tilt / 2 - b[:, None]) ** 2 + tilt**2 / 12


def clipped_at_most_one(G: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return `(y_i - x_i)²` where no feature is active, `[F]`, and its mean where only j is.

    The latter is `[F, F]`, outputs i by features j; for `y = ReLU(G x + b)`, `G [F, F]`.
    """
    start = jnp.broadcast_to(b[:, None], G.shape)
    return jax.nn.relu(b) ** 2, over_one(start, G, jnp.eye(b.size, dtype=G.dtype))


@jax.custom_jvp
def over_one(start: jax.Array, slope: jax.Array, own: jax.Array) -> jax.Array:
    """Return ∫₀¹ (own·v - ReLU(start + slope·v))² dv, elementwise; `own`, 0 or 1, is constant."""
    low, high = _where_positive(start, slope)
    mid, length, tilt = (low + high) / 2, high - low, own - slope
    passed = length * ((tilt * mid - start) ** 2 + (tilt * length) ** 2 / 12)
    return passed + own * (low**3 + (1 - high) * (1 + high + high**2)) / 3


@over_one.defjvp
def _over_one_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    """Differentiate under the integral: what is integrated is continuous where its bounds move."""
    start, slope, own = primals
    low, high = _where_positive(start, slope)
    mid, length, tilt = (low + high) / 2, high - low, own - slope
    by_start = -2 * length * (tilt * mid - start)
    by_slope = by_start * mid - tilt * length**3 / 6
    return over_one(*primals), by_start * tangents[0] + by_slope * tangents[1]


def _where_positive(start: jax.Array, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the bounds of {v in [0, 1]: start + slope·v > 0}; a constant 0 is not positive."""
    flat = jnp.abs(slope) < TINY
    root = jnp.clip(-start / jnp.where(flat, 1.0, slope), 0, 1)
    low = jnp.where(slope > 0, root, 0.0)
    high = jnp.where(slope > 0, 1.0, root)
    return jnp.where(flat, 0.0, low), jnp.where(flat, jnp.where(start > 0, 1.0, 0.0), high)
