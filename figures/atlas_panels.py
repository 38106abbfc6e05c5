"""The maps of the atlas: flat colours by shape, and a sketch of W inside each region.

Positions inside a panel are shares of its width and height, which are equal.
"""

from typing import Any

import matplotlib.patheffects as effects
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from figures import style
from figures.atlas_optima import DEFORMED, HELD, REACH, WEAK, shape_of
from figures.draw import draw_phase_map, edges
from toymodels.polytopes import DEDICATED, UNNAMED, components
from toymodels.theory import regular_polygon

# By shape; safe for colour-blind readers, and of different lightness where they meet.
COLORS = {
    DEDICATED: "#DEDBD3",
    "digon": "#A9D3EE",
    "square": "#4C96CC",
    "triangle": "#F3C652",
    "tetrahedron": "#8B68AE",
    "pentagon": "#E07B54",
    UNNAMED: "#FFFFFF",
}
WORDS = {DEDICATED: "each alone", "square": "two digons"}
PALE = 0.5  # how much white is mixed into what is deformed
SKETCH = 0.055  # the length of a unit vector
LEAST_AREA = 0.004  # smaller regions carry no label
HALO = [effects.withStroke(linewidth=2.2, foreground="#FFFFFFC0")]

# How far a sketch stands above the middle of a label, and its name below it.
RAISED, BELOW = np.array([0, 0.02]), np.array([0, 1.35 * SKETCH])
LEADER: dict[str, Any] = {"color": style.INK, "lw": 0.7, "zorder": 4}
# A region this deep, as a share of the panel, holds a sketch; one this wide and high a name.
DEEP, FLAT = 0.09, np.array([0.25, 0.04])


def draw_map(ax: Axes, one: xr.Dataset, shapes: list[str], keys: NDArray) -> None:
    """Draw one problem's map; `shapes` are the meanings of `shape`, `keys [R, P]` its regions."""
    palette = np.array([to_rgb(COLORS[shape]) for shape in shapes])
    pale = np.isfinite(one["deformation"].values) & (one["deformation"].values > DEFORMED)
    rgb = palette[one["shape"].values]
    draw_phase_map(ax, one, np.where(pale[..., None], PALE + (1 - PALE) * rgb, rgb))
    ax.set(xlabel="", ylabel="")
    x, y = (edges(one[name].values) for name in ("relative_importance", "p_active"))
    ax.axvline(1, color=style.INK, lw=0.5, ls=(0, (2, 3)), zorder=2)
    ax.add_collection(LineCollection(boundaries(keys, x, y), colors=style.INK, lw=0.8, zorder=3))
    _hatch_unnamed(ax, one["shape"].values == shapes.index(UNNAMED), x, y)
    dots = lattice(one["n_weak"].values > 0, x, y)
    ax.scatter(*dots.T, s=1.3, color=style.INK, lw=0, transform=ax.transAxes, zorder=2)
    ax.spines[:].set_visible(True)
    ax.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    ax.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])


def boundaries(keys: NDArray, x: NDArray, y: NDArray) -> list[NDArray]:
    """Return the cell edges between different keys `[R, P]`, as segments."""
    upright = [
        np.array([(x[i + 1], y[j]), (x[i + 1], y[j + 1])])
        for i, j in np.argwhere(keys[1:] != keys[:-1])
    ]
    level = [
        np.array([(x[i], y[j + 1]), (x[i + 1], y[j + 1])])
        for i, j in np.argwhere(keys[:, 1:] != keys[:, :-1])
    ]
    return upright + level


def lattice(inside: NDArray, x: NDArray, y: NDArray, n: int = 34) -> NDArray:
    """Return points of a staggered lattice, as shares of the panel, that lie in cells `inside`."""
    u, v = np.meshgrid((np.arange(n) + 0.25) / n, (np.arange(n) + 0.5) / n)
    u[1::2] += 0.5 / n
    i, j = (
        np.searchsorted(_share(ends, ends), values.ravel(), side="right") - 1
        for ends, values in ((x, u), (y, v))
    )
    points = np.stack([u.ravel(), v.ravel()], axis=1)
    return points[inside[np.minimum(i, len(x) - 2), np.minimum(j, len(y) - 2)]]


def _share(values: ArrayLike, ends: NDArray) -> NDArray:
    """Return where values lie on a logarithmic axis, 0 to 1."""
    return np.log(np.asarray(values) / ends[0]) / np.log(ends[-1] / ends[0])


def _hatch_unnamed(ax: Axes, unnamed: NDArray, x: NDArray, y: NDArray) -> None:
    boxes = [
        Rectangle((x[i], y[j]), x[i + 1] - x[i], y[j + 1] - y[j]) for i, j in np.argwhere(unnamed)
    ]
    look: dict[str, Any] = {"facecolor": "none", "edgecolor": style.GREY, "lw": 0}
    ax.add_collection(PatchCollection(boxes, hatch="//////", zorder=2, **look))


def draw_labels(ax: Axes, one: xr.Dataset, regions: xr.Dataset, keys: NDArray) -> None:
    """Sketch the optimum deep inside each region and name it.

    A flat region carries its name alone; one too small for that has it beside it, with a sketch,
    if its shape has no other place. Each arrangement is named once.
    """
    ends = [edges(one[name].values) for name in _AXES]
    taken: list[NDArray] = []
    told: set[Any] = set()
    for k in np.argsort(-regions["region_depth"].values):
        region = regions.isel(region=k)
        at = int(region["region_r_index"]), int(region["region_p_index"])
        cell = one.isel(relative_importance=at[0], p_active=at[1])
        kind = (int(cell["name"]), int(cell["special"]), bool(cell["n_weak"] > 0))
        if kind in told or int(region["region_cells"]) < LEAST_AREA * keys.size:
            continue
        spot = np.array([_share(cell[d].values, e) for d, e in zip(_AXES, ends, strict=True)])
        deep = float(region["region_depth"]) / (max(keys.shape) - 1) > DEEP
        flat = not deep and np.all(_extent(keys, at) > FLAT)
        if not (deep or flat or int(cell["shape"]) not in told):
            continue
        told |= {kind, int(cell["shape"])}
        W = cell["W"].dropna("feature", how="all").dropna("hidden", how="all").values
        place = np.clip(spot, 0.11, 0.9)
        if flat:
            place = np.clip(spot, (0.13, 0.02), (0.87, 0.98))
            _write(ax, words(W).replace("\n", " "), place, "center")
        else:
            if not deep:
                place = _free_place(spot, taken)
                ax.plot(*np.transpose([spot, place]), transform=ax.transAxes, **LEADER)
            draw_sketch(ax, W, place + RAISED)
            _write(ax, words(W), place + RAISED - BELOW, "top")
        taken.append(place)


def _extent(keys: NDArray, at: tuple[int, int]) -> NDArray:
    """Return how far the region around a cell goes on along both axes, as shares of the panel."""
    found = []
    for line, k in ((keys[:, at[1]], at[0]), (keys[at[0]], at[1])):
        ends = np.flatnonzero(np.concatenate([[True], line[1:] != line[:-1], [True]]))
        i = np.searchsorted(ends, k, side="right")
        found.append((ends[i] - ends[i - 1]) / len(line))
    return np.array(found)


def _write(ax: Axes, text: str, place: NDArray, va: Any) -> None:
    ax.text(
        *place,
        text,
        transform=ax.transAxes,
        ha="center",
        va=va,
        fontsize=7.5,
        linespacing=1.05,
        path_effects=HALO,
        zorder=7,
    )


def words(W: NDArray) -> str:
    """Say in a few words what arrangement `W [M, F]` is."""
    found = components(W, threshold=HELD, reach=REACH)
    shape = shape_of(found)
    alone = sum(c.name == DEDICATED for c in found)
    norm = np.linalg.norm(W, axis=0)
    weak = int(np.sum((norm > WEAK) & (norm <= HELD)))
    parts = [WORDS.get(shape, shape)] if shape != DEDICATED else []
    parts += [f"{NUMBERS[alone]} alone"] if alone else []
    parts += [f"{NUMBERS[weak]} weak"] if weak else []
    return "\n+ ".join(parts)


NUMBERS = ("none", "one", "two", "three", "four", "five")


_AXES = ("relative_importance", "p_active")


def _free_place(spot: NDArray, taken: list[NDArray]) -> NDArray:
    """Return a place near `spot` that is far from what is taken."""
    around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rings = [
        spot + radius * np.stack([np.cos(around), np.sin(around)], axis=1)
        for radius in (0.16, 0.2, 0.25, 0.3)
    ]
    places = np.concatenate(rings)
    places = places[np.all((places > 0.1) & (places < 0.9), axis=1)]
    room = np.min([np.linalg.norm(places - t, axis=1) for t in [*taken, spot]], axis=0)
    away = np.linalg.norm(places - spot, axis=1)
    return places[np.argmax(np.minimum(room, 0.2) - 0.2 * away)]


def draw_sketch(
    ax: Axes, W: NDArray, centre: ArrayLike, size: float = SKETCH, *, star: bool = True
) -> None:
    """Draw the columns of `W [M, F]` around `centre`, dropped ones hollow below.

    The last feature is a star. Rotated so that it, or else the longest, is upright (to the right
    where M = 1); three dimensions are seen obliquely.
    """
    F = W.shape[1]
    norm = np.linalg.norm(W, axis=0)
    tips = np.asarray(centre)[:, None] + size * _flat(W)
    shown = np.flatnonzero(norm > WEAK)
    look: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False}
    lines = [(tuple(centre), tuple(tips[:, i])) for i in shown]
    ax.add_collection(LineCollection(lines, colors=style.INK, lw=1.1, zorder=5, **look))
    missing = [i for i in range(F) if norm[i] <= WEAK]
    places = [tips[:, i] for i in shown]
    row = np.arange(len(missing)) - (len(missing) - 1) / 2
    places += [np.asarray(centre) + size * np.array([0.5 * k, -1.05]) for k in row]
    for i, place in zip([*shown, *missing], places, strict=True):
        special, held = star and i == F - 1, norm[i] > WEAK
        ax.plot(
            *place,
            marker="*" if special else "o",
            ms=(8.5 if special else 3.8) * (1 if norm[i] > HELD or not held else 0.8),
            mfc=style.INK if held else "white",
            mec=style.INK if not special or not held else "white",
            mew=0.7 if not held else 0.4,
            zorder=6 + (i == F - 1),
            **look,
        )


TILT = 0.42


def _flat(W: NDArray) -> NDArray:
    """Return the columns `[2, F]` as they are drawn, by Gram and Schmidt from the special one."""
    M, F = W.shape
    rest, axes = np.concatenate([W, 1e-6 * np.eye(M)], axis=1), []
    for _ in range(M):
        size = np.linalg.norm(rest, axis=0)
        chosen = F - 1 if not axes and size[F - 1] > HELD else int(np.argmax(size.round(3)))
        axes.append(rest[:, chosen] / size[chosen])
        rest = rest - np.outer(axes[-1], axes[-1] @ rest)
    x = np.array(axes) @ W
    if M == 1:
        return np.stack([x[0], 0 * x[0]])
    if M == 2:
        return np.stack([x[1], x[0]])
    turned = x[1] * np.exp(1j * np.pi / 3) + x[2] * 1j * np.exp(1j * np.pi / 3)
    return np.stack([turned.real, x[0] - TILT * turned.imag])


IDEALS = {
    DEDICATED: np.eye(2),
    "digon": np.array([[-1.0, 1.0]]),
    "square": regular_polygon(4),
    "triangle": regular_polygon(3),
    "tetrahedron": np.array(
        [[0, 0.94, -0.47, -0.47], [0, 0, 0.82, -0.82], [1, -0.33, -0.33, -0.33]]
    ),
    "pentagon": regular_polygon(5),
}


def draw_legend(ax: Axes, shapes: list[str]) -> None:
    """Draw a swatch with a sketch for each shape, and say what the marks mean."""
    ax.axis("off")
    high = ax.get_window_extent().height / ax.get_window_extent().width
    step = 0.7 / len(shapes)
    for k, shape in enumerate(shapes):
        swatch = ax.inset_axes((k * step, 0, 0.9 * high, 0.9))
        swatch.set(facecolor=COLORS[shape], xticks=[], yticks=[], box_aspect=1, anchor="W")
        swatch.spines[:].set_visible(True)
        if shape in IDEALS:
            draw_sketch(swatch, IDEALS[shape], (0.5, 0.46), 0.32, star=False)
        swatch.text(
            1.12, 0.5, WORDS.get(shape, shape), va="center", fontsize=9, transform=swatch.transAxes
        )
    ax.text(0.72, 0.45, MARKS, va="center", fontsize=8, linespacing=1.6, transform=ax.transAxes)


MARKS = (
    "★ special feature   ● others   hollow: dropped\n"
    "dotted: one more is held weakly   pale: deformed"
)
