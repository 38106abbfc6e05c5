"""F18, F19: tegum products and polygons, from exact coordinates and from trained models.

Elhage et al. 2022, "The Geometry of Superposition". Groups of features in orthogonal dimensions do
not see each other, so a bipyramid is a polygon and a digon, and each corner keeps the
dimensionality D_i of its own group: two values, not their average.

Each size is trained at several densities; an arrangement is drawn where most seeds form it.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit.panels import panels
from figures.kit.words import counted, listed, rounded
from figures.toy_models import polytopes_panels as paint
from figures.toy_models.polytopes_ideals import (
    ARRANGEMENTS,
    Arrangement,
    formed,
    laid_over,
)
from figures.toy_models.polytopes_solid import draw_solids
from sweeps.stats import share_over_seeds
from toymodels.errors import InputError

WIDE = 12  # columns of the mosaic
OVER_CELLS = ("size", "p_active")

# What the analysis' own variables are.
WORDS = {
    "share": "share of seeds that form the arrangement",
    "low": "its interval, lower end",
    "high": "its interval, upper end",
    "n": "seeds that did not diverge",
    "density": "density where most seeds form it, the sparsest of these",
    "is_best": "whether the best of all seeds at that density forms it",
    "W_exact": "exact coordinates",
    "W_trained": "trained weights laid over them",
    "D_exact": "exact dimensionality of features",
    "D_trained": "trained dimensionality of features",
    "distance": "rms difference of cosines to the nearest polytope, of the worst factor",
    "loss": "expected loss of the model drawn, summed over features",
}


def check(plan: Any) -> None:
    """Refuse sizes that have no arrangement here.

    Raises:
        InputError: names the sizes that there are.
    """
    for point in plan.config.grid.points():
        every = plan.config.variants[0] | point
        size = int(every["n_features"]), int(every["n_hidden"])
        if size not in ARRANGEMENTS:
            known = listed(f"{F} → {M}" for F, M in ARRANGEMENTS)
            raise InputError(f"{size[0]} → {size[1]}: the figure knows {known} alone.")


def sizes_of(dataset: xr.Dataset) -> list[tuple[int, int]]:
    """Return features and dimensions of each size."""
    n = dataset.sizes["size"]
    F, M = (np.broadcast_to(dataset[name], n) for name in ("n_features", "n_hidden"))
    return [(int(one), int(other)) for one, other in zip(F, M, strict=True)]


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Count which seeds form their arrangement, and lay the best of them over its corners.

    Over (size, p_active): `share`, `low`, `high`, `n`. Over size: `density`, where most seeds form
    it, and there `W_exact`, `W_trained` (hidden, feature), `D_exact`, `D_trained` (feature),
    `distance`, `loss` of the seed of least ranking loss among those that form it, and `is_best`;
    NaN where no seed does, and beyond a size's own numbers.
    """
    dataset = dataset.sortby("p_active").transpose(*OVER_CELLS, "seed", ...)
    sizes = sizes_of(dataset)
    found = np.zeros(tuple(dataset.sizes[d] for d in (*OVER_CELLS, "seed")), bool)
    for k, i, j in np.ndindex(found.shape):
        (F, M), W = sizes[k], dataset["W"].values[k, i, j]
        found[k, i, j] = formed(W[:M, :F], ARRANGEMENTS[F, M])
    found = xr.DataArray(found, dims=(*OVER_CELLS, "seed"))
    share = share_over_seeds(dataset, found.assign_coords(dataset["diverged"].coords))
    best = [_laid(dataset.isel(size=k), found[k], size) for k, size in enumerate(sizes)]
    result = xr.concat(best, dim="size", join="exact")
    for name in ("share", "low", "high", "n"):
        result[name] = share[name]
    names = [ARRANGEMENTS[size].name for size in sizes]
    return result.assign_coords(arrangement=("size", names), p_active=dataset["p_active"])


def _laid(cells: xr.Dataset, found: xr.DataArray, size: tuple[int, int]) -> xr.Dataset:
    """Choose the density and the seed that are drawn, and lay the model over its corners."""
    (F, M), arrangement = size, ARRANGEMENTS[size]
    full = (cells.sizes["hidden"], cells.sizes["feature"])
    W, D = np.full((2, *full), np.nan), np.full((2, full[1]), np.nan)
    W[0, :M, :F], D[0, :F] = arrangement.corners, arrangement.dimensionality
    density, distance, loss, is_best = np.nan, np.nan, np.nan, False
    counts = (found & (cells["diverged"] == 0)).sum("seed").values
    if counts.any():
        at = int(counts.argmax())
        there = cells.isel(p_active=at)
        ranking = there["loss_ranking"].where(there["diverged"] == 0, np.inf).values
        seed = int(np.where(found.values[at], ranking, np.inf).argmin())
        laid = laid_over(there["W"].values[seed, :M, :F], arrangement)
        W[1, :M, :F] = laid.W
        D[1, :F] = there["feature_dimensionality"].values[seed, laid.features]
        density, distance = float(cells["p_active"][at]), laid.distance
        loss, is_best = float(there["loss"][seed]), ranking[seed] <= ranking.min()
    arrays: dict[str, Any] = {"density": density, "distance": distance, "loss": loss}
    arrays["is_best"] = bool(is_best)
    for i, name in enumerate(("exact", "trained")):
        arrays[f"W_{name}"] = (("hidden", "feature"), W[i])
        arrays[f"D_{name}"] = ("feature", D[i])
    return xr.Dataset(arrays)


def arrangement_of(one: xr.Dataset) -> Arrangement:
    """Return the arrangement of one size."""
    return next(a for a in ARRANGEMENTS.values() if a.name == str(one["arrangement"].values))


def claim(dataset: xr.Dataset) -> str:
    """Say how many arrangements form, which values of D they split into, and how far off."""
    every = [dataset.isel(size=k) for k in range(dataset.sizes["size"])]
    made = [one for one in every if np.isfinite(float(one["density"]))]
    n = counted(len(every), "arrangement")
    if not made:
        one = f"does not form the {every[0]['arrangement'].values}"
        return f"Training {one if len(every) == 1 else f'forms none of {n}'}"
    split = [told for told in map(_split, made) if told]
    off = max(float(np.abs(one["D_trained"] - one["D_exact"]).max()) for one in made)
    shares = sorted(float(one["share"].max()) for one in made)
    span = f"{shares[0]:.0%}" if shares[0] == shares[-1] else f"{shares[0]:.0%} to {shares[-1]:.0%}"
    how = f"Training forms {'' if len(made) == len(every) else f'{len(made)} of '}{n}, each in "
    how += f"{span} of seeds at its best density"
    every_value = "; ".join([*split, f"no D_i is more than {rounded(off, 1)} off its exact value"])
    return f"{how}: {every_value}"


def _split(one: xr.Dataset) -> str:
    """Say the values of D of an arrangement whose factors differ, and their average."""
    arrangement = arrangement_of(one)
    F, M = arrangement.size
    if len(set(arrangement.dimensionality)) < 2:
        return ""
    D, of = one["D_trained"].values[:F], arrangement.factor_of
    means = [f"{D[of == k].mean():.2f}" for k in dict.fromkeys(of.tolist())]
    return f"D_i of the {arrangement.name} is {listed(means)}, not {M / F:.2f}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say which models are drawn, and how many seeds formed them."""
    parts = []
    for k in range(dataset.sizes["size"]):
        one = dataset.isel(size=k)
        name, (F, M) = str(one["arrangement"].values), arrangement_of(one).size
        if not np.isfinite(float(one["density"])):
            parts.append(f"{name} ({F} → {M}): formed by no seed at any density")
            continue
        cell = one.sel(p_active=float(one["density"]))
        n, k_formed = int(cell["n"]), round(float(cell["share"] * cell["n"]))
        best = "" if bool(one["is_best"]) else ", not by the best of them"
        parts.append(
            f"{name} ({F} → {M}): density {float(one['density']):g}, formed by {k_formed} of {n} "
            f"seeds{best}"
        )
    return [
        *parts,
        "drawn is the best seed of those that formed it, turned onto the exact coordinates",
        "the paper does not state how it found its examples: sizes and densities are ours",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw solids and their D, how often each forms, and the table of polygons."""
    every = [dataset.isel(size=k) for k in range(dataset.sizes["size"])]
    solids = [one for one in every if arrangement_of(one).size[1] == 3]
    polygons = [one for one in every if arrangement_of(one).size[1] == 2]
    mosaic, heights = [], []
    for what, height in (("solid", 0.9), ("D", 0.75)):
        if solids:
            mosaic.append(_row([f"{one['arrangement'].values}: {what}" for one in solids]))
            heights.append(height)
    mosaic.append(_row(["how often"]))
    heights.append(0.85)
    for one in polygons:
        mosaic.append(_row([f"{one['arrangement'].values}: {what}" for what in paint.TABLE]))
        heights.append(1.0)
    size = (13.5, 3.1 * sum(heights) + 0.8)
    figure, panel = panels(axes, mosaic, figsize=size, height_ratios=heights)
    for one in solids:
        name = str(one["arrangement"].values)
        draw_solids(panel[f"{name}: solid"], one, arrangement_of(one))
        paint.draw_dimensionality(panel[f"{name}: D"], one, arrangement_of(one))
    paint.draw_shares(panel["how often"], dataset)
    for one in polygons:
        name = str(one["arrangement"].values)
        for what, painter in paint.TABLE.items():
            painter(panel[f"{name}: {what}"], one, arrangement_of(one))
    return figure


def _row(names: list[str]) -> list[str]:
    """Give each panel of a row its share of the columns."""
    return [name for name in names for _ in range(WIDE // len(names))]
