"""Half-trained blocks: what training goes on from, and in how long pieces it goes.

A state that is kept and read again is the same, bit for bit, and one program takes pieces of any
length, so where a block was interrupted changes none of its numbers.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

# Steps of a first piece, which may be slow: after that, pieces take some seconds, so that Ctrl-C,
# the progress and checkpoints do not wait for longer.
FIRST_PIECE = 25
SECONDS_OF_A_PIECE = 10.0


class Half(NamedTuple):
    """A block between two steps, with leading axes `[S, C]`."""

    state: Any  # toymodels.training.TrainState
    step: int  # how many were taken
    curve: list[Any]  # losses [S, C] at the ends of chunks so far
    snapshots: dict[int, Any]  # step -> model


def next_piece(n_steps: int, seconds: float) -> int:
    """Return how many steps to take at most, after so many took so long."""
    if seconds > SECONDS_OF_A_PIECE:
        return max(1, n_steps // 2)
    return 2 * n_steps if seconds < SECONDS_OF_A_PIECE / 4 else n_steps


def arrays_of(half: Half) -> dict[str, np.ndarray]:
    """Return a half as arrays that a file can keep."""
    trees = {"state": half.state} | {f"snapshot/{t}": m for t, m in half.snapshots.items()}
    arrays = {"step": np.array(half.step), "snapshots": np.array([*half.snapshots], int)}
    arrays |= {f"curve/{i}": np.asarray(losses) for i, losses in enumerate(half.curve)}
    for name, tree in trees.items():
        for i, leaf in enumerate(jax.tree.leaves(tree)):
            arrays[f"{name}/{i}"] = np.asarray(leaf)
    return arrays


def half_from(kept: dict[str, np.ndarray], first: Half) -> Half:
    """Return what `arrays_of` was given, or `first` where nothing is kept.

    Args:
        kept: the arrays.
        first: the block before its first step, which says what is an array where.
    """
    if not kept:
        return first

    def tree(name: str, like: Any) -> Any:
        leaves, structure = jax.tree.flatten(like)
        arrays = [_where(leaf, kept[f"{name}/{i}"]) for i, leaf in enumerate(leaves)]
        return jax.tree.unflatten(structure, arrays)

    n_curve = sum(name.startswith("curve/") for name in kept)
    return Half(
        state=tree("state", first.state),
        step=int(kept["step"]),
        curve=[jnp.array(kept[f"curve/{i}"]) for i in range(n_curve)],
        snapshots={t: tree(f"snapshot/{t}", first.state.model) for t in kept["snapshots"].tolist()},
    )


def _where(leaf: jax.Array, kept: np.ndarray) -> jax.Array:
    """Return the values that were kept for a leaf, on the same devices as the leaf."""
    array = jnp.array(kept.view(leaf.dtype))
    return jax.device_put(array, leaf.sharding) if len(leaf.devices()) > 1 else array
