"""With one feature active at a time, training waits on the exact losses of k-gons.

Chen et al. 2023 (arXiv 2310.06301), 6 features in 2 dimensions: x = mu e_i, mu uniform on [0, 1].
Runs are trained on samples by plain SGD; what is drawn is their exact loss (the closed form of
`toymodels.theory.one_active`, summed over outputs and averaged over which feature is active), so
the plateaus carry no noise of sampling. The lines are the k-gons' own losses.
"""

from typing import Any

import jax
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.draw import draw_columns
from figures.kit.panels import panels
from figures.kit.words import counted, listed
from sweeps.results import flags
from toymodels.errors import InputError
from toymodels.theory.one_active import KGon, k_gon, one_active_loss

# Corners and positive biases, by falling loss.
LEVELS = ((2, 0), (3, 0), (4, 0), (4, 1), (4, 2), (5, 0), (5, 1), (6, 0))
NOTHING = (0, 6)  # nothing is learned, but every output is its mean
ON_NONE = "on no level"
WITHIN = 0.01  # a run is on a level when its loss is as near, relatively
RUNS = ("init_scale", "seed")

# By corners.
COLORS = {k: style.SERIES[i][0] for k, i in ((2, 3), (3, 1), (4, 4), (5, 2), (6, 5))}
BEYOND = 0.08  # that a panel goes on above and below all levels, as a share of their range
SPACE = 0.042  # that a line of text takes beside a panel, as a share of its height

# What the analysis' own variables are.
WORDS = {
    "level_of_run": "k-gon on whose exact loss a run ended",
    "n_ended": "runs that ended on a level",
    "loss_of_nothing": "loss of answering the mean",
    "level_loss": "exact loss of a k-gon",
    "level_W": "weights of a k-gon",
    "level_b": "bias of a k-gon",
    "corners": "features at the corners of a k-gon",
}


def check(plan: Any) -> None:
    """Refuse runs that are not looked at on their way.

    Raises:
        InputError: fewer than two snapshots.
    """
    of = [variant.get("snapshots", []) for variant in plan.config.variants]
    snapshots = min(of, key=len)
    if len([t for t in snapshots if t > 0]) < 2:
        raise InputError(
            f"snapshots = {snapshots}: curves need at least two steps after 0, such as "
            "snapshots=[0, 10, 100, 1000]."
        )


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Return exact losses over (init_scale, seed, snapshot), the levels, and who ended on which.

    `loss`, `W`, `b`: at each snapshot. `level_loss`, `level_W`, `level_b`, `corners`: of each
    k-gon, over `level`. `level_of_run`: the level that a run ended on, the last for none.
    `n_ended`: how many did. `loss_of_nothing`: of answering the mean.
    """
    kept = dataset.transpose(*RUNS, "snapshot", "hidden", "feature", ...)
    W, b = kept["W_at_snapshot"], kept["b_at_snapshot"]
    gons = [k_gon(*which) for which in LEVELS]
    levels = np.array([gon.loss for gon in gons])
    loss = losses(W.values, b.values)
    ended = level_of(loss[..., -1], levels)
    counts = np.sum(ended[:, :, None] == np.arange(len(gons)), axis=1)
    result = xr.Dataset(
        {
            "loss": ((*RUNS, "snapshot"), loss, {"long_name": "exact loss"}),
            "W": W,
            "b": b,
            "level_of_run": (RUNS, ended, flags((*(g.name for g in gons), ON_NONE))),
            "n_ended": (("init_scale", "level"), counts),
            "loss_of_nothing": ((), k_gon(*NOTHING).loss),
        }
    )
    return result.assign(_of_levels(gons)).assign_coords(level=[gon.name for gon in gons])


def _of_levels(gons: list[KGon]) -> dict[str, Any]:
    return {
        "level_loss": ("level", [gon.loss for gon in gons]),
        "level_W": (("level", "hidden", "feature"), np.stack([gon.W for gon in gons])),
        "level_b": (("level", "feature"), np.stack([gon.b for gon in gons])),
        "corners": ("level", [corners for corners, _ in LEVELS]),
    }


def losses(W: NDArray, b: NDArray) -> NDArray:
    """Return the exact losses of `W […, M, F]` and `b […, F]`."""
    rows = jax.jit(jax.vmap(one_active_loss))(W.reshape(-1, *W.shape[-2:]), b.reshape(-1, 6))
    return np.asarray(rows).reshape(b.shape[:-1])


def level_of(loss: NDArray, levels: NDArray) -> NDArray[np.int8]:
    """Return the level `[…]` that each loss lies on, one more than the last where on none."""
    away = np.abs(loss[..., None] / levels - 1)
    return np.where(away.min(-1) < WITHIN, away.argmin(-1), len(levels)).astype(np.int8)


def claim(dataset: xr.Dataset) -> str:
    """Say how many runs end on a level, and on which."""
    ended = dataset["n_ended"].sum("init_scale")
    n, total = int(ended.sum()), dataset["level_of_run"].size
    if not n:
        return f"None of {counted(total, 'run')} ends on the exact loss of a k-gon"
    each = zip(ended["level"].values, ended.values, strict=True)
    reached = [f"{name}-gon ({k})" for name, k in each if k]
    return (
        f"{'All' if n == total else f'{n} of'} {counted(total, 'run')} end within {WITHIN:.0%} of "
        f"the exact loss of a k-gon: {listed(reached)}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what lines and colours are."""
    return [
        "trained on samples, drawn is the expected loss; dashed: exact losses of k-gons, k features"
        " at the corners of a polygon and the others zero",
        "each ⁺ is one of these whose output is its mean, b = 1/12; two and three unit columns at "
        "any angles from 90° on lose the same",
        "colour: k where the seed ends, grey: on no level; a grey column has no output",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw loss curves above, one panel for each start, and the k-gons below."""
    scales, levels = dataset["init_scale"].values, dataset["level"].values
    curves = [f"start {scale:g}" for scale in scales]
    mosaic = [
        [name for name in curves for _ in levels],
        [f"{level}-gon" for level in levels for _ in scales],
    ]
    size = (5.5 * len(scales), 6.2)
    figure, panel = panels(axes, mosaic, figsize=size, height_ratios=[3.4, 1])
    for name, scale in zip(curves, scales, strict=True):
        _draw_curves(panel[name], dataset.sel(init_scale=scale))
        panel[name].set_title(f"start with weights of standard deviation {scale:g}")
    panel[curves[0]].set_ylabel("exact loss, mean over the active feature")
    for i, level in enumerate(levels):
        _draw_shape(panel[f"{level}-gon"], dataset, i)
    return figure


def _color(dataset: xr.Dataset, level: int) -> str:
    """Return the colour of a level, or of none."""
    if level >= dataset.sizes["level"]:
        return style.GREY
    return COLORS[int(dataset["corners"][level])]


def _draw_curves(ax: Axes, runs: xr.Dataset) -> None:
    """Draw the losses of one start over the steps, and the levels with who ended there."""
    later = runs.isel(snapshot=slice(1, None)) if runs["snapshot"][0] == 0 else runs
    steps, nothing = later["snapshot"].values, float(runs["loss_of_nothing"])
    names = {}
    for i, level in enumerate(runs["level_loss"].values):
        ax.axhline(level, color=_color(runs, i), lw=0.9, ls=(0, (5, 3)), zorder=1)
        n = int(runs["n_ended"][i])
        names[f"{runs['level'].values[i]}-gon" + (f": {counted(n, 'seed')}" if n else "")] = level
    ax.axhline(nothing, color=style.GREY, lw=0.9, ls=":", zorder=1)
    names["nothing, 6 ⁺"] = nothing
    for seed in range(runs.sizes["seed"]):
        color = _color(runs, int(runs["level_of_run"][seed]))
        ax.plot(steps, later["loss"][seed], color=color, lw=0.9, alpha=0.85, zorder=2)
    low, high = min(names.values()), max(names.values())
    ax.set(xscale="log", yscale="log", xlabel="step", xlim=(steps[0], steps[-1]))
    ax.set_ylim(low * (low / high) ** BEYOND, high * (high / low) ** BEYOND)
    ax.set_yticks([t for t in (0.05, 0.1, 0.2, 0.3) if low <= t <= high])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    _name_levels(ax, names)


def _name_levels(ax: Axes, names: dict[str, float]) -> None:
    """Write names beside a panel at their heights, moved apart where they would touch."""
    bottom, top = np.log(ax.get_ylim())
    text = sorted(names.items(), key=lambda item: item[1])
    wanted = np.array([(np.log(level) - bottom) / (top - bottom) for _, level in text])
    place = wanted.copy()
    for i in range(1, len(place)):
        place[i] = max(place[i], place[i - 1] + SPACE)
    for (name, _), height in zip(text, place, strict=True):
        weight = "bold" if ":" in name else "normal"
        look: dict[str, Any] = {"fontsize": 7, "color": style.INK, "va": "center"}
        ax.text(1.012, height, name, transform=ax.transAxes, fontweight=weight, **look)


def _draw_shape(ax: Axes, dataset: xr.Dataset, level: int) -> None:
    """Draw the columns of the trained W that lies nearest to a level, or of the level itself."""
    exact, name = float(dataset["level_loss"][level]), dataset["level"].values[level]
    last = dataset.isel(snapshot=-1)
    near = np.abs(last["loss"].values / exact - 1)
    near = np.where(last["level_of_run"].values == level, near, np.inf)
    cell = np.unravel_index(near.argmin(), near.shape)
    trained = bool(np.isfinite(near[cell]))
    W = last["W"].values[cell] if trained else dataset["level_W"].values[level]
    b = last["b"].values[cell] if trained else dataset["level_b"].values[level]
    silent = np.sum(W**2, axis=0) + b <= 0  # at their largest input
    colors = np.where(silent, style.GREY, _color(dataset, level))
    draw_columns(ax, W, colors, 1.55)
    ax.set_title(f"{name}-gon", fontsize=8.5)
    ax.set_xlabel(f"{exact:.5f}\n{'trained' if trained else 'not reached'}", fontsize=7, labelpad=2)
