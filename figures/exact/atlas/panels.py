"""The maps of the atlas: flat colours by shape, and a sketch of W inside each region.

Positions inside a panel are shares of its width and height, which are equal.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from figures.exact.atlas.regions import boundaries, cell_at, kinds
from figures.exact.atlas.sketch import draw_sketch
from figures.kit import style
from figures.kit.phases import GRID, draw_phase_map, edges
from toymodels.measures.polytopes import DEDICATED, UNNAMED, ideals
from toymodels.theory import regular_polygon

# By shape.
SHAPES = (DEDICATED, "digon", "square", "triangle", "tetrahedron", "pentagon", UNNAMED)
COLORS: dict[str, str] = dict(zip(SHAPES, (*style.AREAS, "white"), strict=True))
WORDS = {DEDICATED: "each dedicated", "square": "two digons (a square)"}
CORNERS = {name: V for n in range(2, 6) for name, V in ideals(n).items()}
MARKS = (
    "★ extra feature   ● others   hollow: dropped",
    "dotted: a dropped feature keeps a small norm",
    "dashed: where the best arrangement of unit vectors changes",
)
# A legend's lines are so high, a swatch takes so many; a wide one has all marks in one line.
LINE_INCHES, SWATCH_LINES, WIDE = 0.18, 3, 6


def meanings(labels: xr.DataArray) -> list[str]:
    """Return what the values of a label mean."""
    return [text.replace("_", " ") for text in labels.attrs["flag_meanings"].split()]


def draw_map(ax: Axes, one: xr.Dataset) -> None:
    """Draw one problem's map, its boundaries and, dashed, those of the explicit arrangements."""
    shapes = meanings(one["shape"])
    palette = np.array([to_rgb(COLORS[shape]) for shape in shapes])
    draw_phase_map(ax, one, palette[one["shape"].values])
    x, y = (edges(one[name].values) for name in GRID)
    theory = boundaries(one["explicit"].values, x, y)
    look: dict[str, Any] = {"colors": style.INK, "lw": 0.8, "zorder": 3}
    ax.add_collection(LineCollection(theory, ls=(0, (2, 1.6)), alpha=0.6, **look))
    ax.add_collection(LineCollection(boundaries(kinds(one), x, y), **look))
    _hatch(ax, one["shape"].values == shapes.index(UNNAMED), x, y)
    dots = lattice(one["n_weak"].values > 0, x, y)
    ax.scatter(*dots.T, s=1.3, color=style.INK, lw=0, transform=ax.transAxes, zorder=2)
    ax.spines[:].set_visible(True)


def lattice(inside: NDArray, x: NDArray, y: NDArray, n: int = 34) -> NDArray:
    """Return points of a staggered lattice, as shares of the panel, that lie in cells `inside`."""
    u, v = np.meshgrid((np.arange(n) + 0.25) / n, (np.arange(n) + 0.5) / n)
    u[1::2] += 0.5 / n
    points = np.stack([u.ravel(), v.ravel()], axis=1)
    return points[inside[cell_at(points[:, 0], x), cell_at(points[:, 1], y)]]


def _hatch(ax: Axes, unnamed: NDArray, x: NDArray, y: NDArray) -> None:
    boxes = [
        Rectangle((float(x[i]), float(y[j])), float(x[i + 1] - x[i]), float(y[j + 1] - y[j]))
        for i, j in np.argwhere(unnamed)
    ]
    look: dict[str, Any] = {"facecolor": "none", "edgecolor": style.GREY, "lw": 0}
    ax.add_collection(PatchCollection(boxes, hatch="//////", zorder=2, **look))


def legend_inches(n_shapes: int, across: int) -> float:
    """Return how high a legend of so many shapes is, so many in a row."""
    return LINE_INCHES * _legend_lines(n_shapes, across)


def _legend_lines(n_shapes: int, across: int) -> int:
    return SWATCH_LINES * -(-n_shapes // across) + (1 if across >= WIDE else len(MARKS))


def draw_legend(ax: Axes, shapes: list[str], across: int) -> None:
    """Draw a swatch with a sketch for each shape, `across` in a row, and say what marks mean."""
    ax.axis("off")
    high = SWATCH_LINES / _legend_lines(len(shapes), across)
    for k, shape in enumerate(shapes):
        row, column = divmod(k, across)
        swatch = ax.inset_axes((column / across, 1 - high * (row + 0.9), 0.3 / across, 0.85 * high))
        swatch.set(facecolor=COLORS[shape], xticks=[], yticks=[], box_aspect=1, anchor="W")
        swatch.spines[:].set_visible(True)
        if shape == UNNAMED:
            swatch.patch.set(hatch="//////", edgecolor=style.GREY)
        else:
            draw_sketch(swatch, _ideal(shape), (0.5, 0.46), 0.32, star=False)
        name = WORDS.get(shape, shape).replace(" (", "\n(")
        look: dict[str, Any] = {"va": "center", "fontsize": 9, "transform": swatch.transAxes}
        swatch.text(1.15, 0.5, name, **look).set_in_layout(False)
    marks = ("    " if across >= WIDE else "\n").join(MARKS)
    ax.text(0, 0, marks, fontsize=8, transform=ax.transAxes).set_in_layout(False)


def _ideal(shape: str) -> NDArray:
    """Return the corners `[M, F]` of a shape."""
    own = {DEDICATED: np.eye(2), "square": regular_polygon(4)}
    return own[shape] if shape in own else CORNERS[shape]
