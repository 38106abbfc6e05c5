"""Which arrangement is optimal, where: six small models, solved without sampling.

No paper has this table; it extends the phase diagrams of Elhage et al. 2022, "Superposition as a
Phase Change", to six problems "features → dimensions", and names what it finds by the polytopes
of "The Geometry of Superposition". In each cell all features are active with probability
`p_active`; the last one, the extra one, has importance `relative_importance`, all others 1. The
claim: every optimum is one of six shapes, in orthogonal groups, up to features that are dropped
or have a dimension for themselves.

The optimum of a cell is the best end point of its own starts (`toymodels.exact.solve`), of further
candidates (every arrangement met on its map) and of what its neighbours found
(`toymodels.exact.candidates`).
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.exact.atlas.labels import draw_labels
from figures.exact.atlas.panels import SHAPES, draw_legend, draw_map, legend_inches, meanings
from figures.kit import phases
from figures.kit.analysis import Parts
from figures.kit.panels import panels
from figures.kit.phases import GRID
from figures.kit.words import counted, listed
from sweeps.results import flags
from toymodels.exact.candidates import explicit_losses, second_look
from toymodels.exact.neighbours import Optima
from toymodels.exact.starts import arrangements
from toymodels.measures.arrangement import (
    REPRESENTED,
    WEAK,
    irregularity,
    kind_of,
    name_optimum,
)
from toymodels.measures.polytopes import UNNAMED
from toymodels.theory.shapes import SIMPLICES

FOUND_BY = ("its own starts", "a candidate", "a neighbour's solution")
SIZES = ("n_features", "n_hidden")
PANEL = 4.4  # inches
WORDS = {
    "name": "arrangement",
    "shape": "polytope of all groups together",
    "extra": "what becomes of the extra feature",
    "explicit": "known arrangement that has the least loss as it stands",
    "found_by": "what found the optimum",
    "loss": "least expected loss that was found, summed over features",
    "loss_explicit": "loss of the known arrangement",
    "n_weak": f"features that count as dropped and keep a norm above {WEAK:g}",
    "distance": "of the worst group from its ideal, rms difference of cosines",
    "n_agree": "own starts that ended in the optimum",
    "n_tried": "own starts of the cell",
    "W": "weights of the optimum",
    "b": "biases of the optimum",
}


def check(plan: Any) -> None:
    """Refuse a grid that is no map.

    Raises:
        InputError: an axis of a single value, or of values that are not above 0.
    """
    phases.require_map(plan.config)


def parts(dataset: xr.Dataset) -> Parts:
    """Return what improves and names the cells of each map."""
    dataset = dataset.sortby(list(GRID)).transpose("problem", *GRID, ...)
    maps = [dataset.isel(problem=k) for k in range(dataset.sizes["problem"])]
    return {title(one): partial(improved, one) for one in maps}


def title(one: xr.Dataset) -> str:
    """Return what a map is called: "3→2"."""
    return f"{int(one['n_features'])}→{int(one['n_hidden'])}"


def improved(cells: xr.Dataset) -> xr.Dataset:
    """Try candidates and neighbours in one map and name its cells; labels are still texts."""
    grid = (cells.sizes[GRID[0]], cells.sizes[GRID[1]])
    optima, by_candidate, by_neighbour = second_look(optima_of(cells), grid, kind_of, irregularity)
    explicit = explicit_losses(optima)
    M, F = optima.W.shape[1:]
    known = np.array([arrangement.name for arrangement in arrangements(F, M)])
    W, b = (np.full_like(cells[name].values, np.nan) for name in ("W", "b"))
    W[..., :M, :F], b[..., :F] = optima.W.reshape(*grid, M, F), optima.b.reshape(*grid, F)
    found = {
        "explicit": known[explicit.argmin(-1)],
        "found_by": np.select([by_neighbour, by_candidate], FOUND_BY[:0:-1], FOUND_BY[0]),
        "loss": optima.loss,
        "loss_explicit": explicit.min(-1),
        "n_agree": np.where(by_candidate | by_neighbour, 0, cells["n_agree"].values.ravel()),
        "n_tried": cells["n_tried"].values,
    }
    maps = {k: (GRID, np.reshape(v, grid)) for k, v in (names_of(optima.W) | found).items()}
    maps |= {"W": ((*GRID, "hidden", "feature"), W), "b": ((*GRID, "feature"), b)}
    return xr.Dataset(maps, {name: cells[name].values for name in GRID})


def names_of(W: NDArray) -> dict[str, Any]:
    """Return what the figure says of optima `W [C, M, F]`: texts and numbers `[C]`."""
    names = [name_optimum(one) for one in W]
    return {
        "name": [name.name for name in names],
        "extra": [name.extra for name in names],
        "shape": [name.shape if name.shape in SHAPES else UNNAMED for name in names],
        "n_weak": np.array([name.n_weak for name in names], np.int8),
        "distance": np.array([name.distance for name in names], np.float32),
    }


def optima_of(cells: xr.Dataset) -> Optima:
    """Lay the cells of one map out in a row, without what is NaN beyond its sizes."""
    found = {"p_active": "p_active_of_feature", "importance": "importance_of_feature"}
    found |= {name: name for name in ("W", "b", "loss")}
    sizes = {"feature": slice(int(cells["n_features"])), "hidden": slice(int(cells["n_hidden"]))}
    part = cells.isel(sizes)
    values = {name: part[source].values for name, source in found.items()}
    return Optima(**{k: v.reshape(-1, *v.shape[2:]) for k, v in values.items()})


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Join the maps along `problem`, "3→2" and so on.

    Over (problem, relative_importance, p_active). Labels: `name`, `shape` and `extra` (what
    becomes of the extra feature); `explicit`, the known arrangement that as it stands has the
    least loss; `found_by`. Numbers: `loss`, `loss_explicit`; `n_weak`, features that count as
    dropped but keep a norm above 0.1; `distance` of the worst group from its ideal; `n_agree` of
    the `n_tried` own starts; `W` and `b`, NaN beyond a problem's sizes.
    """
    whole = xr.concat(list(parts.values()), dim="problem", join="exact")
    for name in ("name", "extra", "explicit"):
        whole[name] = labelled(whole[name], sorted(set(whole[name].values.ravel().tolist())))
    for name, known in (("shape", SHAPES), ("found_by", FOUND_BY)):
        whole[name] = labelled(whole[name], known)
    for name, words in WORDS.items():
        whole[name].attrs["long_name"] = words
    coords: dict[str, Any] = {"problem": list(parts)}
    coords |= {name: ("problem", dataset[name].values) for name in SIZES if dataset[name].ndim}
    return whole.assign_coords(coords)


def labelled(texts: xr.DataArray, known: Any) -> xr.DataArray:
    """Replace texts by their place among the known ones."""
    place = {text: k for k, text in enumerate(known)}
    values = np.vectorize(lambda text: place[str(text)], otypes=[np.int8])(texts.values)
    return xr.DataArray(values, dims=texts.dims, attrs=flags(tuple(known)))


def claim(dataset: xr.Dataset) -> str:
    """Say in how many cells the optimum has a name, and how many shapes there are."""
    shape = dataset["shape"].values
    unnamed = int(np.sum(shape == SHAPES.index(UNNAMED)))
    n = len({SHAPES[k] for k in np.unique(shape)} - {UNNAMED})
    cells = f"all {shape.size:,}" if not unnamed else f"{shape.size - unnamed:,} of {shape.size:,}"
    models = counted(dataset.sizes["problem"], "small model").capitalize()
    return f"{models}: in {cells} cells the optimum is one of {counted(n, 'shape')}"


def finding(dataset: xr.Dataset) -> str:
    """Say where the simplex of all features is the optimum: triangle in 3→2, tetrahedron in 4→3."""
    parts = []
    for k, name in enumerate(dataset["problem"].values):
        one = dataset.isel(problem=k)
        n, m = int(one["n_features"]), int(one["n_hidden"])
        if n == m + 1 and m > 1 and SIMPLICES[n] in SHAPES:
            parts.append(f"{name}: {_region(one, SIMPLICES[n])}")
    steps = (one_step(dataset[name].values) for name in GRID)
    ends = listed(f"{step:.0%}" for step in steps)
    return f"{'; '.join(parts)}; ends are known to a cell, {ends} wide" if parts else ""


def _region(one: xr.Dataset, shape: str) -> str:
    """Say in which cells of a map a shape is the optimum."""
    inside = one["shape"].transpose(*GRID).values == SHAPES.index(shape)
    if not inside.any():
        return f"the {shape} is the optimum nowhere"
    r, p = (one[name].values for name in GRID)
    r, p = r[inside.any(1)], p[inside.any(0)]
    return (
        f"the {shape} is the optimum in {inside.mean():.1%} of the cells, at densities "
        f"{p.min():.2f}–{p.max():.2f} and relative importances {r.min():.2f}–{r.max():.2f}"
    )


def one_step(values: NDArray) -> float:
    """Return by how much each value of a spacing exceeds the one before, at most."""
    return float(np.max(values[1:] / values[:-1] - 1)) if len(values) > 1 else np.nan


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the cells' own starts missed, and what counts as dropped."""
    candidate, neighbour = (int((dataset["found_by"] == k).sum()) for k in (1, 2))
    return [
        "least expected loss of y = ReLU(WᵀW x + b)",
        f"own starts missed {candidate + neighbour} of {dataset['loss'].size:,} cells: {candidate} "
        f"go to a further candidate, {neighbour} to a neighbour's solution",
        f"a norm up to {REPRESENTED:g} counts as dropped, dotted where one keeps more than "
        f"{WEAK:g}",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw one panel for each problem, and the legend."""
    names, every = [str(name) for name in dataset["problem"].values], meanings(dataset["shape"])
    shapes = [every[k] for k in np.unique(dataset["shape"].values)]
    columns = min(len(names), 3)
    places = [*names, *["."] * (-len(names) % columns)]
    mosaic = [places[k : k + columns] for k in range(0, len(places), columns)]
    heights = [PANEL] * len(mosaic) + [legend_inches(len(shapes), 2 * columns)]
    size = (PANEL * columns, sum(heights) + 0.6)
    mosaic.append(["legend"] * columns)
    figure, panel = panels(axes, mosaic, figsize=size, height_ratios=heights)
    for k, name in enumerate(names):
        one = dataset.sel(problem=name)
        draw_map(panel[name], one)
        draw_labels(panel[name], one, SHAPES.index(UNNAMED))
        n, m = int(one["n_features"]), int(one["n_hidden"])
        panel[name].set_title(f"{n} features in {m} dimension{'s' * (m > 1)}")
        if k % columns:
            panel[name].set_ylabel("")
        if k + columns < len(names):
            panel[name].set_xlabel("")
    draw_legend(panel["legend"], shapes, 2 * columns)
    return figure
