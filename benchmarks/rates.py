"""What the machine could do: its matrix rate, its memory's rate, and the five products alone.

A training step of one model holds five products of 2·B·n·m operations each: `W X`, `Wᵀ h`, and
in the backward pass the gradient of `h` and the two of `W`.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.ours import Row
from sweeps.plan import Layout
from sweeps.work.engine import over_models
from toymodels.precision import product

BYTES = 4  # of a float32


def median_seconds(f: Callable[[], Any], repetitions: int = 9) -> float:
    """Return the median time of `f`, which returns arrays, after a first call."""
    times = []
    for _ in range(repetitions + 1):
        before = time.perf_counter()
        jax.block_until_ready(f())
        times.append(time.perf_counter() - before)
    return float(np.median(times[1:]))


def matrix_rate(size: int = 2048) -> float:
    """Return the operations per second of a large product in full float32, as in training."""
    a = jax.random.normal(jax.random.key(0), (size, size))
    whole = jax.jit(product)
    return 2 * size**3 / median_seconds(lambda: whole(a, a))


def memory_rate(size: int = 2**26) -> float:
    """Return the bytes per second of reading and writing a large array."""
    a = jnp.zeros(size)
    add = jax.jit(lambda a: a + 1)
    return 2 * BYTES * size / median_seconds(lambda: add(a))


def operations(row: Row) -> int:
    """Count the operations of the five products of all models in one step."""
    return 10 * row.batch_size * row.n_features * row.n_hidden * row.models


def bytes_moved(row: Row) -> int:
    """Count the bytes of one step that cannot be avoided when every array on the way fits on chip.

    Each seed's uniforms once; weights, bias and two moments of each read and written.
    """
    uniforms = row.seeds * row.n_features * row.batch_size
    weights = row.models * (row.n_features * row.n_hidden + row.n_features)
    return BYTES * (uniforms + 6 * weights)


class Roofline(NamedTuple):
    """The least time of a step, counted."""

    operations: int
    bytes: int
    seconds: float


def roofline(row: Row, operations_per_s: float, bytes_per_s: float) -> Roofline:
    """Return the counts of a step and the longer of the two times that they take."""
    ops, moved = operations(row), bytes_moved(row)
    return Roofline(ops, moved, max(ops / operations_per_s, moved / bytes_per_s))


@partial(jax.jit, static_argnames="layout")
def five_products(W: jax.Array, X: jax.Array, n: int, *, layout: Layout) -> jax.Array:
    """Do the five products n times: `W [S, C, M, F]`, `X [S, F, B]`, in the engine's layout.

    The output stands in for the error: nothing but products is left. The weights move by next
    to nothing, so that no pass of the loop can be left out. The batch is one for all cells,
    which can only make the products quicker than those of a step, where each cell has its own.
    """

    def one(_: Any, W: jax.Array, X: jax.Array) -> jax.Array:
        h = product(W, X)
        y = product(W.T, h)
        back = product(W, y)
        return W - 1e-12 * (product(h, y.T) + product(back, X.T))

    cells = jnp.zeros(W.shape[1])
    return jax.lax.fori_loop(0, n, lambda _, W: over_models(one, layout, cells, W, X), W)


class ProductsLoop:
    """The five products of a row; `steps(n)` does them n times and waits."""

    def __init__(self, row: Row, layout: Layout) -> None:
        """Draw weights and one batch for each seed."""
        key_w, key_x = jax.random.split(jax.random.key(0))
        shape = (row.seeds, row.cells, row.n_hidden, row.n_features)
        self.W = row.scale * jax.random.normal(key_w, shape)
        self.X = jax.random.uniform(key_x, (row.seeds, row.n_features, row.batch_size))
        self.layout = layout

    def steps(self, n: int) -> None:
        """Do the products n times."""
        jax.block_until_ready(five_products(self.W, self.X, n, layout=self.layout))
