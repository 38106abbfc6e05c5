"""Labels of a map of the atlas: where they fit, a sketch of the optimum and what it is.

Positions and sizes `[2]`, across and up, are shares of a panel's width and height, which are
equal. Room is sought on a raster of `[RASTER, RASTER]` points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import ndimage

from figures.exact.atlas.regions import cell_at, deepest, kinds, regions
from figures.exact.atlas.sketch import SIZE, draw_sketch, tips
from figures.kit import style
from figures.kit.phases import GRID, edges
from toymodels.measures.arrangement import REACH, REPRESENTED, WEAK, shape_of
from toymodels.measures.polytopes import DEDICATED, UNNAMED, components

WORDS = {"square": "two digons"}

RASTER = 120
LEAST, LARGE = 0.002, 0.02  # smaller regions have no label, larger ones have one, as shares
FONT = 7.5
LETTER, LINE = 0.0152, 0.034  # how wide and high text of this size is
SKETCH, PAD = 2.5 * SIZE, 0.017  # how wide a sketch is, and what is left free above and below it
HALO = [effects.withStroke(linewidth=2.2, foreground=style.HALO)]
LEADER: dict[str, Any] = {"color": style.INK, "lw": 0.7, "zorder": 4}

Pair = NDArray[np.float64]  # [2]


@dataclass(frozen=True)
class Label:
    """What a region's label shows."""

    W: NDArray  # [M, F]
    lines: tuple[str, ...]

    def sketch_size(self) -> Pair:
        """Return the size of the sketch."""
        return np.array([SKETCH, SIZE * np.ptp([0, *tips(self.W)[1]]) + 2 * PAD])

    def text_size(self) -> Pair:
        """Return the size of the lines."""
        return np.array([LETTER * max(map(len, self.lines)), LINE * len(self.lines)])


@dataclass(frozen=True)
class Layout:
    """One way to lay a label out."""

    size: Callable[[Label], Pair]
    draw: Callable[[Axes, Label, Pair], None]  # around a middle


def draw_labels(ax: Axes, one: xr.Dataset, nameless: int) -> None:
    """Sketch and name the optimum inside each region, or only name it, or do both beside it.

    Each arrangement has one label. What has no room inside has it elsewhere if it is large, if no
    other label shows its shape, or if the shape is `nameless`.
    """
    kind, ends = kinds(one), [edges(one[name].values) for name in GRID]
    points = (np.arange(RASTER) + 0.5) / RASTER
    fine = np.ix_(*(cell_at(points, e) for e in ends))
    taken = np.zeros((RASTER, RASTER), bool)
    told: set[tuple[str, int]] = set()
    for region in regions(kind):
        cell = one.isel(dict(zip(GRID, region.cell, strict=True)))
        shape = int(cell["shape"])
        small = region.inside.mean() < LEAST and shape != nameless
        if small or ("kind", region.kind) in told:
            continue
        label, inside = label_of(cell), region.inside[fine]
        drawn = _draw_inside(ax, label, inside, taken)
        known = ("shape", shape) in told and shape != nameless
        if not drawn and (not known or region.inside.mean() > LARGE):
            drawn = _draw_beside(ax, label, inside, kind[fine], taken)
        if drawn:
            told |= {("kind", region.kind), ("shape", shape)}


def label_of(cell: xr.Dataset) -> Label:
    """Return the label of a cell."""
    W = cell["W"].dropna("feature", how="all").dropna("hidden", how="all").values
    lines = words(W)
    if UNNAMED in lines[0]:
        r, p = (cell[name].item() for name in GRID)
        lines = (*lines, f"at ({r:.2g}, {p:.2g})")
    return Label(W, lines)


def words(W: NDArray) -> tuple[str, ...]:
    """Say in a few words what arrangement `W [M, F]` is, in lines."""
    found = components(W, threshold=REPRESENTED, reach=REACH)
    shape, norm = shape_of(found), np.linalg.norm(W, axis=0)
    dedicated = sum(c.name == DEDICATED for c in found)
    weak, gone = int(np.sum((norm > WEAK) & (norm <= REPRESENTED))), int(np.sum(norm <= WEAK))
    parts = [WORDS.get(shape, shape)] if shape != DEDICATED else []
    parts += [f"{n} {what}" for n, what in ((dedicated, DEDICATED), (weak, "weak")) if n]
    lines = (parts[0], *(f"+ {part}" for part in parts[1:]))
    return (*lines[:-1], f"{lines[-1]},", f"{gone} dropped") if gone else lines


def room(free: NDArray[np.bool_], size: Pair) -> NDArray[np.bool_]:
    """Tell around which points a box of this size is `free`, `[RASTER, RASTER]`."""
    pixels = tuple(int(n) for n in np.ceil(size * RASTER) // 2 * 2 + 1)
    return np.asarray(ndimage.minimum_filter(free, pixels, mode="constant", cval=0), bool)


def _draw_inside(ax: Axes, label: Label, inside: NDArray, taken: NDArray) -> bool:
    """Draw a label where the first layout that fits has most room; tell whether one did."""
    for layout in (STACKED, ABREAST, LINED):
        size = layout.size(label)
        places = np.argwhere(room(inside & ~taken, size))
        if len(places):
            nearest = np.argmin(np.sum((places - places.mean(axis=0)) ** 2, axis=1))
            middle = (places[nearest] + 0.5) / RASTER
            layout.draw(ax, label, middle)
            _occupy(taken, middle, size)
            return True
    return False


def _draw_beside(ax: Axes, label: Label, inside: NDArray, kind: NDArray, taken: NDArray) -> bool:
    """Draw a label in the nearest region with room, and a line to its own."""
    size = STACKED.size(label)
    free = np.any([room((kind == k) & ~taken, size) for k in np.unique(kind)], axis=0)
    places = (np.argwhere(free) + 0.5) / RASTER
    if not len(places):
        return False
    spot = (np.array(deepest(inside)) + 0.5) / RASTER
    middle = places[np.argmin(np.sum((places - spot) ** 2, axis=1))]
    away = spot - middle
    border = middle + away * np.min(size / 2 / np.maximum(np.abs(away), 1e-9))
    ax.plot(*np.transpose([spot, border]), transform=ax.transAxes, **LEADER)
    ax.plot(*spot, ".", ms=3.5, transform=ax.transAxes, **LEADER)
    STACKED.draw(ax, label, middle)
    _occupy(taken, middle, size)
    return True


def _occupy(taken: NDArray[np.bool_], middle: Pair, size: Pair) -> None:
    low, high = (np.clip(RASTER * (middle + k * size / 2), 0, RASTER).astype(int) for k in (-1, 1))
    taken[low[0] : high[0], low[1] : high[1]] = True


def _stacked_size(label: Label) -> Pair:
    sketch, text = label.sketch_size(), label.text_size()
    return np.array([max(sketch[0], text[0]), sketch[1] + text[1]])


def _stack(ax: Axes, label: Label, middle: Pair) -> None:
    """Draw the sketch above the text."""
    sketch, text = label.sketch_size(), label.text_size()
    _sketch(ax, label, _shifted(middle, 0, text[1] / 2))
    _write(ax, "\n".join(label.lines), _shifted(middle, 0, -sketch[1] / 2))


def _abreast_size(label: Label) -> Pair:
    sketch, text = label.sketch_size(), label.text_size()
    return np.array([sketch[0] + text[0], max(sketch[1], text[1])])


def _set_abreast(ax: Axes, label: Label, middle: Pair) -> None:
    """Draw the sketch left of the text."""
    sketch, text = label.sketch_size(), label.text_size()
    _sketch(ax, label, _shifted(middle, -text[0] / 2, 0))
    _write(ax, "\n".join(label.lines), _shifted(middle, sketch[0] / 2, 0))


def _line_size(label: Label) -> Pair:
    return np.array([LETTER * len(" ".join(label.lines)), LINE])


def _set_in_line(ax: Axes, label: Label, middle: Pair) -> None:
    _write(ax, " ".join(label.lines), middle)


def _sketch(ax: Axes, label: Label, middle: Pair) -> None:
    """Draw the sketch so that its box has this middle."""
    heights = SIZE * np.array([0, *tips(label.W)[1]])
    draw_sketch(ax, label.W, _shifted(middle, 0, -(heights.max() + heights.min()) / 2))


def _shifted(place: Pair, across: float, up: float) -> Pair:
    return place + np.array([across, up])


def _write(ax: Axes, text: str, middle: Pair) -> None:
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": FONT, "zorder": 7}
    look |= {"transform": ax.transAxes, "linespacing": 1.05, "path_effects": HALO}
    ax.text(float(middle[0]), float(middle[1]), text, **look)


STACKED = Layout(_stacked_size, _stack)
ABREAST = Layout(_abreast_size, _set_abreast)
LINED = Layout(_line_size, _set_in_line)
