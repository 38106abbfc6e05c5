"""How many functions so many neurons compute: by hand, trained, and at most.

ReLUs of sparse features on fewer neurons (compressed computation, Bhagat et al. 2026, by the second
and the fourth power of the error), and rotation circuits (Linsefors & Bushnaq 2025), built by hand
and trained from there. A function is computed where its error is below a bound, and passes the
noise test where it stays below while the inputs of all others hold noise. Neurons of a layer are
counted in what one function takes alone: one for a ReLU, four for a circuit.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.circuits.compressed_scores import own_errors
from figures.circuits.regime_rotations import circuit_errors
from figures.kit import style
from figures.kit.panels import draw_interval, panels
from figures.kit.words import raised, rounded
from sweeps.stats import mean_over_seeds
from sweeps.stored import restore
from toymodels.errors import InputError

MOSAIC = [["alone", "noise"]]
CIRCUIT_NEURONS = 4  # of a small rotation circuit
BUILT, TRAINED = "circuits, built by hand", "circuits, trained from there"

# What the analysis' own variables are.
WORDS = {
    "computed": "functions of a network with an error below the bound, without and with noise",
    "diverged": "1 where a run diverged",
    "n_functions": "functions that a network was asked for",
    "copies": "neurons of a layer, in those that one function takes alone",
}


def check(plan: Any) -> None:
    """Refuse settings that say nothing.

    Raises:
        InputError: a bound, a noise or a number of samples out of range.
    """
    below, noise = plan.settings["computed_below"], plan.settings["noise"]
    if not 0 < below < 1:
        raise InputError(f"computed_below = {below}: give a share between 0 and 1.")
    if not noise > 0:
        raise InputError(f"noise = {noise}: give a size above 0; 0 is shown beside it.")
    if plan.settings["noise_samples"] < 2:
        raise InputError(f"noise_samples = {plan.settings['noise_samples']}: give 2 or more.")


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Count functions that each network computes.

    `computed` (network, seed, noisy), `diverged` (network, seed), `n_functions` and `copies`
    (network); what a network is, its `way`, is a coordinate.
    """
    noise = np.array([0.0, float(dataset["noise"])])
    below, n_samples = float(dataset["computed_below"]), int(dataset["noise_samples"])
    rows = _relus(dataset, noise, n_samples) | _rotations(
        parts["regime-rotations"], noise, n_samples
    )
    n_seeds = max(len(errors) for errors in rows.values())
    computed = np.full((len(rows), n_seeds, 2), np.nan, np.float32)
    lost = np.zeros((len(rows), n_seeds), np.int8)
    for k, errors in enumerate(rows.values()):
        for s, error in enumerate(errors):
            lost[k, s] = error is None
            if error is not None:
                computed[k, s] = np.sum(error < below, axis=-1)
    ways, copies, n_functions = zip(*rows, strict=True)
    found = xr.Dataset(coords={"way": ("network", list(ways)), "noisy": [False, True]})
    found["computed"] = (("network", "seed", "noisy"), computed)
    found["diverged"] = (("network", "seed"), lost)
    found["n_functions"] = ("network", list(n_functions))
    found["copies"] = ("network", list(copies))
    return found


def _relus(cells: xr.Dataset, noise: np.ndarray, n_samples: int) -> dict[Any, list[Any]]:
    """Return errors `[noise, F]` by (way, neurons, features), one for each seed."""
    rows: dict[Any, list[Any]] = {}
    for cell in _each(cells):
        _, model = restore(cell)
        W, V = np.asarray(model.W), np.asarray(model.V)
        none = np.zeros((len(V), len(V)), np.float32)
        lost = bool(cell["diverged"])
        error = None if lost else own_errors(W, V, none, noise, n_samples)
        rows.setdefault((_relus_by(float(cell["exponent"])), *W.shape), []).append(error)
    return rows


def _relus_by(q: float) -> str:
    return f"ReLUs, trained by L{raised(q)}"


def _rotations(cells: xr.Dataset, noise: np.ndarray, n_samples: int) -> dict[Any, list[Any]]:
    """Return errors `[noise, T]` by (way, neurons of a layer over four, T), for each seed."""
    rows: dict[Any, list[Any]] = {}
    for cell in _each(cells):
        run, model = restore(cell)
        way = BUILT if float(cell["learning_rate"]) == 0 else TRAINED
        lost = bool(cell["diverged"])
        error = None if lost else circuit_errors(run.task, model, noise, n_samples)
        key = (way, int(cell["width"]) // CIRCUIT_NEURONS, int(cell["n_circuits"]))
        rows.setdefault(key, []).append(error)
    return rows


def _each(cells: xr.Dataset) -> Iterator[xr.Dataset]:
    dims = cells["diverged"].dims
    for index in np.ndindex(cells["diverged"].shape):
        yield cells.isel(dict(zip(dims, index, strict=True)))


def most(dataset: xr.Dataset, way: str, noisy: bool) -> xr.Dataset:
    """Return for each number of neurons the network of one way that computes most, by the mean.

    `copies`, `n_functions` and the mean's `average`, `low` and `high`.
    """
    mine = dataset.isel(network=np.flatnonzero(dataset["way"].values == way)).sel(noisy=noisy)
    found = mean_over_seeds(mine, "computed").assign(mine[["copies", "n_functions"]])
    best = []
    for copies in np.unique(mine["copies"].values):
        of_size = np.flatnonzero(found["copies"].values == copies)
        means = np.nan_to_num(found["average"].values[of_size], nan=-1.0)
        best.append(of_size[int(means.argmax())])
    found = found.isel(network=best)
    for name in ("low", "high"):  # a count lies between none and all that are asked for
        found[name] = found[name].clip(0, found["n_functions"])
    return found


def at_most(copies: np.ndarray) -> np.ndarray:
    """Return n² / log n, the order of the upper bound for n neurons; its constant is not known."""
    return copies**2 / np.log(copies)


def claim(dataset: xr.Dataset) -> str:
    """Say how many functions each way computes at its largest size, without and with noise."""
    parts = []
    for way in dict.fromkeys(dataset["way"].values.tolist()):
        alone, noisy = (most(dataset, way, flag).isel(network=-1) for flag in (False, True))
        if np.isnan(float(alone["average"])):
            parts.append(f"{way}: all diverged")
            continue
        fit = int(alone["copies"])
        parts.append(f"{_said(alone)} and {_said(noisy)} where {fit} fit one by one ({way})")
    return "Functions computed without and with noise on all others: " + "; ".join(parts)


def _said(found: xr.Dataset) -> str:
    mean, low, high = (float(found[name]) for name in ("average", "low", "high"))
    interval = "" if np.isnan(low) else f" [{low:.0f}, {high:.0f}]"
    return f"{mean:.0f}{interval} of {int(found['n_functions'])}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what counts as computed, and what the lines are."""
    below, noise = float(dataset["computed_below"]), float(dataset["noise"])
    return [
        f"computed: error below {rounded(below)} of that of the answer 0; noise: all other inputs "
        f"uniform on ±{rounded(noise)}; for each size the best of several numbers of functions, "
        "chosen on the same seeds; hollow: all that were asked for, so at least as many",
        "95 % intervals over seeds; one function for each set of neurons of its own is exact and "
        "not touched by noise",
        "n² / log n: order of the upper bound of Adler & Shavit 2024 for ANDs of pairs, its "
        "constant set to 1, unverified for these functions",
        "circuits: one active at a time, three layers",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw functions computed against neurons, without and with noise."""
    figure, panel = panels(axes, MOSAIC, figsize=(11.2, 5.2), sharex=True, sharey=True)
    noise = rounded(float(dataset["noise"]))
    for name, noisy in (("alone", False), ("noise", True)):
        _draw_map(panel[name], dataset, noisy)
    panel["alone"].set_title("error below the bound")
    panel["noise"].set_title(f"… and with noise of ±{noise} on all other inputs")
    panel["alone"].set_ylabel("functions computed")
    panel["noise"].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _draw_map(ax: Axes, dataset: xr.Dataset, noisy: bool) -> None:
    copies = dataset["copies"].values.astype(float)
    line = np.geomspace(copies.min(), copies.max(), 40)
    ax.plot(line, line, color=style.INK, ls="--", label="one by one (exact)")
    most_known = "n² / log n (order of the bound)"
    ax.plot(line, at_most(line), color=style.NULL, ls=":", label=most_known)
    for i, way in enumerate(dict.fromkeys(dataset["way"].values.tolist())):
        found = most(dataset, way, noisy)
        x, values = (
            found["copies"].values,
            [found[name].values for name in ("average", "low", "high")],
        )
        look = style.series(i)
        draw_interval(ax, x, *values, label=way, **look)
        every = values[0] >= found["n_functions"].values
        hollow = look | {"ls": "none", "mfc": "white", "ms": 7, "zorder": 4}
        ax.plot(x[every], values[0][every], **hollow)
    ax.set_xscale("log", base=2)
    ax.set_yscale("symlog", linthresh=4, base=2)
    ticks = np.unique(copies).astype(int)
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.set_ylim(0, None)
    high = 2.0 ** np.arange(2, np.ceil(np.log2(dataset["n_functions"].values.max())) + 1)
    ax.set_yticks([0, *high], ["0", *map(str, high.astype(int))])
    ax.set_xlabel("neurons of a layer, in those that one function takes alone")
