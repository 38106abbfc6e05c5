"""Panels of the trained universal AND: weights, errors by width and by what is on, structure."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from figures.circuits.universal_and_baselines import BINARY, GAUSSIAN, LINEAR, OWN, SPARSE
from figures.kit import style
from figures.kit.panels import draw_interval

TRAINED: dict[str, Any] = {"color": style.SERIES[0][0], "marker": "o", "ms": 5, "zorder": 5}
LOOKS: dict[str, dict[str, Any]] = {
    OWN: {"color": style.SERIES[5][0], "marker": "P", "ms": 5.5},
    SPARSE: {"color": style.SERIES[1][0], "marker": "s", "ms": 4.5},
    GAUSSIAN: {"color": style.NULL, "marker": "^", "ms": 4.5},
    BINARY: {"color": style.SERIES[3][0], "marker": "D", "ms": 4},
    LINEAR: {"color": style.INK, "ls": ":", "lw": 1.2},
}
BOUND: dict[str, Any] = {"color": style.INK, "ls": "--", "lw": 1.2}
SHARES: dict[str, dict[str, Any]] = {
    "features_heard": {"color": style.SERIES[0][0], "marker": "o", "ms": 5},
    "outputs_served": {"color": style.SERIES[2][0], "marker": "^", "ms": 5},
    "two_values": {"color": style.SERIES[4][0], "marker": "v", "ms": 5},
}
WORDS_OF_SHARES = {
    "features_heard": "features that a neuron hears",
    "outputs_served": "ANDs that it serves",
    "two_values": "variance of its weights\nthat two values explain",
}
MOST_OVER_LEAST = 2.0  # to which axes reach at least
COLUMNS = (1.03, 1.21)  # where shares stand beside errors, in widths of the panel
CLASSES = ("error_on", "error_off")


def draw_weights(ax: Axes, W: np.ndarray, title: str) -> None:
    """Draw weights `[neuron, feature]`, the largest of each neuron 1, most positive ones on top."""
    W = W / np.maximum(np.abs(W).max(1, keepdims=True), 1e-12)
    order = np.argsort(-W.sum(1))
    ax.imshow(W[order], cmap=style.SIGNED, vmin=-1, vmax=1, aspect="auto")
    ax.set(title=title, xlabel="input feature", ylabel="neuron", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def draw_errors(ax: Axes, cells: xr.Dataset, axis: str) -> None:
    """Draw the errors of trained networks and of what they are compared with, by an axis."""
    x = cells[axis].values
    for family, look in LOOKS.items():
        draw_interval(ax, x, *_with_ends(cells.sel(family=family), "baseline_error"), **look)
    draw_interval(ax, x, *_with_ends(cells, "error"), **TRAINED | {"lw": 2})
    ax.plot(x, cells["least_error"].where(cells["least_error"] > 0), **BOUND)
    ax.set_yscale("log")
    ax.set_ylabel("balanced squared error")
    _scale(ax, x)


def draw_over_least(ax: Axes, cells: xr.Dataset, axis: str) -> None:
    """Draw the same in units of the least possible, without the construction's own read-out."""
    x, least = cells[axis].values, cells["least_error"].where(cells["least_error"] > 0)
    drawn = {f: _with_ends(cells.sel(family=f), "baseline_error") for f in LOOKS if f != OWN}
    for family, ends in drawn.items():
        draw_interval(ax, x, *(end / least for end in ends), **LOOKS[family])
    draw_interval(
        ax, x, *(end / least for end in _with_ends(cells, "error")), **TRAINED | {"lw": 2}
    )
    ax.axhline(1, **BOUND)
    ax.set_ylabel("error / the least possible")
    top = np.nanmax(np.append((cells["error"] / least).values, MOST_OVER_LEAST))
    ax.set_ylim(0.95, min(1.1 * top, 10 * MOST_OVER_LEAST))
    _scale(ax, x)


def draw_structure(ax: Axes, cells: xr.Dataset, axis: str, dataset: xr.Dataset) -> None:
    """Draw shares that tell how dense and how two-valued trained weights are, by an axis."""
    x = cells[axis].values
    for name, look in SHARES.items():
        draw_interval(ax, x, *_with_ends(cells, name), **look)
        if f"normal_{name}" in dataset:
            ax.axhline(float(dataset[f"normal_{name}"]), color=look["color"], ls=":", lw=1.2)
    ax.set_ylim(0, 1.02)
    ax.set_ylabel("share")
    _scale(ax, x)


def draw_losses(ax: Axes, dataset: xr.Dataset, at: xr.Dataset) -> None:
    """Draw root mean squared errors of both classes of ANDs, by loss and by other neurons."""
    same = (dataset["n_hidden"] == at["n_hidden"]) & (dataset["n_active"] == at["n_active"])
    trained = dataset.isel(setting=np.flatnonzero(same.values))
    cells = [trained.isel(setting=k) for k in range(trained.sizes["setting"])]
    rows: list[Any] = [(_loss_of(cell), cell, "") for cell in cells]
    others = (OWN, SPARSE, GAUSSIAN, LINEAR)
    rows += [(family, at.sel(family=family), "baseline_") for family in others]
    for y, (_, cell, prefix) in enumerate(rows):
        for name, color in zip(CLASSES, (style.RED, style.BLUE), strict=True):
            mean, low, high = (max(float(v), 0) ** 0.5 for v in _with_ends(cell, prefix + name))
            half = np.nan_to_num(np.maximum([[mean - low], [high - mean]], 0))
            how = {"color": color, "marker": "o", "ms": 5, "lw": 0}
            ax.errorbar([mean], [y], xerr=half, capsize=2.5, elinewidth=1.2, **how)
        texts = [f"{float(cell[prefix + 'read_right']):.0%}"]
        texts += [] if prefix else [f"{float(cell['two_values']):.0%}"]
        for x, text in zip(COLUMNS, texts, strict=False):
            ax.text(x, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=7.5)
    for x, text in zip(COLUMNS, ("ANDs\nright", "two\nvalues"), strict=True):
        ax.text(x, 1.0, text, transform=ax.transAxes, va="bottom", fontsize=7.5)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.set_xlabel("root mean squared error of ANDs\nthat are on (red) or off (blue)")
    ax.set_title(f"{int(at['n_hidden'])} neurons, {int(at['n_active'])} inputs on")


def _loss_of(cell: xr.Dataset) -> str:
    """Say what loss a network was trained with."""
    classes = {0.0: "plain", 1.0: "balanced"}.get(float(cell["class_balance"]), "partly balanced")
    power = {2.0: "squared", 4.0: "4th power"}.get(float(cell["exponent"]), "other power")
    return f"trained, {classes} {power}"


def _with_ends(cells: xr.Dataset, name: str) -> tuple[xr.DataArray, ...]:
    """Return a mean and the ends of its interval."""
    return tuple(cells[name + end] for end in ("", "_low", "_high"))


def _scale(ax: Axes, x: np.ndarray) -> None:
    ax.set_xscale("log")
    ax.set_xticks(x, [f"{v:g}" for v in x])
    ax.minorticks_off()


def looks() -> dict[str, dict[str, Any]]:
    """Return labels and looks of the curves of errors."""
    return {"trained": TRAINED} | LOOKS | {"no network of n neurons\nerrs less": BOUND}


def looks_of_structure() -> dict[str, dict[str, Any]]:
    """Return labels and looks of the shares."""
    found = {WORDS_OF_SHARES[name]: look for name, look in SHARES.items()}
    return found | {"of normal weights": {"color": style.INK, "ls": ":", "lw": 1.2}}
