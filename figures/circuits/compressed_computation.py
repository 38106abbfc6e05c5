"""More ReLUs than neurons: computed, or made of what is mixed in (Bhagat et al. 2026).

F features on F / 2 neurons, y = V ReLU(W x), targets ReLU(x) + M x. Where features are rarely
active, one neuron for each of half of the features scores L / p = 1/12, and without mixing M no
network is better (`toymodels.theory.compressed_computation`). With mixing a network may be; what
becomes of its weights where nothing is mixed, and of a feature while others carry noise, tells what
it computes. Beside them the fourth power of the error (Ferreira da Silva & Heimersheim 2026).
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.circuits import compressed_panels as draws
from figures.circuits.compressed_scores import ANSWER_ZERO, own_errors, scores
from figures.kit.compute import sweep_table
from figures.kit.entry import path_of
from figures.kit.panels import panels
from figures.kit.words import counted, listed
from sweeps.config.parse import parse
from toymodels.errors import InputError
from toymodels.theory import power_loss, score_least, score_linear, score_naive

NAME = "compressed-computation"
MOSAIC = [["density", "mixing", "transplant"], ["features", "noise", "noise"]]
WEIGHTS = ("W", "V", "M")
NONE = "none"
TOLD_NOISE = 0.3  # the size of noise that the claim tells of

# What the analysis' own variables are.
WORDS = {
    "score": "L / p of a solution on the task that it was trained on, by squared error",
    "score_clean": "L / p of the same weights where nothing is mixed",
    "score_continued": "L / p there, after training on without mixing",
    "diverged": "1 where a run, or the one that continues it, diverged",
    "naive": "exact L / p of one neuron for each of as many features, without mixing",
    "mixing_score": "L / p by size of the mixing",
    "mixing_least": "exact L / p that no network is below where one feature is active, mean",
    "mixing_naive": "exact L / p of one neuron for each of as many, mixing unlearned, mean",
    "mixing_linear": "exact L / p of the best linear map of this rank, mean",
    "mixing_diverged": "1 where a run diverged",
    "density_score": "L / p by the density of training",
    "density_elsewhere": "L / p at other densities than that of training, the first kind's",
    "density_diverged": "1 where a run diverged",
    "own_error": "error of a feature's own output, over that of the answer 0, by noise on others",
    "together": "own error where all features share all neurons alike, exact for one active",
    "computed": "features whose own error is below the bound, by noise on others",
}


def check(plan: Any) -> None:
    """Refuse settings that say nothing, and keys of the run that other sweeps would not follow.

    Raises:
        InputError: a noise that is negative, or none that is 0, a bound or samples out of range,
            or another run than those of the file.
    """
    table = sweep_table(path_of(NAME))
    own = [parse(table, (), version) for version in ("", "fast", "tiny")]
    if not any(_runs(plan.config) == _runs(config) for config in own):
        raise InputError(
            f"{NAME} shows four sweeps side by side, which would not follow this change: leave it "
            "out, or copy their four files and change all of them. seed= and the settings noise, "
            "noise_samples and computed_below may be changed here."
        )
    noise, below = np.asarray(plan.settings["noise"], float), plan.settings["computed_below"]
    if not noise.size or noise.min() != 0 or np.any(np.diff(noise) <= 0):
        raise InputError(f"noise = {noise.tolist()}: give growing sizes, the first 0.")
    if not 0 < below < 1:
        raise InputError(f"computed_below = {below}: give a share between 0 and 1.")
    if plan.settings["noise_samples"] < 2:
        raise InputError(f"noise_samples = {plan.settings['noise_samples']}: give 2 or more.")


def _runs(config: Any) -> Any:
    """Return what a sweep runs, whatever its root seed."""
    return config.unvaried, config.grid


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Score all networks, here and elsewhere, and put each feature to the noise test.

    `score`, `score_clean`, `score_continued` (solution, seed); `mixing_score` (kind, scale, seed)
    with its exact lines; `density_score` (of, density, seed), `density_elsewhere` (trained_at,
    density, seed) of the first of them; `own_error` (solution, seed, noise, feature), `computed`
    (solution, seed, noise), `together` (solution).
    """
    dataset = dataset.transpose("solution", "seed", ...)
    over, p, n_hidden = ("solution", "seed"), float(dataset["p_active"]), dataset.sizes["hidden"]
    W, V, M = (dataset[name].values for name in WEIGHTS)
    continued = parts["compressed-transplant"].transpose("model_solution", "model_seed", ...)
    found = xr.Dataset(coords={"noise": dataset["noise"].values})
    for name in ("mixing", "mixing_scale", "exponent"):
        found = found.assign_coords({f"solution_{name}": ("solution", dataset[name].values)})
    found["score"] = (over, _scored(W, V, M, p))
    found["score_clean"] = (over, _scored(W, V, 0 * M, p))
    W_on, V_on = continued["W"].values, continued["V"].values
    found["score_continued"] = (over, _scored(W_on, V_on, 0 * M, p))
    lost = (dataset["diverged"].values != 0) | (continued["diverged"].values != 0)
    found["diverged"] = (over, lost.astype(np.int8))
    found["naive"] = score_naive(np.zeros_like(M[0, 0]), n_hidden)
    errors = _noise_test(dataset)
    found["own_error"] = ((*over, "noise", "feature"), errors.astype(np.float32))
    found["together"] = ("solution", _together(dataset))
    below = float(dataset["computed_below"])
    found["computed"] = ((*over, "noise"), np.sum(errors < below, axis=-1).astype(np.float32))
    found = found.merge(_by_mixing(parts["compressed-mixing"]))
    return found.merge(_by_density(parts["compressed-density"]))


def _scored(W: np.ndarray, V: np.ndarray, M: np.ndarray, p_active: float) -> np.ndarray:
    """Return scores of networks over any axes."""
    W_flat, V_flat, M_flat = (leaf.reshape(-1, *leaf.shape[-2:]) for leaf in (W, V, M))
    return scores(W_flat, V_flat, M_flat, p_active).reshape(W.shape[:-2])


def _noise_test(dataset: xr.Dataset) -> np.ndarray:
    """Return own errors `[solution, seed, noise, feature]`."""
    W, V, M = (dataset[name].values for name in WEIGHTS)
    noise, n_samples = dataset["noise"].values, int(dataset["noise_samples"])
    found = np.empty((*W.shape[:2], len(noise), W.shape[-1]))
    for at in np.ndindex(W.shape[:2]):
        found[at] = own_errors(W[at], V[at], M[at], noise, n_samples)
    return found


def _together(dataset: xr.Dataset) -> np.ndarray:
    """Return the own error of all features together, of solutions by another power; else NaN."""
    n, n_hidden = dataset.sizes["feature"], dataset.sizes["hidden"]
    q = dataset["exponent"].values
    known = (dataset["mixing"].values == NONE) & (q != 2)
    return np.where(known, power_loss(n, n_hidden, q).active_error / (2 * ANSWER_ZERO), np.nan)


def _by_mixing(cells: xr.Dataset) -> xr.Dataset:
    """Return scores by kind and size of the mixing, with the exact ones."""
    cells = cells.transpose("mixing", "mixing_scale", "seed", ...)
    W, V, M = (cells[name].values for name in WEIGHTS)
    over = ("kind", "scale", "seed")
    coords = {"kind": cells["mixing"].values, "scale": cells["mixing_scale"].values}
    found = xr.Dataset(coords=coords)
    found["mixing_score"] = (over, _scored(W, V, M, float(cells["p_active"])))
    found["mixing_diverged"] = (over, cells["diverged"].values)
    for name, exact in (("least", score_least), ("naive", score_naive), ("linear", score_linear)):
        values = [exact(mixing, W.shape[-2]) for mixing in M.reshape(-1, *M.shape[-2:])]
        found[f"mixing_{name}"] = (over[:2], np.reshape(values, M.shape[:3]).mean(axis=2))
    return found


def _by_density(cells: xr.Dataset) -> xr.Dataset:
    """Return scores by density of training, and elsewhere of the sparsest and the densest."""
    cells = cells.transpose("mixing", "p_active", "seed", ...)
    W, V, M = (cells[name].values for name in WEIGHTS)
    density = cells["p_active"].values
    own = [_scored(W[:, i], V[:, i], M[:, i], float(p)) for i, p in enumerate(density)]
    ends = [0, len(density) - 1]
    elsewhere = [_scored(W[0, ends], V[0, ends], M[0, ends], float(p)) for p in density]
    coords = {"of": cells["mixing"].values, "density": density, "trained_at": density[ends]}
    found = xr.Dataset(coords=coords)
    found["density_score"] = (("of", "density", "seed"), np.stack(own, axis=1))
    found["density_elsewhere"] = (("trained_at", "density", "seed"), np.stack(elsewhere, axis=1))
    found["density_diverged"] = (("of", "density", "seed"), cells["diverged"].values)
    return found


def claim(dataset: xr.Dataset) -> str:
    """Say the scores with and without mixing, and what the noise test leaves."""
    if bool((dataset["diverged"] != 0).all()):
        return "Every run diverged: nothing is known of its score"
    n, n_hidden = dataset.sizes["feature"], int(dataset["n_hidden"])
    where = f"{n} ReLUs on {n_hidden} neurons at density {float(dataset['p_active']):g}"
    parts = [f"one neuron each scores L / p = {float(dataset['naive']):.4f}"]
    plain, best, told = _told(dataset)
    if plain is not None:
        parts += [f"training {_said(dataset, 'score', plain)} where nothing is mixed"]
    if best is not None:
        parts += [
            f"{_said(dataset, 'score', best)} with {_named(dataset, best)}, whose weights score "
            f"{_said(dataset, 'score_clean', best)} without it and, trained on, "
            f"{_said(dataset, 'score_continued', best)}"
        ]
    return f"{where}: {', '.join(parts)}; {_noise_said(dataset, told)}"


def _told(dataset: xr.Dataset) -> tuple[int | None, int | None, list[int]]:
    """Return the solution without mixing, the best with it, and of which the noise test is told."""
    kinds, q = dataset["solution_mixing"].values, dataset["solution_exponent"].values
    means = draws.interval(dataset, "score")["average"].values
    known = np.flatnonzero(np.isfinite(means))
    plain = [int(k) for k in known if kinds[k] == NONE and q[k] == 2]
    mixed = [int(k) for k in known if kinds[k] != NONE]
    powers = [int(k) for k in known if kinds[k] == NONE and q[k] != 2]
    best = [min(mixed, key=lambda k: means[k])] if mixed else []
    first = plain[:1]
    return (first or [None])[0], (best or [None])[0], [*first, *best, *powers]


def _named(dataset: xr.Dataset, k: int) -> str:
    return draws.solution_words(dataset, k)


def _said(dataset: xr.Dataset, name: str, k: int) -> str:
    """Write a mean over seeds with its interval, where there is one."""
    found = draws.interval(dataset.isel(solution=k), name)
    mean, low, high = (float(found[part]) for part in ("average", "low", "high"))
    return f"{mean:.4f}" + ("" if np.isnan(low) else f" [{low:.4f}, {high:.4f}]")


def _noise_said(dataset: xr.Dataset, solutions: list[int]) -> str:
    """Say how many features some solutions compute, alone and with noise on the others."""
    at = int(np.abs(dataset["noise"].values - TOLD_NOISE).argmin())
    found = draws.interval(dataset, "computed")["average"].isel(noise=[0, at]).values
    said = [f"{found[k, 1]:.0f} of {found[k, 0]:.0f} ({_named(dataset, k)})" for k in solutions]
    where = f"noise ε = {float(dataset['noise'][at]):g} on all others"
    return f"of the features computed alone, {where} leaves {listed(said)}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is exact, what is ours and what the bars are."""
    below = float(dataset["computed_below"])
    return [
        "L: squared error, mean over features; dashed: one neuron for each of as many features, "
        "exact; dotted: least L / p of any network where one feature is active, exact and ours",
        f"bars: 95 % intervals over {counted(dataset.sizes['seed'], 'network')}, each with a "
        "mixing of its own",
        "the paper takes batches of 2,048 and 10,000 steps at rate 0.003; here what a feature "
        "costs alone is in closed form",
        f"noise test, ours: a feature is computed where its own error is below {below:g} of that "
        "of the answer 0, while all others are uniform on [-ε, ε]",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw scores by density and by mixing, the transplant, each feature and the noise test."""
    figure, panel = panels(axes, MOSAIC, figsize=(13.2, 7.6))
    for name, paint in (
        ("density", draws.draw_density),
        ("mixing", draws.draw_mixing),
        ("transplant", draws.draw_transplant),
        ("features", draws.draw_features),
        ("noise", draws.draw_noise),
    ):
        paint(panel[name], dataset)
    return figure
