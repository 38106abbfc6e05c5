"""F28: two sets of three correlated features go through regimes to an octahedron.

Elhage et al. 2022, "Learning dynamics". Plateaus are found in the logarithm of the loss over the
logarithm of the steps (`toymodels.dynamics`): a regime is what lies from one to the next. What
counts as a plateau was chosen by looking at such runs: how many there are describes, and proves
nothing. Where runs end is a count.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.kit.panels import panels
from figures.kit.settings import require_snapshots
from figures.kit.words import listed
from figures.toy_models import octahedron_panels as paint
from sweeps.results import flags
from toymodels.dynamics import find_plateaus

SLOWER = 0.75  # a plateau falls more slowly than this share of the mean pace
ACROSS, WITHIN, HALF = -0.95, 0.05, 0.02  # of cosines and D_i in an octahedron
ENDS = ("octahedron", "another", "diverged")
SHOWN = 5  # snapshots of W
MOSAIC = [["loss"] * SHOWN, [f"W {k}" for k in range(SHOWN)]]

# What the analysis' own variables are.
WORDS = {
    "n_plateaus": "plateaus of log loss over log steps",
    "end": "arrangement that a run ends in",
    "within": "largest |cos| of two features of a set at the end",
    "shown_W": "weights at each snapshot of the run that is shown",
    "shown_loss": "loss curve of the run that is shown",
    "shown_at": "index of the density of the run that is shown",
    "shown_seed": "seed of the run that is shown, -1 where all diverged",
    "plateau_first": "step at which a plateau of the run that is shown begins",
    "plateau_last": "step at which a plateau of the run that is shown ends",
}


def check(plan: Any) -> None:
    """Refuse runs without a history.

    Raises:
        InputError: too few snapshots.
    """
    require_snapshots(plan)


def cosines(W: NDArray) -> NDArray:
    """Return Ŵᵢ·Ŵⱼ `[…, F, F]` of weights `[…, M, F]`; 0 for a zero column."""
    norm = np.linalg.norm(W, axis=-2, keepdims=True)
    unit = W / np.where(norm > 0, norm, 1)
    return np.swapaxes(unit, -1, -2) @ unit


def is_octahedron(W: NDArray, D: NDArray) -> tuple[bool, float]:
    """Tell whether each feature is opposite one of the other set, and right to its own set's.

    Args:
        W: weights, `[M, 6]`, features 0 to 2 are a set.
        D: dimensionality, `[6]`.

    Returns:
        That, and the largest |cos| within a set.
    """
    cos, half = cosines(W), W.shape[1] // 2
    across = cos[:half, half:]
    inside = np.concatenate(
        [c[np.triu_indices(half, 1)] for c in (cos[:half, :half], cos[half:, half:])]
    )
    within = float(np.abs(inside).max())
    paired = np.sum(across < ACROSS, 0) == 1
    opposite = bool(np.all(paired) and np.all(np.sum(across < ACROSS, 1) == 1))
    return opposite and within < WITHIN and bool(np.all(np.abs(D - 0.5) < HALF)), within


def analyse(dataset: xr.Dataset) -> xr.Dataset:
    """Name the end of each run, count its plateaus, and choose the run that is shown.

    Over (p_active, seed): `end`, `within`, `n_plateaus`. Shown is, of the runs that end as an
    octahedron, if there are any, the first with most plateaus.
    """
    over = ("p_active", "seed")
    W, D = (dataset[k].transpose(*over, ...).values for k in ("W", "feature_dimensionality"))
    curve, steps = dataset["loss_curve"].transpose(*over, "step").values, dataset["step"].values
    lost = dataset["diverged"].transpose(*over).values != 0
    end, within, n = (np.full(lost.shape, fill) for fill in (2, np.nan, -1))
    for at in map(tuple, np.argwhere(~lost)):
        found, within[at] = is_octahedron(W[at], D[at])
        end[at] = 0 if found else 1
        n[at] = len(_plateaus(steps, curve[at]))
    rank = np.where(lost, -1, n + 1000 * (end == 0))
    i, s = np.unravel_index(int(rank.argmax()), rank.shape)
    result = dataset.drop_vars([name for name in dataset if "snapshot" in dataset[name].dims])
    result["end"] = (over, end.astype(np.int8), flags(ENDS))
    result["within"], result["n_plateaus"] = (over, within), (over, np.maximum(n, 0))
    shown = dataset.isel(p_active=i, seed=s)
    result["shown_W"] = shown["W_at_snapshot"].transpose("snapshot", "hidden", "feature").variable
    result["shown_loss"] = ("step", curve[i, s])
    result["shown_at"] = int(i)
    result["shown_seed"] = int(dataset["seed"].values[s]) if rank.max() >= 0 else -1
    plateaus = [] if rank.max() < 0 else _plateaus(steps, curve[i, s])
    table = np.array(plateaus, float).reshape(-1, 2)
    result["plateau_first"], result["plateau_last"] = (("plateau", c) for c in table.T)
    return result


def _plateaus(steps: NDArray, loss: NDArray) -> list[tuple[float, float]]:
    """Return first and last step of the plateaus of a curve, in logarithmic time."""
    if len(steps) < 2 or not np.all(loss > 0):
        return []
    found = find_plateaus(np.log(steps), loss, slower=SLOWER)
    return [(round(np.exp(p.first)), round(np.exp(p.last))) for p in found]


def claim(dataset: xr.Dataset) -> str:
    """Say how many runs end as an octahedron, and through how many plateaus they go."""
    end, n = dataset["end"].values, dataset["n_plateaus"].values
    runs, good = int(np.sum(end != 2)), int(np.sum(end == 0))
    if not runs:
        return "Every run diverged"
    chosen = n[end == 0] if good else n[end != 2]
    least, most = int(chosen.min()), int(chosen.max())
    span = f"{least} to {most}" if most > least else f"{least}"
    plateaus = f"{span} plateau{'s' * (most != 1)} of the loss"
    of = f"{runs} run{'s' * (runs != 1)}"
    if not good:
        if runs == 1:
            return f"The one run does not end as an octahedron; it goes through {plateaus}"
        return f"None of {of} ends as an octahedron; they go through {plateaus}"
    return (
        f"{good} of {of} end as an octahedron with members of different sets opposite each other, "
        f"through {plateaus}"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what was chosen, the rules, how many runs at each density, and what is shown."""
    p, end = dataset["p_active"].values, dataset["end"].values
    each = [
        f"{int((e == 0).sum())} of {int((e != 2).sum())} at {x:g}"
        for x, e in zip(p, end, strict=True)
    ]
    parts = [
        f"the paper does not state S: here the density of a set is {listed(f'{x:g}' for x in p)}",
        f"octahedron: three opposite pairs (cos < {ACROSS:g}), each across sets, |cos| < "
        f"{WITHIN:g} within a set, every Dᵢ within {HALF:g} of ½: {listed(each)}",
        f"plateau: log loss changes at less than {SLOWER:g} of its mean pace in log steps",
    ]
    if int(dataset["shown_seed"]) < 0:
        return parts
    at, n = int(dataset["shown_at"]), dataset.sizes["plateau"]
    pool = "octahedra" if (end == 0).any() else "runs"
    also = int(np.sum(dataset["n_plateaus"].values[end != 2] == n))
    return [
        *parts,
        f"shown: of the {pool}, the one with most plateaus, density {p[at]:g}, seed "
        f"{int(dataset['shown_seed'])}; {also} of {int((end != 2).sum())} runs have as many",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw the loss in its regimes, and the columns of W in three dimensions along them."""
    figure, panel = panels(axes, MOSAIC, figsize=(11.5, 6.0), height_ratios=[1, 1.15])
    times = times_shown(dataset)
    paint.draw_regimes(panel["loss"], dataset, times)
    for k in range(SHOWN):
        ax = panel[f"W {k}"]
        if k < len(times):
            i = int(np.argmin(np.abs(dataset["snapshot"].values - times[k])))
            paint.draw_columns_3d(ax, aligned(dataset)[i])
            ax.set_title(f"{'ABCDE'[k]}: step {int(dataset['snapshot'].values[i]):,}")
        ax.set_axis_off()
    return figure


def times_shown(dataset: xr.Dataset) -> list[float]:
    """Return the steps whose weights are drawn: the (logarithmic) middles of the plateaus.

    Of more than there are panels the first and the last ones; the end of training stands for the
    last.
    """
    first, last = dataset["plateau_first"].values, dataset["plateau_last"].values
    times = np.sqrt(np.maximum(first, 1) * last).tolist()
    if times:
        times[-1] = float(last[-1])
    end = float(dataset["snapshot"].values[-1])
    return (times[: SHOWN - 1] + times[-1:] if len(times) > SHOWN else times) or [end]


def aligned(dataset: xr.Dataset) -> NDArray:
    """Return W at each snapshot `[T, M, F]`, turned so that the last one's axes are in view."""
    W = np.nan_to_num(dataset["shown_W"].values.astype(float))
    own = np.linalg.svd(W[-1][:, : W.shape[2] // 2])  # of one set, near a turned cube's corner
    return (own.U @ own.Vh).T @ W


def animate(dataset: xr.Dataset) -> Any:
    """Return an animation of the columns of W beside the loss."""
    return paint.animate_run(dataset, aligned(dataset), times_shown(dataset))
