"""Polytopes in three dimensions, seen from one point; what lies behind is pale and dotted."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from figures.kit import style
from figures.toy_models.polytopes_ideals import Arrangement

AZIMUTH, ELEVATION = np.deg2rad(-15.0), np.deg2rad(17.0)
APART = 3.0  # of the exact and the trained one
FACTORS = tuple(color for color, _ in style.SERIES)


def eye() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the two directions of the picture `[2, 3]`, and the one to the eye `[3]`."""
    cos, sin = np.cos(AZIMUTH), np.sin(AZIMUTH)
    towards = np.array([cos * np.cos(ELEVATION), sin * np.cos(ELEVATION), np.sin(ELEVATION)])
    right = np.array([-sin, cos, 0.0])
    return np.stack([right, np.cross(towards, right)]), towards


def edges_of(W: NDArray) -> tuple[list[tuple[int, int]], list[tuple[int, int]], NDArray]:
    """Return the visible edges of the hull of `W [3, F]`, the hidden ones, and visible faces.

    Faces are rows of three corners.
    """
    try:
        hull = ConvexHull(W.T)
    except (QhullError, ValueError):  # flat, or not finite
        return [], [], np.zeros((0, 3), int)
    front = hull.equations[:, :3] @ eye()[1] > 0
    seen, hidden = set(), set()
    for face, visible in zip(hull.simplices, front, strict=True):
        for i in range(3):
            edge = tuple(sorted((int(face[i]), int(face[i - 1]))))
            (seen if visible else hidden).add(edge)
    return sorted(seen), sorted(hidden - seen), hull.simplices[front]


def draw_solid(ax: Axes, W: NDArray, factor_of: NDArray, labels: list[str], at: float) -> None:
    """Draw the hull of `W [3, F]` around (at, 0), its corners coloured by factor and labelled."""
    screen, _ = eye()
    flat = (screen @ W).T + np.array([at, 0])  # [F, 2]
    seen, hidden, faces = edges_of(W)
    ax.add_collection(PolyCollection(list(flat[faces]), fc=style.AREAS[0], ec="none", alpha=0.55))
    looks: list[tuple[Any, dict[str, Any]]] = [
        (hidden, {"colors": style.NULL, "lw": 1, "ls": ":", "zorder": 1}),
        (seen, {"colors": style.INK, "lw": 1.6, "zorder": 3}),
    ]
    for edges, look in looks:
        ax.add_collection(LineCollection([flat[list(edge)] for edge in edges], **look))
    for i, (x, y) in enumerate(flat):
        color, behind = FACTORS[factor_of[i] % len(FACTORS)], not any(i in e for e in seen)
        ax.plot(x, y, "o", color=color, ms=8, zorder=2 if behind else 5, alpha=0.6 if behind else 1)
        outwards = flat[i] - [at, 0]
        outwards = outwards / max(float(np.linalg.norm(outwards)), 0.35)
        place = flat[i] + outwards * [0.34, 0.24] + [0.0, 0.0 if abs(outwards[1]) > 0.5 else 0.06]
        box: dict[str, Any] = {"facecolor": style.HALO, "edgecolor": "none", "pad": 0.5}
        font: dict[str, Any] = {"fontsize": 9, "color": color, "bbox": box, "zorder": 6}
        font |= {"ha": "center", "va": "center", "fontweight": "bold"}
        ax.text(place[0], place[1], labels[i], **font)


def draw_solids(ax: Axes, one: xr.Dataset, arrangement: Arrangement) -> None:
    """F18: the exact polytope and, right of it, the trained one; corners say their D_i."""
    F, _ = arrangement.size
    fractions = [f"{f.n_dimensions}/{f.n_corners}" for f in arrangement.factors]
    labels = [fractions[k] for k in arrangement.factor_of]
    draw_solid(ax, arrangement.corners, arrangement.factor_of, labels, 0)
    trained = one["W_trained"].values[:, :F]
    if np.isfinite(trained).all():
        told = [f"{D:.2f}" for D in one["D_trained"].values[:F]]
        longest = np.linalg.norm(trained, axis=0).max()
        draw_solid(ax, trained / longest, arrangement.factor_of, told, APART)
        under = f"trained, density {float(one['density']):g}"
    else:
        under = "formed by no seed"
    for x, text in ((0.0, "exact"), (APART, under)):
        ax.text(x, -1.5, text, ha="center", fontsize=9)
    ax.set(xlim=(-1.4, APART + 1.4), ylim=(-1.55, 1.3), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(f"F18  {arrangement.name}", fontsize=10.5, fontweight="bold")
