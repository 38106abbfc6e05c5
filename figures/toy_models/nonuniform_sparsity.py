"""F20, F21: five features in two dimensions, one of another density, trained many times.

Elhage et al. 2022, "Non-uniform sparsity: perturbing a single feature". Models are trained on
samples from random weights, and lie on two branches of the exact loss (`pentagon-digon`): the
pentagon, which bends, and two digons with feature 5 dropped. Others start on a branch, at every
density, and tell where it is metastable: whether the noise of training makes them leave it.

Losses are sums over features; a model is on a branch if it represents the same features and its
exact loss is within 2 % of the branch's. Digons may be 1 % above theirs: where training pushes the
bias of the dropped feature below 0, its output is dead, and no gradient brings it to its mean.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.exact import pentagon_digon_panels as exact_panels
from figures.kit.analysis import Parts
from figures.kit.panels import panels
from figures.kit.settings import require_at_least
from figures.toy_models import nonuniform_sparsity_panels as paint
from sweeps.grid import Axis, Dimension, Grid
from sweeps.own import run_grid
from sweeps.results import flags
from sweeps.stats import share_over_seeds
from toymodels import models
from toymodels.errors import InputError
from toymodels.exact import pentagon_digon as science
from toymodels.exact.pentagon_digon import BRANCHES, DIGONS, NEITHER, PENTAGON, F
from toymodels.features import Independent
from toymodels.tasks import Reconstruction
from toymodels.training import Run, TrainSpec

WITHIN = 0.02  # of a branch's loss
NUDGED_RATE = 3e-3  # learning rate of models that start on a branch
MOST_DENSE = 1 / 4  # density of the others; feature 5 may be four times as dense

# What the analysis' own variables are.
WORDS = {
    "loss": "expected loss of a branch, sum over features",
    "W": "weights of a branch",
    "b": "bias of a branch",
    "crossing": "relative density of feature 5 at which the branches cross",
    "slope": "d loss / d ln density at the crossing",
    "pentagon_end": "relative density at which the pentagon ends",
    "random_branch": "branch that a trained model is on",
    "random_loss": "expected loss of a trained model",
    "trained_W": "weights of the best trained model of a branch",
    "best_branch": "branch of the best trained model",
    "dead": "whether a trained model's output of feature 5 is always 0",
    "share": "share of seeds on a branch",
    "low": "lower end of its 95 % interval",
    "high": "upper end of its 95 % interval",
    "n": "seeds that did not diverge",
    "stays": "share of models that end on the branch they start on",
}


def check(plan: Any) -> None:
    """Refuse densities that the branches are not followed at.

    Raises:
        InputError: a number out of range.
    """
    for name, least in (("points", 2), ("started_seeds", 1), ("started_steps", 1)):
        require_at_least(name, plan.settings[name], least)
    base = plan.config.variants[0]["features"]["p_active"]["base"]
    if not 0 < base <= MOST_DENSE:
        raise InputError(f"p_active.base = {base}: give a density above 0, up to {MOST_DENSE:g}.")
    axes = {axis.name: axis.values for d in plan.config.grid.dimensions for axis in d.axes}
    for t in axes["relative_p_active"]:
        if not 0.05 <= t <= 4:
            raise InputError(f"relative_p_active = {t}: give numbers from 0.05 to 4.")


def parts(dataset: xr.Dataset) -> Parts:
    """Return what follows the exact branches, and what trains models that start on them."""
    exact = cache(partial(_exact, dataset))
    return {"exact": exact, "started": partial(_started, dataset, exact)}


def _exact(dataset: xr.Dataset) -> xr.Dataset:
    """Follow both branches, and find where they cross."""
    p, n = float(dataset["base_p_active"]), int(dataset["points"])
    t = dataset["relative_p_active"].values
    down = np.geomspace(1, min(0.1, t.min()), n)
    down = np.union1d(down, t[t < 1])[::-1]
    found = science.branches(p, down, np.geomspace(1, max(3.0, t.max()), len(down)))
    ends = science.thresholds(np.array([p]), down)
    along = ("branch", "relative_density")
    arrays = {"loss": (along, found.loss), "W": ((*along, "hidden", "feature"), found.W)}
    arrays |= {"b": ((*along, "feature"), found.b), "crossing": ("baseline", ends.crossing)}
    arrays |= {"pentagon_end": ("baseline", ends.pentagon_end)}
    arrays |= {"slope": (("baseline", "branch"), ends.slope)}
    return xr.Dataset(arrays, {"relative_density": found.relative_density, "baseline": [p]})


def _started(dataset: xr.Dataset, exact: Callable[[], xr.Dataset]) -> xr.Dataset:
    """Train models that start on a branch, where it is there, or else on its last one."""
    p, of = float(dataset["base_p_active"]), exact()
    spec = TrainSpec.create(steps=int(dataset["started_steps"]), learning_rate=NUDGED_RATE)
    log_t = np.log(of["relative_density"].values)

    def build(values: dict[str, Any]) -> Run:
        branch, t = of.isel(branch=values["branch"]), values["relative"]
        there = np.where(np.isfinite(branch["loss"]), np.abs(log_t - np.log(t)), np.inf)
        at = branch.isel(relative_density=int(there.argmin()))
        model = models.ReluAutoencoder(*(jnp.float32(at[name].values) for name in ("W", "b")))
        world = Independent.create(science.densities(p, t).tolist(), F)
        return Run(Reconstruction.create(world, 1.0, F), models.FromWeights(model), spec)

    axes = (
        Axis("branch", "branch", (PENTAGON, DIGONS)),
        Axis("relative", "relative", tuple(dataset["relative_p_active"].values.tolist())),
        Axis("seed", "seed", tuple(range(int(dataset["started_seeds"])))),
    )
    found = run_grid(Grid(tuple(Dimension(axis.name, (axis,)) for axis in axes)), build)
    return found[["W", "b", "loss", "diverged"]]


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Say which branch each model is on, by the exact losses.

    `loss`, `W`, `b` over (branch, relative_density) are the branches' and `crossing`, `slope`,
    `pentagon_end` theirs (as in `pentagon-digon`); over (random_at, start) `random_loss`,
    `random_branch` and `dead` are those of trained models, `random_at` the relative density of
    feature 5 and `start` the seed. Over (branch, random_at) `share`, `low`, `high` of seeds,
    `trained_W` of the best of them, and `stays`; over random_at `best_branch`.
    """
    of = parts["exact"]
    along = ("relative_p_active", "seed", "hidden", "feature")
    dataset = dataset.transpose(*along, ...).sortby("relative_p_active")
    t, W, loss = (dataset[name].values for name in ("relative_p_active", "W", "loss"))
    ok = np.isfinite(loss)
    kind = np.where(ok, branch_of(W, loss, t[:, None], of), NEITHER)
    result = of.assign_coords(branch=list(BRANCHES), random_at=t, density=of["baseline"].item())
    label = np.where(kind == NEITHER, len(BRANCHES), kind).astype(np.int8)
    random = ("random_at", "start")
    result["random_branch"] = (random, label, flags((*BRANCHES, "neither")))
    result["random_loss"] = (random, loss)
    highest = dataset["b"].values[..., -1] + np.sum(_positive(W), axis=-1)
    result["dead"] = (random, (highest <= 0) & ok)
    least = np.where(ok, loss, np.inf)
    best = label[np.arange(len(t)), least.argmin(1)]
    result["best_branch"] = ("random_at", best, flags((*BRANCHES, "neither")))
    shares = [share_over_seeds(dataset, dataset["loss"].copy(data=kind == k)) for k in range(2)]
    for name in ("share", "low", "high"):
        values = np.stack([of[name].values for of in shares])
        result[name] = (("branch", "random_at"), values)
    result["n"] = ("random_at", shares[0]["n"].values)
    trained = [_best_of(W, np.where(kind == k, loss, np.inf)) for k in range(len(BRANCHES))]
    result["trained_W"] = (("branch", "random_at", "hidden", "feature"), np.stack(trained))
    result["stays"] = (("branch", "random_at"), _stays(parts["started"], of))
    return result


def _positive(W: NDArray) -> NDArray:
    """Return the weights at which others raise feature 5, and its own, `[…, F]`."""
    return np.maximum(np.einsum("...mi,...m->...i", W, W[..., -1]), 0)


def branch_of(W: NDArray, loss: NDArray, t: NDArray, of: xr.Dataset) -> NDArray:
    """Return the branch of models `W […, M, F]` at relative densities `t […]`, or NEITHER."""
    kind = science.branch_of(W)
    log_t, known = np.log(of["relative_density"].values), np.log(of["loss"].values)
    there = np.stack([np.exp(np.interp(np.log(t), log_t, branch)) for branch in known])
    wanted = np.take_along_axis(np.broadcast_to(there, (2, *kind.shape)), kind[None] % 2, 0)[0]
    with np.errstate(invalid="ignore"):
        near = np.abs(loss / wanted - 1) < WITHIN
    return np.where(near, kind, NEITHER)


def _best_of(W: NDArray, loss: NDArray) -> NDArray:
    """Return the weights of least loss at each density, `[K, M, F]`, NaN where there are none."""
    found = W[np.arange(len(W)), loss.argmin(1)].copy()
    found[np.isinf(loss).all(1)] = np.nan
    return found


def _stays(started: xr.Dataset, of: xr.Dataset) -> NDArray:
    """Return the share of models that end on the branch they start on, `[branch, random_at]`."""
    along = ("branch", "relative", "seed", "hidden", "feature")
    started = started.transpose(*along).sortby("relative")
    t = started["relative"].values[:, None]
    W, loss = started["W"].values, started["loss"].values
    return np.stack([(branch_of(W[k], loss[k], t, of) == k).mean(-1) for k in range(2)])


def claim(dataset: xr.Dataset) -> str:
    """Say where the exact branches cross, and between which densities the best models change."""
    t, p = exact_panels.at_density(dataset, "crossing"), float(dataset["density"])
    n, best = int(dataset["n"].max()), dataset["best_branch"].values
    if n == 0:
        return "Every run diverged"
    if np.isnan(t):
        text = f"At density {p:g} of the four others, pentagon and digons trade places nowhere"
    else:
        text = f"Pentagon and two digons cross where feature {F} is {1 / t:.2f} times sparser"
        if exact_panels.has_paper(dataset):
            text += f" (the paper: {1 / exact_panels.PAPER:g})"
    at = dataset["random_at"].values
    who = f"the best of {n} trained models" if n > 1 else "the trained model"
    change = np.flatnonzero((best[:-1] == DIGONS) & (best[1:] == PENTAGON))
    if len(change) == 1 and np.all(best[: change[0]] == DIGONS):
        low, high = at[change[0]], at[change[0] + 1]
        return f"{text}; {who} changes between {1 / high:.2f} and {1 / low:.2f} times"
    counts = [int((best == k).sum()) for k in range(3)]
    return (
        f"{text}; {who} is a pentagon at {counts[0]}, digons at {counts[1]} and neither at "
        f"{counts[2]} of {len(best)} densities"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what was trained and started where, and what the crossings are."""
    t = exact_panels.at_density(dataset, "crossing")
    parts = [
        f"density {float(dataset['density']):g} of the four others; lines: exact branches, dashed "
        "where the other is lower; dots: trained models, by their exact loss",
        f"a model is on a branch within {WITHIN:.0%} of its loss",
    ]
    digons = dataset["random_branch"].values == DIGONS
    if digons.any():
        dead = float(dataset["dead"].values[digons].mean())
        parts.append(
            f"in {dead:.0%} of trained digons the output of feature {F} is dead (bias below 0), "
            "which lies a little above the branch"
        )
    n, steps = (int(dataset[f"started_{name}"]) for name in ("seeds", "steps"))
    parts.append(f"started on a branch: {n} models, trained {steps} more steps")
    if exact_panels.has_paper(dataset) and np.isfinite(t):
        parts.append(
            f"the paper has the change at about {1 / exact_panels.PAPER:g} times, the exact losses "
            f"cross at {1 / t:.2f}; training finds both arrangements on either side"
        )
    return parts


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw trained solutions, losses over the branches, and how many models are on which."""
    mosaic = [[[["digons", "pentagons"], ["shares", "shares"]], "losses"]]
    figure, panel = panels(axes, mosaic, figsize=(12.4, 6.9), width_ratios=[1, 1.05])
    paint.draw_solutions(panel["digons"], dataset, DIGONS)
    paint.draw_solutions(panel["pentagons"], dataset, PENTAGON)
    exact_panels.draw_scale([panel["digons"], panel["pentagons"]])
    exact_panels.draw_losses(panel["losses"], dataset)
    paint.label_losses(panel["losses"])
    paint.draw_shares(panel["shares"], dataset)
    return figure
