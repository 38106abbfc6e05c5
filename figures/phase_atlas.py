"""Which arrangement is optimal, where: six small models, solved exactly.

No paper has this table; it extends the phase diagrams of Elhage et al. 2022, "Superposition as a
Phase Change", to six problems "features → dimensions", and names what they find by the polytopes
of "The Geometry of Superposition". In each cell all features are active with probability
`p_active`; the last one, the special one, has importance `relative_importance`, all others 1. The
claim: every optimum is one of six shapes, in orthogonal groups, up to features that are dropped
or have a dimension for themselves.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from figures.atlas_optima import (
    DEFORMED,
    DROPPED,
    HELD,
    HELD_WEAKLY,
    REACH,
    WEAK,
    Optima,
    explicit_losses,
    name_cell,
    prefer_regular,
    settle,
)
from figures.atlas_panels import draw_labels, draw_legend, draw_map
from figures.recipe import preset_config, run_preset, write_caption
from sweeps.config import hint
from toymodels.errors import InputError
from toymodels.polytopes import DEDICATED, UNNAMED

SHAPES = (DEDICATED, "digon", "square", "triangle", "tetrahedron", "pentagon", UNNAMED)
SPECIAL = (DROPPED, HELD_WEAKLY, DEDICATED, "digon", "triangle", "tetrahedron", "pentagon", UNNAMED)
GRID = ("relative_importance", "p_active")

# An optimum lies above an explicit solution if its loss is larger by more than this share.
ABOVE = 1e-5
# A region is shown by a cell at least this deep inside it, as a share of the deepest.
DEEP_ENOUGH = 0.85


class Problem(NamedTuple):
    """F features in M dimensions."""

    n_features: int
    n_hidden: int

    @property
    def key(self) -> str:
        """The name in `problems=…` and in the preset's name."""
        return f"{self.n_features}-{self.n_hidden}"

    @property
    def label(self) -> str:
        """The coordinate, such as "3→2"."""
        return f"{self.n_features}→{self.n_hidden}"


PROBLEMS = tuple(Problem(*sizes) for sizes in ((2, 1), (3, 1), (3, 2), (4, 2), (4, 3), (5, 2)))


def compute(
    *, fast: bool = False, overrides: Sequence[str] = (), out: str | Path | None = None, **how: Any
) -> xr.Dataset:
    """Solve the six maps, settle them, and name every cell; as `run_preset`.

    `problems=2-1,5-2` among the overrides makes fewer maps; the others go to each preset.

    Returns maps over (problem, relative_importance, p_active): `name`, `shape` and `special` (what
    becomes of the special feature) as labels, `n_weak`, `deformation`, `loss`, `gap` (how far,
    relatively, the best other solution lies above), `gain` (how far the best explicit one does),
    `n_agree` (starts that found the optimum; 0 where only a neighbour's solution led to it),
    `W` and `b`, NaN beyond a problem's sizes. `region_*` lists connected regions of one
    arrangement, the largest first, each with the cell deepest inside it.

    Raises:
        InputError: as `run_preset`, and for overrides that ask for another problem.
    """
    chosen, left = _chosen_problems(overrides)
    maps = []
    for problem in chosen:
        _check(problem, preset_config(f"phase-atlas-{problem.key}", fast=fast, overrides=left))
        name = f"phase-atlas-{problem.key}"
        maps.append(analyse(run_preset(name, out=out, fast=fast, overrides=left, **how)))
    dataset = _joined(chosen, maps)
    dataset.attrs["title"] = _claim(dataset)
    dataset.attrs["caption"] = _caption(dataset, fast, overrides)
    return dataset


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Settle, compare and name the cells of one solved map; names are still texts."""
    dataset = dataset.transpose(*GRID, ...)
    grid = (dataset.sizes[GRID[0]], dataset.sizes[GRID[1]])
    optima, improved = settle(_optima(dataset), grid)
    optima, tied = prefer_regular(optima, grid)
    explicit = explicit_losses(optima).min(-1)
    names = [name_cell(W) for W in optima.W]
    cells = {
        "name": [n.name for n in names],
        "shape": [n.shape if n.shape in SHAPES else UNNAMED for n in names],
        "special": [n.special for n in names],
        "n_weak": np.array([n.n_weak for n in names], np.int8),
        "deformation": np.array([n.deformation for n in names], np.float32),
        "loss": optima.loss,
        "gap": np.maximum(optima.other_loss / optima.loss - 1, 0),
        "gain": 1 - optima.loss / explicit,
        "n_agree": np.where(improved, 0, dataset["n_agree"].values.ravel()).astype(np.int16),
        "improved": improved.astype(np.int8),
        "tied": tied.astype(np.int8),
    }
    maps = {k: (GRID, np.reshape(v, grid)) for k, v in cells.items()}
    maps["W"] = ((*GRID, "hidden", "feature"), optima.W.reshape(*grid, *optima.W.shape[1:]))
    maps["b"] = ((*GRID, "feature"), optima.b.reshape(*grid, -1))
    above = int(np.sum(optima.loss > explicit * (1 + ABOVE)))
    more = {"n_above_explicit": above, "n_starts": _n_starts(dataset)}
    coords = {name: dataset[name].values for name in GRID}
    return xr.Dataset(maps | {k: ((), v) for k, v in more.items()}, coords, dataset.attrs)


def _optima(dataset: xr.Dataset) -> Optima:
    """Lay the cells of a solved map out in a row."""
    found = {
        "p_active": "p_active_of_feature",
        "importance": "importance_of_feature",
        "W": "W",
        "b": "b",
        "loss": "loss",
        "other_W": "runner_up_W",
        "other_b": "runner_up_b",
        "other_loss": "runner_up_loss",
    }
    n_cells = dataset["loss"].size
    values = {k: dataset[name].transpose(*GRID, ...).values for k, name in found.items()}
    return Optima(**{k: v.reshape(n_cells, *v.shape[2:]) for k, v in values.items()})


def _n_starts(dataset: xr.Dataset) -> int:
    return json.loads(dataset.attrs["config"])["run"].get("n_starts", 8)


def _chosen_problems(overrides: Sequence[str]) -> tuple[list[Problem], list[str]]:
    """Return the problems that are wanted and the other overrides."""
    wanted = [text.removeprefix("problems=") for text in overrides if text.startswith("problems=")]
    left = [text for text in overrides if not text.startswith("problems=")]
    known = {problem.key: problem for problem in PROBLEMS}
    if not wanted:
        return list(PROBLEMS), left
    keys = dict.fromkeys(wanted[-1].replace("→", "-").split(","))
    for key in keys:
        if key not in known:
            raise InputError(
                f"problems = {wanted[-1]}: there is no {key!r}.{hint(key, known)} "
                f"Give some of {', '.join(known)}, with commas between."
            )
    return [known[key] for key in keys], left


def _check(problem: Problem, config: Any) -> None:
    """Refuse overrides that make a map another one."""
    fixed = {**problem._asdict(), "optimizer": "newton"}
    for key, value in fixed.items():
        if config.run.get(key) != value:
            raise InputError(
                f"{key} = {config.run.get(key)}: the map {problem.label} of phase-atlas needs "
                f"{value}; problems={problem.key} is how to choose."
            )
    axes = {d.name for d in config.grid.dimensions}
    if axes != set(GRID):
        raise InputError(
            f"the grid has the axes {', '.join(sorted(axes))}: the maps of phase-atlas are over "
            f"{' and '.join(GRID)} alone."
        )


def _joined(problems: list[Problem], maps: list[xr.Dataset]) -> xr.Dataset:
    """Join the maps along `problem`, sizes filled up with NaN, and turn texts into labels."""
    largest = {d: max(m.sizes[d] for m in maps) for d in ("hidden", "feature")}
    padded = [m.pad({d: (0, n - m.sizes[d]) for d, n in largest.items()}) for m in maps]
    labels = xr.Variable("problem", [problem.label for problem in problems])
    whole = xr.concat(padded, labels, combine_attrs="drop")
    regions = _regions(whole)
    names = sorted({str(n) for n in np.unique(whole["name"].values)})
    for variable, meanings in (("name", names), ("shape", SHAPES), ("special", SPECIAL)):
        whole[variable] = _labelled(whole[variable], meanings)
    whole = whole.assign({f"region_{k}": ("region", v) for k, v in regions.items()})
    whole.attrs["config"] = json.dumps(
        {
            problem.key: json.loads(m.attrs["config"])
            for problem, m in zip(problems, maps, strict=True)
        },
        sort_keys=True,
    )
    whole.attrs |= {"held_above": HELD, "weak_above": WEAK, "named_within": REACH}
    return whole


def _labelled(texts: xr.DataArray, meanings: Sequence[str]) -> xr.DataArray:
    """Replace texts by their place among the meanings."""
    place = {meaning: k for k, meaning in enumerate(meanings)}
    values = np.vectorize(lambda text: place[str(text)], otypes=[np.int8])(texts.values)
    flags = {
        "flag_values": np.arange(len(meanings), dtype=np.int8),
        "flag_meanings": " ".join(meaning.replace(" ", "_") for meaning in meanings),
    }
    return xr.DataArray(values, dims=texts.dims, attrs=flags)


def meanings(labels: xr.DataArray) -> list[str]:
    """Return what the values of a label mean."""
    return [text.replace("_", " ") for text in labels.attrs["flag_meanings"].split()]


def region_keys(one: xr.Dataset) -> NDArray:
    """Return texts `[R, P]`, equal where arrangement and special feature's place are."""
    weak = np.where(one["n_weak"].values > 0, "weak", "")
    parts = (one["name"].values.astype(str), one["special"].values.astype(str), weak)
    return np.char.add(np.char.add(parts[0], np.char.add(" / ", parts[1])), parts[2])


def _regions(whole: xr.Dataset) -> dict[str, NDArray]:
    """List connected regions, the largest first: problem, cells, and the cell deepest inside."""
    found = []
    for i, problem in enumerate(whole["problem"].values):
        keys = region_keys(whole.isel(problem=i))
        for key in np.unique(keys):
            parts, n = ndimage.label(keys == key)
            for k in range(1, n + 1):
                inside = np.pad(parts == k, 1)
                depth = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
                r, p = _middle(depth)
                found.append((int(inside.sum()), str(problem), int(r), int(p), float(depth[r, p])))
    found.sort(key=lambda region: (-region[0], region[1:]))
    names = ("cells", "problem", "r_index", "p_index", "depth")
    return {
        name: np.array(values) for name, values in zip(names, zip(*found, strict=True), strict=True)
    }


def _middle(depth: NDArray) -> NDArray[np.intp]:
    """Return the cell that is nearest to the middle of a region, among those deep inside."""
    middle = np.argwhere(depth > 0).mean(axis=0)
    deep = np.argwhere(depth >= DEEP_ENOUGH * depth.max())
    return deep[np.argmin(np.sum((deep - middle) ** 2, axis=1))]


def _claim(whole: xr.Dataset) -> str:
    """Say what the maps show, counted."""
    shapes = meanings(whole["shape"])
    met = [shapes[k] for k in np.unique(whole["shape"].values)]
    named = [shape for shape in met if shape != UNNAMED]
    n = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
    return (
        f"{n[whole.sizes['problem']].capitalize()} small models, every density and importance: "
        f"the optimum is always one of {n[len(named)]} shapes"
    )


def _caption(whole: xr.Dataset, fast: bool, overrides: Sequence[str]) -> str:
    cells = whole["loss"].size
    starts = [int(n) for n in np.unique(whole["n_starts"].values)]
    improved, tied = int(whole["improved"].sum()), int(whole["tied"].sum())
    unnamed = float((whole["shape"] == SHAPES.index(UNNAMED)).mean())
    size = " × ".join(str(whole.sizes[name]) for name in GRID)
    parts = [
        f"True optima of the exact expected loss, {size} cells a map, "
        f"{' to '.join(str(n) for n in dict.fromkeys((starts[0], starts[-1])))} starts each, "
        f"then those of neighbours ({improved} of {cells} cells gained)",
        f"a norm up to {HELD} counts as dropped",
        f"dotted: a dropped feature keeps a norm of {WEAK} to {HELD}",
        f"pale: more than {DEFORMED} (rms cosine) from the ideal; without a name: {unnamed:.1%}",
    ]
    if tied:
        parts.append(f"{tied} ties to 1e-4 went to the more regular solution")
    if overrides:
        parts.append("changed: " + ", ".join(overrides))
    if fast:
        parts.append("FAST version: fewer cells and starts than the full figure")
    return "; ".join(parts) + "."


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw one panel for each problem and the legend; `ax`: as many axes and one more."""
    n = dataset.sizes["problem"]
    if ax is None:
        columns = min(n, 3)
        rows = -(-n // columns)
        figure = plt.figure(figsize=(4.4 * columns, 4.55 * rows + 1))
        grid = figure.add_gridspec(rows + 1, columns, height_ratios=[1] * rows + [0.13])
        panels = [figure.add_subplot(grid[i // columns, i % columns]) for i in range(n)]
        legend = figure.add_subplot(grid[rows, :])
    else:
        *panels, legend = np.ravel(ax)
        figure, columns = legend.figure, n
    shapes = meanings(dataset["shape"])
    for i, (panel, label) in enumerate(zip(panels, dataset["problem"].values, strict=True)):
        one = dataset.isel(problem=i)
        here = np.flatnonzero(dataset["region_problem"].values == label)
        keys = region_keys(one)
        draw_map(panel, one, shapes, keys)
        draw_labels(panel, one, dataset.isel(region=here), keys)
        features, dimensions = str(label).split("→")
        panel.set_title(f"{features} features in {dimensions} dimension{'s' * (dimensions != '1')}")
        if i % columns == 0:
            panel.set_ylabel("density  1 − S   (dense at the top)")
        if i + columns >= n:
            panel.set_xlabel("relative importance of the special feature ★")
    met = np.unique(dataset["shape"].values)
    draw_legend(legend, [shapes[k] for k in met])
    write_caption(figure, dataset)
    return figure
