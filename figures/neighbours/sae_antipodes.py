"""Do antipodal pairs hurt a dictionary? Learned features, and three ways to find them again.

The models are ReLU autoencoders of 40 features (Elhage et al. 2022). A dictionary sees only their
hidden states; the true directions are the columns of W. Cosines are taken with their sign, and
without: where both differ, a feature cannot be told from its opposite. Precision and recall pair
directions one to one by the Hungarian method. The null is random directions, as many as the
method finds.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.words import listed
from sweeps.stats import mean_over_seeds
from toymodels.measures.dictionary import Scores, random_directions, scores, unit

REPRESENTED = 0.5  # a feature counts as represented from this norm on
ANTIPODAL = -0.9  # two directions are opposite up to this cosine
ALIVE = 1e-3  # a latent is alive if it is on so often, in units of the density
METHODS = {"sae": "sparse autoencoder", "ica": "ICA", "pca": "PCA"}
NULL = "random"
DIMS = ("model_n_hidden", "model_p_active", "model_seed")

# What the analysis' own variables are.
WORDS = {
    "signed": "mean of the largest cosine of each feature",
    "unsigned": "the same, blind to signs",
    "precision": "share of directions that are features",
    "recall": "share of features that are found",
    "null_signed": "signed, of as many random directions",
    "null_unsigned": "unsigned, of as many random directions",
    "null_precision": "precision, of as many random directions",
    "null_recall": "recall, of as many random directions",
    "sae_signed": "signed, of the sparse autoencoder by L1 coefficient",
    "sae_unsigned": "unsigned, of the sparse autoencoder by L1 coefficient",
    "sae_precision": "precision, of the sparse autoencoder by L1 coefficient",
    "sae_recall": "recall, of the sparse autoencoder by L1 coefficient",
    "antipodal": "share of represented features with an opposite",
    "antipodal_null": "the same of random directions",
    "n_represented": "features with a norm above 0.5",
    "diverged": "whether a sparse autoencoder diverged",
}


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Score every dictionary, and count antipodal pairs.

    Over (dictionary, model_n_hidden, model_p_active, model_seed) `signed`, `unsigned`, `precision`
    and `recall`, of the sparse autoencoder with the largest L1 coefficient; `sae_…` over
    `l1_hidden` as well; `null_…` of as many random directions; `antipodal`, the share of
    represented features with an opposite, and `antipodal_null` for random directions.
    """
    linear = parts["linear-dictionaries"]
    saes = [_of_saes(dataset.sel(l1_hidden=weight)) for weight in dataset["l1_hidden"].values]
    every = xr.concat(saes, xr.Variable("l1_hidden", dataset["l1_hidden"].values))
    largest = every.isel(l1_hidden=-1, drop=True)
    others = [_of_directions(linear.sel(decomposition=name)) for name in ("ica", "pca")]
    found = xr.concat([largest, *others], xr.Variable("dictionary", list(METHODS)))
    pairs = _over_cells(dataset.isel(l1_hidden=0), _antipodal)
    result = found.assign({f"sae_{name}": every[name] for name in Scores._fields}).merge(pairs)
    return result.assign(diverged=(DIMS, dataset["diverged"].max("l1_hidden").values))


def _of_saes(cells: xr.Dataset) -> xr.Dataset:
    def score(cell: xr.Dataset) -> dict[str, float]:
        if int(cell["diverged"]):
            true = _true(cell)
            return dict.fromkeys(_scored(true[:, :0], true), np.nan)
        alive = cell["activity"].values > ALIVE * float(cell["model_p_active"])
        return _scored(unit(_matrix(cell["D"])[:, alive]), _true(cell))

    return _over_cells(cells, score)


def _of_directions(cells: xr.Dataset) -> xr.Dataset:
    return _over_cells(cells, lambda cell: _scored(_matrix(cell["directions"]), _true(cell)))


def _scored(found: np.ndarray, true: np.ndarray) -> dict[str, float]:
    null = random_directions(np.random.default_rng(0), *found.shape)
    named = {"": scores(found, true), "null_": scores(null, true)}
    return {f"{k}{name}": value for k, s in named.items() for name, value in s._asdict().items()}


def _antipodal(cell: xr.Dataset) -> dict[str, float]:
    true = _true(cell)
    null = random_directions(np.random.default_rng(0), *true.shape)
    found = {}
    for name, columns in (("antipodal", true), ("antipodal_null", null)):
        least = (columns.T @ columns).min(axis=1, initial=1.0)
        found[name] = float(np.mean(least < ANTIPODAL)) if least.size else 0.0
    return found | {"n_represented": float(true.shape[1])}


def _true(cell: xr.Dataset) -> np.ndarray:
    return unit(_matrix(cell["model_W"]), REPRESENTED)


def _matrix(values: xr.DataArray) -> np.ndarray:
    """Return a matrix `[M, …]` without what is NaN beyond a model's sizes."""
    matrix = values.transpose("hidden", ...).values
    matrix = matrix[np.isfinite(matrix).any(axis=1)]
    return matrix[:, np.isfinite(matrix).all(axis=0)]


def _over_cells(cells: xr.Dataset, f: Any) -> xr.Dataset:
    """Apply `f` to every cell of `DIMS`; it returns numbers by name."""
    shape = tuple(cells.sizes[dim] for dim in DIMS)
    each = [f(cells.isel(dict(zip(DIMS, i, strict=True)))) for i in np.ndindex(shape)]
    values = {name: (DIMS, np.reshape([one[name] for one in each], shape)) for name in each[0]}
    return xr.Dataset(values, {dim: cells[dim].values for dim in DIMS})


def claim(dataset: xr.Dataset) -> str:
    """Say what becomes of features in antipodal pairs, by method."""
    paired = dataset["antipodal"] > 0.5
    if not bool(paired.any()):
        return "No model holds half of its features in antipodal pairs"
    means = dataset[["signed", "unsigned"]].where(paired).mean(DIMS)
    said = [
        f"{name} {float(m['signed']):.2f} ({float(m['unsigned']):.2f})"
        for method, name in METHODS.items()
        for m in [means.sel(dictionary=method)]
        if m["signed"].notnull()
    ]
    return (
        "Features in antipodal pairs, mean of the largest cosine, signed (and blind to signs): "
        f"{listed(said)}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the marks are."""
    weights = dataset["l1_hidden"].values
    return [
        f"sparse autoencoders: {int(dataset['n_latents'])} latents, L1 coefficient {weights[-1]:g}"
        + (f" (last panel: {listed(f'{w:g}' for w in weights)})" if len(weights) > 1 else ""),
        "bars: 95 % intervals over models; full marks and lines: signed cosines, hollow and "
        f"dashed: magnitudes; grey: as many random directions; found: cosine above 0.9; represented"
        f": norm above {REPRESENTED}",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw pairs, cosines and recall over density, one row for each number of dimensions."""
    sizes = dataset["model_n_hidden"].values.tolist()
    names = ["pairs", "cosine", "recall", "penalty"]
    mosaic = [[f"{name} {m}" for name in names] for m in sizes]
    figure, panel = panels(axes, mosaic, figsize=(14.5, 3.3 * len(sizes) + 0.9), sharex=False)
    n = int(dataset["model_n_features"])
    for m in sizes:
        here = dataset.sel(model_n_hidden=m)
        _draw_pairs(panel[f"pairs {m}"], here)
        panel[f"pairs {m}"].set_title(f"{n} features in {m} dimensions")
        _draw_cosines(panel[f"cosine {m}"], here)
        _draw_recall(panel[f"recall {m}"], here)
        _draw_penalty(panel[f"penalty {m}"], here)
        for name in names[:3]:
            panel[f"{name} {m}"].set(xscale="log", xlabel="density 1 − S", ylim=(-0.03, 1.05))
            _ticks(panel[f"{name} {m}"], dataset["model_p_active"].values)
    looks: dict[str, Any] = {label: style.series(i) for i, label in enumerate(METHODS.values())}
    looks["random directions, as many"] = {"color": style.GREY, "lw": 1.4}
    legend_of(panel[f"cosine {sizes[0]}"], looks, loc="lower left", fontsize=7.5)
    return figure


def _ticks(ax: Axes, values: np.ndarray) -> None:
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.minorticks_off()


def _draw_mean(ax: Axes, cells: xr.Dataset, name: str, x: str, **look: Any) -> None:
    found = mean_over_seeds(cells, name, "model_seed")
    draw_interval(ax, cells[x].values, found["average"], found["low"], found["high"], **look)


def _draw_pairs(ax: Axes, here: xr.Dataset) -> None:
    _draw_mean(ax, here, "antipodal", "model_p_active", color=style.INK, marker="o", ms=4)
    _draw_mean(ax, here, "antipodal_null", "model_p_active", color=style.GREY, marker="", lw=1.4)
    ax.set_ylabel("features with an opposite")


def _draw_cosines(ax: Axes, here: xr.Dataset) -> None:
    for i, method in enumerate(METHODS):
        cells, look = here.sel(dictionary=method), style.series(i)
        _draw_mean(ax, cells, "unsigned", "model_p_active", **look, mfc="none", ls="--", lw=1.0)
        _draw_mean(ax, cells, "signed", "model_p_active", **look)
        for name, ls in (("null_unsigned", "--"), ("null_signed", "-")):
            _draw_mean(ax, cells, name, "model_p_active", color=style.GREY, lw=1.2, ls=ls, zorder=0)
    ax.set_ylabel("mean of the largest cosine")


def _draw_recall(ax: Axes, here: xr.Dataset) -> None:
    for i, method in enumerate(METHODS):
        cells, look = here.sel(dictionary=method), style.series(i)
        _draw_mean(ax, cells, "recall", "model_p_active", **look)
        _draw_mean(ax, cells, "precision", "model_p_active", **look, mfc="none", ls=":", lw=1.0)
        for name, ls in (("null_precision", ":"), ("null_recall", "-")):
            _draw_mean(ax, cells, name, "model_p_active", color=style.GREY, lw=1.2, ls=ls, zorder=0)
    ax.set_ylabel("recall (dotted: precision)")


def _draw_penalty(ax: Axes, here: xr.Dataset) -> None:
    shades = style.IMPORTANCE(np.linspace(0, 0.85, here.sizes["model_p_active"]))
    for p, color in zip(here["model_p_active"].values, shades, strict=True):
        cells = here.sel(model_p_active=p)[["sae_signed", "diverged"]]
        _draw_mean(
            ax, cells, "sae_signed", "l1_hidden", color=color, marker="o", ms=4, label=f"{p:g}"
        )
    ax.set(xscale="log", xlabel="L1 coefficient", ylim=(-0.03, 1.05))
    ax.set_ylabel("signed cosine, autoencoder")
    _ticks(ax, here["l1_hidden"].values)
    ax.legend(title="density", fontsize=7, title_fontsize=7.5, ncols=2, loc="lower right")
