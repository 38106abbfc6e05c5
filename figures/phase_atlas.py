"""Which arrangement is optimal, where: six small models, solved exactly.

No paper has this table; it extends the phase diagrams of Elhage et al. 2022, "Superposition as a
Phase Change", to six problems "features → dimensions", and names what it finds by the polytopes
of "The Geometry of Superposition". In each cell all features are active with probability
`p_active`; the last one, the extra one, has importance `relative_importance`, all others 1. The
claim: every optimum is one of six shapes, in orthogonal groups, up to features that are dropped
or have a dimension for themselves.

The optimum of a cell is the best end point of its own starts (`toymodels.exact.solve`), of further
candidates (every arrangement met on its map, and `riders`), and of what its neighbours found
(`toymodels.exact.candidates`).
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.atlas_labels import draw_labels
from figures.atlas_panels import draw_legend, draw_map, legend_inches, meanings
from figures.recipe import joined, preset_config, run_preset, write_caption
from sweeps.config import SweepConfig
from toymodels.errors import InputError
from toymodels.exact.candidates import explicit_losses, second_look
from toymodels.exact.neighbours import Optima
from toymodels.exact.starts import arrangements
from toymodels.measures.arrangement import (
    REACH,
    REPRESENTED,
    WEAK,
    irregularity,
    kind_of,
    name_optimum,
)
from toymodels.polytopes import DEDICATED, UNNAMED

PRESET = "phase-atlas"
GRID = ("relative_importance", "p_active")
SHAPES = (DEDICATED, "digon", "square", "triangle", "tetrahedron", "pentagon", UNNAMED)
FOUND_BY = ("its own starts", "a candidate", "a neighbour's solution")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")
PANEL = 4.4  # inches


def compute(*, fast: bool = False, overrides: Sequence[str] = (), **how: Any) -> xr.Dataset:
    """Solve the maps, try what their cells may have missed, and name each optimum.

    Returns maps over (problem, relative_importance, p_active). Labels: `name`, `shape` and
    `extra` (what becomes of the extra feature); `explicit`, the known arrangement that as it
    stands has the least loss; `found_by`. Numbers: `loss`, `loss_explicit`; `n_weak`, features
    that count as dropped but keep a norm above 0.1; `distance` of the worst group from its ideal,
    rms difference of cosines; `n_agree` of the `n_starts` own starts; `W` and `b`, NaN beyond a
    problem's sizes. `how` as in `run_preset`.

    Raises:
        InputError: as `run_preset`, and for overrides that make it another figure.
    """
    _check(preset_config(PRESET, fast=fast, overrides=overrides))
    dataset = run_preset(PRESET, fast=fast, overrides=overrides, **how)
    return analyse(dataset, fast, overrides)


def analyse(dataset: xr.Dataset, fast: bool = False, overrides: Sequence[str] = ()) -> xr.Dataset:
    """Improve and name the cells of solved maps."""
    dataset = dataset.transpose("problem", *GRID, ...)
    maps = [_improve(dataset.isel(problem=k)) for k in range(dataset.sizes["problem"])]
    whole = join(maps).assign_attrs(dataset.attrs)
    title, caption = _claim(whole), _caption(whole, fast, overrides)
    return whole.assign_attrs(title=title, caption=caption)


def join(maps: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join maps along `problem`, "3→2" and so on, and turn their texts into labels."""
    sizes = xr.Variable("problem", [f"{int(m['n_features'])}→{int(m['n_hidden'])}" for m in maps])
    whole = xr.concat(maps, sizes, coords="all", data_vars="all", combine_attrs="drop")
    for name in ("name", "extra", "explicit"):
        whole[name] = _labelled(whole[name], sorted(set(whole[name].values.ravel().tolist())))
    for name, known in (("shape", SHAPES), ("found_by", FOUND_BY)):
        whole[name] = _labelled(whole[name], known)
    return whole.assign_attrs(held_above=REPRESENTED, weak_above=WEAK, named_within=REACH)


def _improve(cells: xr.Dataset) -> xr.Dataset:
    """Try candidates and neighbours in one map and name its cells; labels are still texts."""
    grid = (cells.sizes[GRID[0]], cells.sizes[GRID[1]])
    optima, by_candidate, by_neighbour = second_look(_optima(cells), grid, kind_of, irregularity)
    explicit = explicit_losses(optima)
    M, F = optima.W.shape[1:]
    known = np.array([arrangement.name for arrangement in arrangements(F, M)])
    arrays = cells[["W", "b"]].copy(deep=True)
    arrays["W"].values[..., :M, :F] = optima.W.reshape(*grid, M, F)
    arrays["b"].values[..., :F] = optima.b.reshape(*grid, F)
    more = {
        "explicit": known[explicit.argmin(-1)],
        "found_by": np.select([by_neighbour, by_candidate], FOUND_BY[:0:-1], FOUND_BY[0]),
        "loss": optima.loss,
        "loss_explicit": explicit.min(-1),
        "n_agree": np.where(by_candidate | by_neighbour, 0, cells["n_agree"].values.ravel()),
    }
    maps = {k: (GRID, np.reshape(v, grid)) for k, v in (names_of(optima.W) | more).items()}
    return arrays.assign(maps).drop_attrs()


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


def _optima(cells: xr.Dataset) -> Optima:
    """Lay the cells of one map out in a row, without what is NaN beyond its sizes."""
    found = {"p_active": "p_active_of_feature", "importance": "importance_of_feature"}
    found |= {name: name for name in ("W", "b", "loss")}
    sizes = {"feature": slice(int(cells["n_features"])), "hidden": slice(int(cells["n_hidden"]))}
    part = cells.isel(sizes)
    values = {name: part[source].values for name, source in found.items()}
    return Optima(**{k: v.reshape(-1, *v.shape[2:]) for k, v in values.items()})


def _labelled(texts: xr.DataArray, known: Sequence[str]) -> xr.DataArray:
    """Replace texts by their place among the known ones."""
    place = {text: k for k, text in enumerate(known)}
    values = np.vectorize(lambda text: place[str(text)], otypes=[np.int8])(texts.values)
    flags = {
        "flag_values": np.arange(len(known), dtype=np.int8),
        "flag_meanings": " ".join(text.replace(" ", "_") for text in known),
    }
    return xr.DataArray(values, dims=texts.dims, attrs=flags)


def _check(config: SweepConfig) -> None:
    """Refuse overrides that leave the maps' axes or the exact solver."""
    axes = tuple(dimension.name for dimension in config.grid.dimensions)
    if config.run.get("optimizer") != "newton" or set(axes) != {"problem", *GRID}:
        raise InputError(
            f"phase-atlas with optimizer = {config.run.get('optimizer')} over {', '.join(axes)}: "
            f'its maps need optimizer = "newton" over problem, {" and ".join(GRID)}; '
            "sweep run takes other grids."
        )


def _claim(whole: xr.Dataset) -> str:
    """Say what the maps show, counted."""
    met = {SHAPES[k] for k in np.unique(whole["shape"].values)}
    maps = NUMBERS[whole.sizes["problem"]].capitalize() if whole.sizes["problem"] < 8 else "The"
    always = "always" if UNNAMED not in met else "nearly always"
    n = NUMBERS[len(met - {UNNAMED})]
    return f"{maps} small models, solved exactly: the optimum is {always} one of {n} shapes"


def _caption(whole: xr.Dataset, fast: bool, overrides: Sequence[str]) -> str:
    """Say what was computed, and what the cells' own starts missed."""
    size = " × ".join(str(whole.sizes[name]) for name in GRID)
    starts = [int(n) for n in whole["n_starts"].values]
    candidate, neighbour = (int((whole["found_by"] == k).sum()) for k in (1, 2))
    parts = [
        f"Least expected loss of y = ReLU(WᵀW x + b), {size} cells a map, "
        f"{min(starts)} to {max(starts)} starts each, no sampling",
        f"of {whole['loss'].size} cells, own starts missed {candidate + neighbour}: {candidate} go "
        f"to a further candidate, {neighbour} to a neighbour's solution",
        f"a norm up to {REPRESENTED} counts as dropped, dotted where one keeps more than {WEAK}",
        f"without a name: {float((whole['shape'] == SHAPES.index(UNNAMED)).mean()):.1%}",
    ]
    return joined(parts, overrides, "fewer cells" if fast else "")


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw one panel for each problem and the legend; `ax`: as many axes and one more."""
    n, every = dataset.sizes["problem"], meanings(dataset["shape"])
    shapes = [every[k] for k in np.unique(dataset["shape"].values)]
    columns = min(n, 3) if ax is None else n
    *panels, legend = _axes(n, columns, len(shapes)) if ax is None else np.ravel(ax)
    for k, panel in enumerate(panels):
        one = dataset.isel(problem=k)
        draw_map(panel, one)
        draw_labels(panel, one, SHAPES.index(UNNAMED))
        features, dimensions = str(one["problem"].item()).split("→")
        panel.set_title(f"{features} features in {dimensions} dimension{'s' * (dimensions != '1')}")
        if k % columns:
            panel.set_ylabel("")
        if k + columns < n:
            panel.set_xlabel("")
    draw_legend(legend, shapes, 2 * columns)
    write_caption(legend.figure, dataset)
    return legend.figure


def _axes(n: int, columns: int, n_shapes: int) -> list[Any]:
    """Make a figure of `n` square panels and a strip for the legend."""
    rows = -(-n // columns)
    heights = [PANEL] * rows + [legend_inches(n_shapes, 2 * columns)]
    figure = plt.figure(figsize=(PANEL * columns, sum(heights) + 0.6))
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=heights)
    panels = [figure.add_subplot(grid[k // columns, k % columns]) for k in range(n)]
    return [*panels, figure.add_subplot(grid[rows, :])]
