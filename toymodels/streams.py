"""Where randomness comes from: one key for each run, and under it one stream for each purpose.

A run is one seed under one root. Folding the seed into the root's key, rather than adding the two,
gives another root other runs: none of them is a run of the first.
"""

from enum import IntEnum
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class Stream(IntEnum):
    """The purposes that randomness serves; each number stands for one of them, everywhere."""

    SHUFFLE = 1  # circuits: which neurons serve which circuit, in each layer
    ANGLES = 2  # circuits: what they rotate by
    EXAMPLES = 3  # circuits: which are active, in what states
    FRAMES = 4  # circuits: random embeddings
    WIRES = 5  # universal AND: which neurons a feature is wired to
    DIRECTIONS = 6  # universal AND: the features' directions
    ASSIGNMENT = 7  # circuits: a design that is itself drawn
    CONNECTIONS = 8  # circuits: which lead to which
    WEIGHTS = 9  # circuits of one number: their weights
    GATES = 10  # circuits: which a gate lets through
    DATA = 11  # training data
    INIT = 12  # first weights
    RANKING = 13  # evaluation by which runs are ranked; shared by all runs
    REPORT = 14  # evaluation that is reported; shared by all runs
    MEASURE = 15  # what a measure draws; shared by all runs


def run_key(seed: Any, root: int = 0) -> jax.Array:
    """Return the key of one run, `seed` folded into the root's key."""
    return jax.random.fold_in(jax.random.key(root), seed)


def stream(seed: Any, purpose: int, root: int = 0) -> jax.Array:
    """Return the key of one purpose of a run."""
    return jax.random.fold_in(run_key(seed, root), purpose)


def draw_uniforms(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Draw float32 numbers, uniform on [0, 1), of 31 random bits each.

    `jax.random.uniform` keeps 23 bits of its 32. Small numbers have more levels here, which is
    what `u < p` and `u / p` need at small p; the cost is the same.
    """
    bits = jax.random.bits(key, shape, jnp.uint32) >> 1
    return bits.astype(jnp.int32).astype(jnp.float32) * _TO_UNIT


# 2⁻³¹, less by one unit in the last place: the largest product is below 1.
_TO_UNIT = np.float32(2.0**-31 * (1 - 2.0**-24))
