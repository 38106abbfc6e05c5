"""Appendix 2: what one layer adds to circuits that should hear nothing, against its estimate.

Linsefors & Bushnaq 2025, "Rotations in Superposition", appendix. Circuits of one neuron and no
ReLU multiply by w: their own +1 or -1, a shared 1, or the sum. Measured is the mean over pairs
t < v of the squared difference between `e_t W e_v / S` and what their overlap alone gives;
estimated `T t² + t`, twice that for both, with the overlap constant t = d/D - 1/(S T).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from figures import style
from figures.recipe import write_caption
from figures.settings import caption_end, changed, require_at_least
from sweeps.run import Quiet
from sweeps.stats import mean_over_seeds
from toymodels.circuits import theory
from toymodels.circuits.assignment import capacity_of_prime_steps, overlap_probability, prime_steps
from toymodels.circuits.examples import draw_embedding, generator
from toymodels.circuits.interference import measure_interference, scalar_circuits
from toymodels.circuits.network import capped_network
from toymodels.circuits.small_circuits import ROTATION_NEURONS
from toymodels.errors import InputError
from toymodels.streams import Stream

# (D, T), with d = 4 as if each neuron were one of a rotation circuit's.
NETWORKS = (
    *((1000, 500), (1400, 200), (1200, 700), (1400, 600), (2000, 1000)),
    *((800, 200), (800, 300), (1000, 200), (1000, 400), (1200, 300)),
    *((1400, 1000), (1600, 700), (1600, 1300), (2000, 200), (2000, 2000)),
)
WEIGHTS = {"own": "own weights, ±1", "shared": "shared weight, 1", "both": "both"}

TITLE = "Interference of one layer: the estimate is low, partly as neurons are used unevenly"


@dataclass(frozen=True)
class Appendix:
    """What may be changed."""

    redundancies: tuple[int, ...] = tuple(range(2, 11))  # S = 1 shares nothing
    n_networks: int = len(NETWORKS)  # the first so many
    n_seeds: int = 3
    seed: int = 0


FAST = Appendix(redundancies=(2, 4, 6), n_networks=5)


def compute(
    *, fast: bool = False, overrides: Sequence[str] = (), report: Any = None, **_: Any
) -> xr.Dataset:
    """Measure every network, S and seed that the published assignment has room for.

    Over (weights, network, redundancy): `measured` with `seed`, its `mean`, `low` and `high`, NaN
    where T circuits do not fit; `estimated`, and `corrected` by the measured `overlap`, which
    takes the place of t; the ratios of the mean to either, `by_estimated` and `by_corrected`.

    Raises:
        InputError: settings that are not possible.
    """
    settings = changed(FAST if fast else Appendix(), overrides)
    require_at_least(settings, 1, "n_seeds", "n_networks")
    require_at_least(settings, 0, "seed")
    if min(settings.redundancies) < 1:
        raise InputError(f"redundancies = {list(settings.redundancies)}: each must be at least 1.")
    networks = NETWORKS[: settings.n_networks]
    dataset = _empty(networks, settings)
    report = report or Quiet()
    report.start(len(networks), len(networks), 0)
    for i, (width, n_circuits) in enumerate(networks):
        for j, s in enumerate(settings.redundancies):
            if n_circuits <= room(width, s):
                each = [measure(width, n_circuits, s, k) for k in dataset["seed"].values.tolist()]
                dataset["measured"][:, i, j] = np.transpose(each)
                dataset["overlap"][i, j] = overlap(width, n_circuits, s)
        report.advance(1)
    report.finish()
    dataset = _summarise(dataset)
    return dataset.assign_attrs(title=TITLE, caption=_caption(dataset, fast, overrides))


def _empty(networks: Sequence[tuple[int, int]], settings: Appendix) -> xr.Dataset:
    width, n_circuits = np.array(networks).T
    coordinates = {
        "weights": list(WEIGHTS),
        "width": ("network", width),
        "n_circuits": ("network", n_circuits),
        "redundancy": list(settings.redundancies),
        "seed": list(range(settings.seed, settings.seed + settings.n_seeds)),
    }
    shape = (len(networks), len(settings.redundancies))
    measured = np.full((len(WEIGHTS), *shape, settings.n_seeds), np.nan)
    variables = {
        "measured": (("weights", "network", "redundancy", "seed"), measured),
        "overlap": (("network", "redundancy"), np.full(shape, np.nan)),
    }
    return xr.Dataset(variables, coordinates)


def _summarise(dataset: xr.Dataset) -> xr.Dataset:
    """Add estimates, `mean`, `low` and `high` over seeds, and both ratios."""
    n_copies, n_circuits = dataset["width"] / ROTATION_NEURONS, dataset["n_circuits"]
    times = xr.DataArray([1, 1, 2], dims="weights")
    t = theory.overlap_constant(
        n_circuits.values[:, None], n_copies.values[:, None], dataset["redundancy"].values
    )
    t = xr.DataArray(np.maximum(t, 0), dims=("network", "redundancy"))
    dataset["estimated"] = times * (n_circuits * t**2 + t)
    p = dataset["overlap"]
    dataset["corrected"] = times * (n_circuits * p**2 + p)
    fits = dataset["measured"].notnull()
    found = mean_over_seeds(
        dataset[["measured"]].fillna(0).assign(diverged=xr.zeros_like(fits, dtype=np.int8)),
        "measured",
    ).where(fits.all("seed"))
    dataset = dataset.assign({name: found[name] for name in ("mean", "low", "high")})
    for name in ("estimated", "corrected"):
        dataset[f"by_{name}"] = dataset["mean"] / dataset[name].where(dataset[name] > 0)
    return dataset


def _caption(dataset: xr.Dataset, fast: bool, overrides: Sequence[str]) -> str:
    return (
        f"{dataset.sizes['network']} networks of 800 to 2000 neurons and 200 to 2000 circuits, "
        f"where the published assignment has room; mean of {dataset.sizes['seed']} seeds, bars "
        "their 95 % interval. Corrected: t replaced by the mean overlap as it is, "
        f"Σ c (c − 1) / (T (T − 1) S²), c circuits on a neuron.{caption_end(fast, overrides)}"
    )


def room(width: int, redundancy: int) -> int:
    """Return the most circuits that fit."""
    return capacity_of_prime_steps(width // ROTATION_NEURONS, redundancy)


def overlap(width: int, n_circuits: int, redundancy: int) -> float:
    """Return the mean of `(e_t · e_u / S)²` of the published assignment, t ≠ u."""
    held = prime_steps(n_circuits, width // ROTATION_NEURONS, redundancy)
    return overlap_probability(held, width // ROTATION_NEURONS) / redundancy**2


def measure(width: int, n_circuits: int, redundancy: int, seed: int) -> list[float]:
    """Measure the interference of own, shared and both weights in one network."""
    key, n_copies = jax.random.key(seed), width // ROTATION_NEURONS
    held = draw_embedding(key, prime_steps, n_circuits, n_copies, redundancy, 2)
    own = generator(key, Stream.WEIGHTS).choice([-1.0, 1.0], n_circuits)
    return [
        measure_interference(capped_network(scalar_circuits(*weights), held, n_copies))
        for weights in ((own, 0), (0 * own, 1), (own, 1))
    ]


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw measured over estimated above, their ratio over S below; `ax`: six axes."""
    n = dataset.sizes["weights"]
    if ax is None:
        figure, axes = plt.subplots(
            *(2, n), figsize=(11, 6.8), sharex="row", sharey="row", height_ratios=[1.4, 1]
        )
    else:
        axes = np.reshape(ax, (2, n))
        figure = axes[0, 0].figure
    s = dataset["redundancy"].values
    middle = (s[1:] + s[:-1]) / 2
    norm = BoundaryNorm([s[0] - 0.5, *middle, s[-1] + 0.5], style.IMPORTANCE.N)
    for (upper, lower), name in zip(axes.T, dataset["weights"].values, strict=True):
        here = dataset.sel(weights=name)
        _draw_scatter(upper, here, norm)
        _draw_ratio(lower, here)
        upper.set_title(WEIGHTS[str(name)])
        formula = "2 (T t² + t)" if name == "both" else "T t² + t"
        upper.set_xlabel(f"published estimate, {formula}")
        n_fit = here["mean"].notnull().sum("network").values
        lower.set_xticks(s, [f"{k}\n{n}" for k, n in zip(s, n_fit, strict=True)])
        lower.set(xlabel="redundancy S, and how many networks", ylim=(0.95, 2.2))
    axes[0, 0].set_ylabel("measured interference per pair")
    axes[1, 0].set_ylabel("measured / estimate")
    axes[1, 0].legend(loc="upper left")
    mappable = ScalarMappable(norm, style.IMPORTANCE)
    figure.colorbar(mappable, ax=list(axes[0]), label="redundancy S", ticks=s)
    write_caption(figure, dataset)
    return figure


def _draw_scatter(ax: Axes, here: xr.Dataset, norm: BoundaryNorm) -> None:
    for s in here["redundancy"].values:
        at = here.sel(redundancy=s)
        at = at.isel(network=np.flatnonzero((at["by_estimated"] > 0).values))
        mean = at["mean"].values
        half = np.nan_to_num(np.stack([mean - at["low"].values, at["high"].values - mean]))
        color = style.IMPORTANCE(norm(s))
        ax.errorbar(at["estimated"], mean, half, fmt="o", ms=4.5, color=color, lw=0.9)
    ax.set(xscale="log", yscale="log")
    ax.axline((1e-3, 1e-3), (1e-2, 1e-2), ls="--", color=style.INK, lw=1.0, zorder=1)


RATIOS = (
    ("by_estimated", "published estimate", -0.14, style.RED, "o"),
    ("by_corrected", "corrected by the measured overlap", 0.14, style.BLUE, "D"),
)


def _draw_ratio(ax: Axes, here: xr.Dataset) -> None:
    s = here["redundancy"].values
    for name, label, shift, color, marker in RATIOS:
        ratio = here[name].values
        at = np.broadcast_to(s + shift, ratio.shape)
        ax.plot(at.ravel(), ratio.ravel(), marker, color=color, ms=3, alpha=0.45, mew=0)
        some = np.isfinite(ratio).any(axis=0)
        mean = np.nanmean(ratio[:, some], axis=0)
        ax.plot(s[some] + shift, mean, marker, ls="-", lw=1.2, color=color, ms=6, label=label)
    ax.axhline(1, color=style.INK, ls="--", lw=1.0, zorder=0)
