"""Trains a block on several devices of one process, each with an equal share of seeds × cells.

The arrays of a block are split over a two-dimensional mesh of devices, along seeds and along cells.
Models do not depend on each other, so the devices exchange nothing. The two axes of the mesh come
first, and one device's computation is mapped over them: a loop over groups of models along an axis
that is itself split would make XLA move models between devices. Each device draws the random
numbers of its own seeds.

Only training is spread. The other kinds of work stay on one device: they go cell by cell and run
largely on the host.
"""

from collections.abc import Callable
from functools import cache, partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from sweeps.plan import Layout

SEEDS, CELLS = "seeds", "cells"  # the axes of a mesh


def spread(n_seeds: int, n_cells: int, n_devices: int) -> tuple[int, int]:
    """Return how many devices to split the seeds and the cells of a block over.

    This minimises the models on each device, then the seeds on each device (which draws random
    numbers for every seed it has), then the number of devices: where more of them would not make
    the shares smaller, the rest stay idle.
    """

    def share(devices: tuple[int, int]) -> tuple[int, int, int]:
        seeds, cells = -(-n_seeds // devices[0]), -(-n_cells // devices[1])
        return seeds * cells, seeds, devices[0] * devices[1]

    both = product(range(1, min(n_seeds, n_devices) + 1), range(1, min(n_cells, n_devices) + 1))
    return min((d for d in both if d[0] * d[1] <= n_devices), key=share)


@cache
def mesh_of(devices: tuple[int, int]) -> Mesh | None:
    """Return a mesh with so many devices along seeds and cells; None to use a single device.

    That is also the case when a run that began on several devices is resumed with fewer.
    """
    n, own = devices[0] * devices[1], jax.local_devices()
    if n == 1 or n > len(own):
        return None
    automatic = (AxisType.Auto, AxisType.Auto)
    return Mesh(np.array(own[:n]).reshape(devices), (SEEDS, CELLS), axis_types=automatic)


def placed(tree: Any, layout: Layout, *axes: str) -> Any:
    """Put arrays on the devices of a layout, their first axes split along the named mesh axes."""
    mesh = mesh_of(layout.devices)
    return tree if mesh is None else jax.device_put(tree, NamedSharding(mesh, PartitionSpec(*axes)))


def over_devices(
    share: Callable[[Any, Any, Any], Any],
    devices: tuple[int, int],
    per_cell: Any,
    per_model: Any,
    per_seed: Any,
) -> Any:
    """Apply `share` to each device's share of a block; a single device takes them in turn.

    Args:
        share: takes leaves `[c, …]`, `[s, c, …]` and `[s, …]`, and returns `[s, c, …]`.
        devices: how many along seeds and along cells; S and C are multiples of these.
        per_cell: leaves `[C, …]`.
        per_model: leaves `[S, C, …]`.
        per_seed: leaves `[S, …]`.
    """
    mesh = mesh_of(devices)
    each = jax.lax.map if mesh is None else _at_once
    cells = _on(mesh, jax.tree.map(partial(_split, n=devices[1]), per_cell), CELLS)
    seeds = _on(mesh, jax.tree.map(partial(_split, n=devices[0]), per_seed), SEEDS)
    models = _on(mesh, jax.tree.map(partial(_split_both, devices=devices), per_model), SEEDS, CELLS)

    def row(of_row: tuple[Any, Any]) -> Any:
        models, seeds = of_row
        return each(lambda own: share(own[0], own[1], seeds), (cells, models))

    found = _on(mesh, each(row, (models, seeds)), SEEDS, CELLS)
    return _on(mesh, jax.tree.map(_joined, found), SEEDS, CELLS)


def _at_once(f: Callable, xs: Any) -> Any:
    return jax.vmap(f)(xs)


def _on(mesh: Mesh | None, tree: Any, *axes: str) -> Any:
    """Tell XLA how the leaves of a tree are split, so that it need not guess."""
    if mesh is None:
        return tree
    return jax.lax.with_sharding_constraint(tree, NamedSharding(mesh, PartitionSpec(*axes)))


def _split(leaf: Any, n: int) -> Any:
    return leaf.reshape(n, leaf.shape[0] // n, *leaf.shape[1:])


def _split_both(leaf: Any, devices: tuple[int, int]) -> Any:
    """Return `[S, C, …]` as `[seeds of the mesh, cells of the mesh, s, c, …]`."""
    n, m = devices
    s, c = leaf.shape[0] // n, leaf.shape[1] // m
    return jnp.moveaxis(leaf.reshape(n, s, m, c, *leaf.shape[2:]), 2, 1)


def _joined(leaf: Any) -> Any:
    """Undo `_split_both`."""
    n, m, s, c, *rest = leaf.shape
    return jnp.moveaxis(leaf, 1, 2).reshape(n * s, m * c, *rest)
