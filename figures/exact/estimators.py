"""Which estimate of the loss to train on: stratified where few features are active at a time.

The noise of a gradient is the trace of its covariance over batches. A step of half the noise is
worth two steps, so ways to draw a batch are compared by this noise, at the same number of
examples. "stratified" (`toymodels.estimators.Stratified`) samples only two or more active
features. Models: the ReLU autoencoder, importance 1. What a step takes is another question, whose
answer is a machine's: `python -m benchmarks.estimators` prints it.

Where np, the mean number of active features, is small, a plain batch's variance comes from k = 1,
with probability np, and a stratified one's from k >= 2, of weight P(k >= 2) = (np)²/2: if the
spread inside both strata is alike, the ratio is np / ((np)²/2)² = 4 (np)⁻³.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.kit import style
from figures.kit.analysis import Parts
from figures.kit.panels import draw_interval, panels
from figures.kit.words import rounded, within
from sweeps.stats import mean_over_seeds
from sweeps.stored import restore
from toymodels.errors import InputError
from toymodels.estimators import Estimator, Sampled, Stratified
from toymodels.measures.gradient_noise import Noise, batch_variance
from toymodels.streams import Stream, stream

ESTIMATORS = (Sampled(), Stratified())
CELL = ("snapshot", "estimator", "p_active", "seed")
RARE = 0.01  # active features at which the claim tells the ratio
AS_MUCH = 2.0  # a ratio of variances below this is no gain
NAMES = {"gradient_variance": "trace of the gradient's covariance over batches"}
NAMES["loss_variance"] = "variance of a batch's mean loss"

# What the analysis' own variables are.
WORDS = {
    "n_active": "active features at a time, np",
}


def check(plan: Any) -> None:
    """Refuse what has no noise to measure, or no place on a logarithmic axis.

    Raises:
        InputError: no snapshot, or a density of 0.
    """
    if not all(variant["snapshots"] for variant in plan.config.variants):
        raise InputError("snapshots = []: give the steps at which noise is measured, such as [0].")
    for axis in (axis for d in plan.config.grid.dimensions for axis in d.axes):
        if axis.name == "p_active" and min(axis.values) <= 0:
            raise InputError(f"p_active = {min(axis.values)}: give densities above 0.")


def parts(dataset: xr.Dataset) -> Parts:
    """Return what measures the noise of each size of model at each density."""
    sizes = zip(dataset["n_features"].values, dataset["n_hidden"].values, strict=True)
    densities = dataset["p_active"].values
    return {
        f"{n} → {m}, p = {p}": partial(noise, dataset.isel(p_active=[i]), int(n), int(m))
        for n, m in sizes
        for i, p in enumerate(densities)
    }


def noise(dataset: xr.Dataset, n_features: int, n_hidden: int) -> xr.Dataset:
    """Measure the noise of both estimators on the models of one size, at each snapshot."""
    coords = {name: dataset[name].values for name in ("snapshot", "p_active", "seed")}
    coords["estimator"] = np.array([estimator.name for estimator in ESTIMATORS])
    shape = tuple(len(coords[name]) for name in CELL)
    found = {name: np.zeros(shape) for name in NAMES}
    n_batches = max(48, 640 // n_features)  # more where the variance has few components
    size = {"n_features": n_features, "n_hidden": n_hidden}
    for s, _, i, j in np.ndindex(shape[0], 1, *shape[2:]):
        then = dataset.assign(
            {k: dataset[f"{k}_at_snapshot"].isel(snapshot=s, drop=True) for k in ("W", "b")}
        )
        cell = {"p_active": coords["p_active"][i].item(), "seed": coords["seed"][j].item()}
        run, model = restore(then, **size, **cell)
        for e, estimator in enumerate(ESTIMATORS):
            of = variance(estimator, run.task, model, n_batches, run.spec.batch_size)
            found["gradient_variance"][s, e, i, j] = of.gradient
            found["loss_variance"][s, e, i, j] = of.loss
    variables = {k: (CELL, v, {"long_name": NAMES[k]}) for k, v in found.items()}
    return xr.Dataset(variables, coords)


@partial(jax.jit, static_argnums=(0, 3, 4))
def variance(estimator: Estimator, task: Any, model: Any, n_batches: int, batch_size: int) -> Noise:
    """Return the variances over batches of an estimated loss and of its gradient."""

    def loss(model: Any, u: jax.Array) -> jax.Array:
        return jnp.sum(estimator.loss_per_output(task, model, u))

    def draw(key: jax.Array) -> jax.Array:
        return estimator.draw(task, key, batch_size)

    return batch_variance(loss, draw, model, stream(0, Stream.MEASURE), n_batches)


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Compare both estimators.

    `gradient_variance`, `loss_variance` over (snapshot, estimator, size, p_active, seed);
    `variance_ratio`, of the gradients, sampled / stratified: a mean over seeds of the logarithm,
    with the `_low` and `_high` ends of its 95 % interval; `n_active`, np.
    """
    each, n = list(parts.values()), dataset.sizes["p_active"]
    rows = [xr.concat(each[i : i + n], dim="p_active") for i in range(0, len(each), n)]
    result = xr.concat(rows, dim="size", join="exact")
    sizes = {name: ("size", dataset[name].values) for name in ("n_features", "n_hidden")}
    result = result.assign_coords(sizes)
    result["n_active"] = result["n_features"] * result["p_active"]
    result["diverged"] = dataset["diverged"]
    return result.assign(ratios(result))


def ratios(result: xr.Dataset) -> dict[str, Any]:
    """Return the ratio of the gradients' variances, sampled / stratified, with its interval."""
    of = result["gradient_variance"]
    ratio = np.log(
        of.sel(estimator="sampled", drop=True) / of.sel(estimator="stratified", drop=True)
    )
    found = mean_over_seeds(xr.Dataset({"log": ratio, "diverged": result["diverged"]}), "log")
    suffixes = (("average", ""), ("low", "_low"), ("high", "_high"))
    return {
        f"variance_ratio{suffix}": np.exp(found[part].transpose("snapshot", "size", "p_active"))
        for part, suffix in suffixes
    }


def fitted(then: xr.Dataset) -> tuple[float, float]:
    """Return the power of np that the ratio falls with below np = 1, and its value at `RARE`."""
    n_active, ratio = _points(then)
    few = n_active < 1
    if few.sum() < 2:
        return np.nan, np.nan
    power, constant = np.polyfit(np.log(n_active[few]), np.log(ratio[few]), 1)
    return float(power), float(np.exp(constant + power * np.log(RARE)))


def _points(then: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return active features and ratios of the cells of a snapshot that have one, by rising np."""
    names = ("n_active", "variance_ratio")
    n_active, ratio = (then[k].transpose("size", "p_active").values.ravel() for k in names)
    some = np.isfinite(ratio) & (ratio > 0)
    order = np.argsort(n_active[some])
    return n_active[some][order], ratio[some][order]


def claim(dataset: xr.Dataset) -> str:
    """Say how much noise strata save in trained models where features are rare, and where none."""
    last = dataset.isel(snapshot=-1)
    n_active, ratio = _points(last)
    gains, (_, at) = ratio >= AS_MUCH, fitted(last)
    if not gains.any():
        return f"Stratified batches have nowhere {AS_MUCH:g} times less noise than plain ones"
    beyond = n_active[np.flatnonzero(gains)[-1] + 1 :]
    end = f"; with {beyond[0]:g} or more, at most {AS_MUCH:g} times less" if beyond.size else ""
    if np.isnan(at):
        return (
            f"Stratified batches have less than 1/{AS_MUCH:g} of the gradient noise of plain ones "
            f"up to {n_active[gains][-1]:g} active features at a time{end}"
        )
    times = f"{float(f'{at:.1g}'):,.12g} times less" if at >= 1 else "more"
    return (
        f"In trained models with {RARE:g} active features at a time, stratified batches have "
        f"{times} gradient noise than plain ones{end}"
    )


def finding(dataset: xr.Dataset) -> str:
    """Compare the ratio with 4 (np)⁻³ where fewest are active, at each snapshot."""
    parts, theory = [], ""
    for i, step in enumerate(dataset["snapshot"].values):
        then = dataset.isel(snapshot=i)
        ends = [then[f"variance_ratio{end}"].values for end in ("", "_low", "_high")]
        n = then["n_active"].transpose(*then["variance_ratio"].dims).values
        some = np.isfinite(ends[0]) & (ends[0] > 0)
        if some.any():
            least = np.unravel_index(np.argmin(np.where(some, n, np.inf)), n.shape)
            ratio, (power, _) = within(*(end[least] for end in ends)), fitted(then)
            parts.append(f"{ratio} times at step {step}, a power {power:.2f} of np < 1")
            theory = f"4 (np)⁻³ is {rounded(4 / n[least] ** 3)}, np = {n[least]:g}"
    return f"Where fewest features are active: {'; '.join(parts)}; {theory}" if parts else ""


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what bars are, and with which power of np the ratio falls."""
    several = bool(dataset["variance_ratio_high"].notnull().any())
    parts = ["bars: 95 % intervals over seeds" if several else "one seed"]
    for i, step in enumerate(dataset["snapshot"].values):
        power, _ = fitted(dataset.isel(snapshot=i))
        if not np.isnan(power):
            parts.append(f"at step {step} the ratio falls with power {power:.1f} of np < 1")
    return [*parts, "what a step takes: python -m benchmarks.estimators"]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw the ratio of the noises, one panel for each snapshot."""
    steps = dataset["snapshot"].values
    names = [f"step {step}" for step in steps]
    size = (5 * len(names) + 0.6, 4.9)
    figure, panel = panels(axes, [names], figsize=size)
    ratio, high = dataset["variance_ratio"], dataset["variance_ratio_high"]
    drawn = ratio.where(np.isfinite(ratio) & (ratio > 0), 1.0)  # where there is none, nothing is
    top, low = float(high.where(np.isfinite(high), drawn).max()), float(drawn.min())
    for i, name in enumerate(names):
        _draw_ratios(panel[name], dataset.isel(snapshot=i))
        panel[name].set_ylim(min(low, 0.5) / 4, 3 * top)
        title = "before training" if steps[i] == 0 else f"after {steps[i]} steps"
        panel[name].set_title(title)
    panel[names[0]].set_ylabel("gradient noise of a plain batch / of a stratified one")
    panel[names[0]].legend(title="features → hidden", loc="upper right")
    return figure


def _draw_ratios(ax: Axes, then: xr.Dataset) -> None:
    """Draw the ratio over the number of active features, one curve for each size."""
    ax.axhspan(1e-9, 1, color=style.DROPPED, alpha=0.6, lw=0, zorder=0)
    ax.axhline(1, color=style.INK, lw=1.0)
    for i in range(then.sizes["size"]):
        one = then.isel(size=i)
        mean, low, high = (one[f"variance_ratio{end}"] for end in ("", "_low", "_high"))
        label = f"{int(one['n_features'])} → {int(one['n_hidden'])}"
        look = style.series(i) | {"label": label, "elinewidth": 0.8}
        draw_interval(ax, one["n_active"], mean, low, high, **look)
    few = np.array([float(then["n_active"].min()), 4 ** (1 / 3)])
    ax.plot(few, 4 / few**3, "--", color=style.INK, lw=1.0, zorder=1, label="4 (np)⁻³")
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("active features at a time, np   (dense on the right)")
    look = {"transform": ax.get_yaxis_transform(), "fontsize": 8, "va": "top"}
    ax.text(0.02, 0.8, "below 1: plain batches are better", **look)
