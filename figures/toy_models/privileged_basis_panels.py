"""Painters of the privileged basis: weights, features read by each neuron, linear regimes."""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.panels import draw_interval, legend_of
from figures.toy_models.neuron_stacks_panels import LARGEST, draw_matrix, draw_nothing
from toymodels.measures.coding import stack_order

SEEDS = 2  # whose weights are drawn of each model


class Named(NamedTuple):
    """What a model is called, and how it looks."""

    title: str
    words: str
    look: dict[str, Any]
    has_relu: bool = False
    has_bias: bool = False


MODELS = {
    "linear": Named("linear model", "in the linear model", style.series(4)),
    "relu": Named("linear hidden layer", "in a linear hidden layer", style.series(0)),
    "hidden_relu": Named("ReLU hidden layer", "with ReLUs", style.series(5), True),
    "hidden_relu_biased": Named(
        "ReLUs with biases", "with ReLUs and biases", style.series(2), True, True
    ),
}
"""The models that are compared."""


def draw_models(axes: list[Axes], cell: xr.Dataset) -> None:
    """Draw the weights of a model's best seeds, neurons in the order of stack plots."""
    loss = cell["loss_ranking"].where(cell["diverged"] == 0).values
    best = [k for k in np.argsort(loss, kind="stable") if np.isfinite(loss[k])]
    title = MODELS[str(cell["model"].values)].title
    for i, ax in enumerate(axes):
        ax.set(xticks=[], yticks=[])
        if i >= len(best):
            draw_nothing(ax)
            ax.set_title(f"{title}\nno seed" if i else f"{title}\nall runs diverged")
            continue
        one = cell.isel(seed=best[i])
        W = one["W"].values
        draw_matrix(ax, W[stack_order(W)])
        seed, ratio = int(one["seed"]), float(one["mean_ratio"])
        ax.set_title(f"{title}\nseed {seed}: {ratio:.2f} features read", fontsize=8.5)


def add_bar(figure: Figure, axes: list[Axes]) -> None:
    """Add the scale of the weights."""
    weights = ScalarMappable(Normalize(-LARGEST, LARGEST), style.SIGNED)
    figure.colorbar(weights, ax=axes, shrink=0.75, aspect=16, ticks=[-1, 0, 1]).set_label("weight")


def draw_neurons(ax: Axes, at: xr.Dataset) -> None:
    """Draw the participation ratio of every neuron over that of rotated weights."""
    names = [str(name) for name in at["model"].values]
    most = np.fmax(float(at["participation_ratio_rotated"].max()), 2.0)
    edges = np.linspace(1, min(most, at.sizes["feature"]) + 0.01, 41)
    for row, name in enumerate(names):
        cell = at.sel(model=name)
        rotated = cell["participation_ratio_rotated"].values.ravel()
        rotated = rotated[np.isfinite(rotated)]
        if not rotated.size:
            continue
        share, _ = np.histogram(rotated, edges)
        tops = np.repeat(row - 0.62 * share / share.max(), 2)
        ax.fill_between(np.repeat(edges, 2)[1:-1], row, tops, color=style.GREY, lw=0)
        ratio = cell["participation_ratio"].values  # [seed, hidden]
        spread = np.linspace(0.06, 0.26, max(len(ratio), 1))[:, None]
        look = MODELS[name].look
        y = row + np.broadcast_to(spread, ratio.shape)
        ax.plot(ratio.ravel(), y.ravel(), "o", color=look["color"], ms=2.6, alpha=0.7, mew=0)
        mean = float(cell["mean_ratio_average"])
        ax.plot([mean, mean], [row - 0.7, row + 0.3], color=look["color"], lw=1.6)
    ax.set_yticks(range(len(names)), [MODELS[name].title.replace(" ", "\n", 1) for name in names])
    ax.set(ylim=(len(names) - 0.6, -0.85), xlim=(0.9, edges[-1]))
    ax.set_xlabel("features that a neuron reads")
    ax.set_title(f"every neuron (line: mean), grey: W rotated\n1 − S = {float(at['p_active']):g}")


def draw_by_density(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw how many features a neuron reads by density, dashed where W is rotated."""
    p, looks = dataset["p_active"].values, {}
    for name in (str(name) for name in dataset["model"].values):
        cell, look = dataset.sel(model=name), MODELS[name].look
        draw_interval(ax, p, *(cell[f"mean_ratio_{k}"] for k in ("average", "low", "high")), **look)
        ax.plot(p, cell["mean_ratio_rotated"], color=look["color"], ls="--", lw=1)
        looks[MODELS[name].title] = look
    looks["the same, rotated"] = {"color": style.NULL, "ls": "--", "lw": 1}
    legend_of(ax, looks, loc="best")
    ax.set_ylim(bottom=0.9)
    _density_axis(ax, dataset)
    ax.set_title("features that a neuron reads,\nmean over neurons and seeds")


def draw_linear_regime(ax: Axes, dataset: xr.Dataset) -> None:
    """Draw on which share of the data all neurons with a ReLU are above 0."""
    p = dataset["p_active"].values
    for name in (str(name) for name in dataset["model"].values):
        if MODELS[name].has_relu:
            cell, look = dataset.sel(model=name), MODELS[name].look
            numbers = (cell[f"all_on_{k}"] for k in ("average", "low", "high"))
            draw_interval(ax, p, *numbers, label=MODELS[name].title, **look)
    if ax.containers:
        ax.legend(loc="best")
    ax.set_ylim(-0.03, 1.06)
    ax.yaxis.set_major_formatter("{x:.0%}")
    _density_axis(ax, dataset)
    ax.set_title("linear regime: share of the data\nwith all neurons above 0")


def _density_axis(ax: Axes, dataset: xr.Dataset) -> None:
    p = dataset["p_active"].values
    if p.min() > 0:
        ax.set_xscale("log")
    ax.set_xticks(p, [f"{value:g}" for value in p])
    ax.minorticks_off()
    ax.set_xlabel("1 − S (log scale)" if p.min() > 0 else "1 − S")
