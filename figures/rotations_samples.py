"""Figures 1, 2 and 4: some circuits' vectors through the layers, true and as read out.

Linsefors & Bushnaq 2025, "Rotations in Superposition" (section 6). Each active circuit turns its
vector by its own angle in every layer. What is read out follows for two or three rotations with
one active circuit and fewer with more, then leaves the circle. Examples of one network, not a
measurement: that is `rotations-error`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import style
from figures.recipe import write_caption
from figures.settings import caption_end, changed, require_at_least
from toymodels.circuits.simulation import rotation_network, rotation_trajectories

LIMIT = 1.6  # of the panels
TRUE, READ = "#009E73", "#7B3294"


@dataclass(frozen=True)
class Samples:
    """What may be changed."""

    width: int = 1000  # D
    n_circuits: int = 557  # T
    redundancy: int = 6  # S
    n_layers: int = 5  # L
    n_active: tuple[int, ...] = (1, 2, 3)  # z, one row each
    n_examples: int = 6
    seed: int = 1


def compute(*, fast: bool = False, overrides: Sequence[str] = (), **_: Any) -> xr.Dataset:
    """Follow one active circuit of each example through one network, for each z.

    `true` and `estimated` (n_active, example, layer, component), `circuit` (n_active, example),
    and `error` (n_active, example, layer), the length of the difference.

    Raises:
        InputError: settings that are not possible.
    """
    settings = changed(Samples(n_examples=3) if fast else Samples(), overrides)
    require_at_least(settings, 1, "n_examples")
    key = jax.random.key(settings.seed)
    sizes = {name: getattr(settings, name) for name in ("n_circuits", "width", "redundancy")}
    network = rotation_network(key, **sizes, n_layers=settings.n_layers)
    rows = [
        rotation_trajectories(key, network, n_active=z, n_samples=settings.n_examples)
        for z in settings.n_active
    ]
    true, read, circuit = (
        np.stack([getattr(row, name)[:, 0] for row in rows])
        for name in ("true_x", "estimated_x", "active")
    )
    dims = ("n_active", "example", "layer", "component")
    title = (
        f"{settings.n_circuits} rotations in {settings.width} neurons: "
        "true vectors and what is read"
    )
    caption = (
        f"S = {settings.redundancy}; one network, one active circuit of each of the first "
        f"{settings.n_examples} examples; numbers: |δx| in layers 1 to "
        f"{settings.n_layers}; green dot: layer 0. Grey: the unit "
        f"circle.{caption_end(fast, overrides)}"
    )
    return xr.Dataset(
        {
            "true": (dims, true),
            "estimated": (dims, read),
            "error": (dims[:3], np.linalg.norm(read - true, axis=-1)),
            "circuit": (dims[:2], circuit),
        },
        {"n_active": list(settings.n_active), "layer": np.arange(settings.n_layers + 1)},
        attrs={"title": title, "caption": caption},
    )


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw a row of panels per z; `ax` may be as many axes."""
    shape = dataset.sizes["n_active"], dataset.sizes["example"]
    if ax is None:
        size = 1.85 * shape[1] + 1.9, 1.95 * shape[0] + 0.8
        figure, axes = plt.subplots(*shape, figsize=size, squeeze=False)
    else:
        axes = np.reshape(ax, shape)
        figure = axes[0, 0].figure
    for (i, k), panel in np.ndenumerate(axes):
        _draw_panel(panel, dataset.isel(n_active=i, example=k))
    for panel, z in zip(axes[:, 0], dataset["n_active"].values.tolist(), strict=True):
        panel.set_ylabel(f"z = {z} active")
    handles = [
        Line2D([], [], color=TRUE, marker=">", ms=5, label="true"),
        Line2D([], [], color=READ, marker="o", ms=4, label="read out"),
        Line2D([], [], color=READ, marker="o", ms=4, mfc="white", label="off by more than 1"),
    ]
    figure.legend(handles=handles, loc="outside right center")
    write_caption(figure, dataset)
    return figure


def _draw_panel(ax: Axes, one: xr.Dataset) -> None:
    turn = np.linspace(0, 2 * np.pi, 181)
    ax.plot(np.cos(turn), np.sin(turn), color="#DDDDDD", lw=1.0, zorder=0)
    true, read = one["true"].values, one["estimated"].values
    for tail, head in pairwise(true):
        arrow = {"arrowstyle": "-|>", "color": TRUE, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", head, tail, arrowprops=arrow, annotation_clip=False)
    ax.plot(*true[0], "o", color=TRUE, ms=6, zorder=2)
    ax.plot(*read.T, color=READ, lw=1.2, zorder=3)
    is_lost = one["error"].values > 1  # reading 0 would be better
    face = np.where(is_lost, "white", READ)
    ax.scatter(*read.T, s=10 + 4 * one["layer"].values, color=face, edgecolor=READ, zorder=4)
    ax.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal", xticks=[], yticks=[])
    ax.set_facecolor(style.CREAM)
    ax.spines[:].set_visible(False)
    errors = "  ".join(f"{e:.1f}" for e in one["error"].values[1:])
    ax.set_title(f"|δx|  {errors}", fontsize=7.5, color="#555555")
