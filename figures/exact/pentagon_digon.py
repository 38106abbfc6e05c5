"""F20, F21: five features in two dimensions, one of them sparser or denser than the others.

Elhage et al. 2022, "Non-uniform sparsity: perturbing a single feature". Two minima of the exact
expected loss are followed as the density of feature 5 varies: the pentagon, which bends, and two
antipodal pairs (digons) with feature 5 dropped. Where the losses cross, the best arrangement
changes at once: a first-order change, with W_5 jumping to 0.

The paper puts the change where feature 5 is about 2.5 times sparser than the others. At its
density of the others, 0.05, the losses cross at 3.72 times. Random starts and trained models find
both minima on either side, so a search that fails is not the reason; the crossing moves with the
density of the others, and is at 2.5 times where they have 0.092.

The pentagon ends in a fold. The digons never end quite: a bias of 0.0003 on the four features
heals a nudge of 0.0001 at any density. A nudge of 0.001 heals up to a relative density of about 2.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.exact import pentagon_digon_panels as paint
from figures.kit.analysis import Parts
from figures.kit.panels import panels
from figures.kit.settings import require_at_least
from sweeps.results import flags
from toymodels.errors import InputError
from toymodels.exact import pentagon_digon as science
from toymodels.exact.pentagon_digon import (
    BRANCHES,
    DIGONS,
    LANES,
    NEITHER,
    PENTAGON,
    SHAKE,
    F,
    State,
)

LOWEST, HIGHEST = 0.1, 4.0  # relative densities of feature 5
NAMED = (0.22, 0.27, 0.4, 1.0)  # whose random starts are counted in the caption
END = "random starts at "  # begins the names of their parts
MOSAIC = [
    [
        [["digons", "pentagons"], ["thresholds", "thresholds"]],
        [["losses"], ["losses"], ["norms"]],
    ]
]

# What the analysis' own variables are.
WORDS = {
    "loss": "expected loss, sum over features",
    "W": "weights",
    "b": "bias",
    "crossing": "relative density of feature 5 at which the branches cross",
    "slope": "d loss / d ln density at the crossing",
    "pentagon_end": "relative density at which the pentagon ends",
    "random_branch": "branch that a random start ends on",
    "random_loss": "loss that a random start ends with",
}


def check(plan: Any) -> None:
    """Refuse settings that are not possible.

    Raises:
        InputError: a number out of range.
    """
    of = plan.settings
    require_at_least("points", of["points"], 2)
    require_at_least("seed", of["seed"], 0)
    for name, values, most in (
        ("density", [of["density"]], 1 / HIGHEST),
        ("densities", of["densities"], 1.0),
        ("random_at", of["random_at"], HIGHEST),
    ):
        least = LOWEST if name == "random_at" else 0.001
        if not all(least <= value <= most for value in values):
            raise InputError(f"{name} = {of[name]}: give numbers from {least:g} to {most:g}.")
    if len(of["densities"]) >= LANES // 2:
        raise InputError(f"densities are {len(of['densities'])}: give fewer than {LANES // 2}.")
    if of["starts"] < 1 or of["starts"] % LANES:
        raise InputError(f"starts = {of['starts']}: give a multiple of {LANES}.")


def parts(dataset: xr.Dataset) -> Parts:
    """Return what follows the branches, finds where they cross, and descends from random starts."""
    found: Parts = {"branches": partial(_branches, dataset)}
    found["thresholds"] = partial(_thresholds, dataset)
    random_at = dataset["random_at"].values.tolist()
    return found | {f"{END}{t:g}": partial(_random, dataset, t) for t in random_at}


def _ways(dataset: xr.Dataset) -> tuple[NDArray, NDArray]:
    """Return the relative densities from 1 down and from 1 up."""
    n = int(dataset["points"])
    return np.geomspace(1, LOWEST, n), np.geomspace(1, HIGHEST, n)


def _branches(dataset: xr.Dataset) -> xr.Dataset:
    """Follow both branches at one density of the others."""
    found = science.branches(float(dataset["density"]), *_ways(dataset))
    along = ("branch", "relative_density")
    arrays = {"loss": (along, found.loss), "W": ((*along, "hidden", "feature"), found.W)}
    arrays["b"] = ((*along, "feature"), found.b)
    return xr.Dataset(arrays, {"relative_density": found.relative_density})


def _thresholds(dataset: xr.Dataset) -> xr.Dataset:
    """Find where the branches cross and where the pentagon ends, by the density of the others."""
    baseline = np.union1d(dataset["densities"].values, dataset["density"].values)
    found = science.thresholds(baseline, _ways(dataset)[0])
    arrays = {
        "crossing": ("baseline", found.crossing),
        "slope": (("baseline", "branch"), found.slope),
        "pentagon_end": ("baseline", found.pentagon_end),
    }
    return xr.Dataset(arrays, {"baseline": baseline})


def _random(dataset: xr.Dataset, t: float) -> xr.Dataset:
    """Descend from random starts at one relative density."""
    n, seed = int(dataset["starts"]), int(dataset["seed"])
    end = science.descend_from_random(float(dataset["density"]), t, n, seed)
    arrays = {"loss": ("start", end.loss), "W": (("start", "hidden", "feature"), end.W)}
    return xr.Dataset(arrays | {"b": (("start", "feature"), end.b)})


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Join the parts, and say on which branch random starts end.

    `loss`, `W`, `b` over (branch, relative_density), NaN where a branch has ended; over the
    `baseline` density of the others `crossing` and `pentagon_end`, relative densities, and over
    (baseline, branch) `slope` = d loss / d ln density at the crossing; `random_loss` and
    `random_branch` (the last: neither) over (random_at, start). Losses are sums over features.
    """
    of = parts["branches"]
    known = science.Branches(*(of[k].values for k in ("relative_density", "loss", "W", "b")))
    ends = [part for name, part in parts.items() if name.startswith(END)]
    random_at = dataset["random_at"].values
    branch = [
        science.on_branch(State(*(end[k].values for k in ("W", "b", "loss"))), t, known)
        for end, t in zip(ends, random_at, strict=True)
    ]
    result = xr.merge([of, parts["thresholds"]]).assign_coords(branch=list(BRANCHES))
    random = ("random_at", "start")
    label = np.where(np.equal(branch, NEITHER), len(BRANCHES), branch).astype(np.int8)
    result["random_branch"] = (random, label, flags((*BRANCHES, "neither")))
    result["random_loss"] = (random, np.stack([end["loss"].values for end in ends]))
    return result.assign_coords(random_at=random_at)


def claim(dataset: xr.Dataset) -> str:
    """Say where the branches cross and how far feature 5 jumps."""
    t, p = paint.at_density(dataset, "crossing"), float(dataset["density"])
    if np.isnan(t):
        return f"At density {p:g} of the four others, pentagon and digons trade places nowhere"
    length = paint.length_at_crossing(dataset)
    return (
        f"Made {1 / t:.2f} times sparser than the others (density {p:g}), feature {F} jumps from "
        f"length {length:.2f} to 0: two digons replace the pentagon"
    )


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what was computed, what lines and dots are, and what random starts find."""
    kinds, at = dataset["random_branch"].values, dataset["random_at"].values
    shares = zip((kinds == PENTAGON).mean(1), at, strict=True)
    share = ", ".join(f"{share:.0%} at {t:g}" for share, t in shares if t in NAMED)
    found = f"; the pentagon is found from {share}" if share else ""
    parts = [
        "exact expected loss of y = ReLU(WᵀW x + b), importance 1, nothing is trained or sampled",
        f"density {float(dataset['density']):g} of the four others where nothing else is said",
        "full: the lower minimum; dashed: metastable, drawn as far as it is found again after a "
        f"nudge of {SHAKE:g}",
        f"dots: end points of {int(dataset['starts'])} random starts by Newton's method" + found,
    ]
    theirs = paint.paper_density(dataset)
    if not np.isnan(theirs):
        parts.append(
            f"the paper's {1 / paint.PAPER:g} times is where they cross for density {theirs:.3f}"
        )
    return parts


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw solutions, thresholds, losses and ‖W_5‖."""
    figure, panel = panels(axes, MOSAIC, figsize=(12.8, 7.8), width_ratios=[1, 1.15])
    paint.draw_solutions(panel["digons"], dataset, DIGONS)
    paint.draw_solutions(panel["pentagons"], dataset, PENTAGON)
    paint.draw_scale([panel["digons"], panel["pentagons"]])
    paint.draw_thresholds(panel["thresholds"], dataset)
    paint.draw_losses(panel["losses"], dataset)
    paint.draw_norms(panel["norms"], dataset)
    return figure
