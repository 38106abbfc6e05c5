"""λ‖h‖₁ on hidden activations removes superposition, and what that costs.

Elhage et al. 2022, "Three Ways Out", in the text. A feature counts as represented if its own loss
is below half of what dropping it costs, I_i (p/3 − p²/4): for models of any kind, also where W has
columns that never pass a ReLU. Superposition is removed where at most m features are left; the
naive solution gives the m most important a dimension each, without loss, and drops the others.

Is it the shape of the penalty, or only that activations shrink? λ‖h‖² shrinks them as well, and
prefers no direction. What L1 does alone is to turn features to neurons: for `h = W x` nothing else
in the model tells one rotation of W from another, so the null is a random rotation. Adam does: its
steps depend on the basis, and without a penalty it ends a little away from neurons (3.3 neurons by
feature, 2.8 with SGD, means of 8 models; 2.6 at random).
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.kit import style
from figures.kit.crossing import first_above
from figures.kit.panels import panels
from figures.kit.words import counted, listed, rounded
from figures.toy_models import l1_removes_superposition_panels as paint
from toymodels.errors import InputError

MOSAIC = [["held", "loss", "trade"], ["dimensions", "shared", "neurons"]]
PENALTIES = ("l1", "l2")
SHARED = 0.1  # mean superposition from which some features are said to share directions
N_NULL = 20_000  # random directions behind the null

# What the analysis' own variables are.
WORDS = {
    "n_represented": "features whose loss is below half of what dropping them costs",
    "superposition_mean": "mean superposition of represented features",
    "dimensions_per_feature": "D* = m / ‖W‖²",
    "neurons": "neurons by feature, 1 / Σ ŵ⁴, mean over represented features",
    "neurons_null": "the same of random directions",
    "relative_loss": "loss without the penalty, over that of m dedicated features",
    "removed_at": "coefficient from which at most m features are represented",
    "loss_there": "relative loss at this coefficient",
    "diverged": "whether a run diverged",
}


def check(plan: Any) -> None:
    """Refuse sizes without superposition, and a sweep without the start that both penalties share.

    Raises:
        InputError: as many dimensions as features, a first penalty that is not 0, or both at once.
    """
    for variant in plan.config.variants:
        n, m = variant["n_features"], variant["n_hidden"]
        if m >= n:
            raise InputError(f"n_hidden = {m}: give fewer than n_features = {n}, or none share.")
    pairs = [(at["penalties.l1_hidden"], at["penalties.l2_hidden"]) for at in _points(plan)]
    if not pairs or any(pairs[0]) or any(l1 and l2 for l1, l2 in pairs):
        raise InputError(
            "zip.penalty: give 0 for both penalties first, and then one of them at a time."
        )


def _points(plan: Any) -> list[dict[str, Any]]:
    (d,) = [d for d in plan.config.grid.dimensions if d.name == "penalty"]
    values = {axis.path: axis.values for axis in d.axes}
    return [{path: v[i] for path, v in values.items()} for i in range(d.size)]


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Count what is represented, and say what removing superposition costs.

    Over (world, penalty, seed): `n_represented`, `superposition_mean`, `dimensions_per_feature`,
    `neurons`, `relative_loss`; over (way, world, seed), the way "l1" or "l2": `removed_at` and
    `loss_there`, NaN where no coefficient does it; `neurons_null`, a number.
    """
    order = ("world", "penalty", "seed", ...)
    p, importance = dataset["p_active"], dataset["importance_of_feature"]
    dropped = importance * (p / 3 - p**2 / 4)
    held = dataset["loss_per_feature"] < dropped / 2
    m = int(dataset["n_hidden"])
    naive = dropped.isel(feature=slice(m, None)).sum("feature")
    unit = dataset["W"] / np.sqrt((dataset["W"] ** 2).sum("hidden"))
    found = {
        "n_represented": held.sum("feature").astype(float),
        "superposition_mean": dataset["superposition"].where(held).mean("feature"),
        "dimensions_per_feature": dataset["dimensions_per_feature"],
        "neurons": (1 / (unit**4).sum("hidden")).where(held).mean("feature"),
        "relative_loss": dataset["loss"] / naive,
    }
    kept = dataset["diverged"] == 0
    result = xr.Dataset({k: v.where(kept).transpose(*order) for k, v in found.items()})
    result["diverged"] = dataset["diverged"].transpose(*order)
    result = result.drop_vars([k for k in result.coords if k not in COORDS])
    result["neurons_null"] = neurons_of_random_directions(m)
    return result.assign(_removal(result, m)).assign_coords(way=list(PENALTIES))


COORDS = ("world", "penalty", "seed", "model", "p_active", "l1_hidden", "l2_hidden")
COORDS += ("n_features", "n_hidden")


def neurons_of_random_directions(m: int) -> float:
    """Return the mean of 1 / Σ ŵ⁴ over random directions in m dimensions."""
    w = np.random.default_rng(0).normal(size=(N_NULL, m))
    return float(np.mean((w**2).sum(1) ** 2 / (w**4).sum(1)))


def _removal(result: xr.Dataset, m: int) -> dict[str, Any]:
    """Return where at most m features are left, by way, world and seed, and the loss there."""
    shape = (len(PENALTIES), result.sizes["world"], result.sizes["seed"])
    at, there = np.full(shape, np.nan), np.full(shape, np.nan)
    for w, way in enumerate(PENALTIES):
        which, log = _logarithms(result, way)
        n = result["n_represented"].values[:, which]
        loss = result["relative_loss"].values[:, which]
        for i, s in np.ndindex(shape[1:]):
            found = first_above(log, -n[i, :, s], -m - 0.5)
            at[w, i, s] = np.exp(found)
            there[w, i, s] = np.interp(found, log, loss[i, :, s]) if np.isfinite(found) else np.nan
    dims = ("way", "world", "seed")
    return {"removed_at": (dims, at), "loss_there": (dims, there)}


def _logarithms(result: xr.Dataset, way: str) -> tuple[NDArray[np.int64], NDArray]:
    """Return the cells of one penalty alone, and the logarithms of its coefficients."""
    which, weights = paint.along(result, way)
    return which[1:], np.log(weights[1:])


def claim(dataset: xr.Dataset) -> str:
    """Say where L1 removes superposition, what it costs, and what it does that L2 does not."""
    first = dataset.isel(world=0)
    n, m = int(dataset["n_features"]), int(dataset["n_hidden"])
    at, cost = (_mean(first, name, "l1") for name in ("removed_at", "loss_there"))
    start = float(first["relative_loss"].isel(penalty=0).mean())
    if np.isnan(start):
        return "Every run without a penalty diverged"
    if float(first["n_represented"].isel(penalty=0).mean()) <= m:
        return f"Without a penalty at most {m} of {n} features are represented already"
    if np.isnan(at):
        return f"No λ‖h‖₁ that was tried brings {n} features down to {m}"
    l2 = _mean(first, "loss_there", "l2")
    with_l2 = f"λ‖h‖² does too, at {l2:.2f} times" if np.isfinite(l2) else "no λ‖h‖² tried does"
    return (
        f"From λ = {rounded(at)} on, λ‖h‖₁ leaves at most {m} of {n} features and costs "
        f"{rounded(cost / start)} times the loss, {cost:.2f} times that of "
        f"{counted(m, 'dedicated feature')}; "
        f"{with_l2}; {_still_shared(first)}features take {_neurons(first, 'l1')} neurons with L1, "
        f"{_neurons(first, 'l2')} with L2, {float(dataset['neurons_null']):.1f} at random"
    )


def _still_shared(first: xr.Dataset) -> str:
    """Say that some of those few features still share directions, where they do."""
    return "some of them still share directions with L1; " * (_shared(first, "l1") > SHARED)


def _shared(first: xr.Dataset, way: str) -> float:
    """Return the mean superposition at the next λ after at most m features are left, or NaN."""
    which, weights = paint.along(first, way)
    some = np.flatnonzero(weights > _mean(first, "removed_at", way))
    if not some.size:
        return np.nan
    return float(first["superposition_mean"].isel(penalty=int(which[some[0]])).mean())


def _mean(of: xr.Dataset, name: str, way: str) -> float:
    """Return a mean over seeds, NaN where some seed has none."""
    return float(of[name].sel(way=way).mean(skipna=False))


def _neurons(first: xr.Dataset, way: str) -> str:
    """Return neurons by feature at the coefficient next to where superposition is removed."""
    which, weights = paint.along(first, way)
    at = _mean(first, "removed_at", way)
    i = len(which) - 1 if np.isnan(at) else int(np.abs(weights - at).argmin())
    found = float(first["neurons"].isel(penalty=int(which[i])).mean())
    return "–" if np.isnan(found) else f"{found:.1f}"


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what counts as represented, and what the paper does not state."""
    several = dataset.sizes["seed"] >= paint.ENOUGH
    others = [_world(dataset, i) for i in range(1, dataset.sizes["world"])]
    return [
        "the paper states neither model nor coefficients",
        "represented: a feature whose own loss is below half of what dropping it costs; losses are "
        "without the penalty; naive: m dedicated features, the others answered by their mean",
        *(["at most m with L1: " + "; ".join(others)] if others else []),
        *_left(dataset.isel(world=0)),
        "random: directions of W after a random rotation",
        "bars: 95 % intervals over seeds" if several else "too few seeds for intervals",
    ]


def _left(first: xr.Dataset) -> list[str]:
    """Say how much superposition is left where at most m features are: pairs may share neurons."""
    left = {way.upper(): _shared(first, way) for way in PENALTIES}
    said = [f"{value:.2f} with {name}" for name, value in left.items() if np.isfinite(value)]
    return [f"mean superposition of those left at the next λ: {listed(said)}"] if said else []


def _world(dataset: xr.Dataset, i: int) -> str:
    of = dataset.isel(world=i)
    at, cost = (_mean(of, name, "l1") for name in ("removed_at", "loss_there"))
    name = paint.world(dataset, i)
    if np.isnan(at):
        return f"{name}, with no λ tried in every seed"
    return f"{name}, from λ = {rounded(at)}, at {cost:.2f} times the naive loss"


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw what is left of superposition, what it costs, and how L2 compares."""
    figure, panel = panels(axes, MOSAIC, figsize=(13.2, 7.4))
    paint.draw_held(panel["held"], dataset, _mean(dataset.isel(world=0), "removed_at", "l1"))
    paint.draw_loss(panel["loss"], dataset)
    paint.draw_trade(panel["trade"], dataset)
    paint.draw_both(panel["dimensions"], dataset, "dimensions_per_feature")
    panel["dimensions"].set(ylabel="D* = m / ‖W‖²", title="dimensions per feature")
    panel["dimensions"].set_ylim(0, min(3.0, 1.1 * panel["dimensions"].get_ylim()[1]))
    panel["dimensions"].axhline(1, color=style.GREY, lw=1.0, zorder=0)
    paint.draw_both(panel["shared"], dataset, "superposition_mean")
    panel["shared"].set(ylabel="superposition, mean", title="superposition of represented features")
    panel["shared"].set_ylim(bottom=-0.04)
    paint.draw_neurons(panel["neurons"], dataset)
    return figure
