"""Capacity: the most circuits T whose error stays below a level, and comparisons of designs in it.

Several numbers of circuits are run for each design; between two of them the logarithm of the error
is interpolated along that of T. A design is chosen among several on one half of the networks and
judged on the other half, and the halves then change places: the best of many on the same networks
would look better than it is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from figures.kit.crossing import first_above
from figures.kit.settings import require_at_least
from sweeps.stats import mean_over_seeds

SMALLEST = 1e-3  # errors are not told apart below it: zero where circuits share nothing
LARGEST = 1e30  # of a network that blew up


def check(plan: Any) -> None:
    """Refuse a level or layers that give no capacity.

    Raises:
        InputError: a setting out of range.
    """
    require_at_least("level", plan.settings["level"], SMALLEST)
    require_at_least("layers", min(plan.settings["layers"]), 1)
    for variant in plan.config.variants:
        require_at_least("n_layers", variant["n_layers"], max(plan.settings["layers"]))


def capacities(dataset: xr.Dataset, layers: Sequence[int], level: float) -> xr.Dataset:
    """Return `capacity` and `outside` over (condition, design, seed).

    A condition is a number of active circuits and a layer, both coordinates. `outside` is 1 where
    no number of circuits reaches the level and -1 where all are above it; the capacity is then the
    largest or the smallest of them.

    Args:
        dataset: `mse_x_active` over design, seed, layer and load, a zip of n_circuits and n_active.
        layers: at which the error counts.
        level: of the error.
    """
    error = dataset["mse_x_active"].transpose("load", "layer", "design", "seed")
    z, T = (dataset[n].broadcast_like(dataset["load"]).values for n in ("n_active", "n_circuits"))
    conditions = [(int(k), int(layer)) for k in np.unique(z) for layer in layers]
    found = [
        _crossings(T[z == k], error.sel(layer=layer).values[z == k], level)
        for k, layer in conditions
    ]
    over = ("condition", "design", "seed")
    return xr.Dataset(
        {
            "capacity": (over, np.array([c for c, _ in found], np.float32)),
            "outside": (over, np.array([o for _, o in found], np.int8)),
        },
        {
            "active": ("condition", [k for k, _ in conditions]),
            "at_layer": ("condition", [layer for _, layer in conditions]),
            "seed": dataset["seed"].values,
        },
    )


def _crossings(T: NDArray, error: NDArray, level: float) -> tuple[NDArray, NDArray]:
    """Return where errors `[T, …]` reach the level, and whether they do inside of the T given."""
    order = np.argsort(T)
    x = np.log(T[order])
    error = np.nan_to_num(error[order], nan=LARGEST, posinf=LARGEST)
    y = np.log(np.clip(error, SMALLEST, LARGEST))
    at = np.apply_along_axis(lambda of: first_above(x, of, np.log(level)), 0, y)
    outside = np.where(np.isnan(at), 1, np.where(y[0] > np.log(level), -1, 0))
    return np.exp(np.where(np.isnan(at), x[-1], at)), outside


def judged(capacity: NDArray, outside: NDArray | None = None) -> NDArray:
    """Return each network's log capacity in the design that is best for the other half, `[seeds]`.

    Args:
        capacity: `[designs, seeds]` of the designs to choose from.
        outside: as `capacities` gives it; the capacities that it marks are then unknown.

    Returns:
        NaN where the capacity is unknown, or there is no design or no other half.
    """
    log = np.log(np.asarray(capacity, float))
    known = log if outside is None else np.where(outside == 0, log, np.nan)
    n_designs, n_seeds = log.shape
    half = np.arange(n_seeds) % 2
    found = np.full(n_seeds, np.nan)
    if n_designs and n_seeds > 1:
        for k in (0, 1):
            best = int(np.argmax(log[:, half != k].mean(axis=1)))
            found[half == k] = known[best, half == k]
    return found


def over_seeds(values: Any) -> NDArray:
    """Return mean, low and high of `values […, seeds]`, a 95 % Student interval, `[…, 3]`.

    NaN where a seed is unknown: without it the rest would be a choice of networks.
    """
    values = np.asarray(values, float)
    dims = [*(f"of_{i}" for i in range(values.ndim - 1)), "seed"]
    unknown = np.isnan(values)
    given = {"v": (dims, values), "diverged": (dims, unknown.astype(np.int8))}
    found = mean_over_seeds(xr.Dataset(given), "v")
    ends = np.stack([found[name].values for name in ("average", "low", "high")], axis=-1)
    return np.where(unknown.any(axis=-1)[..., None], np.nan, ends)


def words_of(dataset: xr.Dataset, k: int) -> str:
    """Name a condition: how many circuits are active, and up to which layer."""
    return f"z = {int(dataset['active'][k])}, layer {int(dataset['at_layer'][k])}"


def factor(values: NDArray) -> str:
    """Write a ratio with its interval; `values [3]` are logarithms."""
    ratio, low, high = np.exp(values)
    if np.isnan(ratio):
        return "unknown"
    return f"{ratio:.2f}" + (f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else "")
