"""Where the optimum leaves its sparse phase, finer than the cells of a map."""

from collections.abc import Callable

import jax
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from figures.phase_problems import Problem
from toymodels.exact import crossing, solve
from toymodels.geometry import feature_norms, superposition

HALVINGS = 8  # of the step between two cells
Label = Callable[[Problem, xr.Dataset], xr.DataArray]


def trace_boundary(problem: Problem, label: Label, labels: xr.DataArray) -> NDArray[np.float64]:
    """Return for each importance the density at which the optimum leaves its sparse phase, `[R]`.

    The change between two cells is halved in the logarithm by solving in between; NaN where the
    column has one phase.
    """
    r, p = labels["relative_importance"].values, labels["p_active"].values
    sparse = labels.values[:, :1]
    leaves = labels.values != sparse
    first = np.argmax(leaves, axis=1)
    low, high = p[np.maximum(first - 1, 0)], p[first]

    def changed(density: NDArray) -> NDArray:
        cells = xr.Dataset(coords={"relative_importance": r})
        columns = density[:, None] * np.ones(problem.n_features)
        importance = np.ones_like(columns)
        importance[:, -1] = r
        found = solve(columns, importance, problem.n_features - 1)
        return label(problem, _measured(found.W, cells)).values != sparse[:, 0]

    found = crossing(lambda density: np.where(changed(density), 1.0, -1.0), low, high, HALVINGS)
    return np.where(leaves.any(axis=1), found, np.nan)


def _measured(W: NDArray, cells: xr.Dataset) -> xr.Dataset:
    """Return the invariants of `W [R, M, F]` that a label needs."""
    dims = ("relative_importance", "feature")
    norm, shared = jax.vmap(feature_norms)(W), jax.vmap(superposition)(W)
    return cells.assign(norm=(dims, np.asarray(norm)), superposition=(dims, np.asarray(shared)))
