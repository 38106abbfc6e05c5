"""Laws of sums of independent features, as characteristic functions at equal steps.

A feature of weight g is active with probability p and then contributes g x, x uniform on [0, 1].
A law is known by E[exp(2πikz)] at k = 1 … K; the law of a sum is a product.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Sum(NamedTuple):
    """The law of Σ_j g_j x_j over some features, split by how many of them are active.

    `one` and `more` are characteristic functions times probabilities.
    """

    none: jax.Array  # [], probability
    one: jax.Array  # [K], complex
    more: jax.Array  # [K], complex


def total(p: jax.Array, laws: jax.Array) -> Sum:
    """Add up features of density `p [n]`; `laws [n, K]` are those of the active ones."""
    q, active = 1 - p, p[:, None] * laws

    def add(so_far: Sum, feature: tuple[jax.Array, jax.Array]) -> tuple[Sum, None]:
        idle, law = feature
        more = so_far.more * (idle + law) + so_far.one * law
        return Sum(so_far.none * idle, so_far.one * idle + so_far.none * law, more), None

    nothing = jnp.zeros_like(laws[0])
    return jax.lax.scan(add, Sum(jnp.ones_like(p[0]), nothing, nothing), (q, active))[0]


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def uniform_law(g: jax.Array, terms: int) -> jax.Array:
    """Return E[exp(2πikgx)], x uniform on [0, 1], for k = 1 … terms: `[n] -> [n, K]`."""
    return _moment_laws(g, terms)[0]


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def weighted_law(g: jax.Array, terms: int) -> jax.Array:
    """Return E[x exp(2πikgx)], `[n] -> [n, K]`."""
    return _moment_laws(g, terms)[1]


@uniform_law.defjvp
def _uniform_law_jvp(terms: int, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (g,), (dg,) = primals, tangents
    return uniform_law(g, terms), _rate(terms) * weighted_law(g, terms) * dg[:, None]


@weighted_law.defjvp
def _weighted_law_jvp(terms: int, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (g,), (dg,) = primals, tangents
    return weighted_law(g, terms), _rate(terms) * _moment_laws(g, terms)[2] * dg[:, None]


def _rate(terms: int) -> jax.Array:
    return 2j * jnp.pi * jnp.arange(1, terms + 1)[None, :]


def _moment_laws(g: jax.Array, terms: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return E[x^m exp(2ihx)] for h = πkg and m = 0, 1, 2, around the centre of x, stably."""
    turn = turns(g, terms)
    h = jnp.pi * g[:, None] * jnp.arange(1, terms + 1, dtype=g.dtype)[None, :]
    near = jnp.abs(h) < 0.5
    square = jnp.where(near, h, 0.0) ** 2
    inverse = 1 / jnp.where(near, 1.0, h)
    sinc = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72)))
    sinc = jnp.where(near, sinc, turn.imag * inverse)
    ratio = (1 - square / 10 * (1 - square / 28 * (1 - square / 54))) / 6
    ratio = jnp.where(near, ratio, (sinc - turn.real) / 2 * inverse**2)  # (sinc − cos h) / 2h²
    odd = h * ratio
    return (
        turn * sinc,
        turn * jax.lax.complex(sinc / 2, odd),
        turn * jax.lax.complex(sinc / 2 - ratio, odd),
    )


def turns(halves: jax.Array, terms: int) -> jax.Array:
    """Return exp(πik·halves) for k = 1 … terms, `[n] -> [n, K]`, by products: sines cost more."""
    found = jnp.exp(1j * jnp.pi * halves)[:, None]
    while found.shape[1] < terms:
        found = jnp.concatenate([found, found * found[:, -1:]], axis=1)
    return found[:, :terms]
