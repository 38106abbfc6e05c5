"""What `question_asymptotic` answers and says, from the largest loads by width."""

import numpy as np
import xarray as xr

from figures.kit.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED, all_of, compared
from figures.kit.words import counted, listed, rounded
from figures.questions.question_asymptotic_draw import names_of
from figures.questions.question_asymptotic_loads import LIMITS, POWER


def verdict(dataset: xr.Dataset) -> str:
    """Judge whether loads below the threshold stay fine: for the best S, by the best design."""
    answers = [_of_design(dataset, i) for i in range(dataset.sizes["design"])]
    if SUPPORTED in answers:
        return SUPPORTED
    return UNDECIDED if UNDECIDED in answers else NOT_SUPPORTED


def _of_design(dataset: xr.Dataset, design: int) -> str:
    """Judge one design: above the threshold at the largest width, and not shrinking."""
    here = dataset.isel(design=design, n_active=0).sel(choice="tuned")
    threshold, flat = float(dataset["threshold"]), float(dataset["flat"])
    answers = []
    for limit in here["limit"].values:
        of = here.sel(limit=limit)
        last = of.isel(width=-1)
        high = float(last["high"]) if last["passed"] else np.inf
        answers.append(compared(float(last["low"]), high, threshold))
        if of["passed"].any():  # else nothing shrinks that the loads could show
            answers.append(compared(*_doubled(of)[1:], flat))
    return all_of(answers)


def _doubled(of: xr.Dataset) -> tuple[float, float, float]:
    """Return by what share a load changes when the width doubles, with its interval."""
    slope, low, high = (float(of[name]) for name in ("slope", "slope_low", "slope_high"))
    return 2**slope - 1, 2**low - 1, 2**high - 1


def claim(dataset: xr.Dataset) -> str:
    """Say how the largest loads go with the width for the best S, and which form that has."""
    here = dataset.isel(n_active=0)
    quiet, accurate = (here.sel(choice="tuned", limit=limit) for limit in LIMITS.values())
    fixed = here.sel(choice="fixed", limit="quiet")
    first, last = (f"{width:,}" for width in here["width"].values[[0, -1]].tolist())
    names, main = names_of(here), _main(quiet)
    order = [main, *(i for i in range(len(names)) if i != main)]
    found = [f", up to {_ends(quiet.isel(design=i))} with {names[i]}" for i in order[1:]]
    exact = [_value(accurate.isel(design=i, width=-1)) for i in order]
    one, s = quiet.isel(design=main), int(here["fixed_redundancy"])
    notes = [*_how_it_goes(one), f"with S = {s} throughout {_ends(fixed.isel(design=main))}"]
    return (
        f"With {counted(int(here['n_active']), 'circuit')} active and the best S, indicators in "
        f"layer {int(here['n_layers'])} stay quiet up to T (d/D)² = {_value(one.isel(width=0))} at "
        f"D = {first} and {_value(one.isel(width=-1))} at {last} with {names[main]} "
        f"({'; '.join(notes)}){''.join(found)}; vectors stay accurate up to {listed(exact)} at "
        f"D = {last}"
    )


def _main(quiet: xr.Dataset) -> int:
    """Return the design with the largest load at the largest width that is no bound."""
    last = quiet.isel(width=-1)
    return int(last["mean"].where(last["passed"] > 0).fillna(0).argmax("design"))


def _ends(of: xr.Dataset) -> str:
    """Say a load at the first and the last width, without intervals."""
    return " and ".join(_value(of.isel(width=i), digits=2) for i in (0, -1))


def _how_it_goes(of: xr.Dataset) -> list[str]:
    """Say how a load changes with the width, and how far each form is off; nothing if unknown."""
    if not np.isfinite(of["slope"]):
        return []
    change, low, high = (f"{100 * share:+.0f}" for share in _doubled(of))
    power = f"N^{float(of['slope']):.2f}"
    off = zip(of["form"].values.tolist(), of["off"].values.tolist(), strict=True)
    missed = [f"{power if form == POWER else form} by {by:.0%}" for form, by in off]
    return [f"{change}% [{low}, {high}] each time D doubles", f"off are {listed(missed)}"]


def _value(of: xr.Dataset, digits: int = 3) -> str:
    """Say a load, with its interval where it has three digits, or that it is a bound."""
    mean, low, high = (float(of[name]) for name in ("mean", "low", "high"))
    if not np.isfinite(mean) and of["largest"].notnull().any():
        return f"an unknown load (some networks fail from {rounded(of['lowest_load'])} on)"
    if not np.isfinite(mean):
        return f"less than {rounded(of['lowest_load'])}"
    if not of["passed"]:
        return f"at least {rounded(mean, digits)}"
    if digits < 3:
        return rounded(mean, digits)
    said = f"{rounded(low, 3)}, {rounded(high, 3)}" if np.isfinite(low) else "one network"
    return f"{rounded(mean, 3)} [{said}]"
