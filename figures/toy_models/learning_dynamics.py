"""F27: feature dimensionalities jump while a model trains, and the loss drops with each jump.

Elhage et al. 2022, "Learning dynamics". The paper does not say which model it shows. Ours have
20 features of equal importance in 5 dimensions, near the density at which digons begin to beat
pentagons: training forms some of both within its first percent, and the noise of small batches
then shakes a feature out of a pentagon, whose four others become two digons.

Jumps and drops are found apart from each other (`toymodels.dynamics`), and how often they coincide
is compared with random times near the jumps. The rules were chosen among 18 on pilots of root
seed 0; the figure is of root seed 1. In other sizes noise hides more of the drops: in pilots 6 of
11 late jumps coincided at 24 features in 6 dimensions, and at most 2 of 6 at 32 in 8.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit.panels import panels
from figures.kit.settings import require_snapshots
from figures.kit.words import counted, listed, rounded
from figures.toy_models import learning_dynamics_panels as paint
from sweeps.results import flags
from toymodels.dynamics import (
    Comparison,
    compare_with_chance,
    find_coincidences,
    find_jumps,
)

START = 0.01  # share of the run that is the start: jumps that begin in it are not counted
AT_END = 0.03  # D_i this near 0 or ½ at the end is that of a dropped feature, or of a digon's
FATES = ("in a digon", "dropped", "other")
MOSAIC = [["D", "share"], ["loss", "share"]]

# What the analysis' own variables are.
WORDS = {
    "jump_at": "index of a jump's density",
    "jump_seed": "seed of a jump's run",
    "jump_first": "step of the last snapshot before a jump",
    "jump_last": "step of the first snapshot after a jump",
    "jump_moved": "features that move in a jump",
    "jump_drop": "1 where the loss drops in a jump",
    "jump_chance": "share of random times near a jump with a drop",
    "n_jumps": "jumps of a run after the start",
    "only_digons": "1 where every feature ends in a digon or dropped",
    "sum_off": "largest |ΣD_i / m - 1| of a run after the start",
    "shown_D": "D_i at each snapshot of the run that is shown",
    "shown_W": "weights at each snapshot of the run that is shown",
    "shown_loss": "loss curve of the run that is shown",
    "shown_at": "index of the density of the run that is shown, -1 where all diverged",
    "shown_seed": "seed of the run that is shown",
    "fate": "how a feature of the run that is shown ends",
}


def check(plan: Any) -> None:
    """Refuse runs without a history.

    Raises:
        InputError: too few snapshots.
    """
    require_snapshots(plan)


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Find the jumps of all runs and the drops of their losses, and choose the run that is shown.

    Over `jump`: `jump_at`, `jump_seed`, `jump_first`, `jump_last`, `jump_moved`, `jump_drop` and
    `jump_chance`, after the start; over (p_active, seed): `n_jumps`, `only_digons`, `sum_off`.
    Shown is, of the runs that end as digons alone, if there are any, the first with most jumps:
    `shown_D` (snapshot, feature), `shown_W`, `shown_loss` (step), `fate` (feature).
    """
    jumps: list[tuple] = []
    counts = np.full((dataset.sizes["p_active"], dataset.sizes["seed"]), -1)
    D = dataset["feature_dimensionality_at_snapshot"]
    D = D.transpose("p_active", "seed", "snapshot", "feature").values
    curve = dataset["loss_curve"].transpose("p_active", "seed", "step").values
    for i, s in np.argwhere(np.isfinite(D).all((2, 3)) & (curve > 0).all(2)):
        found = _jumps_of(dataset["snapshot"].values, D[i, s], dataset["step"].values, curve[i, s])
        jumps += [(i, dataset["seed"].values[s], *jump) for jump in found]
        counts[i, s] = len(found)
    ends = np.abs(D[:, :, -1, :, None] - np.array([0.5, 0.0])) < AT_END
    digons = ends.any(-1).all(-1) & (counts >= 0)
    t = dataset["snapshot"].values
    late = D[:, :, t > t[0] + START * np.ptp(t)].sum(-1) / float(dataset["n_hidden"])
    result = dataset.drop_vars([name for name in dataset if "snapshot" in dataset[name].dims])
    over = ("p_active", "seed")
    result["n_jumps"] = (over, np.maximum(counts, 0))
    result["only_digons"] = (over, digons.astype(np.int8))
    result["sum_off"] = (over, np.abs(late - 1).max(-1))
    names = ("at", "seed", "first", "last", "moved", "drop", "chance")
    table = np.array(jumps, float).reshape(-1, len(names))
    for name, column in zip(names, table.T, strict=True):
        result[f"jump_{name}"] = ("jump", column)
    rank = np.where(counts < 0, -1, counts + 1000 * digons)
    at, seed = np.unravel_index(int(rank.argmax()), rank.shape)
    shown = dataset.isel(p_active=at, seed=seed)
    result["shown_at"] = int(at) if rank.max() >= 0 else -1
    result["shown_seed"] = int(dataset["seed"].values[seed])
    result["shown_D"] = (("snapshot", "feature"), D[at, seed])
    result["shown_W"] = shown["W_at_snapshot"].transpose("snapshot", "hidden", "feature").variable
    result["shown_loss"] = ("step", curve[at, seed])
    fate = np.where(ends[at, seed].any(-1), ends[at, seed].argmax(-1), 2).astype(np.int8)
    result["fate"] = ("feature", fate, flags(FATES))
    return result


def _jumps_of(t: np.ndarray, D: np.ndarray, steps: np.ndarray, loss: np.ndarray) -> list[tuple]:
    """Return the jumps of one run after its start: ends, features, whether the loss drops, chance.

    Two steps or fewer are no curve, and have none.
    """
    if len(steps) < 2:
        return []
    late = [j for j in find_jumps(t, D) if j.first > t[0] + START * np.ptp(t)]
    found = find_coincidences(tuple(late), steps, loss)
    both = zip(late, found.happened, found.chance, strict=True)
    return [(j.first, j.last, len(j.features), drop, chance) for j, drop, chance in both]


def of_density(dataset: xr.Dataset, at: int | None = None) -> Comparison:
    """Compare jumps and drops of one density's runs, or of all, with chance."""
    chosen = np.full(dataset.sizes["jump"], True)
    if at is not None:
        chosen = dataset["jump_at"].values == at
    return compare_with_chance(
        dataset["jump_drop"].values[chosen], dataset["jump_chance"].values[chosen]
    )


def n_runs(dataset: xr.Dataset) -> int:
    """Count the runs that did not diverge."""
    return int((dataset["diverged"] == 0).sum())


def claim(dataset: xr.Dataset) -> str:
    """Say how many jumps coincide with a drop of the loss, against chance."""
    runs, found = n_runs(dataset), of_density(dataset)
    if not runs:
        return "Every run diverged"
    of = f"{runs:,} run{'s' * (runs != 1)}"
    if not found.n:
        return f"No feature jumps after the start, in {of}"
    p = "p < 0.0001" if found.p_value < 1e-4 else f"p = {rounded(found.p_value, 1)}"
    if found.n == 1:
        said = "coincides" if found.happened else "does not coincide"
        return f"The one jump of features after the start, in {of}, {said} with a drop of the loss"
    return (
        f"Of {found.n} jumps of features after the start, in {of}, {found.happened} coincide with "
        f"a drop of the loss (by chance: {found.expected:.1f}, {p})"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what was chosen, what counts as jump and drop, what is shown, and ΣD_i."""
    parts = [
        "the paper does not state n, m, S, steps or rate: here "
        f"n = {int(dataset['n_features'])}, m = {int(dataset['n_hidden'])}, importance 1, density "
        + listed(f"{p:g}" for p in dataset["p_active"].values),
        "jump: some D_i moves by more than 0.2 within 1 % of training, counted after the first "
        "1 %; drop: the slope of log loss, averaged over 2 % on either side, is below its median "
        "within 20 % by more than 4 × 1.48 MAD; chance: a time as long as the jump, at random "
        "within the same 20 %; how many coincide depends on size and noise",
    ]
    if int(dataset["shown_at"]) < 0:
        return parts
    digons = int((dataset["only_digons"] == 1).sum())
    parts.append(f"{digons} of {n_runs(dataset)} runs end as digons and dropped features alone")
    pool = "of these" if digons else "of all runs"
    p = float(dataset["p_active"][int(dataset["shown_at"])])
    parts.append(
        f"shown: {pool}, the one with most jumps, until a while after the last, density {p:g}, "
        f"seed {int(dataset['shown_seed'])}"
    )
    off = float(np.nanmax(dataset["sum_off"].values))
    return [*parts, f"after the first 1 % ΣD_i is m within {off:.1%} in all runs"]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw D_i and the loss of one run, and how often jumps and drops coincide in all."""
    figure, panel = panels(
        axes, MOSAIC, figsize=(11.5, 5.6), width_ratios=[3.4, 1], height_ratios=[1.5, 1]
    )
    jumps = jumps_shown(dataset)
    paint.draw_dimensionality(panel["D"], dataset, jumps)
    paint.draw_loss(panel["loss"], dataset, jumps)
    by = {f"{p:g}": of_density(dataset, i) for i, p in enumerate(dataset["p_active"].values)}
    if len(by) > 1:
        by["all"] = of_density(dataset)
    paint.draw_shares(panel["share"], by)
    p = float(dataset["p_active"][max(int(dataset["shown_at"]), 0)])
    n = counted(jumps.sizes["jump"], "jump")
    panel["D"].set_title(f"one run, density {p:g}: {n} after the start")
    return figure


def animate(dataset: xr.Dataset) -> Any:
    """Return an animation of WᵀW, D_i and the loss of the run that is shown."""
    return paint.animate_run(dataset, jumps_shown(dataset))


def jumps_shown(dataset: xr.Dataset) -> xr.Dataset:
    """Return the jumps of the run that is shown."""
    own = dataset["jump_at"].values == int(dataset["shown_at"])
    own &= dataset["jump_seed"].values == int(dataset["shown_seed"])
    return dataset[[k for k in dataset if str(k).startswith("jump_")]].isel(
        jump=np.flatnonzero(own)
    )
