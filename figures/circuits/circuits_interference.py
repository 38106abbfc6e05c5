"""Appendix 2: what one layer adds to circuits that should hear nothing, against its estimate.

Linsefors & Bushnaq 2025, "Rotations in Superposition", appendix. Circuits of one neuron and no
ReLU multiply by w: their own +1 or -1, a shared 1, or the sum. Measured is the mean over pairs
t < v of the squared difference between `e_t W e_v / S` and what their overlap alone gives;
estimated `T t² + t`, twice that for both, with the overlap constant t = d/D - 1/(S T).
"""

from functools import partial
from typing import Any

import jax
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from figures.circuits.errors import copies, geometric_means
from figures.circuits.reference import published
from figures.kit import style
from figures.kit.analysis import Parts
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.settings import require_at_least
from figures.kit.words import counted, listed
from toymodels.circuits.assignment import capacity_of_prime_steps, overlap_probability, prime_steps
from toymodels.circuits.examples import draw_embedding, generator
from toymodels.circuits.interference import measure_interference, scalar_circuits
from toymodels.circuits.network import capped_network
from toymodels.circuits.simulation import copies_of
from toymodels.circuits.small_circuits import ROTATION_NEURONS
from toymodels.errors import InputError
from toymodels.streams import Stream

# What the circuits multiply by, and how many times the estimate of one kind is expected.
WEIGHTS = {"own": "own weights, ±1", "shared": "shared weight, 1", "both": "both"}
TIMES = xr.DataArray([1, 1, 2], dims="weights")

# What the analysis' own variables are.
WORDS = {
    "measured": "interference per pair",
    "overlap": "mean of (e_t · e_u / S)² over pairs",
    "mean": "geometric mean of the interference over seeds",
    "low": "lower end of its 95 % interval",
    "high": "upper end of its 95 % interval",
    "estimated": "published estimate",
    "corrected": "published estimate with the overlap as measured",
    "by_estimated": "mean over the published estimate",
    "by_corrected": "mean over the corrected estimate",
}


def parts(dataset: xr.Dataset) -> Parts:
    """Measure one network for each part.

    Raises:
        InputError: settings that are not possible.
    """
    for name in ("n_seeds", "redundancies"):
        require_at_least(name, int(dataset[name].min()), 1)
    require_at_least("seed", int(dataset["seed"]), 0)
    width, n_circuits = (dataset[name].values.tolist() for name in ("width", "n_circuits"))
    if len(width) != len(n_circuits):
        raise InputError(
            f"width has {len(width)} values and n_circuits {len(n_circuits)}: give both lists, one "
            "value of each for a network."
        )
    n_copies = [copies_of(w, ROTATION_NEURONS) for w in width]
    seeds = int(dataset["seed"]) + np.arange(int(dataset["n_seeds"]))
    how = {"redundancies": dataset["redundancies"].values, "seeds": seeds}
    return {
        f"{i}: D = {w}, T = {t}": partial(measure_network, n, t, **how)
        for i, (w, t, n) in enumerate(zip(width, n_circuits, n_copies, strict=True))
    }


def measure_network(
    n_copies: int, n_circuits: int, redundancies: np.ndarray, seeds: np.ndarray
) -> xr.Dataset:
    """Measure a network of every redundancy and seed that the published assignment has room for.

    `measured` (weights, redundancy, seed) and `overlap` (redundancy), the mean of
    `(e_t · e_u / S)²` over t ≠ u; NaN where T circuits do not fit.
    """
    measured = np.full((len(WEIGHTS), redundancies.size, seeds.size), np.nan)
    overlap = np.full(redundancies.size, np.nan)
    for j, s in enumerate(redundancies.tolist()):
        if n_circuits > capacity_of_prime_steps(n_copies, s):
            continue
        for k, seed in enumerate(seeds.tolist()):
            measured[:, j, k] = measure(n_copies, n_circuits, s, seed)
        held = prime_steps(n_circuits, n_copies, s)
        overlap[j] = overlap_probability(held, n_copies) / s**2
    return xr.Dataset(
        {
            "measured": (("weights", "redundancy", "seed"), measured),
            "overlap": ("redundancy", overlap),
        },
        {"weights": list(WEIGHTS), "redundancy": redundancies, "seed": seeds},
    )


def measure(n_copies: int, n_circuits: int, redundancy: int, seed: int) -> list[float]:
    """Measure the interference of own, shared and both weights in one network."""
    key = jax.random.key(seed)
    held = draw_embedding(key, prime_steps, n_circuits, n_copies, redundancy, 2)
    own = generator(key, Stream.WEIGHTS).choice([-1.0, 1.0], n_circuits)
    return [
        measure_interference(capped_network(scalar_circuits(*weights), held, n_copies))
        for weights in ((own, 0), (0 * own, 1), (own, 1))
    ]


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Join the networks and put estimates beside them, over (weights, network, redundancy).

    `measured` with `seed`, its geometric `mean`, `low`, `high`; `estimated`, and `corrected` by the
    measured `overlap`, which takes the place of t; ratios of the mean to either, `by_estimated`
    and `by_corrected`.
    """
    found = xr.concat(list(parts.values()), "network").transpose("weights", ...)
    sizes = {name: ("network", dataset[name].values) for name in ("width", "n_circuits")}
    found = found.assign_coords(sizes)
    fits = found["measured"].notnull()
    filled = found[["measured"]].where(fits, 1.0).assign(diverged=0 * fits)
    found_means = geometric_means(filled, ["measured"]).where(fits.all("seed"))
    for part in ("mean", "low", "high"):
        found[part] = found_means[f"measured_{part}"]
    T = found["n_circuits"].astype(float)
    t = 1 / copies(found) - 1 / (found["redundancy"] * T)  # as `theory.overlap_constant`
    t = t.clip(min=0)
    found["estimated"] = TIMES * (T * t**2 + t)
    found["corrected"] = TIMES * (T * found["overlap"] ** 2 + found["overlap"])
    for name in ("estimated", "corrected"):
        found[f"by_{name}"] = found["mean"] / found[name].where(found[name] > 0)
    return found


def claim(dataset: xr.Dataset) -> str:
    """Say how measured and estimated compare, at the redundancy of the post or the nearest."""
    n_fit = (dataset["by_estimated"] < np.inf).all("weights").sum("network")
    some = dataset["redundancy"].values[n_fit.values > 0]
    if not some.size:
        return "No network has both room for its circuits and interference"
    s = int(some[np.abs(some - published("redundancy")).argmin()])
    here = dataset.sel(redundancy=s)
    ratios, corrected = (
        listed(f"{float(r):.2f}" for r in here[f"by_{name}"].mean("network"))
        for name in ("estimated", "corrected")
    )
    return (
        f"At S = {s} one layer's interference is {ratios} times the estimate for own, shared and "
        f"both weights, {corrected} times with the overlap as measured"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what was measured and what the marks are."""
    width, n_circuits = dataset["width"].values, dataset["n_circuits"].values
    return [
        f"{dataset.sizes['network']} networks of {width.min()} to {width.max()} neurons and "
        f"{n_circuits.min()} to {n_circuits.max()} circuits, where prime steps have room",
        f"geometric mean of {counted(dataset.sizes['seed'], 'seed')}, bars its 95 % interval"
        if dataset.sizes["seed"] > 1
        else "one seed",
        "below: means over networks, and each as a small mark",
        "corrected: t replaced by the mean overlap as it is, Σ c (c − 1) / (T (T − 1) S²), c "
        "circuits on a neuron",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw measured over estimated above, their ratio over S below."""
    kinds = [str(name) for name in dataset["weights"].values]
    names = [[f"{row} {kind}" for kind in kinds] for row in ("measured", "ratio")]
    size = {"figsize": (11, 6.8), "height_ratios": [1.4, 1]}
    figure, panel = panels(axes, names, **size)
    s = dataset["redundancy"].values
    ends = np.concatenate([[s[0] - 0.5], (s[1:] + s[:-1]) / 2, [s[-1] + 0.5]])
    norm = BoundaryNorm(ends, style.IMPORTANCE.N)
    upper, lower = ([panel[name] for name in row] for row in names)
    n_fit = dataset["mean"].notnull().sum("network")
    for above, below, kind in zip(upper, lower, kinds, strict=True):
        here = dataset.sel(weights=kind)
        _draw_scatter(above, here, norm)
        _draw_ratio(below, here)
        above.set_title(WEIGHTS[kind])
        formula = "2 (T t² + t)" if kind == "both" else "T t² + t"
        above.set_xlabel(f"published estimate, {formula}")
        counts = n_fit.sel(weights=kind).values
        below.set(xlabel="redundancy S", xticks=s)
        _write_counts(below, s, counts)
    _share_limits(upper)
    _share_limits(lower, above=0.3)  # room for the legend
    upper[0].set_ylabel("measured interference per pair")
    lower[0].set_ylabel("measured / estimate")
    looks = {label: {"color": c, "marker": m, "lw": 1.2} for _, label, _, c, m in RATIOS}
    legend_of(lower[0], looks, loc="upper left")
    mappable = ScalarMappable(norm, style.IMPORTANCE)
    figure.colorbar(mappable, ax=upper, label="redundancy S", ticks=s)
    return figure


def _write_counts(ax: Axes, s: np.ndarray, counts: np.ndarray) -> None:
    """Write above a panel how many networks have room for their circuits at each S."""
    look: dict[str, Any] = {"fontsize": 7, "color": style.NOTE, "va": "bottom"}
    for k, n in zip(s, counts, strict=True):
        ax.text(k, 1.01, f"{n}", transform=ax.get_xaxis_transform(), ha="center", **look)
    ax.text(0, 1.07, "networks", transform=ax.transAxes, **look)


def _share_limits(row: list[Axes], above: float = 0.0) -> None:
    """Give the panels of a row one scale, with room above; all but the first have no labels."""
    x, y = (np.array([ax.get_xlim() for ax in row]), np.array([ax.get_ylim() for ax in row]))
    top = y.max() + above * (y.max() - y.min())
    for ax in row:
        ax.set(xlim=(x.min(), x.max()), ylim=(y.min(), top))
        ax.tick_params(labelleft=ax is row[0])


def _draw_scatter(ax: Axes, here: xr.Dataset, norm: BoundaryNorm) -> None:
    for s in here["redundancy"].values:
        at = here.sel(redundancy=s)
        at = at.isel(network=np.flatnonzero((at["by_estimated"] > 0).values))
        mean, low, high = (at[part].values for part in ("mean", "low", "high"))
        look = {"fmt": "o", "ms": 4.5, "color": style.IMPORTANCE(norm(s)), "lw": 0.9, "capsize": 0}
        draw_interval(ax, at["estimated"].values, mean, low, high, **look)
    ax.set(xscale="log", yscale="log")
    ax.axline((1e-3, 1e-3), (1e-2, 1e-2), ls="--", color=style.INK, lw=1.0, zorder=1)


RATIOS = (
    ("by_estimated", "published estimate", -0.14, style.RED, "o"),
    ("by_corrected", "corrected by the measured overlap", 0.14, style.BLUE, "D"),
)


def _draw_ratio(ax: Axes, here: xr.Dataset) -> None:
    s = here["redundancy"].values
    for name, _, shift, color, marker in RATIOS:
        ratio = here[name].values
        at = np.broadcast_to(s + shift, ratio.shape)
        ax.plot(at.ravel(), ratio.ravel(), marker, color=color, ms=3, alpha=0.45, mew=0)
        some = np.isfinite(ratio).any(axis=0)
        mean = np.nanmean(ratio[:, some], axis=0)
        ax.plot(s[some] + shift, mean, marker, ls="-", lw=1.2, color=color, ms=6)
    ax.axhline(1, color=style.INK, ls="--", lw=1.0, zorder=0)
