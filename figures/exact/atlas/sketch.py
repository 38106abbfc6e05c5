"""Small pictures of W: the columns from one point, the extra feature a star.

Positions are shares of an axes' width and height, which are to be equal.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike, NDArray

from figures.kit import style
from toymodels.measures.arrangement import REPRESENTED, WEAK

SIZE = 0.046
"""The length of a unit vector."""

TILT = 0.42
"""How much of the depth of three dimensions is seen, as a share."""

# Dropped features lie in a row, so far below the lowest column and so far apart.
BELOW, APART = 0.5, 0.55


def draw_sketch(
    ax: Axes, W: NDArray, centre: ArrayLike, size: float = SIZE, *, star: bool = True
) -> None:
    """Draw the columns of `W [M, F]` around `centre`; dropped ones are hollow, below."""
    norm = np.linalg.norm(W, axis=0)
    centre = np.asarray(centre, float)
    places = centre[:, None] + size * tips(W)
    on: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False}
    lines = [(tuple(centre), tuple(places[:, i])) for i in np.flatnonzero(norm > WEAK)]
    ax.add_collection(LineCollection(lines, colors=style.INK, lw=1.1, zorder=5, **on))
    for i, place in enumerate(places.T):
        ax.plot(*place, **_marker(float(norm[i]), star and i == W.shape[1] - 1), **on)


def tips(W: NDArray) -> NDArray[np.float64]:
    """Return where the features of `W [M, F]` are drawn around the centre, `[2, F]`."""
    places = flatten(W)
    gone = np.flatnonzero(np.linalg.norm(W, axis=0) <= WEAK)
    row = np.arange(len(gone)) - (len(gone) - 1) / 2
    lowest = places[1].min(initial=0.0)
    places[:, gone] = APART * row, np.full(len(gone), lowest - BELOW)
    return places


def _marker(norm: float, special: bool) -> dict[str, Any]:
    """Return the look of a feature: hollow where dropped, smaller where weak."""
    there = norm > WEAK
    return {
        "marker": "*" if special else "o",
        "ms": (9 if special else 4.2) * (0.75 if there and norm <= REPRESENTED else 1),
        "mfc": style.INK if there else "white",
        "mec": style.INK if not there or not special else "white",
        "mew": 0.4 if there else 0.7,
        "zorder": 7 if special else 6,
    }


def flatten(W: NDArray) -> NDArray[np.float64]:
    """Return the columns `[2, F]` in the plane of the drawing, by Gram and Schmidt.

    The extra feature, or else the longest, is upright (to the right where M = 1); three
    dimensions are seen obliquely.
    """
    M, F = W.shape
    rest, axes = np.concatenate([W, 1e-6 * np.eye(M)], axis=1), []
    for _ in range(M):
        size = np.linalg.norm(rest, axis=0)
        chosen = F - 1 if not axes and size[F - 1] > REPRESENTED else int(np.argmax(size.round(3)))
        axes.append(rest[:, chosen] / size[chosen])
        rest = rest - np.outer(axes[-1], axes[-1] @ rest)
    x = np.array(axes) @ W
    if M == 1:
        return np.stack([x[0], 0 * x[0]])
    if M == 2:
        return np.stack([x[1], x[0]])
    turned = (x[1] + 1j * x[2]) * np.exp(1j * np.pi / 3)
    return np.stack([turned.real, x[0] - TILT * turned.imag])
