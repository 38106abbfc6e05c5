"""The graphs of features that interact, for the figure `geometry`.

A node is a represented feature, an edge |W_i·W_j| of two features of a group. Each group is drawn
as a ring, its features in the order of their two main directions, so that a pentagon is one; groups
of a kind stand together, under its name. What has no polytope's dimensionality stands last, joined
where cosines exceed 0.3: pairs that lie opposite each other and yet touch others, for example.
"""

from collections import Counter
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from scipy.sparse.csgraph import connected_components

from figures.kit import style
from toymodels.measures.polytopes import UNNAMED as NO_NAME
from toymodels.measures.polytopes import components
from toymodels.theory.shapes import DEDICATED, SOLIDS, Shape, polygon, simplex

# The ideals that groups are compared with, by name, as in `toymodels.measures.polytopes.ideals`.
SHAPES: dict[str, Shape] = {
    shape.name: shape
    for shape in (
        *(simplex(n) for n in (5, 4, 3, 2)),
        *(polygon(n) for n in range(5, 13)),
        *SOLIDS,
    )
}
ALONE, UNNAMED = DEDICATED, NO_NAME
NAMES = (*SHAPES, ALONE, UNNAMED)

# A group is its nearest polytope only if the mean of D_i is as near as this to the ideal's.
NEAR = 0.03
LINK = 0.3  # what is no polytope is joined where a cosine is larger
FAINT = 0.08  # a scalar product up to this is no edge
COLORED = ("digon", "tetrahedron", "triangle", "pentagon", "square antiprism", "5-cell")


def color_of(name: str) -> Any:
    """Return the colour of a kind of group."""
    if name in COLORED:
        return style.series(COLORED.index(name))["color"]
    return style.NOTE if name in (ALONE, UNNAMED) else style.INK


def find_polytopes(W: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the groups of features of many models.

    Args:
        W: weights, `[P, S, M, F]`.
        lost: models that are left out, `[P, S]`.

    Returns:
        The number of each feature's group `[P, S, F]` and its kind, an index of `NAMES`, both -1
        where a feature is not represented; and how many groups there are of each kind `[P, S, K]`.
    """
    group = np.full((*W.shape[:2], W.shape[-1]), -1)
    kind, counts = group.copy(), np.zeros((*W.shape[:2], len(NAMES)), int)
    for at in zip(*np.nonzero(~lost & np.isfinite(W).all((2, 3))), strict=True):
        for i, (members, name) in enumerate(groups_of(W[at])):
            k = NAMES.index(name)
            group[at][members], kind[at][members] = i, k
            counts[at][k] += 1
    return group, kind, counts


def groups_of(W: np.ndarray) -> list[tuple[list[int], str]]:
    """Return the groups of one model's features, and their names.

    A group that `components` names is its polytope if the mean of D_i is that of the ideal; what is
    left is joined where features interact.
    """
    named = [(list(c.features), _name(W, list(c.features), c.name)) for c in components(W)]
    left = np.array([i for members, name in named if name == UNNAMED for i in members], int)
    directions = W[:, left] / np.linalg.norm(W[:, left], axis=0)
    links = np.abs(directions.T @ directions) > LINK
    n, labels = connected_components(links, directed=False) if left.size else (0, left)
    joined = [(left[labels == k].tolist(), UNNAMED) for k in range(n)]
    return [(members, name) for members, name in named if name != UNNAMED] + joined


def _name(W: np.ndarray, members: list[int], name: str) -> str:
    """Return a group's name if the dimensionality of its features is that of the ideal."""
    if name not in SHAPES:
        return name
    own = W[:, members]
    lengths = np.linalg.norm(own, axis=0)
    overlap = (own / lengths).T @ W
    found = np.mean(lengths**2 / np.sum(overlap**2, axis=1))
    return name if abs(found - SHAPES[name].dimensionality) <= NEAR else UNNAMED


def draw_graph(ax: Axes, cell: xr.Dataset | None) -> None:
    """Draw the groups of one model, the kinds below each other; nothing where all diverged."""
    ax.set(xticks=[], yticks=[], aspect="equal", anchor="N")
    ax.spines[:].set_visible(False)
    if cell is None or not (cell["shape"].values >= 0).any():
        said = (
            "all runs diverged" if cell is None else "no feature is represented\n(all ‖Wᵢ‖ ≤ 0.5)"
        )
        ax.text(0.5, 0.8, said, ha="center", color=style.NOTE, transform=ax.transAxes)
        return
    W = cell["W"].transpose("hidden", "feature").values
    shapes, groups = cell["shape"].values, cell["component"].values
    top = 0.0
    for k, name in enumerate(NAMES):
        rings = [np.flatnonzero(groups == g) for g in np.unique(groups[shapes == k])]
        if rings:
            label = f"{len(rings)} × {name}" if name != UNNAMED else _of_no_name(rings)
            ax.text(0, top, label, color=color_of(name), fontsize=8, va="top")
            top = _draw_kind(ax, W, rings, top - LINE, color_of(name)) - GAP
    ax.set(xlim=(-0.3, WIDE + 0.3), ylim=(min(top, -0.8 * WIDE), 0.3))


WIDE, LINE, GAP = 6.6, 0.45, 0.2  # of a graph's panel, of a line of text, and between kinds


def _of_no_name(rings: list[np.ndarray]) -> str:
    """Say how many groups of what size have no ideal's dimensionality."""
    sizes = sorted(Counter(map(len, rings)).items(), reverse=True)
    said = ", ".join(f"{n} × {size}" for size, n in sizes[:3])
    return f"Dᵢ not ideal: {said}{', …' if len(sizes) > 3 else ''} features"


def radius(n: int) -> float:
    """Return the radius of a ring of n features."""
    return 0.05 if n == 1 else min(0.2 + 0.05 * n, 0.35 * WIDE)


def _draw_kind(ax: Axes, W: np.ndarray, rings: list[np.ndarray], top: float, color: Any) -> float:
    """Draw groups in rows from left to right, and return where the last row ends."""
    x, row = 0.0, 0.0
    for ring in sorted(rings, key=len, reverse=True):
        r = radius(len(ring)) + 0.12
        if x > 0 and x + 2 * r > WIDE:
            x, top, row = 0.0, top - row, 0.0
        _draw_ring(ax, W[:, ring], (x + r, top - r), color)
        x, row = x + 2 * r, max(row, 2 * r)
    return top - row


def _draw_ring(ax: Axes, W: np.ndarray, centre: tuple[float, float], color: Any) -> None:
    """Draw one group, columns W `[M, n]`, around a centre."""
    n = W.shape[1]
    at = np.array(centre) + radius(n) * ring_of(W) * (n > 1)
    one, two = np.triu_indices(n, 1)
    strength = np.abs((W.T @ W)[one, two])
    kept = strength > FAINT
    lines = np.stack([at[one[kept]], at[two[kept]]], axis=1)
    alpha = np.clip(strength[kept], 0, 1)
    if len(lines):
        ax.add_collection(LineCollection(list(lines), colors=color, alpha=alpha, lw=0.9, zorder=1))
    ax.scatter(*at.T, s=5 if n < 20 else 2, color=color, lw=0, zorder=2)


def ring_of(W: np.ndarray) -> np.ndarray:
    """Return places on a circle `[n, 2]` for columns W `[M, n]`, in the order of their angles.

    The angle is that of a column's projection on the two main directions of them all.
    """
    n = W.shape[1]
    main = np.linalg.svd(W, full_matrices=False)[2][:2]
    main = np.vstack([main, np.zeros((2 - len(main), n))])
    order = np.argsort(np.arctan2(main[1], main[0]), kind="stable")
    turn = np.empty(n)
    turn[order] = np.pi / 2 - 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)
