"""Whether a load x = T (d/D)² that works at one width works at every width.

Under "Rotations in Superposition" (Linsefors & Bushnaq 2025) the reading is that x < 0.004 works
and that the construction is therefore fine asymptotically. Unused neurons that switch on make a
noise whose variance grows with N = D / d at fixed x and S; more neurons for each circuit, S, mean
fewer of them and more links. So S is tuned at every width here, for two assignments and with more
inhibition, and the largest load is looked for up to which the last layer is

    quiet      few inactive circuits' indicators are above ½
    accurate   active circuits' vectors err little.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from figures.kit.analysis import Parts
from figures.kit.settings import require_at_least
from figures.kit.words import counted, listed
from figures.questions import question_asymptotic_answer, question_asymptotic_draw
from figures.questions.question_asymptotic_loads import (
    FORMS,
    LIMITS,
    POWER,
    counting_failures,
    judged,
    largest_loads,
    trend,
)
from figures.questions.question_asymptotic_search import (
    CAPACITIES,
    Case,
    Examples,
    Found,
    Search,
    search_redundancies,
)
from toymodels.circuits.seizure import critical_load
from toymodels.circuits.simulation import copies_of
from toymodels.circuits.small_circuits import ROTATION_NEURONS
from toymodels.errors import InputError, hint

# What the analysis' own variables are.
WORDS = {
    "spurious": "share of inactive circuits whose indicator is above 1/2, last layer",
    "error": "mean of |x - true x|^2 over active circuits, last layer",
    "largest": "largest load x = T/N^2 that keeps to the limit",
    "passed": "1 where the limit is passed within the loads, 0 where the largest load is a bound",
    "mean": "mean of the largest load over networks",
    "low": "lower end of its 95 % interval",
    "high": "upper end of its 95 % interval",
    "best": "redundancy S of the largest load",
    "mean_field": "largest quiet load of the mean field, chi as balanced",
    "slope": "exponent of N in the largest load",
    "slope_low": "lower end of its 95 % interval",
    "slope_high": "upper end of its 95 % interval",
    "log_slope": "exponent of log N in the largest load",
    "log_slope_low": "lower end of its 95 % interval",
    "log_slope_high": "upper end of its 95 % interval",
    "off": "root mean square of what a form is off, of the logarithm",
}


def check(plan: Any) -> None:
    """Refuse settings that are not possible, before anything runs."""
    of = plan.settings
    for name in (
        *("n_layers", "n_choosing", "n_judging", "n_judging_widest"),
        *("fewest_examples", "n_reads"),
    ):
        require_at_least(name, of[name], 1)
    for name, least in (("n_active", 1), ("redundancy", 2), ("width", 8)):
        require_at_least(name, min(of[name]), least)
        if len(set(of[name])) < len(of[name]):
            raise InputError(f"{name} = {of[name]} holds a value twice: leave one out.")
    require_at_least("seed", of["seed"], 0)
    require_at_least("n_loads", of["n_loads"], 2)
    for name in ("largest_spurious", "largest_error"):
        require_at_least(name, of[name], 1e-9)
    for width in of["width"]:
        copies_of(width, ROTATION_NEURONS)
    if len(of["assignment"]) != len(of["inhibition"]):
        raise InputError(
            f"assignment has {len(of['assignment'])} values and inhibition "
            f"{len(of['inhibition'])}: give both lists, one value of each for a design."
        )
    for name in of["assignment"]:
        if name not in CAPACITIES:
            raise InputError(
                f"assignment = {name}: give {listed(CAPACITIES)}, whose capacity is known."
                f"{hint(name, CAPACITIES)}"
            )
    if of["fixed_redundancy"] not in of["redundancy"]:
        raise InputError(
            f"fixed_redundancy = {of['fixed_redundancy']}: give one of redundancy, "
            f"{listed(of['redundancy'])}."
        )
    if not 0 < of["lowest_load"] < of["highest_load"]:
        raise InputError(
            f"lowest_load = {of['lowest_load']} and highest_load = {of['highest_load']}: give "
            "loads above 0, the lowest below the highest."
        )


def parts(dataset: xr.Dataset) -> Parts:
    """Search one width, design and number of active circuits for each part."""
    found = {}
    what = Search(
        loads=np.geomspace(
            float(dataset["lowest_load"]), float(dataset["highest_load"]), int(dataset["n_loads"])
        ).tolist(),
        limits=_limits(dataset),
        examples=Examples(int(dataset["fewest_examples"]), int(dataset["n_reads"])),
    )
    how = (
        dataset["redundancy"].values.tolist(),
        int(dataset["fixed_redundancy"]),
    )
    n_choosing = int(dataset["n_choosing"])
    for width in dataset["width"].values.tolist():
        is_widest = width == dataset["width"].values.max()
        n_judging = int(dataset["n_judging_widest" if is_widest else "n_judging"])
        for design in range(dataset.sizes["assignment"]):
            for z in dataset["n_active"].values.tolist():
                case = Case(
                    n_copies=copies_of(width, ROTATION_NEURONS),
                    redundancy=0,
                    assignment=dataset["assignment"].values.tolist()[design],
                    inhibition=float(dataset["inhibition"].values[design]),
                    n_active=z,
                    n_layers=int(dataset["n_layers"]),
                    seed=int(dataset["seed"]),
                )
                name = f"D = {width}, design {design}, z = {z}"
                found[name] = partial(
                    search_redundancies, case, what, *how, (n_choosing, n_judging)
                )
    return found


def _limits(dataset: xr.Dataset) -> Found:
    return Found(float(dataset["largest_spurious"]), float(dataset["largest_error"]))


def analyse(dataset: xr.Dataset, parts: dict[str, xr.Dataset]) -> xr.Dataset:
    """Return the largest loads and how they go with the width.

    Over (width, design, n_active): `spurious`, `error` (redundancy, network, load) as measured;
    `largest`, `passed` (choice, limit, seed) of networks that did not choose, its `mean`, `low`,
    `high`; `best` (limit). Over (choice, limit, design, n_active): exponents `slope` of N and
    `log_slope` of log N, with `_low` and `_high`; `off` (form). `mean_field` (choice, n_active,
    width) of quiet networks whose χ is as balanced.
    """
    sizes = {name: dataset.sizes[name] for name in ("width", "assignment", "n_active")}
    flat = xr.concat(list(parts.values()), "part", join="outer")
    names = ["width", "design", "n_active"]
    index = np.indices(tuple(sizes.values())).reshape(3, -1)
    flat = flat.assign_coords({n: ("part", of) for n, of in zip(names, index, strict=True)})
    measured = flat.set_index(part=names).unstack("part").transpose(*names, ...)
    measured = measured.assign_coords(
        width=dataset["width"].values,
        n_active=dataset["n_active"].values,
        assignment=("design", dataset["assignment"].values),
        inhibition=("design", dataset["inhibition"].values),
    ).sortby("width")
    found = judged(
        largest_loads(measured, _limits(dataset)._asdict()),
        int(dataset["n_choosing"]),
        int(dataset["fixed_redundancy"]),
    )
    found = found.merge(
        measured[["spurious", "error"]].astype(np.float32).rename(seed="network"), join="exact"
    )
    return _with_trends(found).merge(_mean_field(dataset, found), join="exact")


def _with_trends(found: xr.Dataset) -> xr.Dataset:
    """Fit the means over networks; where one is a bound or has no interval, nothing is known."""
    n_copies = found["width"].values // ROTATION_NEURONS
    of = found[["mean", "low", "passed"]].transpose(..., "width")
    known = ((of["passed"] > 0) & of["low"].notnull()).all("width")
    shape, dims = known.shape, known.dims
    rows = of["mean"].values.reshape(-1, n_copies.size)
    fits = [trend(n_copies, y, k) for y, k in zip(rows, known.values.ravel(), strict=True)]
    columns = {
        "slope": "slope",
        "slope_low": "low",
        "slope_high": "high",
        "log_slope": "log_slope",
        "log_slope_low": "log_low",
        "log_slope_high": "log_high",
    }
    each = {
        name: (dims, np.reshape([getattr(fit, field) for fit in fits], shape))
        for name, field in columns.items()
    }
    off = np.reshape([fit.off for fit in fits], (*shape, len(FORMS) + 1))
    return found.assign(each | {"off": ((*dims, "form"), off)}).assign_coords(form=[*FORMS, POWER])


def _mean_field(dataset: xr.Dataset, found: xr.Dataset) -> xr.Dataset:
    """Return the largest quiet load of the mean field, for the best S and the fixed one."""
    redundancy = dataset["redundancy"].values.tolist()
    fixed = redundancy.index(int(dataset["fixed_redundancy"]))
    how = int(dataset["n_layers"]), float(dataset["largest_spurious"])
    values = np.array(
        [
            [
                [_critical(width // ROTATION_NEURONS, s, z, *how) for s in redundancy]
                for width in found["width"].values.tolist()
            ]
            for z in found["n_active"].values.tolist()
        ]
    )
    best = np.where(np.isnan(values), -np.inf, values).max(axis=-1)
    best[np.isneginf(best)] = np.nan
    both = np.stack([best, values[..., fixed]])
    return xr.Dataset(
        {"mean_field": (("choice", "n_active", "width"), both)},
        {"choice": found["choice"], "n_active": found["n_active"], "width": found["width"]},
    )


def _critical(n_copies: int, redundancy: int, n_active: int, n_layers: int, share: float) -> float:
    """Return `critical_load` where S neurons of N can be had, NaN where not."""
    if redundancy > n_copies:
        return np.nan
    return critical_load(n_copies, redundancy, n_active, n_layers, share)


def verdict(dataset: xr.Dataset) -> str:
    """Judge whether loads below the threshold stay fine: for the best S, by the best design."""
    return question_asymptotic_answer.verdict(counting_failures(dataset))


def claim(dataset: xr.Dataset) -> str:
    """Say how the largest loads go with the width for the best S, and which form that has."""
    return question_asymptotic_answer.claim(counting_failures(dataset))


def caption(dataset: xr.Dataset) -> list[str]:
    """Say what is ours, and how S was chosen."""
    n_choosing, n_judging = int(dataset["n_choosing"]), int(dataset["n_judging"])
    n_widest = int(dataset["n_judging_widest"])
    widest = f" ({n_widest} at the largest width)" if n_widest != n_judging else ""
    reads = int(dataset["n_reads"])
    return [
        f"b = 1, layer {int(dataset['n_layers'])}; quiet: at most "
        f"{float(dataset['largest_spurious']):g} of inactive indicators above ½; accurate: mean "
        f"|x̂ − x|² of active circuits at most {float(dataset['largest_error']):g} (our limits)",
        f"S of {listed(dataset['redundancy'].values)} chosen by {counted(n_choosing, 'network')}, "
        f"shown for {counted(n_judging, 'other network')}{widest}, bars 95 % intervals; "
        "numbers above: the S chosen",
        f"{int(dataset['fewest_examples'])} examples or more, {reads:,} readings of indicators or "
        "more; arrows: no limit was passed within the loads tried, or T circuits more do not fit",
        "mean field: ours, of inactive circuits whose neurons hear links at random",
    ]


def draw(dataset: xr.Dataset, axes: Any = None) -> Figure:
    """Draw the largest loads by width: a row for each limit, a column for each z."""
    return question_asymptotic_draw.draw(counting_failures(dataset), list(LIMITS.values()), axes)
