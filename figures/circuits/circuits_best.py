"""Better settings of the published construction, beside the published ones.

Linsefors & Bushnaq 2025, "Rotations in Superposition", take S = 6, b = 1, the χ that balances and
prime steps. Our sweeps of each of these, one at a time, leave room; `circuits-best` holds what a
search over them together found. The networks that chose are not those that are shown.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures.circuits.errors import (
    ESTIMATE,
    GEOMETRIC,
    ZERO,
    draw_reading_zero,
    each_network,
    geometric_means,
    published_error,
)
from figures.kit import style
from figures.kit.panels import draw_interval, legend_of, panels
from figures.kit.words import listed, rounded
from sweeps.stats import mean_over_seeds
from toymodels.errors import InputError

ERROR = "mse_x_active"
BESIDE = "circuits-published"
EXACT = 1e-9  # an error below it is none
SETTINGS = ("best", "published")
LOOKS = {"best": style.series(0), "published": style.series(5)}
# Keys that tell the settings apart, with their letters.
KEYS = {"redundancy": "S", "bias": "b", "inhibition": "χ times", "assignment": ""}

# What both must have in common.
SHARED = ("width", "gain", "gating")

# What the analysis' own variables are.
WORDS = {
    "theory": "published estimate",
    "ratio": "error with the published settings over that with the best, geometric mean",
    "ratio_low": "lower end of its 95 % interval",
    "ratio_high": "upper end of its 95 % interval",
}


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Return geometric means over networks of both settings, and the ratio of their errors.

    Over (n_circuits, n_active, layer from 1): `mse_x_active_mean`, `_low`, `_high`, `theory`
    (settings); `ratio`, `ratio_low`, `ratio_high` of networks of the same seed. NaN where the
    other sweep has no such cell.

    Raises:
        InputError: networks of another size or kind.
    """
    for key in SHARED:
        if dataset[key].item() != parts[BESIDE][key].item():
            raise InputError(
                f"{key} = {dataset[key].item()}, but {BESIDE}, which is shown beside it, has "
                f"{parts[BESIDE][key].item()}: run both with `toymodels sweep run` instead."
            )
    other = parts[BESIDE].reindex_like(dataset[[ERROR]])
    # What was not run counts as lost.
    other["diverged"] = other["diverged"].fillna(1).astype(np.int8)
    both = dict(zip(SETTINGS, (dataset, other), strict=True))
    found = {name: _errors(of) for name, of in both.items()}
    joined = xr.concat([found[name] for name in SETTINGS], "settings")
    joined = joined.assign_coords(settings=list(SETTINGS))
    for key in KEYS:
        joined = joined.assign_coords(
            {key: ("settings", [both[name][key].item() for name in SETTINGS])}
        )
    errors = [each_network(of, ERROR).isel(layer=slice(1, None)) for of in both.values()]
    logs = [np.log(of.where(of > EXACT)) for of in errors]
    lost = ((dataset["diverged"] != 0) | (other["diverged"] != 0)).astype(np.int8)
    over = mean_over_seeds(xr.Dataset({"log": logs[1] - logs[0], "diverged": lost}), "log")
    ratios = {"ratio": "average", "ratio_low": "low", "ratio_high": "high"}
    return joined.assign({name: np.exp(over[of]) for name, of in ratios.items()})


def _errors(of: xr.Dataset) -> xr.Dataset:
    found = geometric_means(of, [ERROR]).isel(layer=slice(1, None))
    found["theory"] = published_error(ERROR, of)
    return found.drop_vars([*KEYS], errors="ignore")


def claim(dataset: xr.Dataset) -> str:
    """Compare the errors of the last layer, for each number of circuits."""
    last = dataset.isel(layer=-1)
    z = np.atleast_1d(last["n_active"].values).tolist()
    parts = []
    for n_circuits in np.atleast_1d(last["n_circuits"].values).tolist():
        mine = last.sel(n_circuits=n_circuits)
        each = [_compared(mine.sel(n_active=n)) for n in z]
        parts.append(f"{listed(each)} for T = {n_circuits}")
    return (
        f"From the published settings to the best the error of x in layer {int(last['layer'])} "
        f"goes, with {listed(z)} active at once, {'; '.join(parts)}"
    )


def _compared(mine: xr.Dataset) -> str:
    """Say the two errors, and their ratio with its interval."""
    best, published = (rounded(mine[f"{ERROR}_mean"].sel(settings=name)) for name in SETTINGS)
    ratio, low, high = (float(mine[name]) for name in ("ratio", "ratio_low", "ratio_high"))
    if not np.isfinite(ratio):
        return "(not compared)"
    interval = f"{rounded(low, 3)}, {rounded(high, 3)}" if np.isfinite(low) else "one network"
    return f"from {published} to {best} (ratio {rounded(ratio, 3)} [{interval}])"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what the settings are, and where they are from."""
    said = [f"{name}: {_described(dataset.sel(settings=name))}" for name in SETTINGS]
    return [
        GEOMETRIC,
        "; ".join(said),
        "the best settings are ours, chosen at T = 400 on three other networks",
    ]


def _described(mine: xr.Dataset) -> str:
    values = {key: mine[key].item() for key in KEYS}
    return (
        f"S = {values['redundancy']:g}, b = {values['bias']:g}, {values['inhibition']:g} χ, "
        f"{str(values['assignment']).replace('_', ' ')}"
    )


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw a row for each number of circuits, a column for each z."""
    counts, every = (
        np.atleast_1d(dataset[key].values).tolist() for key in ("n_circuits", "n_active")
    )
    names = [[f"T = {t}, z = {z}" for z in every] for t in counts]
    size = (3.9 * len(every) + 2.6, 3.4 * len(counts))
    figure, panel = panels(axes, names, figsize=size, sharex=True, sharey=True)
    for row, t in zip(names, counts, strict=True):
        for name, z in zip(row, every, strict=True):
            _draw_panel(panel[name], dataset.sel(n_circuits=t, n_active=z))
            panel[name].set_title(name)
        panel[row[0]].set_ylabel("mean |x̂ − x|² of active circuits")
    for name in names[-1]:
        panel[name].set_xlabel("layer")
    some = dataset[f"{ERROR}_mean"].values
    some = some[np.isfinite(some) & (some > EXACT)]
    if some.size:
        panel[names[0][0]].set_ylim(0.5 * some.min(), 2.5 * max(some.max(), 1))
    _draw_legend(panel[names[0][-1]], dataset)
    return figure


def _draw_panel(ax: Axes, here: xr.Dataset) -> None:
    draw_reading_zero(ax)
    layer = here["layer"].values
    for name in SETTINGS:
        mine, look = here.sel(settings=name), LOOKS[name]
        mean, low, high = (mine[f"{ERROR}_{part}"].values for part in ("mean", "low", "high"))
        seen = mean > EXACT  # the first layer has no error with z = 1
        draw_interval(ax, layer[seen], mean[seen], low[seen], high[seen], **look, zorder=3)
        theory = mine["theory"].values
        ax.plot(layer[theory > 0], theory[theory > 0], color=look["color"], **ESTIMATE, zorder=1)
    ratio = float(here["ratio"].isel(layer=-1))
    if np.isfinite(ratio):
        _write_ratio(ax, here.isel(layer=-1), ratio)
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _write_ratio(ax: Axes, last: xr.Dataset, ratio: float) -> None:
    """Write how many times the error falls, between the last marks."""
    mean = last[f"{ERROR}_mean"].values
    ax.annotate(
        f"÷ {rounded(ratio)}",
        (float(last["layer"]), float(np.sqrt(mean.prod()))),
        (-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color=style.NOTE,
    )


def _draw_legend(ax: Axes, dataset: xr.Dataset) -> None:
    said = {name: _described(dataset.sel(settings=name)) for name in reversed(SETTINGS)}
    looks: dict[str, Any] = {
        "\n".join([f"{name}:", *text.split(", ")]): LOOKS[name] for name, text in said.items()
    }
    looks["published estimate"] = {"color": style.INK} | ESTIMATE
    looks["as bad as reading out 0"] = ZERO
    legend_of(ax, looks, loc="upper left", bbox_to_anchor=(1.01, 1))
