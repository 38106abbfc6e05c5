"""Which estimate of the loss to train on: stratified where few features are active at a time.

The noise of a gradient is the trace of its covariance over batches. A step of half the noise is
worth two steps, so estimators are compared by noise × time of a step, against plain sampling at
the same batch size. "stratified" (`toymodels.exact.strata`) samples two or more active features
alone; "exact" (up to 6 features) and "fourier" (`toymodels.exact.fourier`) have no noise: only
their time is drawn. Models: the ReLU autoencoder, importance 1.

Where np, the mean number of active features, is small, a plain batch's variance comes from k = 1,
with probability np, and a stratified one's from k >= 2, of weight P(k >= 2) = (np)²/2: if the
spread inside both strata is alike, the ratio is np / ((np)²/2)² = 4 (np)⁻³.
"""

import time
from functools import partial
from typing import Any

import jax
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sweeps.engine import start_block, train_block
from sweeps.parse import parse

from figures import style
from figures.recipe import run_of, run_preset, write_caption
from sweeps.config import ESTIMATORS
from sweeps.plan import Block, cut, make_sheets
from sweeps.results import restore
from sweeps.run import DEFAULT_MEMORY_GIB
from sweeps.stats import mean_over_seeds
from sweeps.store import provenance
from toymodels.exact.expected import LARGEST_F
from toymodels.losses import loss
from toymodels.measures.gradient_noise import Noise, batch_variance
from toymodels.tasks import draw_noise
from toymodels.training import STREAM_INIT, STREAM_RANKING, stream

PRESET = "estimators"
STAGES = ("random start", "trained weights")
NAMES = ("sampled", "stratified", "exact", "fourier")
NOISY = NAMES[:2]
ROUNDS = 5  # of timing, the estimators in turn; the fastest counts
TIMED_SECONDS = 0.4  # of one round, about
MARKERS = ("o", "s", "^", "D", "v")


def compute(**how: Any) -> xr.Dataset:
    """Train the models, then measure noise and time; `how` as in `run_preset`."""
    return analyse(run_preset(PRESET, **how))


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Measure every estimator on the models of a dataset.

    `gradient_variance`, `loss_variance` over (stage, estimator, size, p_active, seed) and
    `seconds_per_step` over (estimator, size); `variance_ratio` (sampled / stratified) and
    `efficiency` (the same for variance × time), each a mean over seeds of the logarithm, with the
    `_low` and `_high` ends of its 95 % interval. `efficiency` takes the times as they are.
    """
    result = xr.Dataset(coords={"stage": list(STAGES), "estimator": list(NAMES)})
    result.attrs = dict(dataset.attrs)
    for name in ("n_features", "n_hidden", "p_active", "seed"):
        result.coords[name] = dataset[name]
    result["diverged"] = dataset["diverged"]
    dims = ("stage", "estimator", "size", "p_active", "seed")
    for name, values in zip(("loss_variance", "gradient_variance"), _noise(dataset), strict=True):
        result[name] = (dims, values)
    seconds = [time_estimators(dataset, size) for size in range(dataset.sizes["size"])]
    result["seconds_per_step"] = (("estimator", "size"), np.transpose(seconds), {"units": "s"})
    return _compare(result)


def _noise(dataset: xr.Dataset) -> np.ndarray:
    """Return variances of loss and gradient, by stage, estimator, size, density and seed."""
    dims = ("size", "p_active", "seed")
    counts = [dataset.sizes[d] for d in dims]
    noise = np.zeros((2, len(STAGES), len(NAMES), *counts))
    for size, p, seed in np.ndindex(*counts):
        cell = {d: dataset[d].values[i].item() for d, i in (("p_active", p), ("seed", seed))}
        cell |= {name: int(dataset[name][size]) for name in ("n_features", "n_hidden")}
        run, model = restore(dataset, **cell)
        models = (run.init(stream(cell["seed"], STREAM_INIT)), model)
        n = cell["n_features"]
        for e, name in enumerate(NOISY):
            task = ESTIMATORS[name].create(run.task.features, run.task.importance, n)
            for stage, model_then in enumerate(models):
                noise[:, stage, e, size, p, seed] = _variance(
                    task,
                    model_then,
                    stream(0, STREAM_RANKING),
                    max(48, 640 // n),  # more where the variance has few components
                    run.spec.batch_size,
                )
    return noise


@partial(jax.jit, static_argnums=(3, 4))
def _variance(task: Any, model: Any, key: jax.Array, n_batches: int, batch_size: int) -> Noise:
    """Return the variances over batches of a task's loss and of its gradient."""
    return batch_variance(
        partial(loss, task),
        lambda key: draw_noise(task, key, batch_size),
        model,
        key,
        n_batches,
    )


def _compare(result: xr.Dataset) -> xr.Dataset:
    """Add the ratios sampled / stratified with their intervals, and complete the caption."""
    spent = result["gradient_variance"] * result["seconds_per_step"]
    for name, cost in (("variance_ratio", result["gradient_variance"]), ("efficiency", spent)):
        ratio = np.log(cost.sel(estimator="sampled") / cost.sel(estimator="stratified"))
        found = mean_over_seeds(xr.Dataset({"log": ratio, "diverged": result["diverged"]}), "log")
        for part, suffix in (("mean", ""), ("low", "_low"), ("high", "_high")):
            result[name + suffix] = np.exp(found[part].transpose("stage", "size", "p_active"))
    result.attrs["caption"] = (
        f"{result.attrs.get('caption', '')} Bars: 95 % intervals over seeds, of the noise alone. "
        f"Times are this machine's ({provenance()['device']}): one step of all densities and seeds "
        "of a size, side by side as in a sweep, where plain batches share their random numbers."
    )
    return result


def time_estimators(dataset: xr.Dataset, size: int) -> list[float]:
    """Return the seconds of one step of one model, by estimator; NaN where there is none."""
    sizes = {name: int(dataset[name][size]) for name in ("n_features", "n_hidden")}
    grid = {d: dataset[d].values.tolist() for d in ("p_active", "seed")}
    works = {
        name: _Work(
            _block(run_of(dataset) | sizes | {"name": name, "estimator": name, "grid": grid})
        )
        for name in NAMES
        if name != "exact" or sizes["n_features"] <= LARGEST_F
    }
    times: dict[str, list[float]] = {name: [] for name in NAMES}
    for _ in range(ROUNDS):
        for name, work in works.items():
            times[name].append(work.seconds_per_step())
    return [min(times[name], default=np.nan) for name in NAMES]


def _block(table: dict[str, Any]) -> Block:
    config = parse(table)
    (sheet,) = make_sheets(config.grid, config.build, config.describe, config.seed)
    return next(cut(sheet, int(DEFAULT_MEMORY_GIB * 2**30)))


class _Work:
    """A block in training, warm."""

    def __init__(self, block: Block) -> None:
        self.layout, self.n_models = block.layout, block.n_models
        self.run, self.state, self.keys = start_block(block)
        self.n_steps = 1
        self._take()
        self.n_steps = max(1, round(TIMED_SECONDS / max(self._take(), 1e-6)))

    def _take(self) -> float:
        before = time.perf_counter()
        self.state = train_block(
            self.run, self.state, self.keys, 0, self.n_steps, layout=self.layout
        )
        jax.block_until_ready(self.state)
        return time.perf_counter() - before

    def seconds_per_step(self) -> float:
        """Take some steps and return the seconds of one, per model."""
        return self._take() / self.n_steps / self.n_models


def draw(dataset: xr.Dataset, ax: Any = None) -> Figure:
    """Draw efficiency at both stages and the time of a step; `ax` may be three axes."""
    if ax is None:
        figure, axes = plt.subplots(1, 3, figsize=(11.4, 4.4), width_ratios=[1, 1, 0.8])
    else:
        axes = np.ravel(ax)
        figure = axes[0].figure
    top = float(dataset["efficiency_high"].max()) * 2
    for letter, panel, stage in zip("AB", axes[:2], STAGES, strict=True):
        _draw_efficiency(panel, dataset.sel(stage=stage))
        panel.set_ylim(0.2, top)
        panel.set_title(f"{letter}  at {stage}")
    axes[0].set_ylabel("plain steps that one stratified step is worth\n(noise × time ratio)")
    axes[0].legend(title="features → hidden", loc="upper right")
    _draw_times(axes[2], dataset)
    write_caption(figure, dataset)
    return figure


def _draw_efficiency(ax: Axes, stage: xr.Dataset) -> None:
    ax.axhspan(1e-9, 1, color="#E6E6E6", zorder=0)
    ax.axhline(1, color=style.INK, lw=1.0)
    colors = style.IMPORTANCE(np.linspace(0, 0.88, stage.sizes["size"]))
    for i, color in enumerate(colors):
        cell = stage.isel(size=i)
        mean = cell["efficiency"].values
        bars = np.abs([mean - cell["efficiency_low"], cell["efficiency_high"] - mean])
        label = f"{int(cell['n_features'])} → {int(cell['n_hidden'])}"
        how: dict[str, Any] = {"ms": 4.5, "lw": 1.4, "capsize": 2, "elinewidth": 0.8}
        n_active = stage["p_active"].values * int(cell["n_features"])
        ax.errorbar(n_active, mean, bars, color=color, marker=MARKERS[i], label=label, **how)
    few = np.geomspace(1e-3, 4 ** (1 / 3), 2)
    ax.plot(few, 4 / few**3, "--", color=style.INK, lw=1.0, zorder=1, label="4 (np)⁻³")
    ax.set(
        xscale="log", yscale="log", xlabel="active features at a time, np   (dense on the right)"
    )
    ax.text(0.02, 0.02, "below 1: plain batches are better", transform=ax.transAxes, fontsize=8)


def _draw_times(ax: Axes, dataset: xr.Dataset) -> None:
    seconds = dataset["seconds_per_step"]
    ratio = seconds / seconds.sel(estimator="sampled")
    looks = {
        "stratified": (style.BLUE, "o"),
        "exact": (style.RED, "s"),
        "fourier": ("#222222", "^"),
    }
    x = np.arange(dataset.sizes["size"])
    for name, (color, marker) in looks.items():
        ax.plot(x, ratio.sel(estimator=name), marker=marker, color=color, ms=5, label=name)
    ax.axhline(1, color=style.INK, lw=1.0)
    plain = seconds.sel(estimator="sampled").values * 1e6
    labels = [
        f"{int(n)}→{int(m)}\n{us:.3g} µs"
        for n, m, us in zip(dataset["n_features"], dataset["n_hidden"], plain, strict=True)
    ]
    ax.set(yscale="log", xticks=x, xlim=(-0.4, len(x) - 0.6))
    ax.set_xticklabels(labels, fontsize=7.5)
    ax.set_xlabel("features → hidden, and time of a plain step")
    ax.set_ylabel("time of a step / that of a plain one")
    ax.set_title("C  what a step takes")
    ax.legend(title="exact and fourier: no noise", loc="upper left")
