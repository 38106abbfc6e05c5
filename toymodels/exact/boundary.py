"""Where the optimum of a phase diagram leaves its sparse phase, finer than the cells of its map.

F features in F - 1 dimensions; the last has importance `relative_importance`, all others 1, and
every feature is active with probability `p_active`.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from toymodels.checks import checked_density, checked_importance, count
from toymodels.errors import InputError
from toymodels.exact.branches import crossing
from toymodels.exact.solver import solve

HALVINGS = 8  # of the step between two cells


def trace_boundary(
    labels: npt.NDArray,
    p_active: npt.NDArray,
    relative_importance: npt.NDArray,
    n_features: int,
    label: Callable[[npt.NDArray], npt.NDArray],
    on_cells: Callable[[int], None] = lambda n: None,
) -> npt.NDArray[np.float64]:
    """Find for each importance the density at which the optimum leaves its sparse phase.

    The change between two cells is halved in the logarithm by solving in between.

    Args:
        labels: of the optima of a map, `[R, P]`.
        p_active: densities of its cells, `[P]`, rising.
        relative_importance: importances of its cells, `[R]`.
        n_features: F.
        label: names optima `W [R, M, F]`, one for each importance, as `labels` does.
        on_cells: called with a number of cells when they are solved, of R (HALVINGS + 2) in all.

    Returns:
        The densities `[R]`, NaN where all cells of an importance have one label.

    Raises:
        InputError: labels of another shape, densities that do not rise, or one or an importance
            out of range.
    """
    p, r = checked_density(p_active), checked_importance(relative_importance)
    labels, n_features = np.asarray(labels), count("n_features", n_features, 2)
    if p.ndim != 1 or not np.all(np.diff(p) > 0):
        raise InputError(f"p_active must be densities [P] that rise, got shape {p.shape}.")
    if labels.shape != (len(r), len(p)):
        raise InputError(
            f"labels have shape {labels.shape}, but the map has {len(r)} importances and {len(p)} "
            "densities: give labels as [relative_importance, p_active]."
        )
    sparse = labels[:, 0]
    leaves = labels != sparse[:, None]
    first = np.argmax(leaves, axis=1)
    low, high = p[np.maximum(first - 1, 0)], p[first]
    importance = np.ones((len(r), n_features))
    importance[:, -1] = r

    def changed(density: npt.NDArray) -> npt.NDArray[np.float64]:
        """Return 1 where the optimum at these densities has left the sparse phase, else -1."""
        columns = np.repeat(density[:, None], n_features, axis=1)
        found = solve(columns, importance, n_features - 1, on_cells=on_cells)
        return np.where(label(found.W) != sparse, 1.0, -1.0)

    found = crossing(changed, low, high, HALVINGS)
    return np.where(leaves.any(axis=1), found, np.nan)
