"""With one feature active at a time, training waits on the exact losses of k-gons.

Chen et al. 2023 (arXiv 2310.06301), 6 features in 2 dimensions: x = mu e_i, mu uniform on [0, 1].
Runs are trained on samples by plain SGD; what is drawn is their exact loss (the closed form of
`toymodels.theory.one_active`, summed over outputs and averaged over which feature is active), so
the plateaus carry no noise of sampling. The lines are the k-gons' own losses.
"""

import re
from typing import Any

import jax
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from figures import style
from figures.draw import draw_columns
from figures.recipe import preset_config, run_preset, write_caption
from toymodels.errors import InputError
from toymodels.theory.one_active import k_gon, one_active_loss

PRESET = "k-gons"
LEVELS = (
    (2, 0),
    (3, 0),
    (4, 0),
    (4, 1),
    (4, 2),
    (5, 0),
    (5, 1),
    (6, 0),
)  # corners, positive biases
NOTHING = (0, 6)  # nothing is learned, but every output is its mean
WITHIN = 0.01  # a run is on a level when its loss is as near, relatively

# What the closed form is of; the rest of a run's keys may be changed.
FIXED = {"model": "relu", "n_features": 6, "n_hidden": 2, "features": {"kind": "one_active"}}

LEGEND = (
    "Dashed: exact losses of k-gons, k features at the corners of a polygon and the others zero; "
    "each ⁺ is one of these whose output is its mean, b = 1/12.\nTwo and three unit columns at any "
    "angles from 90° on lose the same. Colour: k where the seed ends; grey: on no level."
)

# By corners: safe for colour-blind readers (Okabe and Ito).
COLORS = {2: "#CC79A7", 3: "#E69F00", 4: "#56B4E9", 5: "#009E73", 6: "#D55E00"}
ELSEWHERE = "#C9C9C9"


def compute(**how: Any) -> xr.Dataset:
    """Train all seeds from a small and a large start; `how` as in `run_preset`.

    Raises:
        InputError: as `run_preset`, and for an override of what the closed form needs.
    """
    run = preset_config(PRESET, fast=how.get("fast", False), overrides=how.get("overrides", ())).run
    for key, value in FIXED.items():
        if run.get(key) != value:
            raise InputError(
                f"{key} = {run.get(key)}: the k-gons' closed form is for {key} = {value}."
            )
    return analyse(run_preset(PRESET, **how))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return exact losses over (init_scale, seed, step), the levels, and who ended on which.

    `loss`: at each snapshot. `level_loss`, `level_W`, `level_b`: of each k-gon, over `level`.
    `level_of_run`: the index of the level a run ended on, -1 for none. `n_ended`: how many did.
    """
    gons = [k_gon(*which) for which in LEVELS]
    steps = sorted(int(m[1]) for m in (re.match(r"W_at_step_(\d+)$", str(v)) for v in dataset) if m)
    W, b = (
        np.stack([dataset[f"{name}_at_step_{t}"].values for t in steps], axis=2)
        for name in ("W", "b")
    )
    loss = np.asarray(_losses(W.reshape(-1, *W.shape[3:]), b.reshape(-1, b.shape[3])))
    loss = loss.reshape(W.shape[:3])
    levels = np.array([gon.loss for gon in gons])
    away = np.abs(loss[:, :, -1, None] / levels - 1)
    ended = np.where(away.min(-1) < WITHIN, away.argmin(-1), -1)
    counts = np.sum(ended[:, :, None] == np.arange(len(gons)), axis=1)
    runs = ("init_scale", "seed")
    return xr.Dataset(
        {
            "loss": ((*runs, "step"), loss),
            "W": ((*runs, "step", "hidden", "feature"), W),
            "b": ((*runs, "step", "feature"), b),
            "level_of_run": (runs, ended),
            "n_ended": (("init_scale", "level"), counts),
            "level_loss": (("level",), levels),
            "level_W": (("level", "hidden", "feature"), np.stack([gon.W for gon in gons])),
            "level_b": (("level", "feature"), np.stack([gon.b for gon in gons])),
            "diverged": dataset["diverged"],
        },
        {**{name: dataset[name] for name in runs}, "step": steps, "level": [g.name for g in gons]},
        attrs=dataset.attrs | {"caption": f"{dataset.attrs.get('caption', '')}\n{LEGEND}"},
    )


_losses = jax.jit(jax.vmap(one_active_loss))


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw loss curves above and the k-gons below; `ax`: as many axes as starts and levels."""
    n_starts, n_levels = dataset.sizes["init_scale"], dataset.sizes["level"]
    if ax is None:
        figure = plt.figure(figsize=(5.3 * n_starts, 5.9))
        grid = figure.add_gridspec(2, n_levels * n_starts, height_ratios=[3.4, 1])
        curves = [
            figure.add_subplot(grid[0, i * n_levels : (i + 1) * n_levels]) for i in range(n_starts)
        ]
        shapes = [
            figure.add_subplot(grid[1, i * n_starts : (i + 1) * n_starts]) for i in range(n_levels)
        ]
    else:
        axes = list(np.ravel(ax))
        figure, curves, shapes = axes[0].figure, axes[:n_starts], axes[n_starts:]
    for panel, scale in zip(curves, dataset["init_scale"].values, strict=True):
        _draw_curves(panel, dataset.sel(init_scale=scale))
        panel.set_title(f"start with weights of standard deviation {scale:g}")
    curves[0].set_ylabel("exact loss, mean over the active feature")
    for i, panel in enumerate(shapes):
        _draw_shape(panel, dataset, i)
    write_caption(figure, dataset)
    return figure


def _color(level: int) -> str:
    return COLORS[LEVELS[level][0]] if level >= 0 else ELSEWHERE


def _draw_curves(ax: Axes, runs: xr.Dataset) -> None:
    later = runs.isel(step=slice(1, None)) if runs["step"][0] == 0 else runs
    beside: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "fontsize": 7,
        "color": style.INK,
    }
    for i, (name, level) in enumerate(zip(runs["level"].values, runs["level_loss"], strict=True)):
        ax.axhline(float(level), color=_color(i), lw=0.9, ls=(0, (5, 3)), zorder=1)
        n = int(runs["n_ended"][i])
        ax.annotate(
            f"{name}-gon" + (f": {n} seed{'s' * (n > 1)}" if n else ""),
            (1, float(level)),
            (4, -2.5),
            fontweight="bold" if n else "normal",
            **beside,
        )
    nothing = k_gon(*NOTHING).loss
    ax.axhline(nothing, color=ELSEWHERE, lw=0.9, ls=":", zorder=1)
    ax.annotate("nothing, 6 ⁺", (1, nothing), (4, -2.5), **beside)
    for seed in range(runs.sizes["seed"]):
        color = _color(int(runs["level_of_run"][seed]))
        ax.plot(later["step"], later["loss"][seed], color=color, lw=0.9, alpha=0.85, zorder=2)
    ax.set(xscale="log", yscale="log", xlabel="step", ylim=(0.044, 0.36))
    ax.set_xlim(float(later["step"][0]), float(later["step"][-1]))
    ax.set_yticks([0.05, 0.1, 0.2, 0.3], ["0.05", "0.1", "0.2", "0.3"])
    ax.yaxis.set_minor_formatter(NullFormatter())


def _draw_shape(ax: Axes, dataset: xr.Dataset, level: int) -> None:
    """Draw the columns of the trained W that lies nearest to a level, or of the level itself."""
    near = np.abs(dataset["loss"].values / float(dataset["level_loss"][level]) - 1)
    near = np.where(dataset["level_of_run"].values[:, :, None] == level, near, np.inf)
    i, seed, step = np.unravel_index(near.argmin(), near.shape)
    trained = bool(np.isfinite(near[i, seed, step]))
    W = dataset["W"][i, seed, step].values if trained else dataset["level_W"][level].values
    draw_columns(ax, W, [_color(level)] * W.shape[1], 1.45)
    name = str(dataset["level"].values[level])
    ax.set_title(f"{name}-gon", fontsize=8.5)
    origin = "trained" if trained else "not reached"
    ax.set_xlabel(f"{float(dataset['level_loss'][level]):.5f}\n{origin}", fontsize=7, labelpad=2)
